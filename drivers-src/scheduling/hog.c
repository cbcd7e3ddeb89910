// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel thread that works without end in a loop that calls nothing. Every `turns` turns it is polite, unless `rude`:
 * then it never is, and a machine that bounds a run without end stops it. With `locked` it works under a spinlock.
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

static unsigned int turns = 20000000;
module_param(turns, uint, 0444);
static bool rude;
module_param(rude, bool, 0444);
static bool locked;
module_param(locked, bool, 0444);

static struct task_struct *worker;
static DEFINE_SPINLOCK(lock);

static void work(void)
{
	unsigned int i;

	for (i = 0; rude || i < turns; i++)
		barrier();
}

static int work_on(void *unused)
{
	while (!kthread_should_stop()) {
		if (locked)
			spin_lock(&lock);
		work();
		if (locked)
			spin_unlock(&lock);
		cond_resched();
	}
	return 0;
}

static int __init hog_init(void)
{
	worker = kthread_run(work_on, NULL, "hog");
	return PTR_ERR_OR_ZERO(worker);
}
module_init(hog_init);

static void __exit hog_exit(void)
{
	kthread_stop(worker);
}
module_exit(hog_exit);

MODULE_DESCRIPTION("Works without end");
MODULE_LICENSE("GPL");
