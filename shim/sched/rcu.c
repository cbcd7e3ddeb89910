// SPDX-License-Identifier: GPL-2.0-only
/*
 * RCU on one processor whose readers cannot sleep: a fiber switches only where no reader is, so in process context
 * every earlier reader has finished. Callbacks wait for process context: a work item runs them.
 */
#include <linux/rcupdate.h>
#include <linux/workqueue.h>
#include <linux/slab.h>
#include <linux/mm.h>
#include <linux/bottom_half.h>
#include <linux/rcupdate_wait.h>
#include <linux/export.h>
#include <drvport/core.h>

static struct rcu_head *head, **tail = &head;

void drvport_rcu_run(void)
{
	struct rcu_head *list;

	local_irq_disable();
	list = head;
	head = NULL;
	tail = &head;
	local_irq_enable();
	while (list) {
		struct rcu_head *each = list;

		list = list->next;
		local_bh_disable();
		/* kfree_rcu() passes an offset for a function. Functions are told from offsets by their number: the linker
		 * starts the function table at 4096 for this reason. */
		if (__is_kvfree_rcu_offset((unsigned long)each->func))
			kvfree((void *)each - (unsigned long)each->func);
		else
			each->func(each);
		local_bh_enable();
	}
}

static void rcu_work(struct work_struct *work)
{
	drvport_rcu_run();
}

static DECLARE_WORK(callbacks, rcu_work);

void call_rcu(struct rcu_head *rcu, rcu_callback_t func)
{
	unsigned long flags;

	local_irq_save(flags);
	rcu->func = func;
	rcu->next = NULL;
	*tail = rcu;
	tail = &rcu->next;
	local_irq_restore(flags);
	schedule_work(&callbacks);
}

void synchronize_rcu(void)
{
	might_sleep();
}

void rcu_barrier(void)
{
	might_sleep();
	flush_work(&callbacks);
	drvport_rcu_run();
}

void wakeme_after_rcu(struct rcu_head *head)
{
	complete(&container_of(head, struct rcu_synchronize, head)->completion);
}

/* Grace periods are over as soon as they are asked about: from process context, nothing is in a reader. */
unsigned long get_state_synchronize_rcu(void)
{
	return 1;
}

unsigned long start_poll_synchronize_rcu(void)
{
	return 1;
}

bool poll_state_synchronize_rcu(unsigned long oldstate)
{
	return !preempt_count();
}

unsigned long get_completed_synchronize_rcu(void)
{
	return 1;
}

/* ---- readers as lockdep sees them: locks that are never contended ---- */

#ifdef CONFIG_DEBUG_LOCK_ALLOC
#define READER(which, label)						\
	static struct lock_class_key which##_key;			\
	struct lockdep_map which##_map = STATIC_LOCKDEP_MAP_INIT(label, &which##_key)

READER(rcu_lock, "rcu_read_lock");
READER(rcu_bh_lock, "rcu_read_lock_bh");
READER(rcu_sched_lock, "rcu_read_lock_sched");
READER(rcu_callback, "rcu_callback");

/* Whether a pointer was read under the right kind of reader is not judged: on one processor any of them will do. */
int notrace debug_lockdep_rcu_enabled(void)
{
	return 0;
}

int rcu_read_lock_held(void)
{
	return 1;
}

int rcu_read_lock_bh_held(void)
{
	return 1;
}

int rcu_read_lock_sched_held(void)
{
	return 1;
}

int rcu_read_lock_any_held(void)
{
	return 1;
}
#endif
