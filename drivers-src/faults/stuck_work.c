// SPDX-License-Identifier: GPL-2.0-only
#include <linux/completion.h>
#include <linux/workqueue.h>
#include "moments.h"

static DECLARE_COMPLETION(never);
static struct workqueue_struct *queue;

/* Nobody waits for the item, so nobody notices: the driver goes on looking healthy. */
static void item_run(struct work_struct *work)
{
	wait_for_completion(&never); /* FAULT HERE: the queue is stuck */
}

static DECLARE_WORK(item, item_run);

static void fault(struct sample *sample)
{
	queue = alloc_ordered_workqueue("stuck", 0);
	if (queue)
		queue_work(queue, &item);
}

FAULT_DRIVER("Lets its work queue wait for something that never happens");
