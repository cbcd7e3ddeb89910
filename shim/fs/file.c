// SPDX-License-Identifier: GPL-2.0-only
/*
 * What file operations of drivers are put together from. No file is ever opened in a domain; these are the tree's rules
 * for the few that a driver names in its tables.
 */
#include <linux/fs.h>

int nonseekable_open(struct inode *inode, struct file *filp)
{
	filp->f_mode &= ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE);
	return 0;
}

int stream_open(struct inode *inode, struct file *filp)
{
	filp->f_mode &= ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS);
	filp->f_mode |= FMODE_STREAM;
	return 0;
}

loff_t noop_llseek(struct file *file, loff_t offset, int whence)
{
	return file->f_pos;
}

loff_t default_llseek(struct file *file, loff_t offset, int whence)
{
	return -ESPIPE;
}

loff_t generic_file_llseek(struct file *file, loff_t offset, int whence)
{
	return -ESPIPE;
}

loff_t fixed_size_llseek(struct file *file, loff_t offset, int whence, loff_t size)
{
	return -ESPIPE;
}

loff_t no_seek_end_llseek(struct file *file, loff_t offset, int whence)
{
	return -ESPIPE;
}
