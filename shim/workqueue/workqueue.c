// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work queues. Each queue has a list of items and workers (fibers) that appear when there is work and go when there
 * has been none for a while: at once for a driver's own queues, so that nothing is left after unload. An item runs on
 * one worker at a time; an ordered queue has at most one worker.
 *
 * In a work item's data, besides PENDING: where it was last queued, which flush and cancel ask.
 *
 * Must not know: how fibers are switched, or what the items do.
 */
#include <linux/workqueue.h>
#include <linux/debug_locks.h>
#include <linux/slab.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/completion.h>
#include <linux/interrupt.h>
#include <linux/export.h>
#include <drvport/core.h>

#define WORKERS_MAX 16 /* for one queue */

struct workqueue_struct {
	struct list_head items;
	struct list_head running; /* struct worker */
	struct list_head list;
	unsigned int flags;
	unsigned int workers;
	unsigned int idle;
	unsigned int workers_max;
	wait_queue_head_t changed; /* an item finished or a worker left */
	bool system;
	bool draining;
	char name[24];
#ifdef CONFIG_LOCKDEP
	struct lock_class_key key;
	struct lockdep_map lockdep_map;
#endif
};

struct worker {
	struct list_head list;
	struct workqueue_struct *wq;
	struct work_struct *current_work;
	work_func_t fn;
	struct task_struct *task;
	bool idle;
};

static LIST_HEAD(queues);

struct workqueue_struct *system_wq, *system_highpri_wq, *system_long_wq, *system_unbound_wq, *system_freezable_wq,
	*system_power_efficient_wq, *system_freezable_power_efficient_wq;
/* These came later; older headers do not declare them. */
extern struct workqueue_struct *system_percpu_wq, *system_dfl_wq, *system_bh_wq, *system_bh_highpri_wq;
struct workqueue_struct *system_percpu_wq, *system_dfl_wq, *system_bh_wq, *system_bh_highpri_wq;

/* ---- the item ---- */

static bool claim(struct work_struct *work)
{
	return !test_and_set_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(work));
}

static void release(struct work_struct *work)
{
	clear_bit(WORK_STRUCT_PENDING_BIT, work_data_bits(work));
}

#ifdef WORK_OFFQ_DISABLE_MASK /* disable_work() came with 6.10 */
static unsigned long disabled_depth(const struct work_struct *work)
{
	unsigned long data = atomic_long_read(&work->data);

	if (data & WORK_STRUCT_PWQ)
		return 0;
	return (data & WORK_OFFQ_DISABLE_MASK) >> WORK_OFFQ_DISABLE_SHIFT;
}

static void disabled_change(struct work_struct *work, int by)
{
	unsigned long data = atomic_long_read(&work->data);
	unsigned long depth = disabled_depth(work) + by;

	data = (data & ~WORK_OFFQ_DISABLE_MASK) | (depth << WORK_OFFQ_DISABLE_SHIFT);
	atomic_long_set(&work->data, data);
}
#else
static unsigned long disabled_depth(const struct work_struct *work)
{
	return 0;
}
#endif

static struct worker *worker_on(const struct work_struct *work)
{
	struct workqueue_struct *wq;
	struct worker *worker;

	list_for_each_entry(wq, &queues, list)
		list_for_each_entry(worker, &wq->running, list)
			if (worker->current_work == work)
				return worker;
	return NULL;
}

/* ---- to lockdep, running an item holds two locks, its own and its queue's; waiting for either takes it ---- */

#ifdef CONFIG_LOCKDEP
static void item_call(struct workqueue_struct *wq, work_func_t fn, struct work_struct *work)
{
	struct lockdep_map map;

	/* The function may free its item. */
	lockdep_copy_map(&map, &work->lockdep_map);
	lock_map_acquire(&wq->lockdep_map);
	lock_map_acquire(&map);
	fn(work);
	lock_map_release(&map);
	lock_map_release(&wq->lockdep_map);
	debug_check_no_locks_held();
}

