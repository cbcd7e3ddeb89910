// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleeping for a time: in ticks (schedule_timeout, msleep) and in nanoseconds (usleep_range, hrtimeouts). The machine's
 * block call takes the deadline, so no timer is set up for it.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/debug.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/export.h>
#include <drvport/core.h>

#define NS_PER_TICK (NSEC_PER_SEC / HZ)

signed long __sched schedule_timeout(signed long timeout)
{
	u64 until;
	signed long left;

	if (timeout == MAX_SCHEDULE_TIMEOUT) {
		schedule();
		return timeout;
	}
	if (timeout < 0) {
		pr_err("schedule_timeout: wrong timeout value %lx\n", timeout);
		__set_current_state(TASK_RUNNING);
		return 0;
	}
	until = get_jiffies_64() + timeout;
	if (!drvport_sleep_until(until * NS_PER_TICK))
		return 0;
	left = (signed long)(until - get_jiffies_64());
	return left < 0 ? 0 : left;
}

signed long __sched schedule_timeout_interruptible(signed long timeout)
{
	__set_current_state(TASK_INTERRUPTIBLE);
	return schedule_timeout(timeout);
}

signed long __sched schedule_timeout_killable(signed long timeout)
{
	__set_current_state(TASK_KILLABLE);
	return schedule_timeout(timeout);
}

signed long __sched schedule_timeout_uninterruptible(signed long timeout)
{
	__set_current_state(TASK_UNINTERRUPTIBLE);
	return schedule_timeout(timeout);
}

signed long __sched schedule_timeout_idle(signed long timeout)
{
	__set_current_state(TASK_IDLE);
	return schedule_timeout(timeout);
}

void msleep(unsigned int msecs)
{
	unsigned long timeout = msecs_to_jiffies(msecs) + 1;

	might_sleep();
	while (timeout)
		timeout = schedule_timeout_uninterruptible(timeout);
}

unsigned long msleep_interruptible(unsigned int msecs)
{
	unsigned long timeout = msecs_to_jiffies(msecs) + 1;

	while (timeout && !signal_pending(current))
		timeout = schedule_timeout_interruptible(timeout);
	return jiffies_to_msecs(timeout);
}

void __sched usleep_range_state(unsigned long min, unsigned long max, unsigned int state)
{
	u64 until = drvport_now() + (u64)min * NSEC_PER_USEC;

	might_sleep();
	do {
		__set_current_state(state);
	} while (drvport_sleep_until(until));
}

int __sched schedule_hrtimeout_range_clock(ktime_t *expires, u64 delta, const enum hrtimer_mode mode, clockid_t clock)
{
	u64 until;

	if (!expires) {
		schedule();
		return -EINTR;
	}
	until = *expires;
	if (mode & HRTIMER_MODE_REL)
		until += drvport_now();
	return drvport_sleep_until(until) ? -EINTR : 0;
}

int __sched schedule_hrtimeout_range(ktime_t *expires, u64 delta, const enum hrtimer_mode mode)
{
	return schedule_hrtimeout_range_clock(expires, delta, mode, CLOCK_MONOTONIC);
}

int __sched schedule_hrtimeout(ktime_t *expires, const enum hrtimer_mode mode)
{
	return schedule_hrtimeout_range_clock(expires, 0, mode, CLOCK_MONOTONIC);
}
