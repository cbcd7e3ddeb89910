// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel threads and kthread workers: a fiber each, created stopped, as in Linux, and started by the first wake-up.
 *
 * Must not know: how fibers are switched.
 */
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/completion.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/freezer.h>
#include <linux/export.h>
#include <drvport/core.h>

enum { SHOULD_STOP, SHOULD_PARK, IS_PARKED };

struct kthread {
	unsigned long flags;
	int (*fn)(void *);
	void *data;
	int result;
	struct task_struct *task;
	struct completion parked;
	struct completion exited;
};

struct task_struct *kthreadd_task;

static struct kthread *kthread_of(const struct task_struct *task)
{
	return task->worker_private;
}

/* Its thread function is done. */
static void kthread_ended(struct kthread *self, int result)
{
	self->result = result;
	complete_all(&self->exited);
	if (refcount_read(&current->usage) > 1)
		return; /* kthread_stop() has a reference and frees the rest */
	current->worker_private = NULL;
	drvport_core_free(self);
}

static void kthread_body(void *arg)
{
	struct kthread *self = arg;
	int result = -EINTR;

	/* Created asleep; the first wake-up may have come before the fiber ran at all. */
	if (READ_ONCE(current->__state) != TASK_RUNNING)
		schedule();
	if (!test_bit(SHOULD_STOP, &self->flags)) {
		if (test_bit(SHOULD_PARK, &self->flags))
			kthread_parkme();
		result = self->fn(self->data);
	}
	kthread_ended(self, result);
}

void __noreturn kthread_exit(long result)
{
	kthread_ended(kthread_of(current), result);
	drvport_fiber_exit();
}

void __noreturn kthread_complete_and_exit(struct completion *completion, long result)
{
	if (completion)
		complete(completion);
	kthread_exit(result);
}

static struct task_struct *kthread_new(int (*fn)(void *), void *data, const char *name)
{
	struct kthread *self = drvport_core_alloc(sizeof(*self));
	struct task_struct *task;

	if (!self)
		return ERR_PTR(-ENOMEM);
	self->fn = fn;
	self->data = data;
	init_completion(&self->parked);
	init_completion(&self->exited);
	task = drvport_fiber_start(kthread_body, self, name);
	if (!task) {
		drvport_core_free(self);
		return ERR_PTR(-ENOMEM);
	}
	self->task = task;
	task->worker_private = self;
	WRITE_ONCE(task->__state, TASK_UNINTERRUPTIBLE);
	return task;
}

struct task_struct *kthread_create_on_node(int (*fn)(void *data), void *data, int node, const char namefmt[], ...)
{
	char name[TASK_COMM_LEN];
	va_list args;

	va_start(args, namefmt);
	vsnprintf(name, sizeof(name), namefmt, args);
	va_end(args);
	return kthread_new(fn, data, name);
}

struct task_struct *kthread_create_on_cpu(int (*fn)(void *data), void *data, unsigned int cpu, const char *namefmt)
{
	char name[TASK_COMM_LEN];

	snprintf(name, sizeof(name), namefmt, cpu);
	return kthread_new(fn, data, name);
}

void kthread_bind(struct task_struct *task, unsigned int cpu)
{
}

void kthread_bind_mask(struct task_struct *task, const struct cpumask *mask)
{
}

bool kthread_should_stop(void)
{
	struct kthread *self = kthread_of(current);

	return self && test_bit(SHOULD_STOP, &self->flags);
}

bool __kthread_should_park(struct task_struct *task)
{
	struct kthread *self = kthread_of(task);

	return self && test_bit(SHOULD_PARK, &self->flags);
}

bool kthread_should_park(void)
{
	return __kthread_should_park(current);
}

bool kthread_freezable_should_stop(bool *was_frozen)
{
	if (was_frozen)
		*was_frozen = false;
	return kthread_should_stop();
}

void *kthread_func(struct task_struct *task)
{
	return kthread_of(task) ? kthread_of(task)->fn : NULL;
}

void *kthread_data(struct task_struct *task)
{
	return kthread_of(task)->data;
}

