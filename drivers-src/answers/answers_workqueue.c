// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workqueues: who runs beside whom, and what queueing, cancelling and flushing promise.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#define PATIENCE (10 * HZ)

struct item {
	struct work_struct work;
	struct delayed_work later;
	struct completion started, release, done;
	atomic_t runs;
};

static void item_init(struct item *item, work_func_t fn)
{
	memset(item, 0, sizeof(*item));
	INIT_WORK_ONSTACK(&item->work, fn);
	INIT_DELAYED_WORK_ONSTACK(&item->later, fn);
	init_completion(&item->started);
	init_completion(&item->release);
	init_completion(&item->done);
}

static void item_end(struct item *item)
{
	destroy_work_on_stack(&item->work);
	destroy_delayed_work_on_stack(&item->later);
}

static void waits(struct work_struct *work)
{
	struct item *item = container_of(work, struct item, work);

	atomic_inc(&item->runs);
	complete(&item->started);
	wait_for_completion_timeout(&item->release, PATIENCE);
	complete(&item->done);
}

static void counts(struct work_struct *work)
{
	atomic_inc(&container_of(work, struct item, work)->runs);
}

static void counts_later(struct work_struct *work)
{
	atomic_inc(&container_of(work, struct item, later.work)->runs);
}

/* On the same queue, the second is what the first waits for. */
static void sleeping_item_lets_others_run(struct kunit *test)
{
	struct workqueue_struct *queue = alloc_workqueue("answers", 0, 0);
	struct item sleeper, other;

	KUNIT_ASSERT_NOT_NULL(test, queue);
	item_init(&sleeper, waits);
	item_init(&other, waits);
	queue_work(queue, &sleeper.work);
	queue_work(queue, &other.work);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&other.started, PATIENCE), 0ul);
	KUNIT_EXPECT_TRUE(test, try_wait_for_completion(&sleeper.started));
	KUNIT_EXPECT_FALSE(test, try_wait_for_completion(&sleeper.done));
	complete(&sleeper.release);
	complete(&other.release);
	destroy_workqueue(queue);
	item_end(&sleeper);
	item_end(&other);
}

static int cancels(void *data)
{
	struct item *item = data;
	bool was_pending = cancel_work_sync(&item->work);

	complete(&item->done);
	return was_pending;
}

/* Whoever cancels holds the item as pending, so that it is not queued behind his back. */
static void queue_during_cancel_is_refused(struct kunit *test)
{
	struct task_struct *canceller;
	struct item item;

	item_init(&item, waits);
	schedule_work(&item.work);
	wait_for_completion(&item.started);
	canceller = kthread_run(cancels, &item, "answers-cancel");
	KUNIT_ASSERT_FALSE(test, IS_ERR(canceller));
	msleep(20);
	KUNIT_EXPECT_FALSE(test, queue_work(system_wq, &item.work));
	complete(&item.release);
	/* The item, and whoever cancelled it. */
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&item.done, PATIENCE), 0ul);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&item.done, PATIENCE), 0ul);
	KUNIT_EXPECT_EQ(test, atomic_read(&item.runs), 1);
	msleep(20);
	/* Once that is over it can be queued again. */
	complete(&item.release);
	KUNIT_EXPECT_TRUE(test, queue_work(system_wq, &item.work));
	flush_work(&item.work);
	KUNIT_EXPECT_EQ(test, atomic_read(&item.runs), 2);
	item_end(&item);
}

struct endless {
	struct work_struct work;
	struct workqueue_struct *queue;
	atomic_t runs;
	bool stop;
};

static void queues_itself(struct work_struct *work)
{
	struct endless *endless = container_of(work, struct endless, work);

	atomic_inc(&endless->runs);
	if (!READ_ONCE(endless->stop))
		queue_work(endless->queue, work);
}

static void begin_endless(struct endless *endless, struct workqueue_struct *queue)
{
	memset(endless, 0, sizeof(*endless));
	endless->queue = queue;
	INIT_WORK_ONSTACK(&endless->work, queues_itself);
	queue_work(queue, &endless->work);
}

static void end_endless(struct endless *endless)
{
	WRITE_ONCE(endless->stop, true);
	cancel_work_sync(&endless->work);
	destroy_work_on_stack(&endless->work);
}

static void self_requeue_starves_nobody(struct kunit *test)
{
	struct workqueue_struct *queue = alloc_workqueue("answers", 0, 0);
	struct endless endless;
	struct item item;
	int before;

	KUNIT_ASSERT_NOT_NULL(test, queue);
	begin_endless(&endless, queue);
	item_init(&item, waits);
	complete(&item.release);
	queue_work(queue, &item.work);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&item.done, PATIENCE), 0ul);
	before = atomic_read(&endless.runs);
	msleep(20);
	KUNIT_EXPECT_GT(test, atomic_read(&endless.runs), before);
	end_endless(&endless);
	destroy_workqueue(queue);
	item_end(&item);
}

