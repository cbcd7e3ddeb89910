// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: life, names, parents and children. References are those of the tree's lib/kobject.c. There is no sysfs to
 * show them in; attributes are accepted and seen by nobody.
 *
 * Must not know: buses' own kinds of devices.
 */
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/pm_runtime.h>
#include <linux/pm_wakeup.h>
#include <linux/property.h>
#include <linux/export.h>
#include <drvport/compat.h>
#include <drvport/core.h>
#include "base.h"

struct kset *devices_kset;
struct kobject *sysfs_dev_char_kobj, *sysfs_dev_block_kobj;

static void device_last_put(struct kobject *kobj)
{
	struct device *dev = kobj_to_dev(kobj);

	devres_release_all(dev);
	kfree(drvport_override_name(dev));
	drvport_core_free(dev->p);
	dev->p = NULL;
	if (dev->release)
		dev->release(dev);
	else if (dev->type && dev->type->release)
		dev->type->release(dev);
	else if (dev->class && dev->class->dev_release)
		dev->class->dev_release(dev);
	else
		WARN(1, "Device does not have a release() function\n");
}

static const struct kobj_type device_ktype = { .release = device_last_put };

void device_initialize(struct device *dev)
{
	kobject_init(&dev->kobj, (void *)&device_ktype);
	INIT_LIST_HEAD(&dev->dma_pools);
	mutex_init(&dev->mutex);
	/* A device is locked under its parent and beside its siblings: an order that lockdep cannot tell. */
	lockdep_set_novalidate_class(&dev->mutex);
	spin_lock_init(&dev->devres_lock);
	drvport_override_init(dev);
	INIT_LIST_HEAD(&dev->devres_head);
	INIT_LIST_HEAD(&dev->links.consumers);
	INIT_LIST_HEAD(&dev->links.suppliers);
	set_dev_node(dev, NUMA_NO_NODE);
	spin_lock_init(&dev->power.lock);
#ifdef CONFIG_PM_SLEEP
	init_completion(&dev->power.completion);
#endif
#ifdef CONFIG_PM
	dev->power.runtime_status = RPM_SUSPENDED;
	dev->power.last_status = RPM_INVALID;
	dev->power.disable_depth = 1;
#endif
}

int dev_set_name(struct device *dev, const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = kobject_set_name_vargs(&dev->kobj, fmt, args);
	va_end(args);
	return err;
}

static int private_init(struct device *dev)
{
	dev->p = drvport_core_alloc(sizeof(*dev->p));
	if (!dev->p)
		return -ENOMEM;
	dev->p->device = dev;
	INIT_LIST_HEAD(&dev->p->children);
	INIT_LIST_HEAD(&dev->p->in_parent);
	INIT_LIST_HEAD(&dev->p->in_bus);
	INIT_LIST_HEAD(&dev->p->in_class);
	INIT_LIST_HEAD(&dev->p->in_driver);
	return 0;
}

static int name_init(struct device *dev)
{
	if (dev->init_name) {
		dev_set_name(dev, "%s", dev->init_name);
		dev->init_name = NULL;
	}
	if (!dev_name(dev) && dev->bus && dev->bus->dev_name)
		dev_set_name(dev, "%s%u", dev->bus->dev_name, dev->id);
	return dev_name(dev) ? 0 : -EINVAL;
}

int device_add(struct device *dev)
{
	int err;

	if (!get_device(dev))
		return -EINVAL;
	err = dev->p ? 0 : private_init(dev);
	if (!err)
		err = name_init(dev);
	if (err)
		goto fail;
	dev->parent = get_device(dev->parent);
	dev->kobj.state_in_sysfs = 1;
	if (dev->parent && dev->parent->p)
		list_add_tail(&dev->p->in_parent, &dev->parent->p->children);
	drvport_class_add_device(dev);
	err = drvport_bus_add_device(dev);
	if (err)
		goto undo;
	drvport_held.devices++;
	drvport_bus_notify(dev, BUS_NOTIFY_ADD_DEVICE);
	if (dev->bus)
		device_initial_probe(dev);
	drvport_class_announce(dev);
	return 0;
undo:
	drvport_class_remove_device(dev);
	list_del_init(&dev->p->in_parent);
	put_device(dev->parent);
fail:
	put_device(dev);
	return err;
}

int device_register(struct device *dev)
{
	device_initialize(dev);
	return device_add(dev);
}

void device_del(struct device *dev)
{
	struct device *parent = dev->parent;

	drvport_bus_notify(dev, BUS_NOTIFY_DEL_DEVICE);
	drvport_deferred_forget(dev);
	list_del_init(&dev->p->in_parent);
	drvport_class_retract(dev);
	drvport_class_remove_device(dev);
	drvport_bus_remove_device(dev);
	devres_release_all(dev);
	drvport_bus_notify(dev, BUS_NOTIFY_REMOVED_DEVICE);
	dev->kobj.state_in_sysfs = 0;
	drvport_held.devices--;
	put_device(parent);
	put_device(dev); /* device_add() took it */
}

void device_unregister(struct device *dev)
{
	device_del(dev);
	put_device(dev);
}

struct device *get_device(struct device *dev)
{
	return dev ? kobj_to_dev(kobject_get(&dev->kobj)) : NULL;
}

