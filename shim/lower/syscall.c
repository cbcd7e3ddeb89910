// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls from outside of the domain: a request carries the number, the arguments and all memory that they point to,
 * which is copied in and out. The tree's own calls are made, by a thread of the kernel's: root, with the root directory.
 */
#include <linux/init.h>
#include <linux/init_syscalls.h>
#include <linux/kernel.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/syscalls.h>
#include <linux/unistd.h>
#include "lower.h"

/* File systems that Linux's first program would mount. */
static const struct {
	const char *type, *where;
} mounts[] = {
	{ "proc", "/proc" },
	{ "sysfs", "/sys" },
	{ "debugfs", "/sys/kernel/debug" },
	{ "configfs", "/sys/kernel/config" },
};

void drvport_mounts(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		init_mkdir(mounts[i].where, 0755);
		init_mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL);
	}
}

#define USER(address)	((void __user *)(address))

static long call(const struct drvport_syscall *request)
{
	const u32 *a = request->args;

	switch (request->number) {
	case __NR_openat:
		return sys_openat(a[0], USER(a[1]), a[2], a[3]);
	case __NR_close:
		return sys_close(a[0]);
	case __NR_read:
		return sys_read(a[0], USER(a[1]), a[2]);
	case __NR_write:
		return sys_write(a[0], USER(a[1]), a[2]);
	case __NR_llseek:
		return sys_llseek(a[0], a[1], a[2], USER(a[3]), a[4]);
	case __NR_ioctl:
		return sys_ioctl(a[0], a[1], a[2]);
	case __NR_getdents64:
		return sys_getdents64(a[0], USER(a[1]), a[2]);
	case __NR_statx:
		return sys_statx(a[0], USER(a[1]), a[2], a[3], USER(a[4]));
	case __NR_readlinkat:
		return sys_readlinkat(a[0], USER(a[1]), USER(a[2]), a[3]);
	case __NR_mknodat:
		return sys_mknodat(a[0], USER(a[1]), a[2], a[3]);
	case __NR_mkdirat:
		return sys_mkdirat(a[0], USER(a[1]), a[2]);
	case __NR_unlinkat:
		return sys_unlinkat(a[0], USER(a[1]), a[2]);
	case __NR_mount:
		return sys_mount(USER(a[0]), USER(a[1]), USER(a[2]), a[3], USER(a[4]));
	case __NR_umount2:
		return sys_umount(USER(a[0]), a[1]);
	case __NR_fsync:
		return sys_fsync(a[0]);
	case __NR_socket:
		return sys_socket(a[0], a[1], a[2]);
	case __NR_bind:
		return sys_bind(a[0], USER(a[1]), a[2]);
	case __NR_listen:
		return sys_listen(a[0], a[1]);
	case __NR_accept4:
		return sys_accept4(a[0], USER(a[1]), USER(a[2]), a[3]);
	case __NR_connect:
		return sys_connect(a[0], USER(a[1]), a[2]);
	case __NR_sendto:
		return sys_sendto(a[0], USER(a[1]), a[2], a[3], USER(a[4]), a[5]);
	case __NR_recvfrom:
		return sys_recvfrom(a[0], USER(a[1]), a[2], a[3], USER(a[4]), USER(a[5]));
	case __NR_setsockopt:
		return sys_setsockopt(a[0], a[1], a[2], USER(a[3]), a[4]);
	case __NR_getsockopt:
		return sys_getsockopt(a[0], a[1], a[2], USER(a[3]), USER(a[4]));
	case __NR_shutdown:
		return sys_shutdown(a[0], a[1]);
	}
	return -ENOSYS;
}

/* `data`: struct syscall, and after it the memory that arguments marked in `pointers` are offsets into. */
int drvport_syscall(void *data, u32 bytes)
{
	struct drvport_syscall request;
	u8 *memory = data + sizeof(request);
	u32 i;

	if (bytes < sizeof(request))
		return -EINVAL;
	memcpy(&request, data, sizeof(request));
	for (i = 0; i < ARRAY_SIZE(request.args); i++) {
		if (!(request.pointers & (1u << i)))
			continue;
		if (request.args[i] > bytes - sizeof(request))
			return -EFAULT;
		request.args[i] += (u32)memory;
	}
	return call(&request);
}
