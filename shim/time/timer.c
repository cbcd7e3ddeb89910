// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers that count ticks. A list sorted by expiry: a driver has a handful of them. They run in the timer softirq, as
 * in Linux. The machine's one timer is armed for the earliest of these and of the hrtimers.
 *
 * Must not know: who owns a timer.
 */
#include <linux/timer.h>
#include <linux/jiffies.h>
#include <linux/interrupt.h>
#include <linux/export.h>
#include <drvport/core.h>

#define NS_PER_TICK (NSEC_PER_SEC / HZ)

static HLIST_HEAD(timers);
static struct timer_list *running;

void init_timer_key(struct timer_list *timer, void (*fn)(struct timer_list *), unsigned int flags, const char *name,
		    struct lock_class_key *key)
{
	timer->entry.pprev = NULL;
	timer->function = fn;
	timer->flags = flags;
	lockdep_init_map(&timer->lockdep_map, name, key, 0);
}

static void timer_insert(struct timer_list *timer)
{
	struct timer_list *each, *last = NULL;

	hlist_for_each_entry(each, &timers, entry) {
		if (time_before(timer->expires, each->expires))
			break;
		last = each;
	}
	if (last)
		hlist_add_behind(&timer->entry, &last->entry);
	else
		hlist_add_head(&timer->entry, &timers);
	drvport_held.timers++;
	if (!last)
		drvport_timer_rearm();
}

static bool timer_remove(struct timer_list *timer)
{
	if (!timer_pending(timer))
		return false;
	hlist_del(&timer->entry);
	timer->entry.pprev = NULL;
	drvport_held.timers--;
	return true;
}

static int timer_change(struct timer_list *timer, unsigned long expires)
{
	unsigned long flags;
	bool pending;

	if (!timer->function) /* shut down: stays so */
		return 0;
	local_irq_save(flags);
	pending = timer_remove(timer);
	timer->expires = expires;
	timer_insert(timer);
	local_irq_restore(flags);
	return pending;
}

int mod_timer(struct timer_list *timer, unsigned long expires)
{
	if (timer_pending(timer) && timer->expires == expires)
		return 1;
	return timer_change(timer, expires);
}

int mod_timer_pending(struct timer_list *timer, unsigned long expires)
{
	return timer_pending(timer) ? timer_change(timer, expires) : 0;
}

int timer_reduce(struct timer_list *timer, unsigned long expires)
{
	if (timer_pending(timer) && !time_before(expires, timer->expires))
		return 1;
	return timer_change(timer, expires);
}

void add_timer(struct timer_list *timer)
{
	if (timer_pending(timer))
		drvport_fault(DRVPORT_FAULT_BUG, "add_timer on a timer that is pending");
	timer_change(timer, timer->expires);
}

void add_timer_on(struct timer_list *timer, int cpu)
{
	add_timer(timer);
}

void add_timer_local(struct timer_list *timer)
{
	add_timer(timer);
}

void add_timer_global(struct timer_list *timer)
{
	add_timer(timer);
}

int timer_delete(struct timer_list *timer)
{
	unsigned long flags;
	bool pending;

	local_irq_save(flags);
	pending = timer_remove(timer);
	local_irq_restore(flags);
	return pending;
}

/* To lockdep, a timer's function runs under a lock of the timer's own, and who waits for it takes that. */
#ifdef CONFIG_LOCKDEP
static void timer_call(struct timer_list *timer, void (*fn)(struct timer_list *))
{
	struct lockdep_map map;

	/* The function may free its timer. */
	lockdep_copy_map(&map, &timer->lockdep_map);
	lock_map_acquire(&map);
	fn(timer);
	lock_map_release(&map);
}

static void timer_waited_for(struct timer_list *timer)
{
	unsigned long flags;

	local_irq_save(flags);
	lock_map_acquire(&timer->lockdep_map);
	lock_map_release(&timer->lockdep_map);
	local_irq_restore(flags);
}
#else
static inline void timer_call(struct timer_list *timer, void (*fn)(struct timer_list *))
{
	fn(timer);
}

static inline void timer_waited_for(struct timer_list *timer) { }
#endif

int try_to_del_timer_sync(struct timer_list *timer)
{
	return running == timer ? -1 : timer_delete(timer);
}

/* One processor: a timer that runs is interrupted by the caller, or is the caller; it cannot be waited for. */
int timer_delete_sync(struct timer_list *timer)
{
	timer_waited_for(timer);
	return timer_delete(timer);
}

int timer_shutdown(struct timer_list *timer)
{
	timer->function = NULL;
	return timer_delete(timer);
}

int timer_shutdown_sync(struct timer_list *timer)
{
	timer_waited_for(timer);
	return timer_shutdown(timer);
}


/* When the first timer is due, in ns; all ones when there is none. */
u64 drvport_timers_next(void)
{
	struct timer_list *first = hlist_entry_safe(timers.first, struct timer_list, entry);
	u64 now = get_jiffies_64();
	long left;

	if (!first)
		return DRVPORT_FOREVER;
	left = first->expires - (unsigned long)now;
	return left <= 0 ? now * NS_PER_TICK : (now + left) * NS_PER_TICK;
}

void drvport_timers_expired(u64 now)
{
	if (drvport_timers_next() <= now)
		raise_softirq_irqoff(TIMER_SOFTIRQ);
}

/* The timer softirq. */
void drvport_timers_run(void)
{
	unsigned long now = jiffies;

	local_irq_disable();
	while (timers.first) {
		struct timer_list *timer = hlist_entry(timers.first, struct timer_list, entry);
		void (*fn)(struct timer_list *) = timer->function;

		if (time_after(timer->expires, now))
			break;
		timer_remove(timer);
		running = timer;
		if (timer->flags & TIMER_IRQSAFE) {
			timer_call(timer, fn);
		} else {
			local_irq_enable();
			timer_call(timer, fn);
			local_irq_disable();
		}
		running = NULL;
	}
	drvport_timer_rearm();
	local_irq_enable();
}

/* ---- rounding: to whole seconds, so that timers of no hurry fall together ---- */

static unsigned long rounded(unsigned long j, bool up)
{
	unsigned long past = j % HZ, original = j;

	j = past < HZ / 4 && !up ? j - past : j - past + HZ;
	return time_is_after_jiffies(j) ? j : original;
}

unsigned long round_jiffies(unsigned long j)
{
	return rounded(j, false);
}

unsigned long round_jiffies_relative(unsigned long j)
{
	unsigned long now = jiffies;

	return rounded(j + now, false) - now;
}

unsigned long round_jiffies_up(unsigned long j)
{
	return rounded(j, true);
}

unsigned long round_jiffies_up_relative(unsigned long j)
{
	unsigned long now = jiffies;

	return rounded(j + now, true) - now;
}

unsigned long __round_jiffies(unsigned long j, int cpu)
{
	return rounded(j, false);
}

unsigned long __round_jiffies_relative(unsigned long j, int cpu)
{
	return round_jiffies_relative(j);
}

unsigned long __round_jiffies_up(unsigned long j, int cpu)
{
	return rounded(j, true);
}

unsigned long __round_jiffies_up_relative(unsigned long j, int cpu)
{
	return round_jiffies_up_relative(j);
}
