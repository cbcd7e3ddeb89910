// SPDX-License-Identifier: GPL-2.0-only
/* debugfs is not there; drivers are written to go on without it. */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/export.h>

struct dentry *debugfs_create_dir(const char *name, struct dentry *parent)
{
	return ERR_PTR(-ENODEV);
}

struct dentry *debugfs_create_file(const char *name, umode_t mode, struct dentry *parent, void *data,
				   const struct file_operations *fops)
{
	return ERR_PTR(-ENODEV);
}

struct dentry *debugfs_create_file_unsafe(const char *name, umode_t mode, struct dentry *parent, void *data,
					  const struct file_operations *fops)
{
	return ERR_PTR(-ENODEV);
}

struct dentry *debugfs_rename(struct dentry *old_dir, struct dentry *old_dentry, struct dentry *new_dir,
			      const char *new_name)
{
	return ERR_PTR(-ENODEV);
}

void debugfs_remove(struct dentry *dentry)
{
}

void debugfs_create_u8(const char *name, umode_t mode, struct dentry *parent, u8 *value)
{
}

void debugfs_create_u16(const char *name, umode_t mode, struct dentry *parent, u16 *value)
{
}

void debugfs_create_u32(const char *name, umode_t mode, struct dentry *parent, u32 *value)
{
}

void debugfs_create_u64(const char *name, umode_t mode, struct dentry *parent, u64 *value)
{
}

void debugfs_create_x32(const char *name, umode_t mode, struct dentry *parent, u32 *value)
{
}

void debugfs_create_u32_array(const char *name, umode_t mode, struct dentry *parent,
			      struct debugfs_u32_array *array)
{
}

void debugfs_create_bool(const char *name, umode_t mode, struct dentry *parent, bool *value)
{
}

void debugfs_create_regset32(const char *name, umode_t mode, struct dentry *parent, struct debugfs_regset32 *regset)
{
}

bool debugfs_initialized(void)
{
	return false;
}

/* ---- what files of drivers are made with; none is ever opened ---- */

int debugfs_file_get(struct dentry *dentry)
{
	return -EIO;
}

void debugfs_file_put(struct dentry *dentry)
{
}

ssize_t debugfs_read_file_bool(struct file *file, char __user *user_buf, size_t count, loff_t *ppos)
{
	return -EIO;
}

ssize_t debugfs_write_file_bool(struct file *file, const char __user *user_buf, size_t count, loff_t *ppos)
{
	return -EIO;
}

void debugfs_create_atomic_t(const char *name, umode_t mode, struct dentry *parent, atomic_t *value)
{
}

ssize_t debugfs_attr_read(struct file *file, char __user *buf, size_t len, loff_t *ppos)
{
	return -EIO;
}

ssize_t debugfs_attr_write(struct file *file, const char __user *buf, size_t len, loff_t *ppos)
{
	return -EIO;
}

ssize_t debugfs_attr_write_signed(struct file *file, const char __user *buf, size_t len, loff_t *ppos)
{
	return -EIO;
}
