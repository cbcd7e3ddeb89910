/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shim's own side of a network interface, and what the files of shim/net share.
 */
#ifndef DRVPORT_NET_H
#define DRVPORT_NET_H

#include <linux/netdevice.h>
#include <drvport_abi.h>

/* Sits directly before the struct net_device it belongs to, a multiple of NETDEV_ALIGN long. */
struct drvport_netif {
	struct net_device *dev;
	struct Qdisc *qdiscs; /* one a transmit queue: only to find the queue again in __netif_schedule */
	void *arena; /* transmit arena, in which the machine puts frames */
	u32 arena_slots;
	u32 arena_slot_bytes;
	int handle; /* of net.register; negative when not offered */
	u32 filter; /* FILTER_* as last set from outside */
	u8 told_awake; /* last word to net.queue */
	u8 told_carrier; /* last word to net.carrier */
	u8 tx_refused; /* a transmit came at a moment when it could not run */
	u8 vlan0; /* VID 0 is in the hardware filter */
	struct list_head list; /* all offered interfaces */
} __aligned(64);

static inline struct drvport_netif *drvport_netif(const struct net_device *dev)
{
	return (struct drvport_netif *)dev - 1;
}

extern struct list_head drvport_netifs;

struct net_device *drvport_net_find(unsigned int handle);
void drvport_net_init(void);
/* After the last driver: give back what buffers the stack keeps for reuse. */
void drvport_net_drain(void);

/* dev.c */
int __dev_open(struct net_device *dev, struct netlink_ext_ack *extack);
int drvport_call_notifiers(unsigned long event, struct net_device *dev);
void drvport_net_run_todo(void);

/* Exported by some trees only under a static name; here always by these. */
int call_netdevice_notifiers_info(unsigned long val, struct netdev_notifier_info *info);
void netdev_core_stats_inc(struct net_device *dev, u32 offset);

/* abi.c: offering the interface to the machine */
int drvport_net_offer(struct net_device *dev);
void drvport_net_withdraw(struct net_device *dev);
void drvport_net_changed_desc(struct net_device *dev);

/* Run fn under the rtnl lock in a task of its own, on behalf of an entry; DRVPORT_E_NODEV without such an interface. */
typedef int (*drvport_net_fn)(struct net_device *dev, unsigned int a, unsigned int b, unsigned int c);
int drvport_net_call(unsigned int net, drvport_net_fn fn, unsigned int a, unsigned int b, unsigned int c);

/* napi.c */
void drvport_rx_flush(void);
void drvport_napi_init(void);

/* tx.c */
void drvport_tx_init(void);
int drvport_tx_alloc_queues(struct net_device *dev, unsigned int count);
void drvport_tx_free_queues(struct net_device *dev);
void drvport_tx_activate(struct net_device *dev);
void drvport_tx_deactivate(struct net_device *dev);
void drvport_tx_tell_queue(struct net_device *dev);

/* link.c */
void drvport_link_tell(struct net_device *dev);
void drvport_link_forget(struct net_device *dev);

#endif
