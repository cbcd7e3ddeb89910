/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRVPORT_LOWER_NET_H
#define DRVPORT_LOWER_NET_H

#include <linux/types.h>

struct net_device;

/* Bytes of memory that a request's data lies in: an address of the request's. */
int drvport_ethtool_request(struct net_device *dev, u32 kind, const u32 *args);

/* Frames of the machine's are waiting: from the interrupt. */
void drvport_net_frames(void);

#endif
