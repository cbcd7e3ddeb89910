// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interface whose driver chooses a frame's transmit queue, by the last byte of the address that it goes to, and counts what it
 * is given on each. A queue takes a few frames and then stops for a while, as one of hardware does that is full.
 */
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/timer.h>

#define QUEUES 4
#define ROOM 8

/* Frames on each queue; those on a queue that they were not meant for, or while it was stopped. */
static int sent[QUEUES], misplaced;
module_param_array(sent, int, NULL, 0444);
module_param(misplaced, int, 0444);

static struct net_device *interface;
static int filled[QUEUES];
static struct timer_list timer;

static u16 wanted(const struct sk_buff *skb)
{
	return eth_hdr(skb)->h_dest[ETH_ALEN - 1] % QUEUES;
}

static u16 choose(struct net_device *dev, struct sk_buff *skb, struct net_device *subordinate)
{
	return wanted(skb);
}

static void drained(struct timer_list *unused)
{
	memset(filled, 0, sizeof(filled));
	netif_tx_wake_all_queues(interface);
}

static netdev_tx_t transmit(struct sk_buff *skb, struct net_device *dev)
{
	u16 queue = skb_get_queue_mapping(skb);

	sent[queue]++;
	misplaced += queue != wanted(skb) || filled[queue] == ROOM;
	if (++filled[queue] == ROOM) {
		netif_stop_subqueue(dev, queue);
		mod_timer(&timer, jiffies + 2);
	}
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops ops = { .ndo_start_xmit = transmit, .ndo_select_queue = choose };

static int __init queues_init(void)
{
	int err;

	interface = alloc_etherdev_mqs(0, QUEUES, 1);
	if (!interface)
		return -ENOMEM;
	interface->netdev_ops = &ops;
	eth_hw_addr_random(interface);
	timer_setup(&timer, drained, 0);
	err = register_netdev(interface);
	if (err)
		free_netdev(interface);
	return err;
}

static void __exit queues_exit(void)
{
	unregister_netdev(interface);
	del_timer_sync(&timer);
	free_netdev(interface);
}

module_init(queues_init);
module_exit(queues_exit);
MODULE_DESCRIPTION("Counts what it is given on each of its transmit queues");
MODULE_LICENSE("GPL");
