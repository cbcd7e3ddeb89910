// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ethernet interfaces and the machine's network service. Every interface of the tree's network core is offered; frames of
 * the machine's leave through its transmit path, pulled by a queueing discipline of ours as its queue has room; what it
 * receives is copied out before the tree's own protocols see it.
 *
 * Must not know: what stands behind the service; any driver.
 */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/vmalloc.h>
#include <net/net_namespace.h>
#include <net/pkt_sched.h>
#include <net/sch_generic.h>
#include "lower.h"

/* Frames the machine may have on the way to one interface; the first slot holds their vector. */
#define ARENA_SLOTS 64
/* A TSO request must fit a slot as well. */
#define TSO_FRAME_BYTES 16384

struct offered {
	struct list_head list;
	struct net_device *dev;
	int handle;
	void *arena;
	u32 slot_bytes;
	/* Frames of the arena: [head, filled) are still to be sent. */
	u32 head, filled;
	bool carrier;
	struct packet_type tap;
};

static LIST_HEAD(interfaces);

static struct offered *find(const struct net_device *dev)
{
	struct offered *net;

	list_for_each_entry(net, &interfaces, list)
		if (net->dev == dev)
			return net;
	return NULL;
}

/* ---- description ---- */

static const struct {
	netdev_features_t has;
	u32 told;
} feature_map[] = {
	{ NETIF_F_SG, DRVPORT_NETF_SG },
	{ NETIF_F_HW_CSUM | NETIF_F_IP_CSUM, DRVPORT_NETF_CSUM },
	{ NETIF_F_RXCSUM, DRVPORT_NETF_RXCSUM },
	{ NETIF_F_TSO, DRVPORT_NETF_TSO },
	{ NETIF_F_HW_VLAN_CTAG_TX, DRVPORT_NETF_VLAN_TX },
	{ NETIF_F_HW_VLAN_CTAG_RX, DRVPORT_NETF_VLAN_RX },
	{ NETIF_F_HW_VLAN_CTAG_FILTER, DRVPORT_NETF_VLAN_FILTER },
};

static u32 features_told(const struct net_device *dev)
{
	u32 told = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(feature_map); i++)
		if (dev->features & feature_map[i].has)
			told |= feature_map[i].told;
	return told;
}

static u32 function_behind(const struct net_device *dev)
{
	struct device *d;

	for (d = dev->dev.parent; d; d = d->parent)
		if (dev_is_pci(d))
			return drvport_pci_function(to_pci_dev(d));
	return ~0u;
}

static void describe(const struct offered *net, struct drvport_net_desc *desc)
{
	const struct net_device *dev = net->dev;

	memset(desc, 0, sizeof(*desc));
	strscpy((char *)desc->name, dev->name, sizeof(desc->name));
	memcpy(desc->mac, dev->dev_addr, sizeof(desc->mac));
	desc->slot = function_behind(dev);
	desc->mtu = dev->mtu;
	desc->min_mtu = dev->min_mtu;
	desc->max_mtu = dev->max_mtu;
	desc->features = features_told(dev);
	desc->arena = (u32)net->arena;
	desc->arena_slots = ARENA_SLOTS;
	desc->arena_slot_bytes = net->slot_bytes;
}

/* Slots large enough for the interface's present MTU. */
static int size_arena(struct offered *net)
{
	u32 bytes = ALIGN(net->dev->mtu + VLAN_ETH_HLEN, 64);
	void *arena;

	if (net->dev->features & NETIF_F_TSO)
		bytes = max_t(u32, bytes, TSO_FRAME_BYTES);
	if (net->slot_bytes >= bytes)
		return 0;
	arena = vmalloc(ARENA_SLOTS * bytes);
	if (!arena)
		return -ENOMEM;
	vfree(net->arena);
	net->arena = arena;
	net->slot_bytes = bytes;
	net->head = net->filled = 0;
	return 0;
}

/* ---- transmit: the queueing discipline ---- */

/* What the frame asks the hardware for; a frame that makes no sense goes as it is. */
static void mark_offloads(struct sk_buff *skb, const struct drvport_net_frame *frame)
{
	if (frame->flags & DRVPORT_FRAME_VLAN)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), frame->vlan);
	if (frame->flags & DRVPORT_FRAME_CSUM_PARTIAL)
		skb_partial_csum_set(skb, frame->csum_start, frame->csum_offset);
	if ((frame->flags & DRVPORT_FRAME_TSO4) && frame->gso_size && skb->ip_summed == CHECKSUM_PARTIAL) {
		unsigned int headers = skb_transport_offset(skb) + tcp_hdrlen(skb);

		skb_shinfo(skb)->gso_size = frame->gso_size;
		skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4;
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len - headers, frame->gso_size);
	}
}

#ifndef TREE_BUILDS_SKB_OF_NAPI
#define napi_build_skb build_skb
#endif

