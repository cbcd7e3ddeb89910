// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings of an interface: MTU, station address, receive filter, features. All under the rtnl lock.
 */
#define DRVPORT_SHIM
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <drvport/net.h>

int dev_validate_mtu(struct net_device *dev, int new_mtu, struct netlink_ext_ack *extack);
int dev_set_mtu_ext(struct net_device *dev, int new_mtu, struct netlink_ext_ack *extack);
void __dev_set_rx_mode(struct net_device *dev);

/* ---- MTU ---- */

int dev_validate_mtu(struct net_device *dev, int new_mtu, struct netlink_ext_ack *extack)
{
	if (new_mtu < 0 || new_mtu < (int)dev->min_mtu)
		return -EINVAL;
	if (dev->max_mtu > 0 && new_mtu > (int)dev->max_mtu)
		return -EINVAL;
	return 0;
}

int __dev_set_mtu(struct net_device *dev, int new_mtu)
{
	if (dev->netdev_ops->ndo_change_mtu)
		return dev->netdev_ops->ndo_change_mtu(dev, new_mtu);
	WRITE_ONCE(dev->mtu, new_mtu);
	return 0;
}

int dev_set_mtu_ext(struct net_device *dev, int new_mtu, struct netlink_ext_ack *extack)
{
	int err, orig = dev->mtu;

	if (new_mtu == orig)
		return 0;
	err = dev_validate_mtu(dev, new_mtu, extack);
	if (err)
		return err;
	if (!netif_device_present(dev))
		return -ENODEV;
	err = notifier_to_errno(drvport_call_notifiers(NETDEV_PRECHANGEMTU, dev));
	if (err)
		return err;
	err = __dev_set_mtu(dev, new_mtu);
	if (err)
		return err;
	err = notifier_to_errno(drvport_call_notifiers(NETDEV_CHANGEMTU, dev));
	if (err)
		__dev_set_mtu(dev, orig);
	drvport_net_changed_desc(dev);
	return err;
}

int dev_set_mtu(struct net_device *dev, int new_mtu)
{
	return dev_set_mtu_ext(dev, new_mtu, NULL);
}

/* ---- station address ---- */

int dev_pre_changeaddr_notify(struct net_device *dev, const char *addr, struct netlink_ext_ack *extack)
{
	struct netdev_notifier_pre_changeaddr_info info = {
		.info.dev = dev,
		.info.extack = extack,
		.dev_addr = addr,
	};

	return notifier_to_errno(call_netdevice_notifiers_info(NETDEV_PRE_CHANGEADDR, &info.info));
}

int dev_set_mac_address(struct net_device *dev, struct sockaddr *sa, struct netlink_ext_ack *extack)
{
	int err;

	if (!dev->netdev_ops->ndo_set_mac_address)
		return -EOPNOTSUPP;
	if (sa->sa_family != dev->type)
		return -EINVAL;
	if (!netif_device_present(dev))
		return -ENODEV;
	err = dev_pre_changeaddr_notify(dev, sa->sa_data, extack);
	if (err)
		return err;
	if (memcmp(dev->dev_addr, sa->sa_data, dev->addr_len)) {
		err = dev->netdev_ops->ndo_set_mac_address(dev, sa);
		if (err)
			return err;
	}
	dev->addr_assign_type = NET_ADDR_SET;
	drvport_call_notifiers(NETDEV_CHANGEADDR, dev);
	drvport_net_changed_desc(dev);
	return 0;
}

int dev_set_mac_address_user(struct net_device *dev, struct sockaddr *sa, struct netlink_ext_ack *extack)
{
	return dev_set_mac_address(dev, sa, extack);
}

/* ---- receive filter ---- */

static void change_rx_flags(struct net_device *dev, int flags)
{
	if ((dev->flags & IFF_UP) && dev->netdev_ops->ndo_change_rx_flags)
		dev->netdev_ops->ndo_change_rx_flags(dev, flags);
}

/* One user more or less of a mode that counts its users; true when it was switched. */
static bool count_users(struct net_device *dev, unsigned int *users, int inc, unsigned int flag)
{
	unsigned int old = dev->flags;

	*users += inc;
	if (*users)
		dev->flags |= flag;
	else
		dev->flags &= ~flag;
	if (dev->flags == old)
		return false;
	change_rx_flags(dev, flag);
	return true;
}

/* A device that cannot filter unicast addresses listens to everything while it has a second one. */
void __dev_set_rx_mode(struct net_device *dev)
{
	if (!(dev->flags & IFF_UP) || !netif_device_present(dev))
		return;
	if (!(dev->priv_flags & IFF_UNICAST_FLT) && netdev_uc_empty(dev) == dev->uc_promisc) {
		dev->uc_promisc = !dev->uc_promisc;
		count_users(dev, &dev->promiscuity, dev->uc_promisc ? 1 : -1, IFF_PROMISC);
	}
	if (dev->netdev_ops->ndo_set_rx_mode)
		dev->netdev_ops->ndo_set_rx_mode(dev);
}

void dev_set_rx_mode(struct net_device *dev)
{
	netif_addr_lock_bh(dev);
	__dev_set_rx_mode(dev);
	netif_addr_unlock_bh(dev);
}

