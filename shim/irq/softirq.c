// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hard and soft interrupt contexts, and tasklets. Softirqs run when the outermost interrupt returns and when the last
 * local_bh_enable() finds one pending; one raised outside of both asks the machine for the `softirq` entry.
 *
 * Must not know: what the handlers do.
 */
#include <linux/interrupt.h>
#include <linux/hardirq.h>
#include <linux/timer.h>
#include <linux/preempt.h>
#include <linux/percpu.h>
#include <linux/bottom_half.h>
#include <linux/export.h>
#include <drvport/core.h>

#define MAX_ROUNDS 10 /* then the rest waits for the machine to come round again */

DEFINE_PER_CPU_ALIGNED(irq_cpustat_t, irq_stat);
DEFINE_PER_CPU(struct task_struct *, ksoftirqd);

/* Until 6.10 an action was told which vector it was for. */
typedef typeof(((struct softirq_action *)0)->action) action_fn;
typedef void (*action_with_vector)(struct softirq_action *);
typedef void (*action_without)(void);

static struct softirq_action softirq[NR_SOFTIRQS];
static action_without own[NR_SOFTIRQS]; /* the shim's, the same in every version */

void open_softirq(int nr, action_fn action)
{
	softirq[nr].action = action;
}

void drvport_softirq_open(unsigned int nr, void (*fn)(void))
{
	own[nr] = fn;
}

/* A handler that returns with a lock held, or one given back too often, would leave it so for whoever it interrupted. */
static void check_balance(int before, const char *what)
{
	int now = preempt_count();

	if (unlikely(now != before))
		drvport_fault(DRVPORT_FAULT_BUG, "%s returned with preempt_count 0x%x, it began with 0x%x: %s", what, now, before,
			      now > before ? "a lock is still held" : "a lock was released that was not held");
}

static void softirq_call(unsigned int nr)
{
	action_fn action = softirq[nr].action;
	int before = preempt_count();

	if (own[nr])
		own[nr]();
	else if (action && __builtin_types_compatible_p(action_fn, action_without))
		((action_without)(void *)action)();
	else if (action)
		((action_with_vector)(void *)action)(&softirq[nr]);
	check_balance(before, "a softirq handler");
}

/* ---- softirqs held back; told to lockdep at the edges, where there is one ---- */

#ifdef CONFIG_TRACE_IRQFLAGS
static void soft_off(unsigned long ip, unsigned int count)
{
	unsigned long flags;

	raw_local_irq_save(flags);
	preempt_count_add(count);
	if (softirq_count() == (count & SOFTIRQ_MASK))
		lockdep_softirqs_off(ip);
	raw_local_irq_restore(flags);
}

/* Softirqs are about to be allowed again: count is what still holds them back. */
static void soft_on(unsigned long ip, unsigned int count)
{
	unsigned long flags;

	raw_local_irq_save(flags);
	if (softirq_count() == (count & SOFTIRQ_MASK))
		lockdep_softirqs_on(ip);
	raw_local_irq_restore(flags);
}

void __local_bh_disable_ip(unsigned long ip, unsigned int count)
{
	soft_off(ip, count);
}
#else
static inline void soft_off(unsigned long ip, unsigned int count)
{
	preempt_count_add(count);
}

static inline void soft_on(unsigned long ip, unsigned int count) { }
#endif

/* Run what is pending. Called with interrupts off; handlers run with them on. */
void drvport_softirq_run(void)
{
	unsigned int rounds = 0;
	u32 pending;

	soft_off(_RET_IP_, SOFTIRQ_OFFSET);
	lockdep_softirq_enter();
	while ((pending = local_softirq_pending()) && rounds++ < MAX_ROUNDS) {
		set_softirq_pending(0);
		local_irq_enable();
		while (pending) {
			unsigned int nr = __ffs(pending);

			pending &= pending - 1;
			softirq_call(nr);
		}
		local_irq_disable();
	}
	lockdep_softirq_exit();
	soft_on(_RET_IP_, SOFTIRQ_OFFSET);
	preempt_count_sub(SOFTIRQ_OFFSET);
	if (local_softirq_pending())
		drvport_sched_kick();
}

asmlinkage __visible void do_softirq(void)
{
	unsigned long flags;

	if (in_interrupt())
		return;
	local_irq_save(flags);
	if (local_softirq_pending())
		drvport_softirq_run();
	local_irq_restore(flags);
}

void _local_bh_enable(void)
{
	soft_on(_RET_IP_, SOFTIRQ_DISABLE_OFFSET);
	preempt_count_sub(SOFTIRQ_DISABLE_OFFSET);
}

void __local_bh_enable_ip(unsigned long ip, unsigned int count)
{
	soft_on(ip, count);
	preempt_count_sub(count - 1);
	if (unlikely(!in_interrupt() && local_softirq_pending()))
		do_softirq();
	preempt_count_dec();
}

void __raise_softirq_irqoff(unsigned int nr)
{
	or_softirq_pending(1UL << nr);
}

