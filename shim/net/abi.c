// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interface as the machine sees it: its description, its transmit arena, and the entries that configure it. Frames are
 * in tx.c and napi.c, what ethtool would ask in ethtool.c.
 *
 * Must not know: what stands behind the machine's network service.
 */
#define DRVPORT_SHIM
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <drvport/core.h>
#include <drvport/net.h>
#include <drvport/pci.h>

/* Frames the machine may have on the way to one driver. */
#define ARENA_SLOTS 64
/* Largest frame of the interface, VLAN tag included; a TSO request must fit the slot as well. */
#define TSO_FRAME_BYTES 16384

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
			return drvport_pci_slot(to_pci_dev(d));
	return ~0u;
}

static void describe(const struct net_device *dev, struct drvport_net_desc *desc)
{
	struct drvport_netif *netif = drvport_netif(dev);

	memset(desc, 0, sizeof(*desc));
	strscpy((char *)desc->name, dev->name, sizeof(desc->name));
	memcpy(desc->mac, dev->dev_addr, sizeof(desc->mac));
	desc->slot = function_behind(dev);
	desc->mtu = dev->mtu;
	desc->min_mtu = dev->min_mtu;
	desc->max_mtu = dev->max_mtu;
	desc->features = features_told(dev);
	desc->arena = (u32)(unsigned long)netif->arena;
	desc->arena_slots = netif->arena_slots;
	desc->arena_slot_bytes = netif->arena_slot_bytes;
}

/* Slots large enough for the interface's present MTU; memory of the shim's, as the driver never sees it. */
static int size_arena(struct net_device *dev)
{
	struct drvport_netif *netif = drvport_netif(dev);
	u32 bytes = ALIGN(dev->mtu + VLAN_ETH_HLEN, 64);
	void *arena;

	if (dev->features & NETIF_F_TSO)
		bytes = max_t(u32, bytes, TSO_FRAME_BYTES);
	if (netif->arena && netif->arena_slot_bytes >= bytes)
		return 0;
	arena = drvport_core_alloc(ARENA_SLOTS * bytes);
	if (!arena)
		return -ENOMEM;
	drvport_core_free(netif->arena);
	netif->arena = arena;
	netif->arena_slots = ARENA_SLOTS;
	netif->arena_slot_bytes = bytes;
	return 0;
}

int drvport_net_offer(struct net_device *dev)
{
	struct drvport_netif *netif = drvport_netif(dev);
	struct drvport_net_desc desc;
	int err;

	/* The ABI carries Ethernet frames; an interface of another kind stays inside the domain. */
	if (dev->type != ARPHRD_ETHER)
		return 0;
	err = size_arena(dev);
	if (err)
		return err;
	describe(dev, &desc);
	netif->handle = drvport_net_register((u32)(unsigned long)&desc);
	if (netif->handle < 0)
		return netif->handle;
	netif->told_carrier = 0;
	netif->told_awake = 0;
	drvport_link_tell(dev);
	return 0;
}

void drvport_net_withdraw(struct net_device *dev)
{
	struct drvport_netif *netif = drvport_netif(dev);

	if (netif->handle >= 0) {
		drvport_rx_flush();
		drvport_net_unregister(netif->handle);
	}
	netif->handle = -1;
	drvport_core_free(netif->arena);
	netif->arena = NULL;
}

void drvport_net_changed_desc(struct net_device *dev)
{
	struct drvport_netif *netif = drvport_netif(dev);
	struct drvport_net_desc desc;

	if (netif->handle < 0)
		return;
	if (size_arena(dev))
		netdev_warn(dev, "no memory for larger transmit slots\n");
	describe(dev, &desc);
	drvport_net_changed(netif->handle, (u32)(unsigned long)&desc);
}

/* Nothing calls these by a strong name, so a linker that takes files out of an archive must be told that they are wanted. */
static const void *const wanted[] __used = { drvport_entry_net_link, drvport_entry_net_tx, drvport_net_drain };

/* ---- entries: each is a system call's worth of work under the rtnl lock ---- */

static int set_up(struct net_device *dev, unsigned int a, unsigned int b, unsigned int c)
{
	return dev_open(dev, NULL);
}

