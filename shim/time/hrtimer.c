// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers that count nanoseconds: the tree's timerqueue, one for handlers in hard interrupt context and one for those
 * that asked for softirq context. All clocks are the machine's own, which starts at 0 and never jumps.
 */
#include <linux/hrtimer.h>
#include <linux/timerqueue.h>
#include <linux/interrupt.h>
#include <linux/sched.h>
#include <linux/export.h>
#include <drvport/core.h>

unsigned int hrtimer_resolution = 1;

static struct hrtimer_cpu_base cpu_base;

static ktime_t real_time(void)
{
	return ktime_get_real();
}

static struct hrtimer_clock_base *base_of(clockid_t clock, enum hrtimer_mode mode)
{
	unsigned int kind = clock == CLOCK_REALTIME ? HRTIMER_BASE_REALTIME : HRTIMER_BASE_MONOTONIC;

	if (mode & HRTIMER_MODE_SOFT)
		kind += HRTIMER_BASE_MONOTONIC_SOFT;
	return &cpu_base.clock_base[kind];
}

void drvport_time_init(void)
{
	unsigned int i;

	raw_spin_lock_init(&cpu_base.lock);
	cpu_base.hres_active = 1;
	for (i = 0; i < HRTIMER_MAX_CLOCK_BASES; i++) {
		struct hrtimer_clock_base *base = &cpu_base.clock_base[i];
		unsigned int clock = i % HRTIMER_BASE_MONOTONIC_SOFT;

		base->cpu_base = &cpu_base;
		base->index = i;
		base->active.rb_root = RB_ROOT_CACHED;
		base->get_time = clock == HRTIMER_BASE_REALTIME ? real_time : ktime_get;
		base->offset = clock == HRTIMER_BASE_REALTIME ? ktime_sub(ktime_get_real(), ktime_get()) : 0;
	}
}

static void timer_setup_base(struct hrtimer *timer, clockid_t clock, enum hrtimer_mode mode)
{
	memset(timer, 0, sizeof(*timer));
	timer->base = base_of(clock, mode);
	timer->is_soft = !!(mode & HRTIMER_MODE_SOFT);
	timer->is_hard = !timer->is_soft;
	timerqueue_init(&timer->node);
}

void hrtimer_init(struct hrtimer *timer, clockid_t clock, enum hrtimer_mode mode)
{
	timer_setup_base(timer, clock, mode);
}

static bool dequeue(struct hrtimer *timer)
{
	if (!(timer->state & HRTIMER_STATE_ENQUEUED))
		return false;
	timerqueue_del(&timer->base->active, &timer->node);
	timer->state = HRTIMER_STATE_INACTIVE;
	drvport_held.timers--;
	return true;
}

static void enqueue(struct hrtimer *timer)
{
	timer->state = HRTIMER_STATE_ENQUEUED;
	drvport_held.timers++;
	if (timerqueue_add(&timer->base->active, &timer->node))
		drvport_timer_rearm();
}

void hrtimer_start_range_ns(struct hrtimer *timer, ktime_t time, u64 range_ns, const enum hrtimer_mode mode)
{
	unsigned long flags;

	local_irq_save(flags);
	dequeue(timer);
	if (mode & HRTIMER_MODE_REL)
		time = ktime_add_safe(time, timer->base->get_time());
	hrtimer_set_expires_range_ns(timer, time, range_ns);
	enqueue(timer);
	local_irq_restore(flags);
}

int hrtimer_try_to_cancel(struct hrtimer *timer)
{
	unsigned long flags;
	int queued;

	if (!timer->base || timer->base->running == timer)
		return timer->base ? -1 : 0;
	local_irq_save(flags);
	queued = dequeue(timer);
	local_irq_restore(flags);
	return queued;
}

/* On one processor a running handler cannot be waited for: its caller is below us on this very stack. */
int hrtimer_cancel(struct hrtimer *timer)
{
	int queued = hrtimer_try_to_cancel(timer);

	if (queued < 0)
		drvport_fault(DRVPORT_FAULT_DEADLOCK, "hrtimer_cancel of a timer from its own handler");
	return queued;
}

ktime_t __hrtimer_get_remaining(const struct hrtimer *timer, bool adjust)
{
	return hrtimer_expires_remaining(timer);
}

