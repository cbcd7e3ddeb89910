// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver core: attributes, deferred probing over buses, when a device counts as bound, the order of unbinding, links,
 * walking a bus that changes, runtime power management. The buses and devices are the suite's own.
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include "read_file.h"

#define DEVICES 4

static struct bus_type first_bus = { .name = "answers-first" };
static struct bus_type second_bus = { .name = "answers-second" };

struct part {
	struct device dev;
	int number;
};

static int probes, removes, probe_answer;
static int removed[DEVICES];
/* Devices that their driver had at the end of its probe, and whether this one was among them. */
static bool among_its_own;

static int is_it(struct device *dev, void *wanted)
{
	return dev == wanted;
}

static int probe(struct device *dev)
{
	probes++;
	among_its_own = driver_for_each_device(dev->driver, NULL, dev, is_it);
	return probe_answer;
}

static int remove(struct device *dev)
{
	removed[removes++ % DEVICES] = container_of(dev, struct part, dev)->number;
	return 0;
}

static int accepts(struct device *dev)
{
	return 0;
}

static struct device_driver first_driver = { .name = "answers-first", .bus = &first_bus, .probe = probe, .remove = remove };
static struct device_driver second_driver = { .name = "answers-second", .bus = &second_bus, .probe = accepts };

static void part_release(struct device *dev)
{
	kfree(container_of(dev, struct part, dev));
}

static struct device *add(struct kunit *test, struct bus_type *bus, int number)
{
	struct part *part = kzalloc(sizeof(*part), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, part);
	part->number = number;
	part->dev.bus = bus;
	part->dev.release = part_release;
	dev_set_name(&part->dev, "answers-%s-%d", bus == &first_bus ? "first" : "second", number);
	KUNIT_ASSERT_EQ(test, device_register(&part->dev), 0);
	return &part->dev;
}

static int buses_init(struct kunit *test)
{
	int err = bus_register(&first_bus);

	if (err)
		return err;
	err = bus_register(&second_bus);
	if (err)
		bus_unregister(&first_bus);
	probes = removes = probe_answer = 0;
	return err;
}

static void buses_exit(struct kunit *test)
{
	bus_unregister(&second_bus);
	bus_unregister(&first_bus);
}

/* ---- attributes ---- */

static ssize_t number_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", (int)(long)dev_get_drvdata(dev));
}
static DEVICE_ATTR_RO(number);

static struct attribute *answers_attrs[] = { &dev_attr_number.attr, NULL };
ATTRIBUTE_GROUPS(answers);

static void attributes_are_read(struct kunit *test)
{
	struct class *class = kunit_kzalloc(test, sizeof(*class), GFP_KERNEL);
	struct device *dev;
	char text[64];

	KUNIT_ASSERT_NOT_NULL(test, class);
	class->name = "answers";
	KUNIT_ASSERT_EQ(test, class_register(class), 0);
	dev = device_create_with_groups(class, NULL, 0, (void *)42l, answers_groups, "answer%d", 7);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	KUNIT_EXPECT_EQ(test, read_file("/sys/class/answers/answer7/number", text, sizeof(text)), (ssize_t)3);
	KUNIT_EXPECT_STREQ(test, text, "42\n");
	device_unregister(dev);
	KUNIT_EXPECT_EQ(test, read_file("/sys/class/answers/answer7/number", text, sizeof(text)), (ssize_t)-ENOENT);
	class_unregister(class);
}

/* ---- binding ---- */

static void deferred_probe_comes_again(struct kunit *test)
{
	struct device *waits = add(test, &first_bus, 0), *other;

	probe_answer = -EPROBE_DEFER;
	KUNIT_ASSERT_EQ(test, driver_register(&first_driver), 0);
	wait_for_device_probe();
	KUNIT_EXPECT_PTR_EQ(test, waits->driver, (struct device_driver *)NULL);
	probe_answer = 0;
	probes = 0;
	/* On another bus, something that it might have waited for. */
	other = add(test, &second_bus, 0);
	KUNIT_ASSERT_EQ(test, driver_register(&second_driver), 0);
	wait_for_device_probe();
	KUNIT_EXPECT_PTR_EQ(test, other->driver, &second_driver);
	KUNIT_EXPECT_PTR_EQ(test, waits->driver, &first_driver);
	KUNIT_EXPECT_EQ(test, probes, 1);
	driver_unregister(&second_driver);
	driver_unregister(&first_driver);
	device_unregister(other);
	device_unregister(waits);
}

