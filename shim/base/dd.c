// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices meet drivers: registration, probe, deferral, unbind. The order of calls around a probe is Linux's.
 */
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/export.h>
#include <drvport/core.h>
#include "base.h"

static bool retrying;

static bool matches(struct device_driver *drv, struct device *dev)
{
	return drv->bus->match ? drv->bus->match(dev, drv) > 0 : true;
}

/* ---- deferred probes: tried again whenever something was bound ---- */

void drvport_deferred_forget(struct device *dev)
{
	if (dev->p)
		dev->p->deferred = false;
}

static int retry_one(struct device *dev, void *again)
{
	if (!dev->p->deferred || dev->driver)
		return 0;
	dev->p->deferred = false;
	if (device_attach(dev) > 0)
		*(bool *)again = true;
	return 0;
}

static void retry_deferred(bus_ptr bus)
{
	bool again = true;

	if (retrying)
		return;
	retrying = true;
	while (again) {
		again = false;
		bus_for_each_dev(bus, NULL, &again, retry_one);
	}
	retrying = false;
}

/* What is missing may still come: nobody here gives up waiting. */
int driver_deferred_probe_check_state(struct device *dev)
{
	return -EPROBE_DEFER;
}

/* ---- probe ---- */

static void unbind_cleanup(struct device *dev)
{
	devres_release_all(dev);
	dev->driver = NULL;
	dev_set_drvdata(dev, NULL);
	list_del_init(&dev->p->in_driver);
	if (dev->bus->dma_cleanup)
		dev->bus->dma_cleanup(dev);
#ifdef CONFIG_PM
	dev->power.runtime_status = RPM_SUSPENDED;
	atomic_set(&dev->power.usage_count, 0);
#endif
}

/* 1 bound, 0 not for this driver, negative: the driver failed. Called with the device locked. */
static int probe(struct device_driver *drv, struct device *dev)
{
	int err = 0;

	dev->driver = drv;
	list_add_tail(&dev->p->in_driver, drvport_devices_of(drv->p));
	if (dev->bus->dma_configure)
		err = dev->bus->dma_configure(dev);
	if (err)
		goto fail;
	drvport_bus_notify(dev, BUS_NOTIFY_BIND_DRIVER);
	if (dev->bus->probe)
		err = dev->bus->probe(dev);
	else if (drv->probe)
		err = drv->probe(dev);
	if (err)
		goto fail;
	drvport_bus_notify(dev, BUS_NOTIFY_BOUND_DRIVER);
	return 1;
fail:
	dev->p->probe_error = err;
	drvport_bus_notify(dev, BUS_NOTIFY_DRIVER_NOT_BOUND);
	unbind_cleanup(dev);
	if (err == -EPROBE_DEFER)
		dev->p->deferred = true;
	else if (err != -ENODEV && err != -ENXIO)
		pr_warn("%s: probe of %s failed with error %d\n", drv->name, dev_name(dev), err);
	return err;
}

int drvport_probe_error(struct device *dev)
{
	return dev->p->probe_error ?: -ENODEV;
}

static int probe_locked(struct device_driver *drv, struct device *dev)
{
	int result;

	device_lock(dev);
	result = dev->driver ? 0 : probe(drv, dev);
	device_unlock(dev);
	if (result > 0)
		retry_deferred(dev->bus);
	return result;
}

static int attach_to_driver(struct device_driver *drv, void *data)
{
	struct device *dev = data;

	if (dev->driver || !matches(drv, dev))
		return 0;
	return probe_locked(drv, dev) > 0;
}

int device_attach(struct device *dev)
{
	if (dev->driver)
		return 1;
	return bus_for_each_drv(dev->bus, NULL, dev, attach_to_driver);
}

void device_initial_probe(struct device *dev)
{
	(void)!device_attach(dev);
}

int device_reprobe(struct device *dev)
{
	device_release_driver(dev);
	return device_attach(dev);
}

static int attach_device(struct device *dev, void *data)
{
	struct device_driver *drv = data;

	if (!dev->driver && matches(drv, dev))
		probe_locked(drv, dev);
	return 0;
}

static int attach_all(struct device_driver *drv)
{
	return bus_for_each_dev(drv->bus, NULL, drv, attach_device);
}