static int set_down(struct net_device *dev, unsigned int a, unsigned int b, unsigned int c)
{
	dev_close(dev);
	return 0;
}

static int set_mtu(struct net_device *dev, unsigned int mtu, unsigned int b, unsigned int c)
{
	return dev_set_mtu(dev, mtu);
}

static int set_address(struct net_device *dev, unsigned int mac, unsigned int b, unsigned int c)
{
	struct sockaddr address = { .sa_family = dev->type };

	memcpy(address.sa_data, (void *)(unsigned long)mac, ETH_ALEN);
	return dev_set_mac_address(dev, &address, NULL);
}

static int set_filter(struct net_device *dev, unsigned int flags, unsigned int list, unsigned int count)
{
	struct drvport_netif *netif = drvport_netif(dev);
	u32 changed = flags ^ netif->filter;
	const u8 *macs = (void *)(unsigned long)list;
	unsigned int i;
	int err = 0;

	dev_mc_flush(dev);
	for (i = 0; i < count && !err; i++)
		err = dev_mc_add(dev, macs + i * ETH_ALEN);
	netif->filter = flags;
	if (!err && (changed & DRVPORT_FILTER_PROMISC))
		err = dev_set_promiscuity(dev, flags & DRVPORT_FILTER_PROMISC ? 1 : -1);
	if (!err && (changed & DRVPORT_FILTER_ALLMULTI))
		err = dev_set_allmulti(dev, flags & DRVPORT_FILTER_ALLMULTI ? 1 : -1);
	/* dev_mc_flush tells the driver nothing. */
	if (!err && !count)
		dev_set_rx_mode(dev);
	return err;
}

#define COPY_STAT(field) out->field = from.field

static int read_stats(struct net_device *dev, unsigned int where, unsigned int b, unsigned int c)
{
	struct drvport_net_stats *out = (void *)(unsigned long)where;
	struct rtnl_link_stats64 from;

	dev_get_stats(dev, &from);
	COPY_STAT(rx_packets);
	COPY_STAT(tx_packets);
	COPY_STAT(rx_bytes);
	COPY_STAT(tx_bytes);
	COPY_STAT(rx_errors);
	COPY_STAT(tx_errors);
	COPY_STAT(rx_dropped);
	COPY_STAT(tx_dropped);
	COPY_STAT(multicast);
	COPY_STAT(collisions);
	COPY_STAT(rx_length_errors);
	COPY_STAT(rx_over_errors);
	COPY_STAT(rx_crc_errors);
	COPY_STAT(rx_frame_errors);
	COPY_STAT(rx_fifo_errors);
	COPY_STAT(rx_missed_errors);
	COPY_STAT(tx_aborted_errors);
	COPY_STAT(tx_carrier_errors);
	COPY_STAT(tx_fifo_errors);
	COPY_STAT(tx_heartbeat_errors);
	COPY_STAT(tx_window_errors);
	return 0;
}

int drvport_net_call(unsigned int net, drvport_net_fn fn, unsigned int a, unsigned int b, unsigned int c)
{
	struct task_struct *task = drvport_task_enter("net");
	struct net_device *dev;
	int err = DRVPORT_E_NODEV;

	rtnl_lock();
	dev = drvport_net_find(net);
	if (dev)
		err = fn(dev, a, b, c);
	rtnl_unlock();
	drvport_task_leave(task);
	return err;
}

int drvport_entry_net_open(unsigned int net)
{
	return drvport_net_call(net, set_up, 0, 0, 0);
}

int drvport_entry_net_stop(unsigned int net)
{
	return drvport_net_call(net, set_down, 0, 0, 0);
}

int drvport_entry_net_set_mtu(unsigned int net, unsigned int mtu)
{
	return drvport_net_call(net, set_mtu, mtu, 0, 0);
}

int drvport_entry_net_set_address(unsigned int net, unsigned int mac)
{
	return drvport_net_call(net, set_address, mac, 0, 0);
}

int drvport_entry_net_set_filter(unsigned int net, unsigned int flags, unsigned int list, unsigned int count)
{
	return drvport_net_call(net, set_filter, flags, list, count);
}

int drvport_entry_net_stats(unsigned int net, unsigned int out)
{
	return drvport_net_call(net, read_stats, out, 0, 0);
}