bool hrtimer_active(const struct hrtimer *timer)
{
	return timer->state != HRTIMER_STATE_INACTIVE || timer->base->running == timer;
}

u64 hrtimer_forward(struct hrtimer *timer, ktime_t now, ktime_t interval)
{
	u64 overruns = 1;
	ktime_t late = ktime_sub(now, hrtimer_get_expires(timer));

	if (late < 0)
		return 0;
	if (late >= interval) {
		overruns = ktime_divns(late, ktime_to_ns(interval));
		hrtimer_add_expires_ns(timer, ktime_to_ns(interval) * overruns);
		if (hrtimer_get_expires(timer) > now)
			return overruns;
		overruns++;
	}
	hrtimer_add_expires(timer, interval);
	return overruns;
}

static enum hrtimer_restart wake_sleeper(struct hrtimer *timer)
{
	struct hrtimer_sleeper *sleeper = container_of(timer, struct hrtimer_sleeper, timer);
	struct task_struct *task = sleeper->task;

	sleeper->task = NULL;
	if (task)
		wake_up_process(task);
	return HRTIMER_NORESTART;
}

void hrtimer_init_sleeper(struct hrtimer_sleeper *sleeper, clockid_t clock, enum hrtimer_mode mode)
{
	timer_setup_base(&sleeper->timer, clock, mode);
	sleeper->timer.function = wake_sleeper;
	sleeper->task = current;
}

void hrtimer_sleeper_start_expires(struct hrtimer_sleeper *sleeper, enum hrtimer_mode mode)
{
	hrtimer_start_expires(&sleeper->timer, mode);
}

static u64 on_machine_clock(struct hrtimer_clock_base *base, ktime_t time)
{
	s64 at = ktime_sub(time, base->offset);

	return at < 0 ? 0 : at;
}

/*
 * A timer with a range may fire anywhere in it. The machine is asked for the end of the range that ends first, and who is
 * within its own range by then fires with it: timers with slack come together, as in Linux.
 */
static u64 base_next(struct hrtimer_clock_base *base)
{
	struct timerqueue_node *first = timerqueue_getnext(&base->active);

	return first ? on_machine_clock(base, first->expires) : DRVPORT_FOREVER;
}

/* Whether the first of a base may fire. */
static bool base_due(struct hrtimer_clock_base *base, u64 now)
{
	struct timerqueue_node *first = timerqueue_getnext(&base->active);

	return first && on_machine_clock(base, container_of(first, struct hrtimer, node)->_softexpires) <= now;
}

u64 drvport_hrtimers_next(void)
{
	u64 next = DRVPORT_FOREVER;
	unsigned int i;

	for (i = 0; i < HRTIMER_MAX_CLOCK_BASES; i++)
		next = min(next, base_next(&cpu_base.clock_base[i]));
	return next;
}

static void run_base(struct hrtimer_clock_base *base, u64 now)
{
	while (base_due(base, now)) {
		struct hrtimer *timer = container_of(timerqueue_getnext(&base->active), struct hrtimer, node);
		enum hrtimer_restart again;

		dequeue(timer);
		base->running = timer;
		if (timer->is_soft)
			local_irq_enable();
		again = timer->function(timer);
		if (timer->is_soft)
			local_irq_disable();
		base->running = NULL;
		if (again == HRTIMER_RESTART && !(timer->state & HRTIMER_STATE_ENQUEUED))
			enqueue(timer);
	}
}

void drvport_hrtimers_run(u64 now)
{
	unsigned int i;

	for (i = 0; i < HRTIMER_BASE_MONOTONIC_SOFT; i++)
		run_base(&cpu_base.clock_base[i], now);
	for (; i < HRTIMER_MAX_CLOCK_BASES; i++)
		if (base_due(&cpu_base.clock_base[i], now))
			raise_softirq_irqoff(HRTIMER_SOFTIRQ);
}

/* The hrtimer softirq. */
void drvport_hrtimers_run_soft(void)
{
	unsigned int i;

	local_irq_disable();
	for (i = HRTIMER_BASE_MONOTONIC_SOFT; i < HRTIMER_MAX_CLOCK_BASES; i++)
		run_base(&cpu_base.clock_base[i], drvport_now());
	drvport_timer_rearm();
	local_irq_enable();
}