static void item_waited_for(struct work_struct *work)
{
	lock_map_acquire(&work->lockdep_map);
	lock_map_release(&work->lockdep_map);
}

static void queue_waited_for(struct workqueue_struct *wq)
{
	lock_map_acquire(&wq->lockdep_map);
	lock_map_release(&wq->lockdep_map);
}

static void queue_known(struct workqueue_struct *wq)
{
	lockdep_register_key(&wq->key);
	lockdep_init_map(&wq->lockdep_map, wq->name, &wq->key, 0);
}

static void queue_forgotten(struct workqueue_struct *wq)
{
	lockdep_unregister_key(&wq->key);
}
#else
static inline void item_call(struct workqueue_struct *wq, work_func_t fn, struct work_struct *work)
{
	fn(work);
}

static inline void item_waited_for(struct work_struct *work) { }
static inline void queue_waited_for(struct workqueue_struct *wq) { }
static inline void queue_known(struct workqueue_struct *wq) { }
static inline void queue_forgotten(struct workqueue_struct *wq) { }
#endif

/* ---- workers ---- */

static struct work_struct *item_take(struct worker *worker)
{
	struct work_struct *work;

	list_for_each_entry(work, &worker->wq->items, entry) {
		if (worker_on(work)) /* runs on another worker: not twice at once */
			continue;
		list_del_init(&work->entry);
		worker->current_work = work;
		worker->fn = work->func;
		release(work);
		return work;
	}
	return NULL;
}

static void worker_body(void *arg)
{
	struct worker *worker = arg;
	struct workqueue_struct *wq = worker->wq;
	struct work_struct *work;

	for (;;) {
		local_irq_disable();
		work = item_take(worker);
		local_irq_enable();
		if (!work)
			break;
		item_call(wq, worker->fn, work);
		if (preempt_count() || irqs_disabled())
			drvport_fault(DRVPORT_FAULT_BUG, "work item of queue %s returned in atomic context (0x%x)",
				      wq->name, preempt_count());
		worker->current_work = NULL;
		drvport_held.work--;
		wake_up_all(&wq->changed);
		drvport_rcu_run();
	}
	list_del(&worker->list);
	wq->workers--;
	wake_up_all(&wq->changed);
	drvport_core_free(worker);
}

static void worker_start(struct workqueue_struct *wq)
{
	struct worker *worker;

	if (wq->workers >= wq->workers_max)
		return;
	worker = drvport_core_alloc(sizeof(*worker));
	if (!worker)
		return;
	worker->wq = wq;
	wq->workers++;
	list_add_tail(&worker->list, &wq->running);
	worker->task = drvport_fiber_start(worker_body, worker, wq->name);
	if (worker->task) {
		worker->task->flags |= PF_WQ_WORKER;
		return;
	}
	list_del(&worker->list);
	wq->workers--;
	drvport_core_free(worker);
}

/* A worker that has not begun, or is about to look for the next item, will take what was just queued. */
static bool worker_will_look(struct workqueue_struct *wq)
{
	struct worker *worker;

	list_for_each_entry(worker, &wq->running, list)
		if (!worker->current_work)
			return true;
	return false;
}

static void enqueue(struct workqueue_struct *wq, struct work_struct *work)
{
	unsigned long flags;

	local_irq_save(flags);
	list_add_tail(&work->entry, &wq->items);
	drvport_held.work++;
	if (!worker_will_look(wq))
		worker_start(wq);
	local_irq_restore(flags);
}

/* ---- queueing ---- */

bool queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *work)
{
	unsigned long flags;
	bool queued;

	local_irq_save(flags);
	queued = !disabled_depth(work) && claim(work);
	if (queued)
		enqueue(wq, work);
	local_irq_restore(flags);
	return queued;
}

bool queue_work_node(int node, struct workqueue_struct *wq, struct work_struct *work)
{
	return queue_work_on(0, wq, work);
}

