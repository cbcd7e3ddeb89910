// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices granted from another domain's bus: handed to the module that knows such a bus (shim/bus), which is loaded along with
 * the tree's own core of it.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/mutex.h>
#include "drvport/bus.h"
#include "lower.h"

static LIST_HEAD(buses);
static DEFINE_MUTEX(lock);

void drvport_bus_register(struct drvport_bus *bus)
{
	mutex_lock(&lock);
	list_add_tail(&bus->list, &buses);
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_GPL(drvport_bus_register);

void drvport_bus_unregister(struct drvport_bus *bus)
{
	mutex_lock(&lock);
	list_del(&bus->list);
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_GPL(drvport_bus_unregister);

int drvport_nub_add(const struct drvport_nub *nub)
{
	struct drvport_bus *bus;
	int err = -ENODEV;

	mutex_lock(&lock);
	list_for_each_entry(bus, &buses, list)
		if (bus->kind == nub->kind) {
			err = bus->add(nub);
			break;
		}
	mutex_unlock(&lock);
	return err;
}

void drvport_nub_remove(u32 handle)
{
	struct drvport_bus *bus;

	mutex_lock(&lock);
	list_for_each_entry(bus, &buses, list)
		bus->remove(handle);
	mutex_unlock(&lock);
}
