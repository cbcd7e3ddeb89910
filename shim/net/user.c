// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree's buffer code asks whether the owner of a socket may see time stamps. There is one user and no socket.
 */
#include <linux/capability.h>
#include <linux/user_namespace.h>

struct user_namespace init_user_ns;

bool file_ns_capable(const struct file *file, struct user_namespace *ns, int cap)
{
	return true;
}