void delayed_work_timer_fn(struct timer_list *timer)
{
	struct delayed_work *dwork = from_timer(dwork, timer, timer);

	enqueue(dwork->wq, &dwork->work);
}

static void delayed_start(struct workqueue_struct *wq, struct delayed_work *dwork, unsigned long delay)
{
	dwork->wq = wq;
	dwork->cpu = 0;
	if (!delay) {
		enqueue(wq, &dwork->work);
		return;
	}
	dwork->timer.expires = jiffies + delay;
	add_timer(&dwork->timer);
}

bool queue_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *dwork, unsigned long delay)
{
	unsigned long flags;
	bool queued;

	local_irq_save(flags);
	queued = !disabled_depth(&dwork->work) && claim(&dwork->work);
	if (queued)
		delayed_start(wq, dwork, delay);
	local_irq_restore(flags);
	return queued;
}

/* Take an item off wherever it waits. True when it was waiting. */
static bool grab(struct work_struct *work, struct timer_list *timer)
{
	unsigned long flags;
	bool waiting = false;

	local_irq_save(flags);
	if (timer && del_timer(timer)) {
		waiting = true;
	} else if (work_pending(work) && !list_empty(&work->entry)) {
		list_del_init(&work->entry);
		drvport_held.work--;
		waiting = true;
	}
	if (waiting)
		release(work);
	local_irq_restore(flags);
	return waiting;
}

bool mod_delayed_work_on(int cpu, struct workqueue_struct *wq, struct delayed_work *dwork, unsigned long delay)
{
	unsigned long flags;
	bool waiting;

	local_irq_save(flags);
	waiting = grab(&dwork->work, &dwork->timer);
	if (!disabled_depth(&dwork->work) && claim(&dwork->work))
		delayed_start(wq, dwork, delay);
	local_irq_restore(flags);
	return waiting;
}

static void rcu_work_ready(struct rcu_head *head)
{
	struct rcu_work *rwork = container_of(head, struct rcu_work, rcu);

	enqueue(rwork->wq, &rwork->work);
}

bool queue_rcu_work(struct workqueue_struct *wq, struct rcu_work *rwork)
{
	if (!claim(&rwork->work))
		return false;
	rwork->wq = wq;
	call_rcu(&rwork->rcu, rcu_work_ready);
	return true;
}

/* ---- waiting ---- */

static bool item_busy(const struct work_struct *work)
{
	return (work_pending(work) && !list_empty(&work->entry)) || worker_on(work);
}

/* The queue an item waits in or runs on. */
static struct workqueue_struct *queue_of(const struct work_struct *work)
{
	struct worker *worker = worker_on(work);
	struct workqueue_struct *wq;
	struct work_struct *each;

	if (worker)
		return worker->wq;
	list_for_each_entry(wq, &queues, list)
		list_for_each_entry(each, &wq->items, entry)
			if (each == work)
				return wq;
	return NULL;
}

static void wait_while_on_itself(const struct work_struct *work, const char *what)
{
	struct worker *worker = worker_on(work);

	if (worker && worker->task == current)
		drvport_fault(DRVPORT_FAULT_DEADLOCK, "%s of a work item by itself", what);
}

bool flush_work(struct work_struct *work)
{
	struct workqueue_struct *wq;
	bool waited = false;

	might_sleep();
	item_waited_for(work);
	while ((wq = queue_of(work))) {
		waited = true;
		wait_while_on_itself(work, "flush_work");
		wait_event(wq->changed, !item_busy(work));
		break;
	}
	return waited;
}

bool flush_delayed_work(struct delayed_work *dwork)
{
	local_irq_disable();
	if (del_timer(&dwork->timer))
		enqueue(dwork->wq, &dwork->work);
	local_irq_enable();
	return flush_work(&dwork->work);
}