int dev_set_promiscuity(struct net_device *dev, int inc)
{
	ASSERT_RTNL();
	if (dev->promiscuity + inc > INT_MAX)
		return -EOVERFLOW;
	if (count_users(dev, &dev->promiscuity, inc, IFF_PROMISC))
		dev_set_rx_mode(dev);
	return 0;
}

int dev_set_allmulti(struct net_device *dev, int inc)
{
	ASSERT_RTNL();
	if (dev->allmulti + inc > INT_MAX)
		return -EOVERFLOW;
	if (count_users(dev, &dev->allmulti, inc, IFF_ALLMULTI))
		dev_set_rx_mode(dev);
	return 0;
}

/* ---- features ---- */

/* Combinations that make no sense, whoever asked for them. */
static netdev_features_t sane(netdev_features_t f)
{
	if (f & NETIF_F_HW_CSUM)
		f &= ~(NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM);
	if (!(f & NETIF_F_SG))
		f &= ~(NETIF_F_ALL_TSO | NETIF_F_GSO);
	if (!(f & (NETIF_F_HW_CSUM | NETIF_F_IP_CSUM)))
		f &= ~(NETIF_F_TSO | NETIF_F_TSO_ECN);
	if (!(f & (NETIF_F_HW_CSUM | NETIF_F_IPV6_CSUM)))
		f &= ~NETIF_F_TSO6;
	if (!(f & NETIF_F_TSO))
		f &= ~NETIF_F_TSO_MANGLEID;
	if ((f & NETIF_F_ALL_TSO) == NETIF_F_TSO_ECN)
		f &= ~NETIF_F_TSO_ECN;
	if (!(f & NETIF_F_RXCSUM))
		f &= ~NETIF_F_GRO_HW;
	if (f & NETIF_F_RXFCS)
		f &= ~(NETIF_F_LRO | NETIF_F_GRO_HW);
	if (f & NETIF_F_GRO_HW)
		f &= ~NETIF_F_LRO;
	return f;
}

int __netdev_update_features(struct net_device *dev)
{
	netdev_features_t features = (dev->features & ~dev->hw_features) | dev->wanted_features;
	netdev_features_t old = dev->features;
	int err = 0;

	ASSERT_RTNL();
	if (dev->netdev_ops->ndo_fix_features)
		features = dev->netdev_ops->ndo_fix_features(dev, features);
	features = sane(features & ~(dev->gso_partial_features & (features & NETIF_F_GSO_PARTIAL ? 0 : ~0ULL)));
	if (features == old)
		return 0;
	if (dev->netdev_ops->ndo_set_features)
		err = dev->netdev_ops->ndo_set_features(dev, features);
	if (err < 0) {
		netdev_err(dev, "set_features() failed (%d); wanted %pNF, left %pNF\n", err, &features, &dev->features);
		return -1;
	}
	/* A positive answer means the driver has set dev->features itself. */
	if (!err)
		dev->features = features;
	if (dev->features != old)
		drvport_net_changed_desc(dev);
	return 1;
}

void netdev_update_features(struct net_device *dev)
{
	if (__netdev_update_features(dev))
		netdev_features_change(dev);
}

void netdev_change_features(struct net_device *dev)
{
	__netdev_update_features(dev);
	netdev_features_change(dev);
}

void dev_disable_lro(struct net_device *dev)
{
	dev->wanted_features &= ~(NETIF_F_LRO | NETIF_F_GRO_HW);
	netdev_update_features(dev);
}

void netif_set_tso_max_size(struct net_device *dev, unsigned int size)
{
	dev->tso_max_size = min(GSO_MAX_SIZE, size);
	if (size < READ_ONCE(dev->gso_max_size))
		dev->gso_max_size = size;
}

void netif_set_tso_max_segs(struct net_device *dev, unsigned int segs)
{
	dev->tso_max_segs = segs;
	if (segs < READ_ONCE(dev->gso_max_segs))
		dev->gso_max_segs = segs;
}

void netdev_set_default_ethtool_ops(struct net_device *dev, const struct ethtool_ops *ops)
{
	if (!dev->ethtool_ops)
		dev->ethtool_ops = ops;
}

/* ---- traffic classes: queues in groups; one group is all there is to schedule, the numbers are kept for the driver ---- */

int netdev_txq_to_tc(struct net_device *dev, unsigned int txq)
{
	int i;

	for (i = 0; i < dev->num_tc; i++)
		if (txq - dev->tc_to_txq[i].offset < dev->tc_to_txq[i].count)
			return i;
	return dev->num_tc ? -1 : 0;
}

void netdev_reset_tc(struct net_device *dev)
{
	dev->num_tc = 0;
	memset(dev->tc_to_txq, 0, sizeof(dev->tc_to_txq));
	memset(dev->prio_tc_map, 0, sizeof(dev->prio_tc_map));
}

int netdev_set_tc_queue(struct net_device *dev, u8 tc, u16 count, u16 offset)
{
	if (tc >= dev->num_tc)
		return -EINVAL;
	dev->tc_to_txq[tc].count = count;
	dev->tc_to_txq[tc].offset = offset;
	return 0;
}

int netdev_set_num_tc(struct net_device *dev, u8 num_tc)
{
	if (num_tc > TC_MAX_QUEUE)
		return -EINVAL;
	dev->num_tc = num_tc;
	return 0;
}
