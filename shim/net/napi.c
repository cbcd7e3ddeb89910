// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receive: NAPI polling in the NET_RX softirq, and handing what drivers receive to the machine, one net.rx call for what
 * one poll brought.
 *
 * Must not know: what the machine does with frames; any driver's ring layout.
 */
#define DRVPORT_SHIM
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/interrupt.h>
#include <linux/delay.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <drvport/net.h>

#define RX_BATCH 64
/* As Linux's netdev_budget: packets one softirq run may take before others get their turn. */
#define RX_BUDGET 300

DEFINE_PER_CPU_ALIGNED(struct softnet_data, softnet_data);

static LIST_HEAD(poll_list);
static struct sk_buff_head backlog;

/* ---- to the machine ---- */

/* Frames of one interface that wait for the next net.rx. Only softirq context touches it. */
static struct {
	int handle;
	unsigned int count;
	struct drvport_net_frame frames[RX_BATCH];
	struct sk_buff *skbs[RX_BATCH];
} batch;

void drvport_rx_flush(void)
{
	unsigned int i, count = batch.count;

	if (!count)
		return;
	drvport_net_rx(batch.handle, (u32)(unsigned long)batch.frames, count);
	batch.count = 0;
	for (i = 0; i < count; i++)
		napi_consume_skb(batch.skbs[i], 1);
}

static u32 frame_flags(const struct sk_buff *skb)
{
	u32 flags = 0;

	if (skb->ip_summed == CHECKSUM_UNNECESSARY || skb->ip_summed == CHECKSUM_COMPLETE)
		flags |= DRVPORT_FRAME_CSUM_OK;
	if (skb_vlan_tag_present(skb))
		flags |= DRVPORT_FRAME_VLAN;
	switch (skb->pkt_type) {
	case PACKET_BROADCAST:
		return flags | DRVPORT_FRAME_BROADCAST;
	case PACKET_MULTICAST:
		return flags | DRVPORT_FRAME_MULTICAST;
	case PACKET_OTHERHOST:
		return flags | DRVPORT_FRAME_OTHERHOST;
	}
	return flags;
}

static int deliver(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct drvport_net_frame *frame;
	int handle;

	if (unlikely(!dev || dev->reg_state != NETREG_REGISTERED || drvport_netif(dev)->handle < 0 ||
		     !(dev->flags & IFF_UP) || skb_linearize(skb))) {
		kfree_skb(skb);
		return NET_RX_DROP;
	}
	handle = drvport_netif(dev)->handle;
	if (batch.count == RX_BATCH || (batch.count && batch.handle != handle))
		drvport_rx_flush();
	batch.handle = handle;
	frame = &batch.frames[batch.count];
	frame->addr = (u32)(unsigned long)skb_mac_header(skb);
	frame->len = skb_tail_pointer(skb) - skb_mac_header(skb);
	frame->flags = frame_flags(skb);
	frame->vlan = skb_vlan_tag_present(skb) ? skb_vlan_tag_get(skb) : 0;
	frame->csum_start = 0;
	frame->csum_offset = 0;
	frame->gso_size = 0;
	batch.skbs[batch.count++] = skb;
	return NET_RX_SUCCESS;
}

/* A frame delivered outside a poll (from a timer, a tasklet, a work item) waits for the softirq that is asked for here. */
static void flush_soon(void)
{
	if (!softnet_data.processed)
		raise_softirq(NET_RX_SOFTIRQ);
}

static int receive(struct sk_buff *skb)
{
	int rc;

	local_bh_disable();
	rc = deliver(skb);
	flush_soon();
	local_bh_enable();
	return rc;
}

int netif_receive_skb(struct sk_buff *skb)
{
	return receive(skb);
}

int netif_receive_skb_core(struct sk_buff *skb)
{
	return receive(skb);
}

void netif_receive_skb_list(struct list_head *head)
{
	struct sk_buff *skb, *next;

	list_for_each_entry_safe(skb, next, head, list) {
		skb_list_del_init(skb);
		receive(skb);
	}
}

