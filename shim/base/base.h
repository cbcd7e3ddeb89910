/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the driver core share. The names are the kernel's, the contents are ours. */
#ifndef DRVPORT_BASE_H
#define DRVPORT_BASE_H

#include <linux/device.h>
#include <linux/klist.h>
#include <linux/list.h>
#include <linux/notifier.h>
#include <drvport/compat.h>

/* const since 6.4 or so; the same type, whichever it is */
typedef typeof(((struct device *)0)->bus) bus_ptr;
typedef typeof(((struct device *)0)->class) class_ptr;

struct device_private {
	struct device *device;
	struct list_head children;
	struct list_head in_parent;
	struct list_head in_bus;
	struct list_head in_class;
	struct list_head in_driver;
	bool deferred;
	/* What the last driver that was offered it said. */
	int probe_error;
};

struct driver_private {
	/* As in the tree: its platform.c looks whether a driver has devices. */
	struct kobject kobj;
	struct klist klist_devices;
	/* ours */
	struct device_driver *driver;
	struct list_head in_bus;
};

/* Devices bound to a driver. */
#define drvport_devices_of(private) (&(private)->klist_devices.k_list)

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
/* As in the tree as far as its platform.c looks, which takes the lock of the drivers' list. */
struct subsys_private {
	struct kset subsys;
	struct kset *devices_kset;
	struct list_head interfaces;
	struct mutex mutex;
	struct kset *drivers_kset;
	struct klist klist_devices;
	struct klist klist_drivers;
};
#endif

/* A registered bus. */
struct drvport_bus {
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
	struct subsys_private private;
#endif
	struct list_head list;
	bus_ptr bus;
	struct list_head devices;
	struct list_head drivers;
	struct blocking_notifier_head notifier;
};

struct drvport_bus *drvport_bus_find(bus_ptr bus);
void drvport_bus_notify(struct device *dev, unsigned long event);

int drvport_bus_add_device(struct device *dev);
void drvport_bus_remove_device(struct device *dev);
void drvport_class_add_device(struct device *dev);
void drvport_class_remove_device(struct device *dev);
void drvport_class_announce(struct device *dev);
void drvport_class_retract(struct device *dev);
void drvport_deferred_forget(struct device *dev);

/* A class's device by both names, with a reference; NULL. */
struct device *drvport_class_device(const char *class, const char *device);
int drvport_class_each(const char *class, void *data, int (*fn)(struct device *, void *));

/* The tree's drivers/base/devres.c */
int devres_release_all(struct device *dev);

#endif
