// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel thread that wants to run every `period` microseconds, `count` times, at exact times, and says how late it was
 * at most.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>

static unsigned int period = 1000;
module_param(period, uint, 0444);
static unsigned int count = 200;
module_param(count, uint, 0444);

static struct task_struct *worker;

static int tick(void *unused)
{
	ktime_t due = ktime_get();
	s64 late, late_max = 0;
	unsigned int i;

	for (i = 0; i < count && !kthread_should_stop(); i++) {
		due = ktime_add_us(due, period);
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule_hrtimeout(&due, HRTIMER_MODE_ABS);
		late = ktime_to_ns(ktime_sub(ktime_get(), due));
		if (late > late_max)
			late_max = late;
	}
	pr_info("ticker: %u periods, late at most %lld ns\n", i, late_max);
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

static int __init ticker_init(void)
{
	worker = kthread_run(tick, NULL, "ticker");
	return PTR_ERR_OR_ZERO(worker);
}
module_init(ticker_init);

static void __exit ticker_exit(void)
{
	kthread_stop(worker);
}
module_exit(ticker_exit);

MODULE_DESCRIPTION("Wants to run at exact times");
MODULE_LICENSE("GPL");
