// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transmit: queues and their state, frames from the machine into ndo_start_xmit, the watchdog of stuck queues.
 *
 * There is no queueing discipline here: the machine's network service queues outside the domain and stops offering frames
 * when the driver stops its queue. Only queue 0 carries frames; a driver may have more.
 */
#define DRVPORT_SHIM
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/interrupt.h>
#include <linux/ip.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/timer.h>
#include <net/sch_generic.h>
#include <drvport/core.h>
#include <drvport/net.h>

/* Without drivers saying otherwise: Linux's own default. */
#define WATCHDOG_TIMEOUT (5 * HZ)

/* ---- queue state towards the machine ---- */

/* The machine hears of it when what it last heard is no longer true. */
void drvport_tx_tell_queue(struct net_device *dev)
{
	struct drvport_netif *netif = drvport_netif(dev);
	bool awake;

	if (netif->handle < 0)
		return;
	awake = netif_running(dev) && netif_device_present(dev) &&
		!netif_xmit_frozen_or_stopped(netdev_get_tx_queue(dev, 0));
	if (netif->tx_refused && awake) {
		netif->tx_refused = 0;
		netif->told_awake = 1;
		drvport_net_queue(netif->handle, 1);
		return;
	}
	if (awake == netif->told_awake)
		return;
	netif->told_awake = awake;
	drvport_net_queue(netif->handle, awake);
}

/* Wake-ups are told from the softirq, never from within the driver's own transmit clean-up with its locks held. */
static void net_tx_action(void)
{
	struct drvport_netif *netif;
	struct sk_buff *skb, *next;

	local_irq_disable();
	skb = softnet_data.completion_queue;
	softnet_data.completion_queue = NULL;
	local_irq_enable();
	for (; skb; skb = next) {
		next = skb->next;
		skb->next = NULL;
		__kfree_skb(skb);
	}
	list_for_each_entry(netif, &drvport_netifs, list)
		drvport_tx_tell_queue(netif->dev);
}

static __maybe_unused void net_tx_action_h(struct softirq_action *h)
{
	net_tx_action();
}

void drvport_tx_init(void)
{
	open_softirq(NET_TX_SOFTIRQ, _Generic(((struct softirq_action *)0)->action,
					      void (*)(void): net_tx_action, default: net_tx_action_h));
}

void __netif_schedule(struct Qdisc *q)
{
	raise_softirq(NET_TX_SOFTIRQ);
}

void netif_schedule_queue(struct netdev_queue *txq)
{
	if (!(txq->state & QUEUE_STATE_ANY_XOFF))
		raise_softirq(NET_TX_SOFTIRQ);
}

void netif_tx_wake_queue(struct netdev_queue *txq)
{
	if (test_and_clear_bit(__QUEUE_STATE_DRV_XOFF, &txq->state))
		raise_softirq(NET_TX_SOFTIRQ);
}

void netif_tx_stop_all_queues(struct net_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->num_tx_queues; i++)
		netif_tx_stop_queue(netdev_get_tx_queue(dev, i));
}

void netif_device_detach(struct net_device *dev)
{
	if (test_and_clear_bit(__LINK_STATE_PRESENT, &dev->state) && netif_running(dev)) {
		netif_tx_stop_all_queues(dev);
		raise_softirq(NET_TX_SOFTIRQ);
	}
}

void netif_device_attach(struct net_device *dev)
{
	if (!test_and_set_bit(__LINK_STATE_PRESENT, &dev->state) && netif_running(dev)) {
		netif_tx_wake_all_queues(dev);
		__netdev_watchdog_up(dev);
	}
}

/* ---- queue locks ---- */

static void freeze_queues(struct net_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->num_tx_queues; i++) {
		struct netdev_queue *txq = netdev_get_tx_queue(dev, i);

		__netif_tx_lock(txq, 0);
		set_bit(__QUEUE_STATE_FROZEN, &txq->state);
		__netif_tx_unlock(txq);
	}
}

void netif_freeze_queues(struct net_device *dev)
{
	freeze_queues(dev);
}

void netif_tx_lock(struct net_device *dev)
{
	spin_lock(&dev->tx_global_lock);
	freeze_queues(dev);
}

static void unfreeze_queues(struct net_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->num_tx_queues; i++)
		clear_bit(__QUEUE_STATE_FROZEN, &netdev_get_tx_queue(dev, i)->state);
	raise_softirq(NET_TX_SOFTIRQ);
}

void netif_unfreeze_queues(struct net_device *dev)
{
	unfreeze_queues(dev);
}

void netif_tx_unlock(struct net_device *dev)
{
	unfreeze_queues(dev);
	spin_unlock(&dev->tx_global_lock);
}

