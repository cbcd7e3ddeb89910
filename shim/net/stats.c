// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interface statistics: the driver's own, plus what the stack itself dropped.
 */
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>
#include <drvport/net.h>

struct net_device_core_stats __percpu *netdev_core_stats_alloc(struct net_device *dev);

struct net_device_core_stats __percpu *netdev_core_stats_alloc(struct net_device *dev)
{
	if (!dev->core_stats)
		dev->core_stats = alloc_percpu_gfp(struct net_device_core_stats, GFP_ATOMIC | __GFP_NOWARN);
	return dev->core_stats;
}

void netdev_core_stats_inc(struct net_device *dev, u32 offset)
{
	struct net_device_core_stats __percpu *stats = netdev_core_stats_alloc(dev);

	if (stats)
		++*(unsigned long *)((u8 *)this_cpu_ptr(stats) + offset);
}

void netdev_stats_to_stats64(struct rtnl_link_stats64 *stats64, const struct net_device_stats *stats)
{
	const unsigned long *from = (const unsigned long *)stats;
	u64 *to = (u64 *)stats64;
	size_t i;

	BUILD_BUG_ON(sizeof(*stats) / sizeof(*from) > sizeof(*stats64) / sizeof(*to));
	memset(stats64, 0, sizeof(*stats64));
	for (i = 0; i < sizeof(*stats) / sizeof(*from); i++)
		to[i] = from[i];
}

struct rtnl_link_stats64 *dev_get_stats(struct net_device *dev, struct rtnl_link_stats64 *storage)
{
	const struct net_device_ops *ops = dev->netdev_ops;

	if (ops->ndo_get_stats64) {
		memset(storage, 0, sizeof(*storage));
		ops->ndo_get_stats64(dev, storage);
	} else {
		netdev_stats_to_stats64(storage, ops->ndo_get_stats ? ops->ndo_get_stats(dev) : &dev->stats);
	}
	if (dev->core_stats) {
		const struct net_device_core_stats *core = per_cpu_ptr(dev->core_stats, 0);

		storage->rx_dropped += core->rx_dropped;
		storage->tx_dropped += core->tx_dropped;
		storage->rx_nohandler += core->rx_nohandler;
	}
	return storage;
}

void dev_fetch_sw_netstats(struct rtnl_link_stats64 *s, const struct pcpu_sw_netstats __percpu *netstats)
{
	const struct pcpu_sw_netstats *stats = per_cpu_ptr(netstats, 0);

	s->rx_packets += u64_stats_read(&stats->rx_packets);
	s->rx_bytes += u64_stats_read(&stats->rx_bytes);
	s->tx_packets += u64_stats_read(&stats->tx_packets);
	s->tx_bytes += u64_stats_read(&stats->tx_bytes);
}

void dev_get_tstats64(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	netdev_stats_to_stats64(s, &dev->stats);
	dev_fetch_sw_netstats(s, dev->tstats);
}
