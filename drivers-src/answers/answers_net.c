// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network core: references and unregistering, notifiers, checksums that hardware has summed, transmit queues and frames
 * in pieces. The interfaces are the suite's own, and count what reaches them.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/route.h>
#include <net/sock.h>

#define QUEUES 4
#define CHOSEN 2

struct counts {
	int sent[QUEUES], in_pieces, asked;
};

static netdev_tx_t transmit(struct sk_buff *skb, struct net_device *dev)
{
	struct counts *counts = netdev_priv(dev);

	counts->sent[skb_get_queue_mapping(skb)]++;
	counts->in_pieces += skb_is_nonlinear(skb);
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static u16 choose(struct net_device *dev, struct sk_buff *skb, struct net_device *subordinate)
{
	struct counts *counts = netdev_priv(dev);

	counts->asked++;
	return CHOSEN;
}

static const struct net_device_ops ops = { .ndo_start_xmit = transmit, .ndo_select_queue = choose };

static struct net_device *interface(struct kunit *test, const char *name, netdev_features_t features)
{
	struct net_device *dev = alloc_etherdev_mqs(sizeof(struct counts), QUEUES, 1);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	strscpy(dev->name, name, sizeof(dev->name));
	dev->netdev_ops = &ops;
	dev->features |= features;
	dev->hw_features |= features;
	eth_hw_addr_random(dev);
	KUNIT_ASSERT_EQ(test, register_netdev(dev), 0);
	return dev;
}

static void bring(struct net_device *dev, bool up)
{
	rtnl_lock();
	if (up)
		dev_open(dev, NULL);
	else
		dev_close(dev);
	rtnl_unlock();
}

/* ---- references ---- */

static bool let_go;

static int lets_go_later(void *data)
{
	struct net_device *dev = data;

	msleep(300);
	WRITE_ONCE(let_go, true);
	dev_put(dev);
	return 0;
}

static void unregistering_waits_for_references(struct kunit *test)
{
	struct net_device *dev = interface(test, "answers%d", 0);
	struct task_struct *holder;

	let_go = false;
	dev_hold(dev);
	holder = kthread_run(lets_go_later, dev, "answers-hold");
	KUNIT_ASSERT_FALSE(test, IS_ERR(holder));
	unregister_netdev(dev);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(let_go));
	free_netdev(dev);
}

/* ---- notifiers ---- */

struct heard {
	struct notifier_block block;
	struct net_device *one, *two;
	unsigned long refuse;
	struct net_device *refuse_of;
	/* Of the two: what came, in the order it came. */
	unsigned long events[16];
	struct net_device *of[16];
	unsigned int count;
};

static int hears(struct notifier_block *block, unsigned long what, void *info)
{
	struct heard *heard = container_of(block, struct heard, block);
	struct net_device *dev = netdev_notifier_info_to_dev(info);

	if (dev != heard->one && dev != heard->two)
		return NOTIFY_DONE;
	if (heard->count < ARRAY_SIZE(heard->events)) {
		heard->events[heard->count] = what;
		heard->of[heard->count++] = dev;
	}
	return what == heard->refuse && dev == heard->refuse_of ? notifier_from_errno(-EBUSY) : NOTIFY_DONE;
}

static int told(const struct heard *heard, const struct net_device *dev, unsigned long what)
{
	unsigned int i;
	int count = 0;

	for (i = 0; i < heard->count; i++)
		count += heard->of[i] == dev && heard->events[i] == what;
	return count;
}

static struct heard *two_interfaces(struct kunit *test)
{
	struct heard *heard = kunit_kzalloc(test, sizeof(*heard), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, heard);
	heard->block.notifier_call = hears;
	heard->one = interface(test, "answers%d", 0);
	heard->two = interface(test, "answers%d", 0);
	bring(heard->one, true);
	return heard;
}

static void no_interfaces(struct heard *heard)
{
	unregister_netdev(heard->one);
	unregister_netdev(heard->two);
	free_netdev(heard->one);
	free_netdev(heard->two);
}

