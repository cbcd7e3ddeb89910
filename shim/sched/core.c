// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tasks, sleeping and waking. One task_struct per fiber; the machine switches fibers, this file keeps `current` right
 * around every switch and turns Linux's sleep states into sched.block and sched.wake. When no fiber runs, current is
 * the idle task, on which interrupts are counted.
 *
 * Sleeping where that is forbidden ends the domain with sleep-in-atomic.
 *
 * Must not know: wait queues, locks, or what a task does.
 */
#define DRVPORT_SHIM
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/sched/signal.h>
#include <linux/sched/debug.h>
#include <linux/sched/wake_q.h>
#include <linux/preempt.h>
#include <linux/kthread.h>
#include <linux/jiffies.h>
#include <linux/string.h>
#include <linux/export.h>
#include <linux/nsproxy.h>
#include <linux/cred.h>
#include <linux/debug_locks.h>
#include <drvport/core.h>
#include <drvport_shim_abi.h>

/* There are no users: every task is the domain's own, and what it may do is what capabilities it holds. */
struct cred init_cred = {
	.usage = ATOMIC_INIT(1),
	.cap_permitted = CAP_FULL_SET,
	.cap_effective = CAP_FULL_SET,
	.cap_bset = CAP_FULL_SET,
};

struct task_struct init_task = {
	.__state = TASK_RUNNING,
	.comm = "idle",
	.flags = PF_KTHREAD,
	.cpus_ptr = cpu_possible_mask,
	.nr_cpus_allowed = 1,
	.prio = MAX_PRIO - 20,
	.static_prio = MAX_PRIO - 20,
	.normal_prio = MAX_PRIO - 20,
	.cred = &init_cred,
	.real_cred = &init_cred,
#ifdef CONFIG_TRACE_IRQFLAGS
	.softirqs_enabled = 1,
#endif
#ifdef CONFIG_LOCKDEP
	.curr_chain_key = INITIAL_CHAIN_KEY,
#endif
};
struct task_struct *drvport_current = &init_task;

#define FIBER(task) ((task)->thread.fiber)

static int next_pid = 1;
static struct task_struct *spare_tasks; /* linked through ->parent */

static struct task_struct *task_new(const char *name)
{
	struct task_struct *task = spare_tasks;

	if (task)
		spare_tasks = task->parent;
	else
		task = drvport_core_alloc(sizeof(*task));
	if (!task)
		return NULL;
	memset(task, 0, sizeof(*task));
	task->__state = TASK_RUNNING;
	task->flags = PF_KTHREAD;
	task->cpus_ptr = cpu_possible_mask;
	task->nr_cpus_allowed = 1;
	task->prio = task->static_prio = task->normal_prio = MAX_PRIO - 20;
	task->pid = task->tgid = next_pid++;
	task->group_leader = task;
	task->parent = task->real_parent = &init_task;
	task->cred = task->real_cred = &init_cred;
	lockdep_init_task(task);
#ifdef CONFIG_TRACE_IRQFLAGS
	task->softirqs_enabled = 1;
#endif
	raw_spin_lock_init(&task->pi_lock);
	spin_lock_init(&task->alloc_lock);
	refcount_set(&task->usage, 1);
	task_thread_info(task)->preempt_count = 0;
	strscpy(task->comm, name, sizeof(task->comm));
	drvport_held.tasks++;
	return task;
}

static void task_free(struct task_struct *task)
{
	drvport_held.tasks--;
	task->parent = spare_tasks;
	spare_tasks = task;
}

void __put_task_struct(struct task_struct *task)
{
	task_free(task);
}

/* ---- fibers ---- */

struct task_struct *drvport_task_enter(const char *name)
{
	struct task_struct *task = task_new(name);

	if (!task)
		drvport_fault(DRVPORT_FAULT_OUT_OF_MEMORY, "no memory for a task (%s)", name);
	FIBER(task) = drvport_sched_self();
	drvport_current = task;
	return task;
}

void drvport_task_leave(struct task_struct *task)
{
	debug_check_no_locks_held();
	if (preempt_count())
		drvport_fault(DRVPORT_FAULT_BUG, "%s returned with preempt_count 0x%x: a lock is still held",
			      task->comm, preempt_count());
	if (irqs_disabled())
		drvport_fault(DRVPORT_FAULT_BUG, "%s returned with interrupts disabled", task->comm);
	drvport_current = &init_task;
	WRITE_ONCE(task->__state, TASK_DEAD);
	put_task_struct(task);
}

