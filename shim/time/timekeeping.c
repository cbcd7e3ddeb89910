// SPDX-License-Identifier: GPL-2.0-only
/*
 * What time it is, and the domain's one timer. The machine's clock is monotonic, boot and raw clock at once; the wall
 * clock is the machine's own, virtual, too.
 */
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <linux/jiffies.h>
#include <linux/delay.h>
#include <linux/sched/clock.h>
#include <linux/timex.h>
#include <linux/interrupt.h>
#include <linux/export.h>
#include <drvport/core.h>

unsigned long loops_per_jiffy = NSEC_PER_SEC / HZ; /* one loop of __delay is one ns */
unsigned long lpj_fine;

u64 drvport_now(void)
{
	u64 now;

	drvport_time_now((u32)&now);
	return now;
}

static u64 wall(void)
{
	u64 now;

	drvport_time_wall((u32)&now);
	return now;
}

/* ---- the timer ---- */

static u64 armed = DRVPORT_FOREVER;

/* A queue whose softirq is pending arms the timer itself when it has run. */
void drvport_timer_rearm(void)
{
	u32 pending = local_softirq_pending();
	u64 next = DRVPORT_FOREVER;

	if (!(pending & BIT(TIMER_SOFTIRQ)))
		next = drvport_timers_next();
	if (!(pending & BIT(HRTIMER_SOFTIRQ)))
		next = min(next, drvport_hrtimers_next());
	if (next == armed)
		return;
	armed = next;
	drvport_time_set_timer((u32)next, (u32)(next >> 32));
}

void drvport_timer_interrupt(void)
{
	u64 now = drvport_now();

	armed = DRVPORT_FOREVER;
	drvport_hrtimers_run(now);
	drvport_timers_expired(now);
	drvport_timer_rearm();
}

/* ---- the clocks ---- */

ktime_t ktime_get(void)
{
	return drvport_now();
}

ktime_t ktime_get_raw(void)
{
	return drvport_now();
}

ktime_t ktime_get_with_offset(enum tk_offsets offs)
{
	return offs == TK_OFFS_BOOT ? drvport_now() : wall();
}

ktime_t ktime_get_coarse_with_offset(enum tk_offsets offs)
{
	return ktime_get_with_offset(offs);
}

ktime_t ktime_mono_to_any(ktime_t mono, enum tk_offsets offs)
{
	return offs == TK_OFFS_BOOT ? mono : mono + (s64)(wall() - drvport_now());
}

u32 ktime_get_resolution_ns(void)
{
	return 1;
}

time64_t ktime_get_seconds(void)
{
	return div_u64(drvport_now(), NSEC_PER_SEC);
}

time64_t ktime_get_real_seconds(void)
{
	return div_u64(wall(), NSEC_PER_SEC);
}

void ktime_get_ts64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(drvport_now());
}

void ktime_get_raw_ts64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(drvport_now());
}

void ktime_get_coarse_ts64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(drvport_now());
}

void ktime_get_real_ts64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(wall());
}

void ktime_get_coarse_real_ts64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(wall());
}

void getboottime64(struct timespec64 *ts)
{
	*ts = ns_to_timespec64(wall() - drvport_now());
}

void ktime_get_snapshot(struct system_time_snapshot *snapshot)
{
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->raw = drvport_now();
	snapshot->real = wall();
	snapshot->cycles = snapshot->raw;
}

u64 ktime_get_mono_fast_ns(void)
{
	return drvport_now();
}

u64 ktime_get_raw_fast_ns(void)
{
	return drvport_now();
}

u64 ktime_get_boot_fast_ns(void)
{
	return drvport_now();
}

u64 ktime_get_real_fast_ns(void)
{
	return wall();
}

unsigned long long sched_clock(void)
{
	return drvport_now();
}

/* Sums that would overflow stay at the end of time. */
ktime_t ktime_add_safe(const ktime_t lhs, const ktime_t rhs)
{
	ktime_t sum = ktime_add_unsafe(lhs, rhs);

	return sum < 0 || sum < lhs || sum < rhs ? ktime_set(KTIME_SEC_MAX, 0) : sum;
}

#if BITS_PER_LONG < 64
s64 __ktime_divns(const ktime_t kt, s64 div)
{
	return div64_s64(kt, div);
}
#endif

u64 get_jiffies_64(void)
{
	return jiffies_64;
}

/* The wall clock is the machine's; a driver in a domain does not set it. */
int do_settimeofday64(const struct timespec64 *ts)
{
	return -EPERM;
}