/* What a driver has is what it has bound. */
static void bound_after_probe_only(struct kunit *test)
{
	struct device *dev = add(test, &first_bus, 0);

	KUNIT_ASSERT_EQ(test, driver_register(&first_driver), 0);
	KUNIT_EXPECT_EQ(test, probes, 1);
	KUNIT_EXPECT_FALSE(test, among_its_own);
	KUNIT_EXPECT_EQ(test, driver_for_each_device(&first_driver, NULL, dev, is_it), 1);
	driver_unregister(&first_driver);
	/* One that refuses is not bound, and not asked again. */
	probe_answer = -EIO;
	KUNIT_ASSERT_EQ(test, driver_register(&first_driver), 0);
	KUNIT_EXPECT_PTR_EQ(test, dev->driver, (struct device_driver *)NULL);
	KUNIT_EXPECT_EQ(test, driver_for_each_device(&first_driver, NULL, dev, is_it), 0);
	driver_unregister(&first_driver);
	device_unregister(dev);
}

static void last_bound_is_unbound_first(struct kunit *test)
{
	struct device *devices[DEVICES];
	int i;

	for (i = 0; i < DEVICES; i++)
		devices[i] = add(test, &first_bus, i);
	KUNIT_ASSERT_EQ(test, driver_register(&first_driver), 0);
	KUNIT_EXPECT_EQ(test, probes, DEVICES);
	driver_unregister(&first_driver);
	KUNIT_EXPECT_EQ(test, removes, DEVICES);
	for (i = 0; i < DEVICES; i++)
		KUNIT_EXPECT_EQ(test, removed[i], DEVICES - 1 - i);
	for (i = 0; i < DEVICES; i++)
		device_unregister(devices[i]);
}

static void consumer_goes_before_its_supplier(struct kunit *test)
{
	struct device *supplier = add(test, &first_bus, 0), *consumer = add(test, &first_bus, 1);
	struct device_link *link = device_link_add(consumer, supplier, DL_FLAG_AUTOREMOVE_SUPPLIER);

	KUNIT_ASSERT_NOT_NULL(test, link);
	KUNIT_ASSERT_EQ(test, driver_register(&first_driver), 0);
	wait_for_device_probe();
	KUNIT_EXPECT_PTR_EQ(test, consumer->driver, &first_driver);
	/* The other way round there would be a ring. */
	KUNIT_EXPECT_NULL(test, device_link_add(supplier, consumer, DL_FLAG_AUTOREMOVE_SUPPLIER));
	device_release_driver(supplier);
	KUNIT_EXPECT_EQ(test, removes, 2);
	KUNIT_EXPECT_EQ(test, removed[0], 1);
	KUNIT_EXPECT_EQ(test, removed[1], 0);
	KUNIT_EXPECT_PTR_EQ(test, consumer->driver, (struct device_driver *)NULL);
	driver_unregister(&first_driver);
	device_unregister(consumer);
	device_unregister(supplier);
}

static void consumer_waits_for_its_supplier(struct kunit *test)
{
	struct device *supplier = add(test, &second_bus, 0), *consumer = add(test, &first_bus, 1);

	KUNIT_ASSERT_NOT_NULL(test, device_link_add(consumer, supplier, DL_FLAG_AUTOREMOVE_SUPPLIER));
	KUNIT_ASSERT_EQ(test, driver_register(&first_driver), 0);
	wait_for_device_probe();
	KUNIT_EXPECT_EQ(test, probes, 0);
	KUNIT_ASSERT_EQ(test, driver_register(&second_driver), 0);
	wait_for_device_probe();
	KUNIT_EXPECT_EQ(test, probes, 1);
	KUNIT_EXPECT_PTR_EQ(test, consumer->driver, &first_driver);
	driver_unregister(&second_driver);
	KUNIT_EXPECT_EQ(test, removes, 1);
	driver_unregister(&first_driver);
	device_unregister(consumer);
	device_unregister(supplier);
}

static int unregisters(struct device *dev, void *count)
{
	++*(int *)count;
	device_unregister(dev);
	return 0;
}