bool flush_rcu_work(struct rcu_work *rwork)
{
	bool pending = work_pending(&rwork->work);

	if (pending)
		rcu_barrier();
	return flush_work(&rwork->work) || pending;
}

bool cancel_work(struct work_struct *work)
{
	return grab(work, NULL);
}

bool cancel_delayed_work(struct delayed_work *dwork)
{
	return grab(&dwork->work, &dwork->timer);
}

/* Also an item that queues itself again is stopped: take it off as often as it comes back. */
static bool cancel_sync(struct work_struct *work, struct timer_list *timer)
{
	bool waiting = false;
	struct worker *worker;

	might_sleep();
	item_waited_for(work);
	for (;;) {
		waiting |= grab(work, timer);
		worker = worker_on(work);
		if (!worker || worker->task == current)
			break;
		wait_event(worker->wq->changed, worker_on(work) == NULL);
	}
	return waiting;
}

bool cancel_work_sync(struct work_struct *work)
{
	return cancel_sync(work, NULL);
}

bool cancel_delayed_work_sync(struct delayed_work *dwork)
{
	return cancel_sync(&dwork->work, &dwork->timer);
}

#ifdef WORK_OFFQ_DISABLE_MASK
bool disable_work(struct work_struct *work)
{
	bool waiting = grab(work, NULL);

	disabled_change(work, 1);
	return waiting;
}

bool disable_work_sync(struct work_struct *work)
{
	disabled_change(work, 1);
	return cancel_sync(work, NULL);
}

bool enable_work(struct work_struct *work)
{
	if (disabled_depth(work))
		disabled_change(work, -1);
	return !disabled_depth(work);
}

bool disable_delayed_work(struct delayed_work *dwork)
{
	bool waiting = grab(&dwork->work, &dwork->timer);

	disabled_change(&dwork->work, 1);
	return waiting;
}

bool disable_delayed_work_sync(struct delayed_work *dwork)
{
	disabled_change(&dwork->work, 1);
	return cancel_sync(&dwork->work, &dwork->timer);
}

bool enable_delayed_work(struct delayed_work *dwork)
{
	return enable_work(&dwork->work);
}
#endif

/* Waits for the queue to be empty: also for what is queued meanwhile, which is more than Linux promises. */
void __flush_workqueue(struct workqueue_struct *wq)
{
	might_sleep();
	queue_waited_for(wq);
	wait_event(wq->changed, list_empty(&wq->items) && !wq->workers);
}

void __warn_flushing_systemwide_wq(void)
{
}

void drain_workqueue(struct workqueue_struct *wq)
{
	wq->draining = true;
	__flush_workqueue(wq);
	wq->draining = false;
}

unsigned int work_busy(struct work_struct *work)
{
	return (work_pending(work) ? WORK_BUSY_PENDING : 0) | (worker_on(work) ? WORK_BUSY_RUNNING : 0);
}

struct work_struct *current_work(void)
{
	struct workqueue_struct *wq;
	struct worker *worker;

	list_for_each_entry(wq, &queues, list)
		list_for_each_entry(worker, &wq->running, list)
			if (worker->task == current)
				return worker->current_work;
	return NULL;
}

bool current_is_workqueue_rescuer(void)
{
	return false;
}

bool workqueue_congested(int cpu, struct workqueue_struct *wq)
{
	return false;
}

int schedule_on_each_cpu(work_func_t func)
{
	struct work_struct *work = kzalloc(sizeof(*work), GFP_KERNEL);

	if (!work)
		return -ENOMEM;
	INIT_WORK(work, func);
	schedule_work(work);
	flush_work(work);
	kfree(work);
	return 0;
}

int execute_in_process_context(work_func_t fn, struct execute_work *ew)
{
	if (!in_interrupt()) {
		fn(&ew->work);
		return 0;
	}
	INIT_WORK(&ew->work, fn);
	schedule_work(&ew->work);
	return 1;
}

/* ---- queues ---- */