int driver_attach(DRVPORT_CONST_DRIVER struct device_driver *drv)
{
	return attach_all((struct device_driver *)drv);
}

int device_bind_driver(struct device *dev)
{
	if (!dev->driver)
		return -EINVAL;
	list_add_tail(&dev->p->in_driver, drvport_devices_of(dev->driver->p));
	drvport_bus_notify(dev, BUS_NOTIFY_BOUND_DRIVER);
	return 0;
}

bool device_is_bound(struct device *dev)
{
	return dev->p && !list_empty(&dev->p->in_driver);
}

int device_driver_attach(DRVPORT_CONST_DRIVER struct device_driver *drv, struct device *dev)
{
	int result = probe_locked((struct device_driver *)drv, dev);

	return result > 0 ? 0 : result ?: -EBUSY;
}

void device_release_driver(struct device *dev)
{
	struct device_driver *drv = dev->driver;

	if (!drv)
		return;
	device_lock(dev);
	drvport_bus_notify(dev, BUS_NOTIFY_UNBIND_DRIVER);
	if (dev->bus->remove)
		dev->bus->remove(dev);
	else if (drv->remove)
		drv->remove(dev);
	unbind_cleanup(dev);
	drvport_bus_notify(dev, BUS_NOTIFY_UNBOUND_DRIVER);
	device_unlock(dev);
}

void wait_for_device_probe(void)
{
}

/* ---- drivers ---- */

int driver_register(struct device_driver *drv)
{
	struct drvport_bus *bus = drvport_bus_find(drv->bus);
	struct driver_private *p;

	if (!bus) {
		pr_err("Driver '%s' was unable to register with bus_type '%s': the bus was not initialized.\n",
		       drv->name, drv->bus ? drv->bus->name : "?");
		return -EINVAL;
	}
	if (driver_find(drv->name, drv->bus)) {
		pr_err("Error: Driver '%s' is already registered, aborting...\n", drv->name);
		return -EBUSY;
	}
	p = drvport_core_alloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->driver = drv;
	INIT_LIST_HEAD(drvport_devices_of(p));
	drv->p = p;
	list_add_tail(&p->in_bus, &bus->drivers);
	drvport_held.devices++;
	attach_all(drv);
	return 0;
}

void driver_unregister(struct device_driver *drv)
{
	struct driver_private *p = drv ? drv->p : NULL;

	if (!p) {
		WARN(1, "Unexpected driver unregister!\n");
		return;
	}
	while (!list_empty(drvport_devices_of(p)))
		device_release_driver(list_first_entry(drvport_devices_of(p), struct device_private, in_driver)->device);
	list_del(&p->in_bus);
	drv->p = NULL;
	drvport_core_free(p);
	drvport_held.devices--;
}

struct device_driver *driver_find(const char *name, bus_ptr bus)
{
	struct drvport_bus *on = drvport_bus_find(bus);
	struct driver_private *p;

	if (on)
		list_for_each_entry(p, &on->drivers, in_bus)
			if (!strcmp(p->driver->name, name))
				return p->driver;
	return NULL;
}

int driver_for_each_device(struct device_driver *drv, struct device *start, void *data,
			   int (*fn)(struct device *, void *))
{
	struct device_private *p, *next;
	bool begun = !start;
	int err;

	list_for_each_entry_safe(p, next, drvport_devices_of(drv->p), in_driver) {
		if (begun) {
			err = fn(p->device, data);
			if (err)
				return err;
		}
		begun |= p->device == start;
	}
	return 0;
}

struct device *driver_find_device(DRVPORT_CONST_DRIVER struct device_driver *drv, struct device *start, const void *data,
				  int (*match)(struct device *, const void *))
{
	struct device_private *p;
	bool begun = !start;

	list_for_each_entry(p, drvport_devices_of(drv->p), in_driver) {
		if (begun && match(p->device, data))
			return get_device(p->device);
		begun |= p->device == start;
	}
	return NULL;
}

int driver_create_file(DRVPORT_CONST_DRIVER struct device_driver *drv, const struct driver_attribute *attr)
{
	return 0;
}

void driver_remove_file(DRVPORT_CONST_DRIVER struct device_driver *drv, const struct driver_attribute *attr)
{
}