int kthread_stop(struct task_struct *task)
{
	struct kthread *self = kthread_of(task);
	int result;

	get_task_struct(task);
	set_bit(SHOULD_STOP, &self->flags);
	kthread_unpark(task);
	wake_up_process(task);
	wait_for_completion(&self->exited);
	result = self->result;
	task->worker_private = NULL;
	put_task_struct(task);
	drvport_core_free(self);
	return result;
}

int kthread_stop_put(struct task_struct *task)
{
	int result = kthread_stop(task);

	put_task_struct(task);
	return result;
}

void kthread_parkme(void)
{
	struct kthread *self = kthread_of(current);

	for (;;) {
		set_current_state(TASK_PARKED);
		if (!test_bit(SHOULD_PARK, &self->flags))
			break;
		set_bit(IS_PARKED, &self->flags);
		complete(&self->parked);
		schedule();
	}
	clear_bit(IS_PARKED, &self->flags);
	__set_current_state(TASK_RUNNING);
}

int kthread_park(struct task_struct *task)
{
	struct kthread *self = kthread_of(task);

	if (test_and_set_bit(SHOULD_PARK, &self->flags))
		return -EBUSY;
	if (task == current)
		return 0;
	wake_up_process(task);
	wait_for_completion(&self->parked);
	return 0;
}

void kthread_unpark(struct task_struct *task)
{
	struct kthread *self = kthread_of(task);

	if (!test_and_clear_bit(SHOULD_PARK, &self->flags))
		return;
	reinit_completion(&self->parked);
	wake_up_state(task, TASK_PARKED);
}

/* ---- workers ---- */

void __kthread_init_worker(struct kthread_worker *worker, const char *name, struct lock_class_key *key)
{
	memset(worker, 0, sizeof(*worker));
	raw_spin_lock_init(&worker->lock);
	lockdep_set_class_and_name(&worker->lock, key, name);
	INIT_LIST_HEAD(&worker->work_list);
	INIT_LIST_HEAD(&worker->delayed_work_list);
}

int kthread_worker_fn(void *worker_ptr)
{
	struct kthread_worker *worker = worker_ptr;

	worker->task = current;
	for (;;) {
		struct kthread_work *work;

		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop()) {
			__set_current_state(TASK_RUNNING);
			worker->task = NULL;
			return 0;
		}
		raw_spin_lock_irq(&worker->lock);
		work = list_first_entry_or_null(&worker->work_list, struct kthread_work, node);
		if (work)
			list_del_init(&work->node);
		worker->current_work = work;
		raw_spin_unlock_irq(&worker->lock);
		if (work) {
			__set_current_state(TASK_RUNNING);
			work->func(work);
			worker->current_work = NULL;
		} else {
			schedule();
		}
	}
}

struct kthread_worker *kthread_create_worker(unsigned int flags, const char namefmt[], ...)
{
	struct kthread_worker *worker = kzalloc(sizeof(*worker), GFP_KERNEL);
	struct task_struct *task;
	char name[TASK_COMM_LEN];
	va_list args;

	if (!worker)
		return ERR_PTR(-ENOMEM);
	__kthread_init_worker(worker, "", NULL);
	va_start(args, namefmt);
	vsnprintf(name, sizeof(name), namefmt, args);
	va_end(args);
	task = kthread_new(kthread_worker_fn, worker, name);
	if (IS_ERR(task)) {
		kfree(worker);
		return ERR_CAST(task);
	}
	worker->flags = flags;
	worker->task = task;
	wake_up_process(task);
	return worker;
}

static void work_insert(struct kthread_worker *worker, struct kthread_work *work, struct list_head *before)
{
	list_add_tail(&work->node, before);
	work->worker = worker;
	if (!worker->current_work && worker->task)
		wake_up_process(worker->task);
}

static bool work_is_queued(const struct kthread_work *work)
{
	return !list_empty(&work->node) || work->canceling;
}

bool kthread_queue_work(struct kthread_worker *worker, struct kthread_work *work)
{
	unsigned long flags;
	bool queued = false;

	raw_spin_lock_irqsave(&worker->lock, flags);
	if (!work_is_queued(work)) {
		work_insert(worker, work, &worker->work_list);
		queued = true;
	}
	raw_spin_unlock_irqrestore(&worker->lock, flags);
	return queued;
}

