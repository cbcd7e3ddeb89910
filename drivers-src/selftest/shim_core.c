// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drivers ask of the kernel's core, asked in one init function: memory, threads, waits, locks, timers, work,
 * softirqs, RCU, devices, parameters, firmware. One log line a check: "ok NAME" or "FAILED NAME: condition".
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/firmware.h>
#include <linux/hrtimer.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/kfifo.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list_sort.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/semaphore.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

static int number = 7;
module_param(number, int, 0444);
static char *text = "default";
module_param(text, charp, 0444);

#define CHECK(condition)						\
	do {								\
		if (!(condition)) {					\
			pr_err("FAILED %s: %s\n", __func__, #condition); \
			return;						\
		}							\
	} while (0)

static void memory(void)
{
	struct kmem_cache *cache = kmem_cache_create("selftest", 40, 0, SLAB_HWCACHE_ALIGN, NULL);
	u8 *small = kmalloc(24, GFP_KERNEL), *big = kzalloc(100000, GFP_KERNEL), *area = vzalloc(3 * PAGE_SIZE);
	struct page *pages = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	void *object = kmem_cache_alloc(cache, GFP_KERNEL);
	char *copy = kasprintf(GFP_KERNEL, "%pM %d", "\x52\x54\x00\x12\x34\x56", 42);

	CHECK(small && big && area && pages && object && copy);
	CHECK(!big[99999] && !area[3 * PAGE_SIZE - 1]);
	CHECK(!strcmp(copy, "52:54:00:12:34:56 42"));
	CHECK(virt_to_head_page(page_address(pages) + 3 * PAGE_SIZE) == pages && compound_order(pages) == 2);
	small = krealloc(small, 5000, GFP_KERNEL);
	CHECK(small && ksize(small) >= 5000);
	CHECK(kmalloc(SIZE_MAX / 2, GFP_KERNEL | __GFP_NOWARN) == NULL);
	kfree(small);
	kfree(big);
	kfree(copy);
	vfree(area);
	__free_pages(pages, 2);
	kmem_cache_free(cache, object);
	kmem_cache_destroy(cache);
	pr_info("ok memory\n");
}

/* Zeros are zeros, also where somebody has written before. */
static void zeros(void)
{
	u8 *areas[8] = {};
	unsigned int i, round, had = 0;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(areas); i++) {
			u8 *before = areas[i];

			areas[i] = kzalloc(100000, GFP_KERNEL);
			CHECK(areas[i] && !memchr_inv(areas[i], 0, 100000));
			had += round && areas[i] == before;
			memset(areas[i], 0xa5, 100000);
		}
		for (i = 0; i < ARRAY_SIZE(areas); i++)
			kfree(areas[i]);
	}
	CHECK(had);
	pr_info("ok zeros\n");
}

static DECLARE_WAIT_QUEUE_HEAD(queue);
static int stage;

static int thread(void *arg)
{
	struct completion *started = arg;

	complete(started);
	wait_event(queue, stage == 1);
	stage = 2;
	wake_up(&queue);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 17;
}

static void threads(void)
{
	DECLARE_COMPLETION_ONSTACK(started);
	struct task_struct *task = kthread_run(thread, &started, "selftest/%d", 1);
	unsigned long before;

	CHECK(!IS_ERR(task) && !strcmp(task->comm, "selftest/1"));
	wait_for_completion(&started);
	stage = 1;
	wake_up(&queue);
	CHECK(wait_event_timeout(queue, stage == 2, HZ) > 0);
	before = jiffies;
	CHECK(wait_event_timeout(queue, stage == 3, HZ / 2) == 0);
	CHECK(jiffies - before >= HZ / 2);
	CHECK(kthread_stop(task) == 17);
	task = kthread_create(thread, &started, "never");
	CHECK(kthread_stop(task) == -EINTR);
	pr_info("ok threads\n");
}

static DEFINE_MUTEX(mutex);
static DECLARE_RWSEM(rwsem);
static struct semaphore semaphore = __SEMAPHORE_INITIALIZER(semaphore, 1);
static int order;

static void locker(struct work_struct *work)
{
	mutex_lock(&mutex);
	down_write(&rwsem);
	down(&semaphore);
	order = order * 10 + 2;
	up(&semaphore);
	up_write(&rwsem);
	mutex_unlock(&mutex);
}

static void locks(void)
{
	DECLARE_WORK(work, locker);

	mutex_lock(&mutex);
	down_read(&rwsem);
	down(&semaphore);
	schedule_work(&work);
	msleep(20);
	CHECK(order == 0 && !mutex_trylock(&mutex));
	order = 1;
	mutex_unlock(&mutex);
	msleep(20);
	up_read(&rwsem);
	msleep(20);
	CHECK(order == 1);
	up(&semaphore);
	flush_work(&work);
	CHECK(order == 12 && !mutex_is_locked(&mutex));
	pr_info("ok locks\n");
}

static struct timer_list timer;
static struct hrtimer hrtimer;
static unsigned int ticks, beats;
static unsigned long fired_at;

static void timer_fn(struct timer_list *t)
{
	fired_at = jiffies;
	if (in_serving_softirq() && ++ticks < 3)
		mod_timer(t, jiffies + 2);
}

static enum hrtimer_restart hrtimer_fn(struct hrtimer *t)
{
	if (!in_hardirq() || ++beats == 5)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(t, ns_to_ktime(100000));
	return HRTIMER_RESTART;
}