/* netif_rx may be called with interrupts off: the frame waits in a queue for the softirq. */
int netif_rx(struct sk_buff *skb)
{
	skb_queue_tail(&backlog, skb);
	raise_softirq(NET_RX_SOFTIRQ);
	return NET_RX_SUCCESS;
}

int __netif_rx(struct sk_buff *skb)
{
	return netif_rx(skb);
}

/*
 * Generic receive offload merges segments for a protocol stack in the same kernel. There is none in the domain, so every
 * frame goes on by itself: legal (a driver may not tell the difference), and the result says GRO_NORMAL.
 */
gro_result_t napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	receive(skb);
	return GRO_NORMAL;
}

struct sk_buff *napi_get_frags(struct napi_struct *napi)
{
	if (!napi->skb)
		napi->skb = napi_alloc_skb(napi, 192);
	return napi->skb;
}

gro_result_t napi_gro_frags(struct napi_struct *napi)
{
	struct sk_buff *skb = napi->skb;

	napi->skb = NULL;
	if (skb_linearize(skb) || skb->len < ETH_HLEN) {
		kfree_skb(skb);
		return GRO_NORMAL;
	}
	skb->protocol = eth_type_trans(skb, skb->dev);
	receive(skb);
	return GRO_NORMAL;
}

void napi_gro_flush(struct napi_struct *napi, bool flush_old)
{
	drvport_rx_flush();
}

/* ---- polling ---- */

static void add_to_poll(struct napi_struct *n)
{
	list_add_tail(&n->poll_list, &poll_list);
	raise_softirq_irqoff(NET_RX_SOFTIRQ);
}

void __napi_schedule(struct napi_struct *n)
{
	unsigned long flags;

	local_irq_save(flags);
	add_to_poll(n);
	local_irq_restore(flags);
}

void __napi_schedule_irqoff(struct napi_struct *n)
{
	__napi_schedule(n);
}

/* True when the caller may schedule: not disabled, not scheduled already. A second request is remembered as missed. */
bool napi_schedule_prep(struct napi_struct *n)
{
	unsigned long val, new;
	unsigned long irq;

	local_irq_save(irq);
	val = n->state;
	if (val & NAPIF_STATE_DISABLE) {
		local_irq_restore(irq);
		return false;
	}
	new = val | NAPIF_STATE_SCHED;
	if (val & NAPIF_STATE_SCHED)
		new |= NAPIF_STATE_MISSED;
	n->state = new;
	local_irq_restore(irq);
	return !(val & NAPIF_STATE_SCHED);
}

bool napi_complete_done(struct napi_struct *n, int work_done)
{
	unsigned long irq, val;

	if (n->state & (NAPIF_STATE_NPSVC | NAPIF_STATE_IN_BUSY_POLL))
		return false;
	local_irq_save(irq);
	if (!list_empty(&n->poll_list))
		list_del_init(&n->poll_list);
	val = n->state;
	WARN_ON_ONCE(!(val & NAPIF_STATE_SCHED));
	n->state = val & ~(NAPIF_STATE_MISSED | NAPIF_STATE_SCHED | NAPIF_STATE_SCHED_THREADED |
			   NAPIF_STATE_PREFER_BUSY_POLL);
	if (val & NAPIF_STATE_MISSED) {
		n->state |= NAPIF_STATE_SCHED;
		add_to_poll(n);
	}
	local_irq_restore(irq);
	return !(val & NAPIF_STATE_MISSED);
}

static int poll_one(struct napi_struct *n, struct list_head *repoll)
{
	int work = 0, weight = n->weight;

	list_del_init(&n->poll_list);
	if (test_bit(NAPI_STATE_SCHED, &n->state))
		work = n->poll(n, weight);
	if (unlikely(work > weight))
		netdev_err_once(n->dev, "NAPI poll function %ps returned %d, exceeding its budget of %d.\n", n->poll,
				work, weight);
	drvport_rx_flush();
	if (work < weight)
		return work;
	/* It did all it may and stays scheduled, unless somebody waits for it to stop. */
	if (unlikely(napi_disable_pending(n)))
		napi_complete(n);
	else if (list_empty(&n->poll_list))
		list_add_tail(&n->poll_list, repoll);
	return work;
}

