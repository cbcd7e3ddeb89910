// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buses and classes: which devices and drivers are on them.
 */
#define DRVPORT_SHIM
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/export.h>
#include <drvport/core.h>
#include <drvport_shim_abi.h>
#include "base.h"

static LIST_HEAD(buses);

struct drvport_bus *drvport_bus_find(bus_ptr bus)
{
	struct drvport_bus *each;

	list_for_each_entry(each, &buses, list)
		if (each->bus == bus)
			return each;
	return NULL;
}

void drvport_bus_notify(struct device *dev, unsigned long event)
{
	struct drvport_bus *bus = dev->bus ? drvport_bus_find(dev->bus) : NULL;

	if (bus)
		blocking_notifier_call_chain(&bus->notifier, event, dev);
}

int bus_register(bus_ptr bus)
{
	struct drvport_bus *new = drvport_core_alloc(sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->bus = bus;
	INIT_LIST_HEAD(&new->devices);
	INIT_LIST_HEAD(&new->drivers);
	BLOCKING_INIT_NOTIFIER_HEAD(&new->notifier);
	list_add_tail(&new->list, &buses);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	spin_lock_init(&new->private.klist_drivers.k_lock);
	bus->p = &new->private;
#endif
	return 0;
}

void bus_unregister(bus_ptr bus)
{
	struct drvport_bus *old = drvport_bus_find(bus);

	if (!old)
		return;
	list_del(&old->list);
	drvport_core_free(old);
}

int bus_register_notifier(bus_ptr bus, struct notifier_block *nb)
{
	struct drvport_bus *on = drvport_bus_find(bus);

	return on ? blocking_notifier_chain_register(&on->notifier, nb) : -EINVAL;
}

int bus_unregister_notifier(bus_ptr bus, struct notifier_block *nb)
{
	struct drvport_bus *on = drvport_bus_find(bus);

	return on ? blocking_notifier_chain_unregister(&on->notifier, nb) : -EINVAL;
}

int drvport_bus_add_device(struct device *dev)
{
	struct drvport_bus *bus;

	if (!dev->bus)
		return 0;
	bus = drvport_bus_find(dev->bus);
	if (!bus)
		return -EINVAL;
	list_add_tail(&dev->p->in_bus, &bus->devices);
	return 0;
}

void drvport_bus_remove_device(struct device *dev)
{
	if (!dev->bus)
		return;
	list_del_init(&dev->p->in_bus);
	device_release_driver(dev);
}

int bus_for_each_dev(bus_ptr bus, struct device *start, void *data, int (*fn)(struct device *, void *))
{
	struct drvport_bus *on = drvport_bus_find(bus);
	struct device_private *p, *next;
	bool begun = !start;
	int err;

	if (!on)
		return -EINVAL;
	list_for_each_entry_safe(p, next, &on->devices, in_bus) {
		if (begun) {
			err = fn(p->device, data);
			if (err)
				return err;
		}
		begun |= p->device == start;
	}
	return 0;
}

struct device *bus_find_device(bus_ptr bus, struct device *start, const void *data,
			       int (*match)(struct device *, const void *))
{
	struct drvport_bus *on = drvport_bus_find(bus);
	struct device_private *p;
	bool begun = !start;

	if (!on)
		return NULL;
	list_for_each_entry(p, &on->devices, in_bus) {
		if (begun && match(p->device, data))
			return get_device(p->device);
		begun |= p->device == start;
	}
	return NULL;
}

int bus_for_each_drv(bus_ptr bus, struct device_driver *start, void *data, int (*fn)(struct device_driver *, void *))
{
	struct drvport_bus *on = drvport_bus_find(bus);
	struct driver_private *p, *next;
	bool begun = !start;
	int err;

	if (!on)
		return -EINVAL;
	list_for_each_entry_safe(p, next, &on->drivers, in_bus) {
		if (begun) {
			err = fn(p->driver, data);
			if (err)
				return err;
		}
		begun |= p->driver == start;
	}
	return 0;
}

static int rescan_one(struct device *dev, void *data)
{
	int err = dev->driver ? 0 : device_attach(dev);

	return err < 0 ? err : 0;
}

int bus_rescan_devices(bus_ptr bus)
{
	return bus_for_each_dev(bus, NULL, NULL, rescan_one);
}

/* ---- classes ---- */

struct class_devices {
	struct list_head list;
	class_ptr class;
	struct list_head devices;
	struct list_head interfaces;
};

static LIST_HEAD(classes);

/* The interface itself was a second argument until 6.4. */
#define INTERFACE_CALL(fn, dev, intf)								\
	_Generic(fn, int (*)(struct device *): ((int (*)(struct device *))(fn))(dev),		\
		 void (*)(struct device *): ((void (*)(struct device *))(fn))(dev),		\
		 int (*)(struct device *, struct class_interface *):				\
			 ((int (*)(struct device *, struct class_interface *))(fn))(dev, intf),	\
		 void (*)(struct device *, struct class_interface *):				\
			 ((void (*)(struct device *, struct class_interface *))(fn))(dev, intf))

static struct class_devices *class_of(class_ptr class)
{
	struct class_devices *each;

	list_for_each_entry(each, &classes, list)
		if (each->class == class)
			return each;
	return NULL;
}

static int class_add(class_ptr class)
{
	struct class_devices *new = drvport_core_alloc(sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->class = class;
	INIT_LIST_HEAD(&new->devices);
	INIT_LIST_HEAD(&new->interfaces);
	list_add_tail(&new->list, &classes);
	return 0;
}

void class_unregister(class_ptr class)
{
	struct class_devices *old = class_of(class);

	if (!old)
		return;
	list_del(&old->list);
	drvport_core_free(old);
	if (class->class_release)
		class->class_release((struct class *)class);
}

static void created_class_release(typeof(*(class_ptr)0) *class)
{
	kfree(class);
}

static struct class *create(const char *name)
{
	struct class *class = kzalloc(sizeof(*class), GFP_KERNEL);

	if (!class)
		return ERR_PTR(-ENOMEM);
	class->name = name;
	class->class_release = created_class_release;
	if (!class_add(class))
		return class;
	kfree(class);
	return ERR_PTR(-ENOMEM);
}

#ifdef class_register /* a macro with a lock class key until 6.4 */
int __class_register(struct class *class, struct lock_class_key *key)
{
	return class_add(class);
}

struct class *__class_create(struct module *owner, const char *name, struct lock_class_key *key)
{
	return create(name);
}
#else
int class_register(class_ptr class)
{
	return class_add(class);
}

struct class *class_create(const char *name)
{
	return create(name);
}
#endif

void class_destroy(typeof(*(class_ptr)0) *class)
{
	if (!IS_ERR_OR_NULL(class))
		class_unregister(class);
}

void drvport_class_add_device(struct device *dev)
{
	struct class_devices *on = dev->class ? class_of(dev->class) : NULL;

	if (on)
		list_add_tail(&dev->p->in_class, &on->devices);
}

void drvport_class_remove_device(struct device *dev)
{
	list_del_init(&dev->p->in_class);
}

/* ---- interfaces: told of every device of a class, those before them too ---- */

void drvport_class_announce(struct device *dev)
{
	struct class_devices *on = dev->class ? class_of(dev->class) : NULL;
	struct class_interface *intf, *next;

	if (!on)
		return;
	list_for_each_entry_safe(intf, next, &on->interfaces, node)
		if (intf->add_dev)
			INTERFACE_CALL(intf->add_dev, dev, intf);
}

void drvport_class_retract(struct device *dev)
{
	struct class_devices *on = dev->class ? class_of(dev->class) : NULL;
	struct class_interface *intf, *next;

	if (!on)
		return;
	list_for_each_entry_safe(intf, next, &on->interfaces, node)
		if (intf->remove_dev)
			INTERFACE_CALL(intf->remove_dev, dev, intf);
}

int class_interface_register(struct class_interface *intf)
{
	struct class_devices *on = intf && intf->class ? class_of(intf->class) : NULL;
	struct device_private *p, *next;

	if (!on)
		return -EINVAL;
	list_add_tail(&intf->node, &on->interfaces);
	if (intf->add_dev)
		list_for_each_entry_safe(p, next, &on->devices, in_class)
			INTERFACE_CALL(intf->add_dev, p->device, intf);
	return 0;
}

void class_interface_unregister(struct class_interface *intf)
{
	struct class_devices *on = intf->class ? class_of(intf->class) : NULL;
	struct device_private *p, *next;

	if (!on)
		return;
	list_del_init(&intf->node);
	if (intf->remove_dev)
		list_for_each_entry_safe(p, next, &on->devices, in_class)
			INTERFACE_CALL(intf->remove_dev, p->device, intf);
}

struct device *class_find_device(typeof(*(class_ptr)0) *class, DRVPORT_CONST_START struct device *start, const void *data,
				 int (*match)(struct device *, const void *))
{
	struct class_devices *on = class_of(class);
	struct device_private *p;
	bool begun = !start;

	if (!on)
		return NULL;
	list_for_each_entry(p, &on->devices, in_class) {
		if (begun && match(p->device, data))
			return get_device(p->device);
		begun |= p->device == start;
	}
	return NULL;
}

int class_for_each_device(typeof(*(class_ptr)0) *class, DRVPORT_CONST_START struct device *start, void *data,
			  int (*fn)(struct device *, void *))
{
	struct class_devices *on = class_of(class);
	struct device_private *p, *next;
	bool begun = !start;
	int err;

	if (!on)
		return -EINVAL;
	list_for_each_entry_safe(p, next, &on->devices, in_class) {
		if (begun) {
			err = fn(p->device, data);
			if (err)
				return err;
		}
		begun |= p->device == start;
	}
	return 0;
}

/* ---- a walk in the caller's hands: the device it is at is held, and the two pointers of the iterator say where ---- */

void class_dev_iter_init(struct class_dev_iter *iter, typeof(*(class_ptr)0) *class, DRVPORT_CONST_START struct device *start,
			 const struct device_type *type)
{
	memset(iter, 0, sizeof(*iter));
	iter->type = type;
	iter->ki.i_klist = (void *)class_of(class);
	iter->ki.i_cur = (void *)get_device((struct device *)start);
}

struct device *class_dev_iter_next(struct class_dev_iter *iter)
{
	struct class_devices *on = (void *)iter->ki.i_klist;
	struct device *dev = (void *)iter->ki.i_cur, *next;
	struct list_head *at;

	if (!on)
		return NULL;
	at = dev ? &dev->p->in_class : &on->devices;
	do {
		/* One that has left the class leads nowhere. */
		at = at->next;
		if (at == &on->devices || (dev && at == &dev->p->in_class)) {
			class_dev_iter_exit(iter);
			return NULL;
		}
	} while (iter->type && list_entry(at, struct device_private, in_class)->device->type != iter->type);
	/* The next one is held before the last is let go, whose release may be anything. */
	next = get_device(list_entry(at, struct device_private, in_class)->device);
	put_device(dev);
	iter->ki.i_cur = (void *)next;
	return next;
}

void class_dev_iter_exit(struct class_dev_iter *iter)
{
	put_device((void *)iter->ki.i_cur);
	iter->ki.i_cur = NULL;
	iter->ki.i_klist = NULL;
}

static struct class_devices *class_named(const char *name)
{
	struct class_devices *each;

	list_for_each_entry(each, &classes, list)
		if (!strcmp(each->class->name, name))
			return each;
	return NULL;
}

struct device *drvport_class_device(const char *class, const char *device)
{
	struct class_devices *on = class_named(class);
	struct device_private *p;

	if (on)
		list_for_each_entry(p, &on->devices, in_class)
			if (!strcmp(dev_name(p->device), device))
				return get_device(p->device);
	return NULL;
}

int drvport_class_each(const char *class, void *data, int (*fn)(struct device *, void *))
{
	struct class_devices *on = class_named(class);

	return on ? class_for_each_device(on->class, NULL, data, fn) : -ENOENT;
}

/* Whoever has classes can be asked for attributes. */
static int (*const attribute)(unsigned int, unsigned int, unsigned int, unsigned int) __used = drvport_entry_attribute;

int class_create_file_ns(typeof(*(class_ptr)0) *class, const struct class_attribute *attr, const void *ns)
{
	return 0;
}

void class_remove_file_ns(typeof(*(class_ptr)0) *class, const struct class_attribute *attr, const void *ns)
{
}

void drvport_base_init(void)
{
}

/* ---- classes under an older name: links in sysfs, which is not there ---- */

struct class_compat {
	const char *name;
};

struct class_compat *class_compat_register(const char *name)
{
	struct class_compat *compat = kmalloc(sizeof(*compat), GFP_KERNEL);

	if (compat)
		compat->name = name;
	return compat;
}

void class_compat_unregister(struct class_compat *compat)
{
	kfree(compat);
}

int class_compat_create_link(struct class_compat *compat, struct device *dev, struct device *device_link)
{
	return 0;
}

void class_compat_remove_link(struct class_compat *compat, struct device *dev, struct device *device_link)
{
}