static void timers(void)
{
	unsigned long start = jiffies;
	ktime_t before = ktime_get();

	timer_setup(&timer, timer_fn, 0);
	mod_timer(&timer, start + 5);
	CHECK(timer_pending(&timer));
	msleep(100);
	CHECK(ticks == 3 && fired_at - start == 9 && !timer_pending(&timer));
	mod_timer(&timer, jiffies + HZ);
	CHECK(del_timer_sync(&timer) == 1 && del_timer_sync(&timer) == 0);
	hrtimer_init(&hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	hrtimer.function = hrtimer_fn;
	hrtimer_start(&hrtimer, ns_to_ktime(100000), HRTIMER_MODE_REL);
	usleep_range(1000, 1100);
	CHECK(beats == 5 && !hrtimer_active(&hrtimer));
	CHECK(ktime_us_delta(ktime_get(), before) >= 100000);
	pr_info("ok timers\n");
}

static int ran;

static void count(struct work_struct *work)
{
	ran++;
}

static void slow(struct work_struct *work)
{
	msleep(50);
	ran += 100;
}

static void works(void)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("selftest", 0);
	DECLARE_WORK(first, slow);
	DECLARE_WORK(second, count);
	DECLARE_DELAYED_WORK(later, count);

	CHECK(wq && queue_work(wq, &first) && queue_work(wq, &second) && !queue_work(wq, &second));
	CHECK(queue_delayed_work(wq, &later, HZ));
	msleep(10);
	CHECK(ran == 0);
	flush_work(&second);
	CHECK(ran == 101);
	CHECK(cancel_delayed_work_sync(&later) && !delayed_work_pending(&later));
	CHECK(queue_delayed_work(wq, &later, HZ) && flush_delayed_work(&later) && ran == 102);
	queue_work(wq, &first);
	CHECK(!cancel_work_sync(&first) || ran == 102);
	destroy_workqueue(wq);
	pr_info("ok works\n");
}

static unsigned int tasklet_ran;

static void tasklet_fn(struct tasklet_struct *t)
{
	tasklet_ran += in_serving_softirq() != 0;
}

static DECLARE_TASKLET(tasklet, tasklet_fn);

struct counted {
	struct rcu_head rcu;
	int *freed;
};

static void counted_free(struct rcu_head *rcu)
{
	struct counted *counted = container_of(rcu, struct counted, rcu);

	(*counted->freed)++;
	kfree(counted);
}

static void deferred(void)
{
	struct counted *one = kzalloc(sizeof(*one), GFP_KERNEL), *two = kzalloc(sizeof(*two), GFP_KERNEL);
	int freed = 0;

	tasklet_schedule(&tasklet);
	usleep_range(100, 200);
	CHECK(tasklet_ran == 1);
	tasklet_disable(&tasklet);
	tasklet_schedule(&tasklet);
	usleep_range(100, 200);
	CHECK(tasklet_ran == 1);
	tasklet_enable(&tasklet);
	tasklet_kill(&tasklet);
	CHECK(tasklet_ran == 2);
	one->freed = &freed;
	call_rcu(&one->rcu, counted_free);
	kfree_rcu(two, rcu);
	rcu_barrier();
	CHECK(freed == 1);
	pr_info("ok deferred\n");
}

static void library(void)
{
	DEFINE_IDR(idr);
	DECLARE_KFIFO(fifo, int, 8);
	int one = 1, got = 0;

	INIT_KFIFO(fifo);
	CHECK(kfifo_put(&fifo, 5) && kfifo_get(&fifo, &got) && got == 5);
	CHECK(idr_alloc(&idr, &one, 10, 20, GFP_KERNEL) == 10 && idr_find(&idr, 10) == &one);
	idr_remove(&idr, 10);
	idr_destroy(&idr);
	CHECK(get_random_u32() != get_random_u32());
	CHECK(msecs_to_jiffies(1000) == HZ);
	pr_info("ok library\n");
}

static int released;

static void action(void *data)
{
	released++;
}

static void device_release(struct device *dev)
{
	released += 10;
}

static void devices(void)
{
	static struct device dev;

	dev.release = device_release;
	dev_set_name(&dev, "selftest%d", 3);
	CHECK(device_register(&dev) == 0 && !strcmp(dev_name(&dev), "selftest3"));
	CHECK(devm_kzalloc(&dev, 64, GFP_KERNEL) && devm_add_action(&dev, action, NULL) == 0);
	device_unregister(&dev);
	CHECK(released == 11);
	pr_info("ok devices\n");
}

static void files(void)
{
	const struct firmware *fw;
	static struct device dev = { .init_name = "selftest" };

	CHECK(request_firmware_direct(&fw, "missing.bin", &dev) == -ENOENT && !fw);
	CHECK(request_firmware_direct(&fw, "selftest.bin", &dev) == 0);
	CHECK(fw->size == 5 && !memcmp(fw->data, "hello", 5));
	release_firmware(fw);
	pr_info("ok files\n");
}

static int __init selftest_init(void)
{
	memory();
	zeros();
	threads();
	locks();
	timers();
	works();
	deferred();
	library();
	devices();
	files();
	pr_info("parameters %d %s\n", number, text);
	return 0;
}
module_init(selftest_init);

static void __exit selftest_exit(void)
{
}
module_exit(selftest_exit);

MODULE_DESCRIPTION("Checks of the kernel's core as drivers use it");
MODULE_LICENSE("GPL");