static void notifier_hears_of_who_is_there(struct kunit *test)
{
	struct heard *heard = two_interfaces(test);

	KUNIT_ASSERT_EQ(test, register_netdevice_notifier(&heard->block), 0);
	KUNIT_EXPECT_EQ(test, told(heard, heard->one, NETDEV_REGISTER), 1);
	KUNIT_EXPECT_EQ(test, told(heard, heard->one, NETDEV_UP), 1);
	KUNIT_EXPECT_EQ(test, told(heard, heard->two, NETDEV_REGISTER), 1);
	KUNIT_EXPECT_EQ(test, told(heard, heard->two, NETDEV_UP), 0);
	heard->count = 0;
	/* And of their going, when it is he who goes. */
	KUNIT_ASSERT_EQ(test, unregister_netdevice_notifier(&heard->block), 0);
	KUNIT_EXPECT_EQ(test, told(heard, heard->one, NETDEV_GOING_DOWN), 1);
	KUNIT_EXPECT_EQ(test, told(heard, heard->one, NETDEV_DOWN), 1);
	KUNIT_EXPECT_EQ(test, told(heard, heard->one, NETDEV_UNREGISTER), 1);
	KUNIT_EXPECT_EQ(test, told(heard, heard->two, NETDEV_DOWN), 0);
	KUNIT_EXPECT_EQ(test, told(heard, heard->two, NETDEV_UNREGISTER), 1);
	no_interfaces(heard);
}

static void notifier_that_refuses_is_rolled_back(struct kunit *test)
{
	struct heard *heard = two_interfaces(test);

	heard->refuse = NETDEV_REGISTER;
	heard->refuse_of = heard->two;
	KUNIT_EXPECT_EQ(test, register_netdevice_notifier(&heard->block), -EBUSY);
	KUNIT_EXPECT_EQ(test, told(heard, heard->one, NETDEV_REGISTER), 1);
	KUNIT_EXPECT_EQ(test, told(heard, heard->one, NETDEV_DOWN), 1);
	KUNIT_EXPECT_EQ(test, told(heard, heard->one, NETDEV_UNREGISTER), 1);
	heard->count = 0;
	bring(heard->two, true);
	KUNIT_EXPECT_EQ(test, heard->count, 0u);
	no_interfaces(heard);
}

static void notifier_may_refuse_a_change(struct kunit *test)
{
	struct heard *heard = two_interfaces(test);

	KUNIT_ASSERT_EQ(test, register_netdevice_notifier(&heard->block), 0);
	heard->refuse = NETDEV_PRE_UP;
	heard->refuse_of = heard->two;
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, dev_open(heard->two, NULL), -EBUSY);
	KUNIT_EXPECT_FALSE(test, netif_running(heard->two));
	rtnl_unlock();
	unregister_netdevice_notifier(&heard->block);
	no_interfaces(heard);
}

/* ---- checksums: datagrams that come in over the loopback interface, for a socket of the suite's ---- */

#define PORT 4242
#define TEXT "whatever comes in"

static struct socket *listener(struct kunit *test)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct socket *socket;

	KUNIT_ASSERT_EQ(test, sock_create_kern(&init_net, AF_INET, SOCK_DGRAM, IPPROTO_UDP, &socket), 0);
	KUNIT_ASSERT_EQ(test, kernel_bind(socket, (struct sockaddr *)&address, sizeof(address)), 0);
	return socket;
}

/* As a driver hands it in, with what its hardware says of the sum. `broken`: a bit of its text fell over on the way. */
static void comes_in(struct kunit *test, u8 summed, bool broken)
{
	unsigned int length = sizeof(struct udphdr) + sizeof(TEXT);
	struct sk_buff *skb = alloc_skb(256, GFP_KERNEL);
	struct flowi4 flow = { .daddr = htonl(INADDR_LOOPBACK) };
	struct rtable *route = ip_route_output_key(&init_net, &flow);
	struct udphdr *udp;
	struct iphdr *ip;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_FALSE(test, IS_ERR(route));
	skb_reserve(skb, 64);
	ip = skb_put_zero(skb, sizeof(*ip));
	udp = skb_put_zero(skb, length);
	memcpy(udp + 1, TEXT, sizeof(TEXT));
	*ip = (struct iphdr) {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .tot_len = htons(sizeof(*ip) + length),
		.saddr = htonl(INADDR_LOOPBACK), .daddr = htonl(INADDR_LOOPBACK),
	};
	ip->check = ip_fast_csum(ip, ip->ihl);
	udp->source = udp->dest = htons(PORT);
	udp->len = htons(length);
	udp->check = csum_tcpudp_magic(ip->saddr, ip->daddr, length, IPPROTO_UDP, csum_partial(udp, length, 0));
	if (broken)
		((u8 *)(udp + 1))[3] ^= 0x20;
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb->protocol = htons(ETH_P_IP);
	skb->dev = init_net.loopback_dev;
	skb->pkt_type = PACKET_HOST;
	/* From that address nothing but the interface itself may send: it has found its way already. */
	skb_dst_set(skb, &route->dst);
	skb->ip_summed = summed;
	if (summed == CHECKSUM_COMPLETE)
		skb->csum = csum_partial(ip, sizeof(*ip) + length, 0);
	local_bh_disable();
	netif_receive_skb(skb);
	local_bh_enable();
}

