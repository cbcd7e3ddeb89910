/* SPDX-License-Identifier: GPL-2.0-only */
/* What a file says, as a program would read it. */
#include <linux/err.h>
#include <linux/fs.h>

static inline ssize_t read_file(const char *path, char *text, size_t room)
{
	struct file *file = filp_open(path, O_RDONLY, 0);
	loff_t at = 0;
	ssize_t got;

	if (IS_ERR(file))
		return PTR_ERR(file);
	got = kernel_read(file, text, room - 1, &at);
	text[max_t(ssize_t, got, 0)] = '\0';
	filp_close(file, NULL);
	return got;
}
