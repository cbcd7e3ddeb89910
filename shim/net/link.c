// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carrier: the driver says so at any moment, also in an interrupt; the machine hears at once, the rest of the domain (the
 * operational state, the notifier chain) from a work item, as with Linux's linkwatch.
 */
#define DRVPORT_SHIM
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/workqueue.h>
#include <drvport/net.h>

static LIST_HEAD(changed);
static DEFINE_SPINLOCK(changed_lock);

void drvport_link_tell(struct net_device *dev)
{
	struct drvport_netif *netif = drvport_netif(dev);
	bool up = netif_carrier_ok(dev);

	if (netif->handle < 0 || up == netif->told_carrier)
		return;
	netif->told_carrier = up;
	drvport_net_carrier(netif->handle, up);
}

static void set_operstate(struct net_device *dev)
{
	if (netif_dormant(dev))
		dev->operstate = IF_OPER_DORMANT;
	else
		dev->operstate = netif_carrier_ok(dev) ? IF_OPER_UP : IF_OPER_DOWN;
}

static struct net_device *next_changed(void)
{
	struct net_device *dev;
	unsigned long flags;

	spin_lock_irqsave(&changed_lock, flags);
	dev = list_first_entry_or_null(&changed, struct net_device, link_watch_list);
	if (dev)
		list_del_init(&dev->link_watch_list);
	spin_unlock_irqrestore(&changed_lock, flags);
	return dev;
}

static void link_changed(struct net_device *dev)
{
	clear_bit(__LINK_STATE_LINKWATCH_PENDING, &dev->state);
	set_operstate(dev);
	if (dev->flags & IFF_UP)
		drvport_call_notifiers(NETDEV_CHANGE, dev);
}

static void link_work(struct work_struct *work)
{
	struct net_device *dev;

	rtnl_lock();
	while ((dev = next_changed()))
		link_changed(dev);
	rtnl_unlock();
}

static DECLARE_WORK(link_event, link_work);

void linkwatch_fire_event(struct net_device *dev)
{
	unsigned long flags;

	drvport_link_tell(dev);
	if (test_and_set_bit(__LINK_STATE_LINKWATCH_PENDING, &dev->state))
		return;
	spin_lock_irqsave(&changed_lock, flags);
	if (list_empty(&dev->link_watch_list))
		list_add_tail(&dev->link_watch_list, &changed);
	spin_unlock_irqrestore(&changed_lock, flags);
	schedule_work(&link_event);
}

/* Somebody is about to tell the state of one device: it is to be the newest. The caller holds the RTNL. */
void linkwatch_sync_dev(struct net_device *dev)
{
	unsigned long flags;
	bool was_changed;

	spin_lock_irqsave(&changed_lock, flags);
	was_changed = !list_empty(&dev->link_watch_list);
	list_del_init(&dev->link_watch_list);
	spin_unlock_irqrestore(&changed_lock, flags);
	if (was_changed)
		link_changed(dev);
}

/* The device goes away: nothing may be left on the list. */
void drvport_link_forget(struct net_device *dev)
{
	unsigned long flags;

	spin_lock_irqsave(&changed_lock, flags);
	list_del_init(&dev->link_watch_list);
	spin_unlock_irqrestore(&changed_lock, flags);
	clear_bit(__LINK_STATE_LINKWATCH_PENDING, &dev->state);
}

void netif_carrier_on(struct net_device *dev)
{
	if (!test_and_clear_bit(__LINK_STATE_NOCARRIER, &dev->state))
		return;
	if (dev->reg_state == NETREG_UNINITIALIZED)
		return;
	atomic_inc(&dev->carrier_up_count);
	linkwatch_fire_event(dev);
	if (netif_running(dev))
		__netdev_watchdog_up(dev);
}

void netif_carrier_off(struct net_device *dev)
{
	if (test_and_set_bit(__LINK_STATE_NOCARRIER, &dev->state))
		return;
	if (dev->reg_state == NETREG_UNINITIALIZED)
		return;
	atomic_inc(&dev->carrier_down_count);
	linkwatch_fire_event(dev);
}

/* The link came and went between two looks. */
void netif_carrier_event(struct net_device *dev)
{
	if (dev->reg_state == NETREG_UNINITIALIZED)
		return;
	atomic_inc(&dev->carrier_up_count);
	atomic_inc(&dev->carrier_down_count);
	linkwatch_fire_event(dev);
}

