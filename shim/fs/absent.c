// SPDX-License-Identifier: GPL-2.0-only
/*
 * What belongs to processes, of which a domain has none: descriptors, mappings of a device into somebody's memory, pipes,
 * priorities of block I/O. File operations that would need one end with the error of a process that can have no more.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/pipe_fs_i.h>
#include <linux/version.h>
#include <uapi/linux/ioprio.h>

const struct pipe_buf_operations default_pipe_buf_ops;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0) /* then inline */
struct task_struct;
int __get_task_ioprio(struct task_struct *task);
int __get_task_ioprio(struct task_struct *task)
{
	return IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0);
}
#endif

int anon_inode_getfd(const char *name, const struct file_operations *fops, void *priv, int flags)
{
	return -EMFILE;
}

struct file *anon_inode_getfile(const char *name, const struct file_operations *fops, void *priv, int flags)
{
	return ERR_PTR(-ENFILE);
}

int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn, unsigned long size, pgprot_t prot)
{
	return -ENOMEM;
}

void zap_vma_ptes(struct vm_area_struct *vma, unsigned long address, unsigned long size)
{
}
