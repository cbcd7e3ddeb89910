// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc: entries are accepted and nobody reads them. Every one is the same entry, so that drivers which check go on.
 */
#include <linux/proc_fs.h>

static unsigned long nothing;
#define ENTRY ((struct proc_dir_entry *)&nothing)

struct proc_dir_entry *proc_mkdir(const char *name, struct proc_dir_entry *parent)
{
	return ENTRY;
}

struct proc_dir_entry *proc_mkdir_mode(const char *name, umode_t mode, struct proc_dir_entry *parent)
{
	return ENTRY;
}

struct proc_dir_entry *proc_mkdir_data(const char *name, umode_t mode, struct proc_dir_entry *parent, void *data)
{
	return ENTRY;
}

struct proc_dir_entry *proc_symlink(const char *name, struct proc_dir_entry *parent, const char *to)
{
	return ENTRY;
}

struct proc_dir_entry *proc_create(const char *name, umode_t mode, struct proc_dir_entry *parent,
				   const struct proc_ops *ops)
{
	return ENTRY;
}

struct proc_dir_entry *proc_create_data(const char *name, umode_t mode, struct proc_dir_entry *parent,
					const struct proc_ops *ops, void *data)
{
	return ENTRY;
}

struct proc_dir_entry *proc_create_seq_private(const char *name, umode_t mode, struct proc_dir_entry *parent,
					       const struct seq_operations *ops, unsigned int state_size, void *data)
{
	return ENTRY;
}

struct proc_dir_entry *proc_create_single_data(const char *name, umode_t mode, struct proc_dir_entry *parent,
					       int (*show)(struct seq_file *, void *), void *data)
{
	return ENTRY;
}

void proc_set_size(struct proc_dir_entry *entry, loff_t size)
{
}

void proc_remove(struct proc_dir_entry *entry)
{
}

void remove_proc_entry(const char *name, struct proc_dir_entry *parent)
{
}

int remove_proc_subtree(const char *name, struct proc_dir_entry *parent)
{
	return 0;
}
