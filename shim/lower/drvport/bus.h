/* SPDX-License-Identifier: GPL-2.0-only */
/* Buses that reach into other domains: between the lower half and the module that goes along with a bus's core (shim/bus). */
#ifndef DRVPORT_BUS_H
#define DRVPORT_BUS_H

#include <linux/list.h>
#include <linux/types.h>
#include <drvport_shim_abi.h>

struct device;

/* What takes devices of other domains' buses. */
struct drvport_bus {
	struct list_head list;
	/* DRVPORT_NUB_* */
	u32 kind;
	/* 0 when a driver is bound to it. */
	int (*add)(const struct drvport_nub *nub);
	void (*remove)(u32 handle);
};

void drvport_bus_register(struct drvport_bus *bus);
void drvport_bus_unregister(struct drvport_bus *bus);

/* Ask drivers for a device that has none. 0 when one is bound, -ENODEV when none wants it, else why the probe failed. */
int drvport_probe(struct device *dev);

#endif