static struct workqueue_struct *queue_new(const char *name, unsigned int flags, int max_active)
{
	struct workqueue_struct *wq = drvport_core_alloc(sizeof(*wq));

	if (!wq)
		return NULL;
	INIT_LIST_HEAD(&wq->items);
	INIT_LIST_HEAD(&wq->running);
	init_waitqueue_head(&wq->changed);
	wq->flags = flags;
	wq->workers_max = max_active == 1 || (flags & __WQ_ORDERED) ? 1 : WORKERS_MAX;
	strscpy(wq->name, name, sizeof(wq->name));
	queue_known(wq);
	list_add_tail(&wq->list, &queues);
	return wq;
}

struct workqueue_struct *alloc_workqueue(const char *fmt, unsigned int flags, int max_active, ...)
{
	struct workqueue_struct *wq;
	char name[24];
	va_list args;

	va_start(args, max_active);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	wq = queue_new(name, flags, max_active);
	if (wq)
		drvport_held.resources++;
	return wq;
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	drain_workqueue(wq);
	list_del(&wq->list);
	drvport_held.resources--;
	queue_forgotten(wq);
	drvport_core_free(wq);
}

void workqueue_set_max_active(struct workqueue_struct *wq, int max_active)
{
	wq->workers_max = clamp(max_active, 1, WORKERS_MAX);
}

struct workqueue_attrs *alloc_workqueue_attrs(void)
{
	return kzalloc(sizeof(struct workqueue_attrs), GFP_KERNEL);
}

void free_workqueue_attrs(struct workqueue_attrs *attrs)
{
	kfree(attrs);
}

/* One processor, one node: nothing in the attributes makes a difference. */
int apply_workqueue_attrs(struct workqueue_struct *wq, const struct workqueue_attrs *attrs)
{
	return 0;
}

struct pulse {
	struct work_struct work;
	atomic_t *left;
	struct completion *done;
};

static void pulse_work(struct work_struct *work)
{
	struct pulse *pulse = container_of(work, struct pulse, work);

	if (atomic_dec_and_test(pulse->left))
		complete(pulse->done);
	drvport_core_free(pulse);
}

void drvport_workqueue_heartbeat(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	atomic_t left = ATOMIC_INIT(1);
	struct workqueue_struct *wq;
	struct pulse *pulse;

	list_for_each_entry(wq, &queues, list) {
		/* A queue that is being emptied has somebody waiting for it; without memory there is nothing to put in. */
		pulse = wq->draining ? NULL : drvport_core_alloc(sizeof(*pulse));
		if (!pulse)
			continue;
		INIT_WORK(&pulse->work, pulse_work);
		pulse->left = &left;
		pulse->done = &done;
		atomic_inc(&left);
		queue_work(wq, &pulse->work);
	}
	if (!atomic_dec_and_test(&left))
		wait_for_completion(&done);
}

void drvport_workqueue_init(void)
{
	system_wq = queue_new("events", 0, 0);
	system_highpri_wq = queue_new("events_highpri", WQ_HIGHPRI, 0);
	system_long_wq = queue_new("events_long", 0, 0);
	system_unbound_wq = queue_new("events_unbound", WQ_UNBOUND, 0);
	system_freezable_wq = queue_new("events_freezable", WQ_FREEZABLE, 0);
	system_power_efficient_wq = queue_new("events_power_efficient", 0, 0);
	system_freezable_power_efficient_wq = queue_new("events_freezable_power_efficient", 0, 0);
	system_percpu_wq = system_wq;
	system_dfl_wq = system_unbound_wq;
	system_bh_wq = system_wq; /* runs in process context, where more is allowed */
	system_bh_highpri_wq = system_highpri_wq;
}

/* Before the domain ends: what a driver left in the system queues runs to its end. */
void drvport_workqueue_exit(void)
{
	struct workqueue_struct *wq;

	list_for_each_entry(wq, &queues, list)
		__flush_workqueue(wq);
}