void raise_softirq_irqoff(unsigned int nr)
{
	__raise_softirq_irqoff(nr);
	if (!in_interrupt())
		drvport_sched_kick();
}

void raise_softirq(unsigned int nr)
{
	unsigned long flags;

	local_irq_save(flags);
	raise_softirq_irqoff(nr);
	local_irq_restore(flags);
}

/* ---- the machine's atomic entries ---- */

/* preempt_count when each of the nested entries began. The machine nests no deeper. */
static int begun[16];
static unsigned int nested;

/* Whether interrupts were on when the machine came in: it does not come in when they were off. */
void drvport_irq_enter(void)
{
	drvport_irqs_off = 1;
	lockdep_hardirqs_off(_RET_IP_);
	preempt_count_add(HARDIRQ_OFFSET);
	lockdep_hardirq_enter();
	if (nested < ARRAY_SIZE(begun))
		begun[nested] = preempt_count();
	nested++;
}

void drvport_irq_exit(void)
{
	if (--nested < ARRAY_SIZE(begun))
		check_balance(begun[nested], "an interrupt or timer handler");
	lockdep_hardirq_exit();
	preempt_count_sub(HARDIRQ_OFFSET);
	if (!in_interrupt() && local_softirq_pending())
		drvport_softirq_run();
	lockdep_hardirqs_on_prepare();
	lockdep_hardirqs_on(_RET_IP_);
	drvport_irqs_off = 0;
}

/* ---- tasklets ---- */

struct queue {
	struct tasklet_struct *head;
	struct tasklet_struct **tail;
};

static struct queue normal = { .tail = &normal.head }, high = { .tail = &high.head };

static void queue_add(struct tasklet_struct *tasklet, struct queue *queue)
{
	tasklet->next = NULL;
	*queue->tail = tasklet;
	queue->tail = &tasklet->next;
}

static void tasklet_queue(struct tasklet_struct *tasklet, struct queue *queue, unsigned int softirq)
{
	unsigned long flags;

	local_irq_save(flags);
	queue_add(tasklet, queue);
	raise_softirq_irqoff(softirq);
	local_irq_restore(flags);
}

/* tasklet_enable() tells nobody, so a tasklet that was found disabled is looked at again with the next tick. */
static void look_again(struct timer_list *timer)
{
	if (normal.head)
		raise_softirq(TASKLET_SOFTIRQ);
	if (high.head)
		raise_softirq(HI_SOFTIRQ);
}

static DEFINE_TIMER(again, look_again);

void __tasklet_schedule(struct tasklet_struct *tasklet)
{
	tasklet_queue(tasklet, &normal, TASKLET_SOFTIRQ);
}

void __tasklet_hi_schedule(struct tasklet_struct *tasklet)
{
	tasklet_queue(tasklet, &high, HI_SOFTIRQ);
}

static void queue_run(struct queue *queue)
{
	struct tasklet_struct *list;

	local_irq_disable();
	list = queue->head;
	queue->head = NULL;
	queue->tail = &queue->head;
	local_irq_enable();
	while (list) {
		struct tasklet_struct *tasklet = list;

		list = list->next;
		if (atomic_read(&tasklet->count)) {
			local_irq_disable();
			queue_add(tasklet, queue);
			local_irq_enable();
			mod_timer(&again, jiffies + 1);
			continue;
		}
		clear_bit(TASKLET_STATE_SCHED, &tasklet->state);
		if (tasklet->use_callback)
			tasklet->callback(tasklet);
		else
			tasklet->func(tasklet->data);
	}
}

static void tasklets_run(void)
{
	queue_run(&normal);
}

static void tasklets_run_high(void)
{
	queue_run(&high);
}

void tasklet_setup(struct tasklet_struct *tasklet, void (*callback)(struct tasklet_struct *))
{
	memset(tasklet, 0, sizeof(*tasklet));
	tasklet->callback = callback;
	tasklet->use_callback = true;
}

void tasklet_init(struct tasklet_struct *tasklet, void (*func)(unsigned long), unsigned long data)
{
	memset(tasklet, 0, sizeof(*tasklet));
	tasklet->func = func;
	tasklet->data = data;
}

void tasklet_kill(struct tasklet_struct *tasklet)
{
	if (in_interrupt())
		pr_notice("Attempt to kill tasklet from interrupt\n");
	while (test_and_set_bit(TASKLET_STATE_SCHED, &tasklet->state))
		schedule_timeout_uninterruptible(1);
	clear_bit(TASKLET_STATE_SCHED, &tasklet->state);
}

void drvport_softirq_init(void)
{
	drvport_softirq_open(HI_SOFTIRQ, tasklets_run_high);
	drvport_softirq_open(TASKLET_SOFTIRQ, tasklets_run);
	drvport_softirq_open(TIMER_SOFTIRQ, drvport_timers_run);
	drvport_softirq_open(HRTIMER_SOFTIRQ, drvport_hrtimers_run_soft);
}