/* A queue that never becomes idle: flushing one item is not waiting for that. */
static void flush_waits_for_its_item_only(struct kunit *test)
{
	struct workqueue_struct *queue = alloc_workqueue("answers", 0, 0);
	struct endless endless;
	struct item item;

	KUNIT_ASSERT_NOT_NULL(test, queue);
	begin_endless(&endless, queue);
	item_init(&item, counts);
	queue_work(queue, &item.work);
	KUNIT_EXPECT_TRUE(test, flush_work(&item.work));
	KUNIT_EXPECT_EQ(test, atomic_read(&item.runs), 1);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(endless.stop));
	/* Nothing to wait for. */
	KUNIT_EXPECT_FALSE(test, flush_work(&item.work));
	end_endless(&endless);
	destroy_workqueue(queue);
	item_end(&item);
}

static void flush_waits_for_what_runs(struct kunit *test)
{
	struct item item;

	item_init(&item, waits);
	schedule_work(&item.work);
	wait_for_completion(&item.started);
	KUNIT_EXPECT_FALSE(test, completion_done(&item.done));
	complete(&item.release);
	KUNIT_EXPECT_TRUE(test, flush_work(&item.work));
	KUNIT_EXPECT_TRUE(test, completion_done(&item.done));
	item_end(&item);
}

static atomic_t at_once, most;

static void counts_company(struct work_struct *work)
{
	int now = atomic_inc_return(&at_once);

	if (now > atomic_read(&most))
		atomic_set(&most, now);
	msleep(20);
	atomic_dec(&at_once);
}

#define CROWD 6

static int company(struct kunit *test, struct workqueue_struct *queue)
{
	struct work_struct *works = kunit_kcalloc(test, CROWD, sizeof(*works), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, queue);
	KUNIT_ASSERT_NOT_NULL(test, works);
	atomic_set(&at_once, 0);
	atomic_set(&most, 0);
	for (i = 0; i < CROWD; i++) {
		INIT_WORK(&works[i], counts_company);
		queue_work(queue, &works[i]);
	}
	destroy_workqueue(queue);
	return atomic_read(&most);
}

static void max_active_holds(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, company(test, alloc_workqueue("answers", WQ_UNBOUND, 2)), 2);
	KUNIT_EXPECT_EQ(test, company(test, alloc_workqueue("answers", 0, 3)), 3);
	KUNIT_EXPECT_EQ(test, company(test, alloc_ordered_workqueue("answers", 0)), 1);
	KUNIT_EXPECT_EQ(test, company(test, alloc_workqueue("answers", WQ_UNBOUND, CROWD)), CROWD);
}

static void flush_brings_a_delayed_item_forward(struct kunit *test)
{
	unsigned long begin = jiffies;
	struct item item;

	item_init(&item, counts_later);
	KUNIT_EXPECT_TRUE(test, schedule_delayed_work(&item.later, 100 * HZ));
	KUNIT_EXPECT_FALSE(test, schedule_delayed_work(&item.later, 0));
	KUNIT_EXPECT_TRUE(test, flush_delayed_work(&item.later));
	KUNIT_EXPECT_EQ(test, atomic_read(&item.runs), 1);
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, begin + 50 * HZ));
	item_end(&item);
}

static void cancelled_delayed_item_never_runs(struct kunit *test)
{
	struct item item;

	item_init(&item, counts_later);
	schedule_delayed_work(&item.later, HZ / 20);
	KUNIT_EXPECT_TRUE(test, cancel_delayed_work_sync(&item.later));
	KUNIT_EXPECT_FALSE(test, cancel_delayed_work_sync(&item.later));
	msleep(100);
	KUNIT_EXPECT_EQ(test, atomic_read(&item.runs), 0);
	/* Its time can be moved, too. */
	KUNIT_EXPECT_FALSE(test, mod_delayed_work(system_wq, &item.later, 100 * HZ));
	KUNIT_EXPECT_TRUE(test, mod_delayed_work(system_wq, &item.later, 0));
	flush_delayed_work(&item.later);
	KUNIT_EXPECT_EQ(test, atomic_read(&item.runs), 1);
	item_end(&item);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(sleeping_item_lets_others_run),
	KUNIT_CASE(queue_during_cancel_is_refused),
	KUNIT_CASE(self_requeue_starves_nobody),
	KUNIT_CASE(flush_waits_for_its_item_only),
	KUNIT_CASE(flush_waits_for_what_runs),
	KUNIT_CASE(max_active_holds),
	KUNIT_CASE(flush_brings_a_delayed_item_forward),
	KUNIT_CASE(cancelled_delayed_item_never_runs),
	{ }
};

static struct kunit_suite suite = { .name = "answers_workqueue", .test_cases = cases };
kunit_test_suite(suite);

MODULE_DESCRIPTION("Asks what Linux answers of workqueues");
MODULE_LICENSE("GPL");
