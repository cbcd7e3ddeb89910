// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tree's seq_file and iov_iter name and never reach in a domain: no pipe exists here, no block I/O has a priority.
 */
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/pipe_fs_i.h>
#include <uapi/linux/ioprio.h>

const struct pipe_buf_operations default_pipe_buf_ops;

/* Inline in newer headers, which are therefore not included. */
struct task_struct;
int __get_task_ioprio(struct task_struct *task);
int __get_task_ioprio(struct task_struct *task)
{
	return IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0);
}
