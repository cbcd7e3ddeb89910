// SPDX-License-Identifier: GPL-2.0-only
#include <linux/spinlock.h>
#include "../moments.h"

static DEFINE_SPINLOCK(lock);

static void timer_run(struct timer_list *timer)
{
	spin_lock(&lock);
	spin_unlock(&lock);
}

static DEFINE_TIMER(timer, timer_run);

static noinline void fault(struct sample *sample)
{
	mod_timer(&timer, jiffies + 1);
	msleep(20);
	spin_lock_bh(&lock);
	timer_delete_sync(&timer); /* FAULT HERE: deadlock */
	spin_unlock_bh(&lock);
}

FAULT_DRIVER("Waits for a timer under the lock that its function takes");
