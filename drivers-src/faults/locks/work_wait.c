// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include "../moments.h"

static DEFINE_MUTEX(lock);

static void work_run(struct work_struct *work)
{
	mutex_lock(&lock);
	mutex_unlock(&lock);
}

static DECLARE_WORK(item, work_run);

static noinline void fault(struct sample *sample)
{
	schedule_work(&item);
	flush_work(&item);
	mutex_lock(&lock);
	cancel_work_sync(&item); /* FAULT HERE: deadlock */
	mutex_unlock(&lock);
}

FAULT_DRIVER("Waits for a work item under the lock that the item takes");