static void walk_survives_who_leaves(struct kunit *test)
{
	int i, seen = 0;

	for (i = 0; i < DEVICES; i++)
		add(test, &first_bus, i);
	KUNIT_EXPECT_EQ(test, bus_for_each_dev(&first_bus, NULL, &seen, unregisters), 0);
	KUNIT_EXPECT_EQ(test, seen, DEVICES);
	KUNIT_EXPECT_EQ(test, bus_for_each_dev(&first_bus, NULL, NULL, is_it), 0);
}

/* ---- runtime power management ---- */

static int resumes, suspends, resume_answer;

static int runtime_suspend(struct device *dev)
{
	suspends++;
	return 0;
}

static int runtime_resume(struct device *dev)
{
	resumes++;
	return resume_answer;
}

static const struct dev_pm_ops pm_ops = { SET_RUNTIME_PM_OPS(runtime_suspend, runtime_resume, NULL) };

static void runtime_pm_calls_the_driver(struct kunit *test)
{
	struct device *dev = add(test, &first_bus, 0);

	if (!IS_ENABLED(CONFIG_PM))
		kunit_skip(test, "the kernel is configured without power management");
	first_driver.pm = &pm_ops;
	KUNIT_ASSERT_EQ(test, driver_register(&first_driver), 0);
	resumes = suspends = resume_answer = 0;
	pm_runtime_enable(dev);
	KUNIT_EXPECT_EQ(test, pm_runtime_get_sync(dev), 0);
	KUNIT_EXPECT_EQ(test, resumes, 1);
	KUNIT_EXPECT_TRUE(test, pm_runtime_active(dev));
	/* Held twice, it stays up until the second lets go. */
	KUNIT_EXPECT_EQ(test, pm_runtime_get_sync(dev), 1);
	pm_runtime_put_sync(dev);
	KUNIT_EXPECT_EQ(test, suspends, 0);
	pm_runtime_put_sync(dev);
	KUNIT_EXPECT_EQ(test, suspends, 1);
	KUNIT_EXPECT_TRUE(test, pm_runtime_suspended(dev));
	resume_answer = -EIO;
	KUNIT_EXPECT_EQ(test, pm_runtime_resume_and_get(dev), -EIO);
	/* From then on it is broken, until somebody says how it is. */
	KUNIT_EXPECT_EQ(test, pm_runtime_resume_and_get(dev), -EINVAL);
	KUNIT_EXPECT_EQ(test, resumes, 2);
	pm_runtime_disable(dev);
	pm_runtime_set_suspended(dev);
	driver_unregister(&first_driver);
	first_driver.pm = NULL;
	device_unregister(dev);
}

static void autosuspend_waits_its_delay(struct kunit *test)
{
	struct device *dev = add(test, &first_bus, 0);

	if (!IS_ENABLED(CONFIG_PM))
		kunit_skip(test, "the kernel is configured without power management");
	first_driver.pm = &pm_ops;
	KUNIT_ASSERT_EQ(test, driver_register(&first_driver), 0);
	resumes = suspends = resume_answer = 0;
	pm_runtime_set_autosuspend_delay(dev, 100);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_enable(dev);
	KUNIT_EXPECT_EQ(test, pm_runtime_get_sync(dev), 0);
	pm_runtime_mark_last_busy(dev);
	pm_runtime_put_autosuspend(dev);
	msleep(20);
	KUNIT_EXPECT_EQ(test, suspends, 0);
	msleep(200);
	KUNIT_EXPECT_EQ(test, suspends, 1);
	pm_runtime_dont_use_autosuspend(dev);
	pm_runtime_disable(dev);
	driver_unregister(&first_driver);
	first_driver.pm = NULL;
	device_unregister(dev);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(attributes_are_read),
	KUNIT_CASE(deferred_probe_comes_again),
	KUNIT_CASE(bound_after_probe_only),
	KUNIT_CASE(last_bound_is_unbound_first),
	KUNIT_CASE(consumer_goes_before_its_supplier),
	KUNIT_CASE(consumer_waits_for_its_supplier),
	KUNIT_CASE(walk_survives_who_leaves),
	KUNIT_CASE(runtime_pm_calls_the_driver),
	KUNIT_CASE(autosuspend_waits_its_delay),
	{ }
};

static struct kunit_suite suite = { .name = "answers_device", .init = buses_init, .exit = buses_exit, .test_cases = cases };
kunit_test_suite(suite);

MODULE_DESCRIPTION("Asks what Linux answers of devices and drivers");
MODULE_LICENSE("GPL");