static void drain_backlog(void)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&backlog)))
		deliver(skb);
	drvport_rx_flush();
}

static void net_rx_action(void)
{
	unsigned long limit = jiffies + 2;
	int budget = RX_BUDGET;
	LIST_HEAD(list);
	LIST_HEAD(repoll);

	softnet_data.processed = 1;
	drain_backlog();
	local_irq_disable();
	list_splice_init(&poll_list, &list);
	local_irq_enable();

	while (!list_empty(&list)) {
		struct napi_struct *n = list_first_entry(&list, struct napi_struct, poll_list);

		budget -= poll_one(n, &repoll);
		if (budget <= 0 || time_after_eq(jiffies, limit))
			break;
	}
	softnet_data.processed = 0;

	local_irq_disable();
	list_splice_tail_init(&poll_list, &list);
	list_splice_tail(&repoll, &list);
	list_splice(&list, &poll_list);
	if (!list_empty(&poll_list))
		__raise_softirq_irqoff(NET_RX_SOFTIRQ);
	local_irq_enable();
}

static __maybe_unused void net_rx_action_h(struct softirq_action *h)
{
	net_rx_action();
}

void drvport_napi_init(void)
{
	skb_queue_head_init(&backlog);
	/* Older trees pass the softirq's own record to it; a wasm call must have exactly the right type. */
	open_softirq(NET_RX_SOFTIRQ, _Generic(((struct softirq_action *)0)->action,
					      void (*)(void): net_rx_action, default: net_rx_action_h));
}

/* ---- life of a context ---- */

void netif_napi_add_weight(struct net_device *dev, struct napi_struct *napi, int (*poll)(struct napi_struct *, int),
			   int weight)
{
	if (WARN_ON(test_and_set_bit(NAPI_STATE_LISTED, &napi->state)))
		return;
	INIT_LIST_HEAD(&napi->poll_list);
	INIT_LIST_HEAD(&napi->rx_list);
	INIT_HLIST_NODE(&napi->napi_hash_node);
	napi->skb = NULL;
	napi->rx_count = 0;
	napi->poll = poll;
	napi->weight = weight;
	napi->dev = dev;
	/* Added disabled: it looks scheduled until napi_enable. */
	set_bit(NAPI_STATE_SCHED, &napi->state);
	set_bit(NAPI_STATE_NPSVC, &napi->state);
	list_add_rcu(&napi->dev_list, &dev->napi_list);
}

void __netif_napi_del(struct napi_struct *napi)
{
	if (!test_and_clear_bit(NAPI_STATE_LISTED, &napi->state))
		return;
	list_del_rcu(&napi->dev_list);
	if (napi->skb) {
		kfree_skb(napi->skb);
		napi->skb = NULL;
	}
}

void napi_disable(struct napi_struct *n)
{
	might_sleep();
	set_bit(NAPI_STATE_DISABLE, &n->state);
	while (n->state & (NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC))
		usleep_range(20, 200);
	n->state |= NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC;
	n->state &= ~(NAPIF_STATE_THREADED | NAPIF_STATE_PREFER_BUSY_POLL);
	clear_bit(NAPI_STATE_DISABLE, &n->state);
}

void napi_enable(struct napi_struct *n)
{
	BUG_ON(!test_bit(NAPI_STATE_SCHED, &n->state));
	n->state &= ~(NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC);
}

/* Polling from a thread instead of the softirq is a matter of latency, not of results: not offered. */
int dev_set_threaded(struct net_device *dev, bool threaded)
{
	return threaded ? -EOPNOTSUPP : 0;
}

void napi_busy_loop(unsigned int napi_id, bool (*loop_end)(void *, unsigned long), void *loop_end_arg,
		    bool prefer_busy_poll, u16 budget)
{
}

/* Remembered, and shown when asked: an interrupt is never deferred here. Since 6.3 or so. */
void netdev_sw_irq_coalesce_default_on(struct net_device *dev);
void netdev_sw_irq_coalesce_default_on(struct net_device *dev)
{
	dev->gro_flush_timeout = 20000;
	dev->napi_defer_hard_irqs = 1;
}