struct start {
	void (*fn)(void *);
	void *arg;
	struct task_struct *task;
};

struct task_struct *drvport_fiber_start(void (*fn)(void *), void *arg, const char *name)
{
	struct start *start = drvport_core_alloc(sizeof(*start));
	struct task_struct *task = task_new(name);
	u32 fiber;

	if (!start || !task)
		goto fail;
	start->fn = fn;
	start->arg = arg;
	start->task = task;
	fiber = drvport_sched_spawn((u32)start);
	if (!fiber)
		goto fail;
	FIBER(task) = fiber;
	return task;
fail:
	drvport_core_free(start);
	if (task)
		task_free(task);
	return NULL;
}

/* The machine runs a spawned fiber: arg is its struct start. */
void drvport_entry_fiber(unsigned int arg)
{
	struct start start = *(struct start *)arg;

	drvport_core_free((void *)arg);
	FIBER(start.task) = drvport_sched_self();
	drvport_current = start.task;
	start.fn(start.arg);
	drvport_task_leave(start.task);
}

void __noreturn drvport_fiber_exit(void)
{
	drvport_task_leave(drvport_current);
	drvport_sched_exit();
}

/* ---- sleeping ---- */

static void check_may_sleep(const char *what)
{
	if (preempt_count() || irqs_disabled())
		drvport_fault(DRVPORT_FAULT_SLEEP_IN_ATOMIC, "%s in atomic context: preempt_count 0x%x%s%s", what,
			      preempt_count(), irqs_disabled() ? ", interrupts off" : "",
			      in_hardirq() ? ", in an interrupt handler" : in_serving_softirq() ? ", in a softirq" : "");
	if (drvport_current == &init_task)
		drvport_fault(DRVPORT_FAULT_SLEEP_IN_ATOMIC, "%s where no task runs", what);
}

/* Suspend this fiber; while others run, current is theirs. True when the deadline passed. */
static bool block(u64 deadline)
{
	struct task_struct *me = drvport_current;
	bool late;

	drvport_current = &init_task;
	late = drvport_sched_block((u32)deadline, (u32)(deadline >> 32));
	drvport_current = me;
	return late;
}

bool drvport_sleep_until(u64 deadline)
{
	struct task_struct *me = current;

	check_may_sleep("schedule");
	while (READ_ONCE(me->__state) != TASK_RUNNING) {
		if (signal_pending_state(READ_ONCE(me->__state), me))
			break;
		if (block(deadline)) {
			__set_current_state(TASK_RUNNING);
			return false;
		}
	}
	__set_current_state(TASK_RUNNING);
	return true;
}

static void yield_fiber(void)
{
	struct task_struct *me = drvport_current;

	drvport_current = &init_task;
	drvport_sched_yield();
	drvport_current = me;
}

asmlinkage __visible void __sched schedule(void)
{
	if (READ_ONCE(current->__state) == TASK_RUNNING) {
		check_may_sleep("schedule");
		yield_fiber();
		return;
	}
	drvport_sleep_until(DRVPORT_FOREVER);
}

void __sched schedule_preempt_disabled(void)
{
	preempt_enable_no_resched();
	schedule();
	preempt_disable();
}

void __sched yield(void)
{
	__set_current_state(TASK_RUNNING);
	schedule();
}

/*
 * A long loop offers the processor with every turn; here it goes to the domain's other tasks once a tick, so that a loop
 * that is polite is never taken for an endless one.
 */
int __sched __cond_resched(void)
{
	static unsigned long offered;

	if (jiffies == offered || preempt_count() || irqs_disabled() || drvport_current == &init_task)
		return 0;
	offered = jiffies;
	yield_fiber();
	return 1;
}

int __cond_resched_lock(spinlock_t *lock)
{
	return 0;
}

long __sched io_schedule_timeout(long timeout)
{
	return schedule_timeout(timeout);
}

void __sched io_schedule(void)
{
	schedule();
}

int io_schedule_prepare(void)
{
	return 0;
}

void io_schedule_finish(int token)
{
}

/* ---- waking ---- */

static int wake(struct task_struct *task, unsigned int state)
{
	if (!(READ_ONCE(task->__state) & state))
		return 0;
	WRITE_ONCE(task->__state, TASK_RUNNING);
	if (task != current && FIBER(task))
		drvport_sched_wake(FIBER(task));
	return 1;
}

/* Declared by the kernel's scheduler for itself only. */
int try_to_wake_up(struct task_struct *task, unsigned int state, int wake_flags);
int try_to_wake_up(struct task_struct *task, unsigned int state, int wake_flags)
{
	return wake(task, state);
}

