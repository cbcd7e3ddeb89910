/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices on a bus that is another domain's. */
#ifndef DRVPORT_NUB_H
#define DRVPORT_NUB_H

#include <linux/types.h>
#include <drvport_abi.h>
#include <drvport_shim_abi.h>

struct device;

/* Why no driver is bound to a device: what the last one's probe returned, -ENODEV when none was asked. */
int drvport_probe_error(struct device *dev);

#endif
