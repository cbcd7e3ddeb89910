// SPDX-License-Identifier: GPL-2.0-only
/*
 * The chain that hears of everything happening to interfaces of this domain.
 */
#include <linux/netdevice.h>
#include <linux/notifier.h>
#include <linux/rtnetlink.h>
#include <net/net_namespace.h>
#include <drvport/net.h>

static RAW_NOTIFIER_HEAD(netdev_chain);

int drvport_call_notifiers(unsigned long event, struct net_device *dev)
{
	struct netdev_notifier_info info = { .dev = dev };

	return raw_notifier_call_chain(&netdev_chain, event, &info);
}

int call_netdevice_notifiers(unsigned long val, struct net_device *dev)
{
	return drvport_call_notifiers(val, dev);
}

int call_netdevice_notifiers_info(unsigned long val, struct netdev_notifier_info *info)
{
	return raw_notifier_call_chain(&netdev_chain, val, info);
}

/* A new listener hears of the interfaces that are already there. */
int register_netdevice_notifier(struct notifier_block *nb)
{
	struct drvport_netif *netif;
	int err;

	rtnl_lock();
	err = raw_notifier_chain_register(&netdev_chain, nb);
	if (!err) {
		list_for_each_entry(netif, &drvport_netifs, list) {
			struct netdev_notifier_info info = { .dev = netif->dev };

			nb->notifier_call(nb, NETDEV_REGISTER, &info);
			if (netif->dev->flags & IFF_UP)
				nb->notifier_call(nb, NETDEV_UP, &info);
		}
	}
	rtnl_unlock();
	return err;
}

int unregister_netdevice_notifier(struct notifier_block *nb)
{
	int err;

	rtnl_lock();
	err = raw_notifier_chain_unregister(&netdev_chain, nb);
	rtnl_unlock();
	return err;
}

int register_netdevice_notifier_net(struct net *net, struct notifier_block *nb)
{
	return register_netdevice_notifier(nb);
}

int unregister_netdevice_notifier_net(struct net *net, struct notifier_block *nb)
{
	return unregister_netdevice_notifier(nb);
}

void netdev_state_change(struct net_device *dev)
{
	if (dev->flags & IFF_UP)
		drvport_call_notifiers(NETDEV_CHANGE, dev);
}

void netdev_features_change(struct net_device *dev)
{
	drvport_call_notifiers(NETDEV_FEAT_CHANGE, dev);
}

void __netdev_notify_peers(struct net_device *dev)
{
	drvport_call_notifiers(NETDEV_NOTIFY_PEERS, dev);
	drvport_call_notifiers(NETDEV_RESEND_IGMP, dev);
}

void netdev_notify_peers(struct net_device *dev)
{
	rtnl_lock();
	__netdev_notify_peers(dev);
	rtnl_unlock();
}