/* As drivers receive: from pieces of pages, which cost less than the slab, and with interrupts' bottom halves off. */
static struct sk_buff *empty_skb(unsigned int headroom, unsigned int room)
{
	unsigned int bytes = SKB_DATA_ALIGN(headroom + room) + SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	struct sk_buff *skb;
	void *data;

	if (bytes > PAGE_SIZE)
		return alloc_skb(headroom + room, GFP_ATOMIC);
	data = napi_alloc_frag(bytes);
	if (!data)
		return NULL;
	skb = napi_build_skb(data, bytes);
	if (!skb)
		skb_free_frag(data);
	return skb;
}

static struct sk_buff *to_skb(struct net_device *dev, const struct drvport_net_frame *frame)
{
	unsigned int headroom = NET_SKB_PAD + dev->needed_headroom;
	struct sk_buff *skb;

	if (frame->len < ETH_HLEN)
		return NULL;
	skb = empty_skb(headroom, frame->len + dev->needed_tailroom);
	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	skb_put_data(skb, (void *)frame->addr, frame->len);
	skb->dev = dev;
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb->protocol = eth_hdr(skb)->h_proto;
	if (frame->flags)
		mark_offloads(skb, frame);
	return skb;
}

/* The next frame of the machine's. */
static struct sk_buff *pull(struct offered *net)
{
	const struct drvport_net_frame *vector = net->arena;
	struct sk_buff *skb = NULL;

	while (!skb) {
		if (net->head == net->filled) {
			net->head = 0;
			net->filled = drvport_net_fetch(net->handle);
			if (!net->filled)
				return NULL;
		}
		skb = to_skb(net->dev, &vector[net->head++]);
	}
	return skb;
}

/* Frames of the domain's own protocols wait in a list; the machine's are pulled when there is room for them. */
static int enqueue(struct sk_buff *skb, struct Qdisc *sch, struct sk_buff **to_free)
{
	if (sch->q.qlen < sch->limit)
		return qdisc_enqueue_tail(skb, sch);
	return qdisc_drop(skb, sch, to_free);
}

static void frames_wait(struct tasklet_struct *unused);
static DECLARE_TASKLET(frames, frames_wait);

static struct sk_buff *dequeue(struct Qdisc *sch)
{
	struct sk_buff *skb = qdisc_dequeue_head(sch);
	struct net_device *dev = qdisc_dev(sch);
	struct offered *net;

	if (skb)
		return skb;
	/* Which of several queues a frame takes is for the network core and the driver to say: see push(). */
	if (dev->real_num_tx_queues > 1) {
		tasklet_schedule(&frames);
		return NULL;
	}
	net = find(dev);
	return net ? pull(net) : NULL;
}

static int init(struct Qdisc *sch, struct nlattr *opt, struct netlink_ext_ack *extack)
{
	sch->limit = max(qdisc_dev(sch)->tx_queue_len, 1u);
	return 0;
}

static struct Qdisc_ops queue_ops = {
	.id = "drvport",
	.enqueue = enqueue,
	.dequeue = dequeue,
	.peek = qdisc_peek_dequeued,
	.init = init,
	.reset = qdisc_reset_queue,
	.owner = THIS_MODULE,
};

static u32 waiting(const struct net_device *dev)
{
	u32 count = 0;
	unsigned int i;

	for (i = 0; i < dev->real_num_tx_queues; i++)
		count += qdisc_qlen(rcu_dereference_bh(netdev_get_tx_queue(dev, i)->qdisc));
	return count;
}

/*
 * Into a queue that has no discipline the machine's frames go as fast as the driver takes them; into one of several as the network
 * core chooses it, as long as few wait there. A queue that runs empty has more of them pushed.
 */
static void push(struct offered *net)
{
	struct sk_buff *skb;

	while (waiting(net->dev) < ARENA_SLOTS && (skb = pull(net)))
		dev_queue_xmit(skb);
}

static void frames_wait(struct tasklet_struct *unused)
{
	struct offered *net;

	list_for_each_entry(net, &interfaces, list) {
		struct Qdisc *queue = rcu_dereference_bh(netdev_get_tx_queue(net->dev, 0)->qdisc);

		if (queue && queue->ops == &queue_ops && net->dev->real_num_tx_queues == 1)
			__netif_schedule(queue);
		else if (netif_running(net->dev) && netif_carrier_ok(net->dev))
			push(net);
	}
}

void drvport_net_frames(void) { tasklet_schedule(&frames); }

/* ---- receive ---- */

#define BATCH 64

static struct drvport_net_frame batch[BATCH];
static struct sk_buff *batch_skbs[BATCH];
static unsigned int batch_count;
static struct offered *batch_net;

static void flush(void)
{
	unsigned int i;

	if (batch_count)
		drvport_net_rx(batch_net->handle, (u32)batch, batch_count);
	for (i = 0; i < batch_count; i++)
		consume_skb(batch_skbs[i]);
	batch_count = 0;
}