void kthread_delayed_work_timer_fn(struct timer_list *timer)
{
	struct kthread_delayed_work *dwork = container_of(timer, struct kthread_delayed_work, timer);
	struct kthread_work *work = &dwork->work;
	struct kthread_worker *worker = work->worker;
	unsigned long flags;

	raw_spin_lock_irqsave(&worker->lock, flags);
	list_del_init(&work->node);
	if (!work->canceling)
		work_insert(worker, work, &worker->work_list);
	raw_spin_unlock_irqrestore(&worker->lock, flags);
}

static void delayed_insert(struct kthread_worker *worker, struct kthread_delayed_work *dwork, unsigned long delay)
{
	if (!delay) {
		work_insert(worker, &dwork->work, &worker->work_list);
		return;
	}
	list_add(&dwork->work.node, &worker->delayed_work_list);
	dwork->work.worker = worker;
	dwork->timer.expires = jiffies + delay;
	add_timer(&dwork->timer);
}

bool kthread_queue_delayed_work(struct kthread_worker *worker, struct kthread_delayed_work *dwork, unsigned long delay)
{
	unsigned long flags;
	bool queued = false;

	raw_spin_lock_irqsave(&worker->lock, flags);
	if (!work_is_queued(&dwork->work)) {
		delayed_insert(worker, dwork, delay);
		queued = true;
	}
	raw_spin_unlock_irqrestore(&worker->lock, flags);
	return queued;
}

bool kthread_mod_delayed_work(struct kthread_worker *worker, struct kthread_delayed_work *dwork, unsigned long delay)
{
	unsigned long flags;
	bool pending;

	del_timer_sync(&dwork->timer);
	raw_spin_lock_irqsave(&worker->lock, flags);
	pending = !list_empty(&dwork->work.node);
	list_del_init(&dwork->work.node);
	if (!dwork->work.canceling)
		delayed_insert(worker, dwork, delay);
	raw_spin_unlock_irqrestore(&worker->lock, flags);
	return pending;
}

struct flush {
	struct kthread_work work;
	struct completion done;
};

static void flush_fn(struct kthread_work *work)
{
	complete(&container_of(work, struct flush, work)->done);
}

void kthread_flush_work(struct kthread_work *work)
{
	struct flush flush = { KTHREAD_WORK_INIT(flush.work, flush_fn) };
	struct kthread_worker *worker = work->worker;

	if (!worker)
		return;
	init_completion(&flush.done);
	raw_spin_lock_irq(&worker->lock);
	if (!list_empty(&work->node))
		work_insert(worker, &flush.work, work->node.next);
	else if (worker->current_work == work)
		work_insert(worker, &flush.work, worker->work_list.next);
	else
		complete(&flush.done);
	raw_spin_unlock_irq(&worker->lock);
	wait_for_completion(&flush.done);
}

void kthread_flush_worker(struct kthread_worker *worker)
{
	struct flush flush = { KTHREAD_WORK_INIT(flush.work, flush_fn) };

	init_completion(&flush.done);
	kthread_queue_work(worker, &flush.work);
	wait_for_completion(&flush.done);
}

static bool cancel_sync(struct kthread_work *work, struct timer_list *timer)
{
	struct kthread_worker *worker = work->worker;
	bool pending;

	if (!worker)
		return false;
	work->canceling++;
	if (timer)
		del_timer_sync(timer);
	raw_spin_lock_irq(&worker->lock);
	pending = !list_empty(&work->node);
	list_del_init(&work->node);
	raw_spin_unlock_irq(&worker->lock);
	if (worker->current_work == work)
		kthread_flush_work(work);
	work->canceling--;
	return pending;
}

bool kthread_cancel_work_sync(struct kthread_work *work)
{
	return cancel_sync(work, NULL);
}

bool kthread_cancel_delayed_work_sync(struct kthread_delayed_work *dwork)
{
	return cancel_sync(&dwork->work, &dwork->timer);
}

void kthread_destroy_worker(struct kthread_worker *worker)
{
	kthread_flush_worker(worker);
	kthread_stop(worker->task);
	kfree(worker);
}