/* When a packet was last given to the hardware, on whichever queue. */
unsigned long dev_trans_start(struct net_device *dev)
{
	unsigned long last = netdev_get_tx_queue(dev, 0)->trans_start;
	unsigned int i;

	for (i = 1; i < dev->num_tx_queues; i++) {
		unsigned long start = netdev_get_tx_queue(dev, i)->trans_start;

		if (start && time_after(start, last))
			last = start;
	}
	return last;
}

/* ---- watchdog ---- */

static bool queue_stuck(struct net_device *dev, unsigned int *stuck)
{
	unsigned int i;

	for (i = 0; i < dev->num_tx_queues; i++) {
		struct netdev_queue *txq = netdev_get_tx_queue(dev, i);

		if (!netif_xmit_stopped(txq) || !time_after(jiffies, txq->trans_start + dev->watchdog_timeo))
			continue;
		atomic_long_inc(&txq->trans_timeout);
		*stuck = i;
		return true;
	}
	return false;
}

static void dev_watchdog(struct timer_list *t)
{
	struct net_device *dev = from_timer(dev, t, watchdog_timer);
	unsigned int stuck;

	if (!netif_device_present(dev) || !netif_running(dev) || !netif_carrier_ok(dev))
		return;
	spin_lock(&dev->tx_global_lock);
	if (queue_stuck(dev, &stuck)) {
		netdev_warn(dev, "NETDEV WATCHDOG: transmit queue %u timed out\n", stuck);
		freeze_queues(dev);
		dev->netdev_ops->ndo_tx_timeout(dev, stuck);
		unfreeze_queues(dev);
	}
	spin_unlock(&dev->tx_global_lock);
	mod_timer(&dev->watchdog_timer, round_jiffies(jiffies + dev->watchdog_timeo));
}

void __netdev_watchdog_up(struct net_device *dev)
{
	if (!dev->netdev_ops->ndo_tx_timeout)
		return;
	if (dev->watchdog_timeo <= 0)
		dev->watchdog_timeo = WATCHDOG_TIMEOUT;
	mod_timer(&dev->watchdog_timer, round_jiffies(jiffies + dev->watchdog_timeo));
}

void drvport_tx_activate(struct net_device *dev)
{
	netif_trans_update(dev);
	if (netif_carrier_ok(dev))
		__netdev_watchdog_up(dev);
	drvport_tx_tell_queue(dev);
}

void drvport_tx_deactivate(struct net_device *dev)
{
	del_timer_sync(&dev->watchdog_timer);
	drvport_tx_tell_queue(dev);
}

/* ---- allocation ---- */

int drvport_tx_alloc_queues(struct net_device *dev, unsigned int count)
{
	struct drvport_netif *netif = drvport_netif(dev);
	unsigned int i;

	dev->_tx = kvzalloc(array_size(count, sizeof(*dev->_tx)), GFP_KERNEL);
	netif->qdiscs = kvzalloc(array_size(count, sizeof(*netif->qdiscs)), GFP_KERNEL);
	if (!dev->_tx || !netif->qdiscs)
		return -ENOMEM;
	dev->num_tx_queues = count;
	dev->real_num_tx_queues = count;
	for (i = 0; i < count; i++) {
		struct netdev_queue *txq = &dev->_tx[i];

		spin_lock_init(&txq->_xmit_lock);
		txq->xmit_lock_owner = -1;
		txq->dev = dev;
		netif->qdiscs[i].dev_queue = txq;
		RCU_INIT_POINTER(txq->qdisc, &netif->qdiscs[i]);
		RCU_INIT_POINTER(txq->qdisc_sleeping, &netif->qdiscs[i]);
#ifdef CONFIG_BQL
		dql_init(&txq->dql, HZ);
#endif
	}
	spin_lock_init(&dev->tx_global_lock);
	timer_setup(&dev->watchdog_timer, dev_watchdog, 0);
	return 0;
}

void drvport_tx_free_queues(struct net_device *dev)
{
	kvfree(dev->_tx);
	kvfree(drvport_netif(dev)->qdiscs);
	dev->_tx = NULL;
	drvport_netif(dev)->qdiscs = NULL;
}

int netif_set_real_num_tx_queues(struct net_device *dev, unsigned int txq)
{
	if (txq < 1 || txq > dev->num_tx_queues)
		return -EINVAL;
	dev->real_num_tx_queues = txq;
	return 0;
}

int netif_set_real_num_rx_queues(struct net_device *dev, unsigned int rxq)
{
	if (rxq < 1 || rxq > dev->num_rx_queues)
		return -EINVAL;
	dev->real_num_rx_queues = rxq;
	return 0;
}

