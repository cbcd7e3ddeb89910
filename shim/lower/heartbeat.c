// SPDX-License-Identifier: GPL-2.0-only
/*
 * A heartbeat: whether the domain's kernel still does its work, and who in it waits for something that may never come.
 *
 * That this runs at all shows that interrupts arrive and tasks are switched; then it goes once through what everybody's
 * threads depend on. Who has waited too long, the machine can tell: it knows when each task last ran. Linux has a thread
 * that does the same (CONFIG_DETECT_HUNG_TASK), by a clock of its own and in the log only.
 */
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include "lower.h"

static void nothing(struct work_struct *work) { }

static DECLARE_WORK(on_system, nothing);
static DECLARE_WORK(on_unbound, nothing);

/* Tasks that wait and cannot be interrupted, into `list`. Returns how many. */
int drvport_heartbeat(struct drvport_waiting *list, u32 bytes)
{
	struct task_struct *process, *task;
	int count = 0, most = bytes / sizeof(*list);

	schedule_work(&on_system);
	queue_work(system_unbound_wq, &on_unbound);
	flush_work(&on_system);
	flush_work(&on_unbound);
	rcu_barrier();
	rcu_read_lock();
	for_each_process_thread(process, task) {
		if (task == current || count == most || task_state_to_char(task) != 'D')
			continue;
		list[count].fiber = task->thread.fiber;
		strscpy(list[count++].name, task->comm, sizeof(list->name));
	}
	rcu_read_unlock();
	return count;
}