static void flush_rest(struct tasklet_struct *unused) { flush(); }

static DECLARE_TASKLET(rest, flush_rest);

static u32 kind_of(const struct sk_buff *skb)
{
	switch (skb->pkt_type) {
	case PACKET_BROADCAST:
		return DRVPORT_FRAME_BROADCAST;
	case PACKET_MULTICAST:
		return DRVPORT_FRAME_MULTICAST;
	case PACKET_OTHERHOST:
		return DRVPORT_FRAME_OTHERHOST;
	}
	return 0;
}

/* Told of every frame, with a reference of ours. */
static int received(struct sk_buff *skb, struct net_device *dev, struct packet_type *type, struct net_device *orig)
{
	struct offered *net = container_of(type, struct offered, tap);
	struct drvport_net_frame *frame;

	if (skb->pkt_type == PACKET_LOOPBACK || skb_linearize(skb)) {
		kfree_skb(skb);
		return 0;
	}
	if (batch_count && (batch_net != net || batch_count == BATCH))
		flush();
	if (!batch_count)
		tasklet_schedule(&rest);
	batch_net = net;
	batch_skbs[batch_count] = skb;
	frame = &batch[batch_count++];
	*frame = (struct drvport_net_frame) {
		.addr = (u32)skb_mac_header(skb),
		.len = skb->len + (skb->data - skb_mac_header(skb)),
		.flags = kind_of(skb),
	};
	if (skb->ip_summed == CHECKSUM_UNNECESSARY)
		frame->flags |= DRVPORT_FRAME_CSUM_OK;
	if (skb_vlan_tag_present(skb)) {
		frame->flags |= DRVPORT_FRAME_VLAN;
		frame->vlan = skb_vlan_tag_get(skb);
	}
	return 0;
}

/* ---- coming and going ---- */

static void tell_carrier(struct offered *net)
{
	bool carrier = netif_running(net->dev) && netif_carrier_ok(net->dev);

	if (carrier == net->carrier)
		return;
	net->carrier = carrier;
	drvport_net_carrier(net->handle, carrier);
}

static void offer(struct net_device *dev)
{
	struct drvport_net_desc desc;
	struct offered *net;

	/* The ABI carries Ethernet frames; an interface of another kind stays inside the domain. */
	if (dev->type != ARPHRD_ETHER || !net_eq(dev_net(dev), &init_net))
		return;
	net = kzalloc(sizeof(*net), GFP_KERNEL);
	if (!net)
		return;
	net->dev = dev;
	if (size_arena(net)) {
		kfree(net);
		return;
	}
	describe(net, &desc);
	net->handle = drvport_net_register((u32)&desc);
	if (net->handle < 0) {
		netdev_warn(dev, "the machine takes no more interfaces: %d\n", net->handle);
		vfree(net->arena);
		kfree(net);
		return;
	}
	/* Frames reach the machine as they came. */
	dev->features &= ~NETIF_F_GRO;
	dev->wanted_features &= ~NETIF_F_GRO;
	list_add_tail(&net->list, &interfaces);
	/* What this interface sends would be copied for it. */
	net->tap = (struct packet_type) {
		.type = htons(ETH_P_ALL), .dev = dev, .func = received, .ignore_outgoing = true,
	};
	dev_add_pack(&net->tap);
	drvport_net_queue(net->handle, 1);
	tell_carrier(net);
}

static void withdraw(struct offered *net)
{
	dev_remove_pack(&net->tap);
	tasklet_disable(&rest);
	if (batch_net == net)
		flush();
	tasklet_enable(&rest);
	list_del(&net->list);
	drvport_net_unregister(net->handle);
	vfree(net->arena);
	kfree(net);
}

static void redescribe(struct offered *net)
{
	struct drvport_net_desc desc;

	if (size_arena(net))
		netdev_warn(net->dev, "no memory for larger transmit slots\n");
	describe(net, &desc);
	drvport_net_changed(net->handle, (u32)&desc);
}

static int event(struct notifier_block *nb, unsigned long what, void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);
	struct offered *net = find(dev);

	if (what == NETDEV_REGISTER && !net)
		offer(dev);
	if (!net)
		return NOTIFY_DONE;
	switch (what) {
	case NETDEV_UNREGISTER:
		withdraw(net);
		break;
	case NETDEV_CHANGEMTU:
	case NETDEV_CHANGEADDR:
	case NETDEV_CHANGENAME:
	case NETDEV_FEAT_CHANGE:
		redescribe(net);
	}
	if (what != NETDEV_UNREGISTER)
		tell_carrier(net);
	return NOTIFY_DONE;
}

static struct notifier_block block = { .notifier_call = event };

static int __init net_init(void)
{
	default_qdisc_ops = &queue_ops;
	register_qdisc(&queue_ops);
	return register_netdevice_notifier(&block);
}
/* After a configuration's own choice of a default queueing discipline, which is a late_initcall. */
late_initcall_sync(net_init);