static bool arrived(struct socket *socket)
{
	char text[sizeof(TEXT)];
	struct kvec part = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr message = { .msg_flags = MSG_DONTWAIT };

	return kernel_recvmsg(socket, &message, &part, 1, sizeof(text), MSG_DONTWAIT) == sizeof(text);
}

static void summed_by_hardware_is_verified(struct kunit *test)
{
	struct net_device *loopback = init_net.loopback_dev;
	bool was_up = netif_running(loopback);
	struct socket *socket;

	if (!was_up)
		bring(loopback, true);
	socket = listener(test);
	comes_in(test, CHECKSUM_NONE, false);
	KUNIT_EXPECT_TRUE(test, arrived(socket));
	comes_in(test, CHECKSUM_NONE, true);
	KUNIT_EXPECT_FALSE(test, arrived(socket));
	comes_in(test, CHECKSUM_COMPLETE, false);
	KUNIT_EXPECT_TRUE(test, arrived(socket));
	/* The sum is right of what came, and what came is not what was sent. */
	comes_in(test, CHECKSUM_COMPLETE, true);
	KUNIT_EXPECT_FALSE(test, arrived(socket));
	/* What hardware says it has verified is not summed again. */
	comes_in(test, CHECKSUM_UNNECESSARY, true);
	KUNIT_EXPECT_TRUE(test, arrived(socket));
	sock_release(socket);
	if (!was_up)
		bring(loopback, false);
}

/* ---- transmit ---- */

static struct sk_buff *in_pieces(struct kunit *test, struct net_device *dev)
{
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + 64, GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_NOT_NULL(test, page);
	skb_reserve(skb, LL_MAX_HEADER);
	memset(skb_put(skb, ETH_HLEN), 0xff, ETH_HLEN);
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb->protocol = htons(ETH_P_802_3);
	skb->dev = dev;
	skb_add_rx_frag(skb, 0, page, 0, 200, PAGE_SIZE);
	return skb;
}

static void driver_chooses_the_queue(struct kunit *test)
{
	struct net_device *dev = interface(test, "answers%d", 0);
	struct counts *counts = netdev_priv(dev);
	int others;

	bring(dev, true);
	memset(counts, 0, sizeof(*counts));
	KUNIT_EXPECT_EQ(test, dev_queue_xmit(in_pieces(test, dev)), 0);
	KUNIT_EXPECT_EQ(test, dev_queue_xmit(in_pieces(test, dev)), 0);
	msleep(20);
	others = counts->sent[0] + counts->sent[1] + counts->sent[3];
	KUNIT_EXPECT_GE(test, counts->asked, 2);
	KUNIT_EXPECT_GE(test, counts->sent[CHOSEN], 2);
	KUNIT_EXPECT_EQ(test, others, 0);
	unregister_netdev(dev);
	free_netdev(dev);
}

static void pieces_reach_who_can_gather(struct kunit *test)
{
	struct net_device *gathers = interface(test, "answers%d", NETIF_F_SG | NETIF_F_HW_CSUM), *plain = interface(test, "answers%d", 0);
	struct counts *counts = netdev_priv(gathers);

	bring(gathers, true);
	bring(plain, true);
	memset(counts, 0, sizeof(*counts));
	KUNIT_EXPECT_EQ(test, dev_queue_xmit(in_pieces(test, gathers)), 0);
	msleep(20);
	KUNIT_EXPECT_EQ(test, counts->in_pieces, 1);
	/* Who cannot gets it in one. */
	counts = netdev_priv(plain);
	memset(counts, 0, sizeof(*counts));
	KUNIT_EXPECT_EQ(test, dev_queue_xmit(in_pieces(test, plain)), 0);
	msleep(20);
	KUNIT_EXPECT_GE(test, counts->sent[CHOSEN], 1);
	KUNIT_EXPECT_EQ(test, counts->in_pieces, 0);
	unregister_netdev(gathers);
	unregister_netdev(plain);
	free_netdev(gathers);
	free_netdev(plain);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(unregistering_waits_for_references),
	KUNIT_CASE(notifier_hears_of_who_is_there),
	KUNIT_CASE(notifier_that_refuses_is_rolled_back),
	KUNIT_CASE(notifier_may_refuse_a_change),
	KUNIT_CASE(summed_by_hardware_is_verified),
	KUNIT_CASE(driver_chooses_the_queue),
	KUNIT_CASE(pieces_reach_who_can_gather),
	{ }
};

static struct kunit_suite suite = { .name = "answers_net", .test_cases = cases };
kunit_test_suite(suite);

MODULE_DESCRIPTION("Asks what Linux answers of network interfaces");
MODULE_LICENSE("GPL");
