// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks are fibers of the machine, each with its kernel stack in linear memory. Linux decides who runs; switching is one
 * call that suspends this fiber and lets the other go on. A fiber whose frames were lost, because the domain began from
 * an image of memory, starts its thread's function again below what its stack holds.
 */
#include <linux/kernel.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <asm/switch_to.h>
#define DRVPORT_SHIM
#include "lower.h"

/* What a new task runs lies at the top of its stack. */
struct start {
	int (*fn)(void *);
	void *arg;
};

#define STACK_ROOM 32

static struct start *start_of(struct task_struct *task)
{
	return (struct start *)((unsigned long)task_stack_page(task) + THREAD_SIZE - STACK_ROOM);
}

unsigned long init_stack[THREAD_SIZE / sizeof(unsigned long)] __aligned(THREAD_SIZE);
struct task_struct *drvport_current = &init_task;
EXPORT_SYMBOL(drvport_current);

/* Who gave way to the task that runs now. */
static struct task_struct *switched_from;

static int give_fiber(struct task_struct *p, int (*fn)(void *), void *arg)
{
	struct start *start = start_of(p);

	/* No program of a user's: nothing to return to. */
	if (!fn)
		return -ENOSYS;
	start->fn = fn;
	start->arg = arg;
	p->thread.fiber = drvport_sched_create((u32)p, (u32)task_stack_page(p), (u32)start);
	return p->thread.fiber ? 0 : -EAGAIN;
}

#ifdef TREE_STARTS_FN
int copy_thread(struct task_struct *p, const struct kernel_clone_args *args)
{
	return give_fiber(p, args->fn, args->fn_arg);
}
#else
int copy_thread(unsigned long flags, unsigned long sp, unsigned long arg, struct task_struct *p, unsigned long tls)
{
	return give_fiber(p, p->flags & PF_KTHREAD ? (void *)sp : NULL, (void *)arg);
}
#endif

void arch_release_task_struct(struct task_struct *task)
{
	if (task->thread.fiber)
		drvport_sched_release(task->thread.fiber);
}

struct task_struct *drvport_switch_to(struct task_struct *prev, struct task_struct *next)
{
	drvport_current = next;
	switched_from = prev;
	/* The machine has given the domain up, and asks each of its tasks for its name, and where it waits. */
	if (drvport_sched_switch(next->thread.fiber))
		drvport_fault(DRVPORT_FAULT_DEADLOCK, "%s", prev->comm);
	return switched_from;
}

asmlinkage void schedule_tail(struct task_struct *prev);

void drvport_entry_task(u32 task)
{
	struct start start = *start_of((struct task_struct *)task);

	schedule_tail(switched_from);
	start.fn(start.arg);
	/* The first task has brought the kernel up, and would be a user's program now. */
	if (is_global_init(current))
		drvport_serve();
	do_exit(0);
}

int kthreadd(void *unused);

/* A tree that keeps a list of its threads finds one that starts again on it: it leaves that, as by ending, and is new. */
static void renew(struct task_struct *task)
{
#ifdef TREE_LISTS_THREADS
	kthread_do_exit(tsk_is_kthread(task), 0);
	free_kthread_struct(task);
	set_kthread_struct(task);
#endif
}

/* Of older trees it is no function's pointer by its type. */
static int (*function_of(struct task_struct *task))(void *) { return kthread_func(task); }

/*
 * The domain began from an image of memory: this task goes on. Its frames were not kept, so a thread of the kernel's does its
 * function from the start, which is how each of them begins its next round; what it had on its stack stays above.
 */
void drvport_entry_resume(u32 unused)
{
	struct task_struct *task = current;

	if (is_global_init(task))
		drvport_go_on();
	schedule_tail(switched_from);
	/* The one that idles may not have come to it yet. */
	if (!task->pid) {
		preempt_disable();
		cpu_startup_entry(CPUHP_ONLINE);
	}
	if (task != kthreadd_task) {
		function_of(task)(kthread_data(task));
	} else {
		renew(task);
		kthreadd(NULL);
	}
	do_exit(0);
}

void arch_cpu_idle(void)
{
	drvport_sched_idle();
	raw_local_irq_enable();
}

void start_thread(struct pt_regs *regs, unsigned long pc, unsigned long sp) { }
void flush_thread(void) { }
/* Newer trees have these too. */
void __weak release_thread(struct task_struct *task) { }
unsigned long __weak get_wchan(struct task_struct *task) { return 0; }
void __init __weak trap_init(void) { }
unsigned long __get_wchan(struct task_struct *task) { return 0; }
