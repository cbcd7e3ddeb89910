/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_THREAD_INFO_H
#define _ASM_WASM_THREAD_INFO_H

/* The head of every task_struct (CONFIG_THREAD_INFO_IN_TASK): flags, and the count that makes in_atomic() exact. */
#define THREAD_SIZE_ORDER	2
#define THREAD_SIZE	(4096UL << THREAD_SIZE_ORDER)

#ifndef __ASSEMBLY__
struct thread_info {
	unsigned long flags;
	int preempt_count;
	unsigned int cpu;
	unsigned long syscall_work;
};

#define INIT_THREAD_INFO(task)	{ .flags = 0, .preempt_count = INIT_PREEMPT_COUNT }
#endif

#define TIF_SYSCALL_TRACE	0
#define TIF_NOTIFY_RESUME	1
#define TIF_SIGPENDING	2
#define TIF_NEED_RESCHED	3
#define TIF_NOTIFY_SIGNAL	4
#define TIF_MEMDIE	5
#define TIF_RESTORE_SIGMASK	6
#define TIF_SECCOMP	7
#define TIF_SYSCALL_AUDIT	8
#define TIF_SYSCALL_TRACEPOINT	9
#define TIF_POLLING_NRFLAG	10
#define TIF_SINGLESTEP	11
#define TIF_UPROBE	12

#define _TIF_NOTIFY_RESUME	(1 << TIF_NOTIFY_RESUME)
#define _TIF_SIGPENDING	(1 << TIF_SIGPENDING)
#define _TIF_NEED_RESCHED	(1 << TIF_NEED_RESCHED)
#define _TIF_NOTIFY_SIGNAL	(1 << TIF_NOTIFY_SIGNAL)
#define _TIF_POLLING_NRFLAG	(1 << TIF_POLLING_NRFLAG)

#endif
