// SPDX-License-Identifier: GPL-2.0-only
/*
 * Character devices: numbers are reserved and devices exist, but there is no /dev in here, so none is ever opened and no
 * file operation is ever called.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/slab.h>
#include <drvport/core.h>

struct region {
	struct list_head list;
	unsigned int major, first, count;
};

static LIST_HEAD(regions);

static bool taken(unsigned int major, unsigned int first, unsigned int count)
{
	struct region *each;

	list_for_each_entry(each, &regions, list)
		if (each->major == major && first < each->first + each->count && each->first < first + count)
			return true;
	return false;
}

static int reserve(unsigned int major, unsigned int first, unsigned int count)
{
	struct region *new;

	if (major >= CHRDEV_MAJOR_MAX || count > MINORMASK + 1 - first)
		return -EINVAL;
	if (taken(major, first, count))
		return -EBUSY;
	new = drvport_core_alloc(sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->major = major;
	new->first = first;
	new->count = count;
	list_add_tail(&new->list, &regions);
	return 0;
}

/* A number that nobody has, from the top of the dynamic ones as in Linux. */
static int reserve_any(unsigned int first, unsigned int count)
{
	for (unsigned int major = 254; major >= CHRDEV_MAJOR_DYN_END; major--) {
		int err = reserve(major, first, count);

		if (err != -EBUSY)
			return err ?: major;
	}
	return -EBUSY;
}

static void give_back(unsigned int major, unsigned int first, unsigned int count)
{
	struct region *each, *next;

	list_for_each_entry_safe(each, next, &regions, list) {
		if (each->major != major || each->first != first || each->count != count)
			continue;
		list_del(&each->list);
		drvport_core_free(each);
	}
}

int register_chrdev_region(dev_t from, unsigned count, const char *name)
{
	return reserve(MAJOR(from), MINOR(from), count);
}

int alloc_chrdev_region(dev_t *dev, unsigned baseminor, unsigned count, const char *name)
{
	int major = reserve_any(baseminor, count);

	if (major < 0)
		return major;
	*dev = MKDEV(major, baseminor);
	return 0;
}

void unregister_chrdev_region(dev_t from, unsigned count)
{
	give_back(MAJOR(from), MINOR(from), count);
}

int __register_chrdev(unsigned int major, unsigned int baseminor, unsigned int count, const char *name,
		      const struct file_operations *fops)
{
	return major ? reserve(major, baseminor, count) : reserve_any(baseminor, count);
}

void __unregister_chrdev(unsigned int major, unsigned int baseminor, unsigned int count, const char *name)
{
	give_back(major, baseminor, count);
}

/* ---- devices ---- */

static void embedded_release(struct kobject *kobj)
{
	kobject_put(kobj->parent); /* cdev_add() took it */
}

static void allocated_release(struct kobject *kobj)
{
	struct kobject *parent = kobj->parent;

	kfree(container_of(kobj, struct cdev, kobj));
	kobject_put(parent);
}

static const struct kobj_type embedded = { .release = embedded_release };
static const struct kobj_type allocated = { .release = allocated_release };

void cdev_init(struct cdev *cdev, const struct file_operations *fops)
{
	memset(cdev, 0, sizeof(*cdev));
	INIT_LIST_HEAD(&cdev->list);
	kobject_init(&cdev->kobj, (void *)&embedded);
	cdev->ops = fops;
}

struct cdev *cdev_alloc(void)
{
	struct cdev *cdev = kzalloc(sizeof(*cdev), GFP_KERNEL);

	if (!cdev)
		return NULL;
	INIT_LIST_HEAD(&cdev->list);
	kobject_init(&cdev->kobj, (void *)&allocated);
	return cdev;
}

int cdev_add(struct cdev *cdev, dev_t dev, unsigned count)
{
	cdev->dev = dev;
	cdev->count = count;
	kobject_get(cdev->kobj.parent);
	return 0;
}

void cdev_del(struct cdev *cdev)
{
	kobject_put(&cdev->kobj);
}

void cdev_set_parent(struct cdev *cdev, struct kobject *kobj)
{
	cdev->kobj.parent = kobj;
}

int cdev_device_add(struct cdev *cdev, struct device *dev)
{
	int err;

	if (dev->devt) {
		cdev_set_parent(cdev, &dev->kobj);
		err = cdev_add(cdev, dev->devt, 1);
		if (err)
			return err;
	}
	err = device_add(dev);
	if (err && dev->devt)
		cdev_del(cdev);
	return err;
}

void cdev_device_del(struct cdev *cdev, struct device *dev)
{
	device_del(dev);
	if (dev->devt)
		cdev_del(cdev);
}

/* ---- signals to who has it open: nobody ---- */

int fasync_helper(int fd, struct file *file, int on, struct fasync_struct **queue)
{
	return on ? -ENODEV : 0;
}

void kill_fasync(struct fasync_struct **queue, int sig, int band)
{
}