void put_device(struct device *dev)
{
	if (dev)
		kobject_put(&dev->kobj);
}

bool kill_device(struct device *dev)
{
	return true;
}

int device_rename(struct device *dev, const char *name)
{
	return dev_set_name(dev, "%s", name);
}

/* ---- children ---- */

#define FOR_EACH_CHILD(name, iterate, data_type, fn_type)				\
int name(struct device *parent, data_type data, fn_type fn)				\
{											\
	struct device_private *p, *next;						\
	int err;									\
											\
	if (!parent->p)									\
		return 0;								\
	iterate(p, next, &parent->p->children, in_parent) {				\
		err = fn(p->device, data);						\
		if (err)								\
			return err;							\
	}										\
	return 0;									\
}

typedef int (*child_fn)(struct device *, void *);
FOR_EACH_CHILD(device_for_each_child, list_for_each_entry_safe, void *, child_fn)
FOR_EACH_CHILD(device_for_each_child_reverse, list_for_each_entry_safe_reverse, void *, child_fn)

static int any_device(struct device *dev, void *data)
{
	return 1;
}

struct device *device_find_any_child(struct device *parent)
{
	return device_find_child(parent, NULL, any_device);
}

struct device *device_find_child(struct device *parent, void *data, int (*match)(struct device *, void *))
{
	struct device_private *p;

	if (!parent || !parent->p)
		return NULL;
	list_for_each_entry(p, &parent->p->children, in_parent)
		if (match(p->device, data))
			return get_device(p->device);
	return NULL;
}

int device_match_name(struct device *dev, const void *name)
{
	return sysfs_streq(dev_name(dev), name);
}

int device_match_devt(struct device *dev, const void *devt)
{
	return dev->devt == *(dev_t *)devt;
}

int device_match_fwnode(struct device *dev, const void *fwnode)
{
	return fwnode && dev_fwnode(dev) == fwnode;
}

int device_match_of_node(struct device *dev, const void *node)
{
	return node && dev->of_node == node;
}

int device_match_any(struct device *dev, const void *unused)
{
	return 1;
}

/* ---- attributes: nobody looks ---- */

int device_create_file(struct device *dev, const struct device_attribute *attr)
{
	return 0;
}

void device_remove_file(struct device *dev, const struct device_attribute *attr)
{
}

int device_create_bin_file(struct device *dev, const struct bin_attribute *attr)
{
	return 0;
}

void device_remove_bin_file(struct device *dev, const struct bin_attribute *attr)
{
}

int device_add_groups(struct device *dev, const struct attribute_group **groups)
{
	return 0;
}

void device_remove_groups(struct device *dev, const struct attribute_group **groups)
{
}

int devm_device_add_group(struct device *dev, const struct attribute_group *group)
{
	return 0;
}

int devm_device_add_groups(struct device *dev, const struct attribute_group **groups)
{
	return 0;
}

/* ---- devices with nothing behind them ---- */

static void created_release(struct device *dev)
{
	kfree(dev);
}

static struct device *create(class_ptr class, struct device *parent, dev_t devt, void *drvdata, const char *fmt,
			     va_list args)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int err;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	device_initialize(dev);
	dev->devt = devt;
	dev->class = class;
	dev->parent = parent;
	dev->release = created_release;
	dev_set_drvdata(dev, drvdata);
	err = kobject_set_name_vargs(&dev->kobj, fmt, args);
	if (!err)
		err = device_add(dev);
	if (!err)
		return dev;
	put_device(dev);
	return ERR_PTR(err);
}

struct device *device_create(class_ptr class, struct device *parent, dev_t devt, void *drvdata, const char *fmt, ...)
{
	struct device *dev;
	va_list args;

	va_start(args, fmt);
	dev = create(class, parent, devt, drvdata, fmt, args);
	va_end(args);
	return dev;
}

struct device *device_create_with_groups(class_ptr class, struct device *parent, dev_t devt, void *drvdata,
					 const struct attribute_group **groups, const char *fmt, ...)
{
	struct device *dev;
	va_list args;

	va_start(args, fmt);
	dev = create(class, parent, devt, drvdata, fmt, args);
	va_end(args);
	return dev;
}

void device_destroy(class_ptr class, dev_t devt)
{
	struct device *dev = class_find_device(class, NULL, &devt, device_match_devt);

	if (!dev)
		return;
	put_device(dev);
	device_unregister(dev);
}

struct device *__root_device_register(const char *name, struct module *owner)
{
	return device_create(NULL, NULL, 0, NULL, "%s", name);
}

void root_device_unregister(struct device *dev)
{
	device_unregister(dev);
}

/* ---- firmware nodes ---- */

void device_set_node(struct device *dev, struct fwnode_handle *fwnode)
{
	dev->fwnode = fwnode;
	dev->of_node = NULL;
}

/* Order between devices that are not parent and child matters to suspend and unbind, which are not modelled. */
struct device_link *device_link_add(struct device *consumer, struct device *supplier, u32 flags)
{
	return NULL;
}

void device_link_del(struct device_link *link)
{
}

void device_link_remove(void *consumer, struct device *supplier)
{
}