int netif_set_real_num_queues(struct net_device *dev, unsigned int txq, unsigned int rxq)
{
	return netif_set_real_num_tx_queues(dev, txq) ?: netif_set_real_num_rx_queues(dev, rxq);
}

int netif_get_num_default_rss_queues(void)
{
	return 1;
}

u16 netdev_pick_tx(struct net_device *dev, struct sk_buff *skb, struct net_device *sb_dev)
{
	return 0;
}

u16 dev_pick_tx_zero(struct net_device *dev, struct sk_buff *skb, struct net_device *sb_dev)
{
	return 0;
}

/* ---- features of one packet ---- */

/* As Linux: what the device offers, less what this packet's protocol or the driver's own check rules out. */
netdev_features_t netif_skb_features(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	netdev_features_t features = dev->features;

	if (skb_is_gso(skb) && skb_shinfo(skb)->gso_segs > READ_ONCE(dev->gso_max_segs))
		features &= ~NETIF_F_GSO_MASK;
	if (skb_vlan_tagged(skb))
		features &= dev->vlan_features | NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_STAG_TX;
	if (dev->netdev_ops->ndo_features_check)
		features &= dev->netdev_ops->ndo_features_check(skb, dev, features);
	return features;
}

netdev_features_t passthru_features_check(struct sk_buff *skb, struct net_device *dev, netdev_features_t features)
{
	return features;
}

/* Sum in software what the hardware was to sum. The pseudo-header's part is already in the checksum field. */
int skb_checksum_help(struct sk_buff *skb)
{
	__wsum sum;
	int offset, err;

	if (skb->ip_summed == CHECKSUM_COMPLETE)
		goto out;
	if (WARN_ON_ONCE(skb_is_gso(skb)))
		return -EINVAL;
	offset = skb_checksum_start_offset(skb);
	if (WARN_ON_ONCE(offset < 0 || offset >= skb_headlen(skb)))
		return -EINVAL;
	sum = skb_checksum(skb, offset, skb->len - offset, 0);
	offset += skb->csum_offset;
	if (WARN_ON_ONCE(offset + sizeof(__sum16) > skb_headlen(skb)))
		return -EINVAL;
	err = skb_ensure_writable(skb, offset + sizeof(__sum16));
	if (err)
		return err;
	*(__sum16 *)(skb->data + offset) = csum_fold(sum) ?: CSUM_MANGLED_0;
out:
	skb->ip_summed = CHECKSUM_NONE;
	return 0;
}

int skb_csum_hwoffload_help(struct sk_buff *skb, const netdev_features_t features)
{
	return features & NETIF_F_CSUM_MASK ? 0 : skb_checksum_help(skb);
}

/* NULL when the packet cannot be sent on this device; it is freed then. */
static struct sk_buff *validate_xmit(struct sk_buff *skb)
{
	netdev_features_t features = netif_skb_features(skb);

	if (skb_vlan_tag_present(skb) && !vlan_hw_offload_capable(features, skb->vlan_proto)) {
		skb = __vlan_hwaccel_push_inside(skb);
		if (!skb)
			return NULL;
	}
	/* Segmenting in software is the machine's business: it was told which features there are. */
	if (skb_is_gso(skb) && !skb_gso_ok(skb, features))
		goto drop;
	if (skb_is_nonlinear(skb) && !(features & NETIF_F_SG) && __skb_linearize(skb))
		goto drop;
	if (skb->ip_summed == CHECKSUM_PARTIAL && !(features & NETIF_F_CSUM_MASK) && skb_checksum_help(skb))
		goto drop;
	return skb;
drop:
	kfree_skb(skb);
	return NULL;
}

/* ---- sending ---- */

static void mark_offloads(struct sk_buff *skb, const struct drvport_net_frame *frame)
{
	if (frame->flags & DRVPORT_FRAME_VLAN)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), frame->vlan);
	if (frame->flags & DRVPORT_FRAME_CSUM_PARTIAL)
		skb_partial_csum_set(skb, frame->csum_start, frame->csum_offset);
	if ((frame->flags & DRVPORT_FRAME_TSO4) && frame->gso_size) {
		unsigned int headers = skb_transport_offset(skb) + tcp_hdrlen(skb);

		skb_shinfo(skb)->gso_size = frame->gso_size;
		skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4;
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len - headers, frame->gso_size);
	}
}

static struct sk_buff *frame_to_skb(struct net_device *dev, const struct drvport_net_frame *frame)
{
	struct sk_buff *skb;

