// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that the machine gave the domain, as a file system to be read: what the tree's own firmware loader finds below
 * /lib/firmware. They are reached by WASI's calls, and looked at when somebody asks for one by name; there is no list of them.
 *
 * Must not know: where the machine found them.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>
#include "lower.h"

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
#define WASI_RIGHT_FD_READ	2ULL
#define WASI_FIRST_PREOPEN	3
#define WASI_DIRECTORY		3
#define WASI_REGULAR_FILE	4
/* Where they lie. */
#define BELOW			"lib/firmware"

struct wasi_filestat {
	u64 dev, ino;
	u8 filetype;
	u64 nlink, size, atim, mtim, ctim;
};

struct wasi_prestat {
	u8 tag;
	u32 name_len;
};

struct wasi_iovec {
	void *base;
	u32 len;
};

WASI(fd_prestat_get) int wasi_fd_prestat_get(u32 fd, struct wasi_prestat *prestat);
WASI(path_filestat_get) int wasi_path_filestat_get(u32 dir, u32 flags, const char *path, u32 len, struct wasi_filestat *stat);
WASI(path_open)
int wasi_path_open(u32 dir, u32 dirflags, const char *path, u32 len, u32 oflags, u64 rights, u64 inheriting, u32 flags, u32 *fd);
WASI(fd_pread) int wasi_fd_pread(u32 fd, const struct wasi_iovec *iov, u32 count, u64 offset, u32 *got);
WASI(fd_close) int wasi_fd_close(u32 fd);

/* What a file is called there, in a page of its own: freed by who asked. */
static char *path_of(struct dentry *dentry, char **page)
{
	const size_t head = sizeof(BELOW) - 1;
	char *path;

	*page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!*page)
		return ERR_PTR(-ENOMEM);
	path = dentry_path_raw(dentry, *page + head, PAGE_SIZE - head);
	return IS_ERR(path) ? path : memcpy(path - head, BELOW, head);
}

static ssize_t read_open(u32 fd, loff_t *at, struct iov_iter *to)
{
	char *buffer = kmalloc(PAGE_SIZE, GFP_KERNEL);
	ssize_t done = 0;

	if (!buffer)
		return -ENOMEM;
	while (iov_iter_count(to)) {
		struct wasi_iovec iov = { buffer, min_t(size_t, iov_iter_count(to), PAGE_SIZE) };
		u32 got = 0;

		if (wasi_fd_pread(fd, &iov, 1, *at, &got)) {
			done = done ?: -EIO;
			break;
		}
		if (!got)
			break;
		got = copy_to_iter(buffer, got, to);
		*at += got;
		done += got;
	}
	kfree(buffer);
	return done;
}

static ssize_t read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	char *page, *path = path_of(iocb->ki_filp->f_path.dentry, &page);
	ssize_t done = -EIO;
	u32 fd;

	if (IS_ERR(path))
		done = PTR_ERR(path);
	else if (!wasi_path_open((u32)file_inode(iocb->ki_filp)->i_private, 0, path, strlen(path), 0, WASI_RIGHT_FD_READ, 0, 0, &fd)) {
		done = read_open(fd, &iocb->ki_pos, to);
		wasi_fd_close(fd);
	}
	kfree(page);
	return done;
}

static const struct file_operations file_operations = { .read_iter = read_iter, .llseek = generic_file_llseek };
static const struct file_operations directory_operations = { .read = generic_read_dir, .llseek = noop_llseek };
static const struct inode_operations directory_inode;

/* `preopen`: which of the directories that the domain was given has it. */
static struct inode *make_inode(struct super_block *sb, bool directory, loff_t size, u32 preopen)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = get_next_ino();
	inode->i_mode = directory ? S_IFDIR | 0555 : S_IFREG | 0444;
	inode->i_fop = directory ? &directory_operations : &file_operations;
	if (directory)
		inode->i_op = &directory_inode;
	inode->i_private = (void *)preopen;
	i_size_write(inode, size);
	return inode;
}

/* Which directory that the domain was given has the file; 0 for none. */
static u32 find(const char *path, struct wasi_filestat *stat)
{
	struct wasi_prestat prestat;
	u32 dir;

	for (dir = WASI_FIRST_PREOPEN; !wasi_fd_prestat_get(dir, &prestat); dir++)
		if (!wasi_path_filestat_get(dir, 0, path, strlen(path), stat))
			return dir;
	return 0;
}

static struct dentry *lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	char *page, *path = path_of(dentry, &page);
	struct wasi_filestat stat = {};
	struct inode *inode = NULL;
	u32 preopen = 0;

	if (IS_ERR(path))
		inode = ERR_CAST(path);
	else
		preopen = find(path, &stat);
	if (preopen && (stat.filetype == WASI_DIRECTORY || stat.filetype == WASI_REGULAR_FILE))
		inode = make_inode(dir->i_sb, stat.filetype == WASI_DIRECTORY, stat.size, preopen) ?: ERR_PTR(-ENOMEM);
	kfree(page);
	return d_splice_alias(inode, dentry);
}

static const struct inode_operations directory_inode = { .lookup = lookup };
static const struct super_operations super_operations = { .statfs = simple_statfs };

static int fill_super(struct super_block *sb, struct fs_context *fc)
{
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_op = &super_operations;
	sb->s_root = d_make_root(make_inode(sb, true, 0, 0));
	return sb->s_root ? 0 : -ENOMEM;
}

static int get_tree(struct fs_context *fc) { return get_tree_nodev(fc, fill_super); }

static const struct fs_context_operations context_operations = { .get_tree = get_tree };

static int init_context(struct fs_context *fc)
{
	fc->ops = &context_operations;
	return 0;
}

static struct file_system_type type = { .name = "drvport", .init_fs_context = init_context, .kill_sb = kill_anon_super };

static int __init firmware_files_init(void) { return register_filesystem(&type); }
fs_initcall(firmware_files_init);