int wake_up_process(struct task_struct *task)
{
	return wake(task, TASK_NORMAL);
}

int wake_up_state(struct task_struct *task, unsigned int state)
{
	return wake(task, state);
}

int default_wake_function(struct wait_queue_entry *entry, unsigned int mode, int wake_flags, void *key)
{
	return wake(entry->private, mode);
}

static bool wake_q_put(struct wake_q_head *head, struct task_struct *task)
{
	struct wake_q_node *node = &task->wake_q;

	if (node->next)
		return false;
	node->next = WAKE_Q_TAIL;
	*head->lastp = node;
	head->lastp = &node->next;
	return true;
}

void wake_q_add(struct wake_q_head *head, struct task_struct *task)
{
	if (wake_q_put(head, task))
		get_task_struct(task);
}

void wake_q_add_safe(struct wake_q_head *head, struct task_struct *task)
{
	if (!wake_q_put(head, task))
		put_task_struct(task);
}

void wake_up_q(struct wake_q_head *head)
{
	struct wake_q_node *node = head->first;

	while (node != WAKE_Q_TAIL) {
		struct task_struct *task = container_of(node, struct task_struct, wake_q);

		node = node->next;
		task->wake_q.next = NULL;
		wake_up_process(task);
		put_task_struct(task);
	}
}

/* ---- annotations ---- */

void __might_resched(const char *file, int line, unsigned int offsets)
{
	unsigned int nested = preempt_count();

	if (nested != (offsets & MIGHT_RESCHED_PREEMPT_MASK) || irqs_disabled())
		drvport_fault(DRVPORT_FAULT_SLEEP_IN_ATOMIC,
			      "sleeping function called from atomic context at %s:%d: preempt_count 0x%x%s%s", file, line,
			      preempt_count(), irqs_disabled() ? ", interrupts off" : "",
			      in_hardirq() ? ", in an interrupt handler" : in_serving_softirq() ? ", in a softirq" : "");
}

void __might_sleep(const char *file, int line)
{
	__might_resched(file, line, 0);
}

void __cant_sleep(const char *file, int line, int preempt_offset)
{
	if (!irqs_disabled() && preempt_count() <= preempt_offset)
		pr_err("BUG: assuming atomic context at %s:%d\n", file, line);
}

void __cant_migrate(const char *file, int line)
{
}

/* ---- the machine's question, before it runs another domain ---- */

int drvport_entry_preemptible(void)
{
	return !preempt_count() && !irqs_disabled();
}

/* ---- what a task is asked about ---- */

void set_user_nice(struct task_struct *task, long nice)
{
	task->static_prio = task->prio = task->normal_prio = NICE_TO_PRIO(nice);
}

void sched_set_fifo(struct task_struct *task)
{
	task->policy = SCHED_FIFO;
}

void sched_set_fifo_low(struct task_struct *task)
{
	task->policy = SCHED_FIFO;
}

void sched_set_normal(struct task_struct *task, int nice)
{
	task->policy = SCHED_NORMAL;
	set_user_nice(task, nice);
}

char *__get_task_comm(char *buf, size_t size, struct task_struct *task)
{
	strscpy_pad(buf, task->comm, size);
	return buf;
}

void __set_task_comm(struct task_struct *task, const char *name, bool exec)
{
	strscpy_pad(task->comm, name, sizeof(task->comm));
}


/* Nothing here sends signals: a driver's threads are asked to stop with kthread_stop. */
int send_sig(int sig, struct task_struct *task, int priv)
{
	return -ESRCH;
}

void flush_signals(struct task_struct *task)
{
	clear_tsk_thread_flag(task, TIF_SIGPENDING);
}

void drvport_sched_init(void)
{
	FIBER(&init_task) = 0;
}

/* ---- mutexes with priority inheritance: since 6.7 they sleep through these ---- */

void rt_mutex_pre_schedule(void);
void rt_mutex_pre_schedule(void)
{
}

void rt_mutex_schedule(void);
void rt_mutex_schedule(void)
{
	schedule();
}

void rt_mutex_post_schedule(void);
void rt_mutex_post_schedule(void)
{
}

/* Priorities: all of a domain's tasks have one. */

void rt_mutex_setprio(struct task_struct *p, struct task_struct *pi_task);
void rt_mutex_setprio(struct task_struct *p, struct task_struct *pi_task)
{
	p->pi_top_task = pi_task;
}
