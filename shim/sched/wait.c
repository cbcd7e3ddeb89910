// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wait queues, simple wait queues, bit waits and completions: the tree's own files. Since 5.18 they have no includes
 * of their own (the kernel builds them as parts of one file), so this file stands in for that one.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <linux/wait.h>
#include <linux/wait_bit.h>
#include <linux/swait.h>
#include <linux/completion.h>
#include <linux/hash.h>
#include <linux/poll.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/export.h>

/* What kernel/sched/sched.h would declare. */
void swake_up_all_locked(struct swait_queue_head *q);
void __prepare_to_swait(struct swait_queue_head *q, struct swait_queue *wait);
int try_to_wake_up(struct task_struct *task, unsigned int state, int wake_flags);
#ifndef WF_CURRENT_CPU
#define WF_CURRENT_CPU 0x40
#endif
#ifndef WF_SYNC
#define WF_SYNC 0x10
#endif

#include <linux/../../kernel/sched/swait.c>
#include <linux/../../kernel/sched/completion.c>
#include <linux/../../kernel/sched/wait.c>
#include <linux/../../kernel/sched/wait_bit.c>