	if (frame->len < ETH_HLEN)
		return NULL;
	skb = alloc_skb(LL_MAX_HEADER + dev->needed_headroom + frame->len + dev->needed_tailroom, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER + dev->needed_headroom);
	memcpy(skb_put(skb, frame->len), (void *)(unsigned long)frame->addr, frame->len);
	skb->dev = dev;
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb->protocol = eth_hdr(skb)->h_proto;
	if (frame->flags)
		mark_offloads(skb, frame);
	return skb;
}

static bool send_one(struct net_device *dev, struct netdev_queue *txq, struct sk_buff *skb, bool more)
{
	netdev_tx_t rc;

	HARD_TX_LOCK(dev, txq, 0);
	if (netif_xmit_frozen_or_stopped(txq))
		rc = NETDEV_TX_BUSY;
	else
		rc = netdev_start_xmit(skb, dev, txq, more);
	HARD_TX_UNLOCK(dev, txq);
	if (dev_xmit_complete(rc))
		return true;
	kfree_skb(skb);
	return false;
}

int drvport_entry_net_tx(unsigned int net, unsigned int vec, unsigned int count)
{
	const struct drvport_net_frame *frames = (void *)(unsigned long)vec;
	struct net_device *dev = drvport_net_find(net);
	struct netdev_queue *txq;
	unsigned int taken;

	if (!dev)
		return DRVPORT_E_NODEV;
	/* Linux would queue behind a section that holds softirqs off; the machine keeps the frames and hears of it later. */
	if (in_interrupt() || irqs_disabled()) {
		drvport_netif(dev)->tx_refused = 1;
		raise_softirq(NET_TX_SOFTIRQ);
		return 0;
	}
	/* Without a carrier Linux's queue swallows everything. */
	if (!netif_running(dev) || !netif_device_present(dev) || !netif_carrier_ok(dev))
		return count;
	txq = netdev_get_tx_queue(dev, 0);
	local_bh_disable();
	for (taken = 0; taken < count && !netif_xmit_frozen_or_stopped(txq); taken++) {
		struct sk_buff *skb = frame_to_skb(dev, &frames[taken]);

		if (skb)
			skb = validate_xmit(skb);
		if (!skb) {
			netdev_core_stats_inc(dev, offsetof(struct net_device_core_stats, tx_dropped));
			continue;
		}
		if (!send_one(dev, txq, skb, taken + 1 < count))
			break;
	}
	drvport_tx_tell_queue(dev);
	local_bh_enable();
	return taken;
}

/* A driver's or module's own packet: straight to the device. */
static int direct_xmit(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	bool sent = false;

	skb = validate_xmit(skb);
	if (!skb)
		return NET_XMIT_DROP;
	local_bh_disable();
	if (netif_running(dev) && netif_carrier_ok(dev))
		sent = send_one(dev, netdev_get_tx_queue(dev, 0), skb, false);
	else
		kfree_skb(skb);
	drvport_tx_tell_queue(dev);
	local_bh_enable();
	return sent ? NET_XMIT_SUCCESS : NET_XMIT_DROP;
}

int __dev_queue_xmit(struct sk_buff *skb, struct net_device *sb_dev)
{
	return direct_xmit(skb);
}

/* ---- freeing from any context ---- */

/* With interrupts off or in a handler the buffer waits for the softirq, as its destructor may need to. */
static void free_later(struct sk_buff *skb)
{
	unsigned long flags;

	if (refcount_read(&skb->users) == 1)
		smp_rmb();
	else if (!refcount_dec_and_test(&skb->users))
		return;
	local_irq_save(flags);
	skb->next = softnet_data.completion_queue;
	softnet_data.completion_queue = skb;
	raise_softirq_irqoff(NET_TX_SOFTIRQ);
	local_irq_restore(flags);
}

static void free_any(struct sk_buff *skb)
{
	if (!skb)
		return;
	if (in_hardirq() || irqs_disabled())
		free_later(skb);
	else
		consume_skb(skb);
}

#if __has_include(<net/dropreason-core.h>)
void dev_kfree_skb_irq_reason(struct sk_buff *skb, enum skb_drop_reason reason)
{
	if (skb)
		free_later(skb);
}

void dev_kfree_skb_any_reason(struct sk_buff *skb, enum skb_drop_reason reason)
{
	free_any(skb);
}
#else
void __dev_kfree_skb_irq(struct sk_buff *skb, enum skb_free_reason reason)
{
	if (skb)
		free_later(skb);
}

void __dev_kfree_skb_any(struct sk_buff *skb, enum skb_free_reason reason)
{
	free_any(skb);
}
#endif
