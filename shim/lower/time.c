// SPDX-License-Identifier: GPL-2.0-only
/* The machine's clock as clock source and clock event: virtual time in ns, one timer. */
#include <linux/kernel.h>
#include <linux/clockchips.h>
#include <linux/clocksource.h>
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/sched/clock.h>
#include <linux/timekeeping.h>
#include "lower.h"

static u64 now(void)
{
	u64 ns;

	drvport_time_now((u32)&ns);
	return ns;
}

static u64 read_clock(struct clocksource *source) { return now(); }

static struct clocksource source = {
	.name = "drvport",
	.rating = 400,
	.read = read_clock,
	.mask = CLOCKSOURCE_MASK(64),
	.flags = CLOCK_SOURCE_IS_CONTINUOUS,
};

/* It moves when it is read: who waits for it to move must not wait for ever. */
unsigned long long notrace sched_clock(void) { return now(); }

static int next_event(unsigned long delta, struct clock_event_device *event)
{
	u64 at = now() + delta;

	drvport_time_set_timer((u32)at, (u32)(at >> 32));
	return 0;
}

static int no_event(struct clock_event_device *event)
{
	drvport_time_set_timer(~0u, ~0u);
	return 0;
}

struct clock_event_device drvport_clock_event = {
	.name = "drvport",
	.rating = 400,
	.features = CLOCK_EVT_FEAT_ONESHOT,
	.set_next_event = next_event,
	.set_state_shutdown = no_event,
	.set_state_oneshot = no_event,
	.set_state_oneshot_stopped = no_event,
};

/* Shortest and longest time to the next event, ns. */
#define EVENT_NS_MIN 1000
#define EVENT_NS_MAX 0x7fffffff

void __init time_init(void)
{
	drvport_clock_event.cpumask = cpumask_of(0);
	clocksource_register_hz(&source, NSEC_PER_SEC);
	clockevents_config_and_register(&drvport_clock_event, NSEC_PER_SEC, EVENT_NS_MIN, EVENT_NS_MAX);
}

void read_persistent_clock64(struct timespec64 *ts)
{
	u64 ns;

	drvport_time_wall((u32)&ns);
	*ts = ns_to_timespec64(ns);
}
