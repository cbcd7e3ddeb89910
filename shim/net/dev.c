// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of an interface: allocated, registered (and so offered to the machine), opened, closed, unregistered, freed.
 *
 * Must not know: any driver; how the machine names or connects interfaces.
 */
#define DRVPORT_SHIM
#include <linux/ctype.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>
#include <net/pkt_sched.h>
#if __has_include(<net/netdev_rx_queue.h>)
#include <net/netdev_rx_queue.h>
#endif
#include <drvport/core.h>
#include <drvport/net.h>

/* The tree's net/core/dev_addr_lists.c and skbuff.c; their header is private to net/core. */
int dev_addr_init(struct net_device *dev);
void dev_addr_flush(struct net_device *dev);
void skb_init(void);

LIST_HEAD(drvport_netifs);
static LIST_HEAD(todo);

static void net_release(struct device *d);
static struct class net_class = { .name = "net", .dev_release = net_release };

/* Before the first interface or buffer. */
void drvport_net_init(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	skb_init();
	drvport_napi_init();
	drvport_tx_init();
	if (class_register(&net_class))
		pr_err("no class for network interfaces\n");
}

struct net_device *drvport_net_find(unsigned int handle)
{
	struct drvport_netif *netif;

	list_for_each_entry(netif, &drvport_netifs, list)
		if (netif->handle == (int)handle)
			return netif->dev;
	return NULL;
}

/* ---- names ---- */

bool dev_valid_name(const char *name)
{
	if (!*name || strnlen(name, IFNAMSIZ) == IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || isspace(*name))
			return false;
	return true;
}

struct net_device *__dev_get_by_name(struct net *net, const char *name)
{
	struct drvport_netif *netif;

	list_for_each_entry(netif, &drvport_netifs, list)
		if (!strncmp(netif->dev->name, name, IFNAMSIZ))
			return netif->dev;
	return NULL;
}

struct net_device *dev_get_by_name_rcu(struct net *net, const char *name)
{
	return __dev_get_by_name(net, name);
}

struct net_device *dev_get_by_name(struct net *net, const char *name)
{
	struct net_device *dev = __dev_get_by_name(net, name);

	dev_hold(dev);
	return dev;
}

struct net_device *__dev_get_by_index(struct net *net, int ifindex)
{
	struct drvport_netif *netif;

	list_for_each_entry(netif, &drvport_netifs, list)
		if (netif->dev->ifindex == ifindex)
			return netif->dev;
	return NULL;
}

struct net_device *dev_get_by_index_rcu(struct net *net, int ifindex)
{
	return __dev_get_by_index(net, ifindex);
}

struct net_device *dev_get_by_index(struct net *net, int ifindex)
{
	struct net_device *dev = __dev_get_by_index(net, ifindex);

	dev_hold(dev);
	return dev;
}

bool netdev_name_in_use(struct net *net, const char *name)
{
	return __dev_get_by_name(net, name);
}

/* Put the first free number in place of %d. Returns it, or an error. */
int dev_alloc_name(struct net_device *dev, const char *name)
{
	char buf[IFNAMSIZ];
	int i;

	if (!dev_valid_name(name))
		return -EINVAL;
	if (!strchr(name, '%')) {
		if (netdev_name_in_use(dev_net(dev), name))
			return -EEXIST;
		strscpy(dev->name, name, IFNAMSIZ);
		return 0;
	}
	if (strchr(name, '%')[1] != 'd')
		return -EINVAL;
	for (i = 0; i < 32768; i++) {
		snprintf(buf, IFNAMSIZ, name, i);
		if (!netdev_name_in_use(dev_net(dev), buf)) {
			strscpy(dev->name, buf, IFNAMSIZ);
			return i;
		}
	}
	return -ENFILE;
}

/* ---- allocation ---- */

static void init_lists(struct net_device *dev)
{
	INIT_LIST_HEAD(&dev->napi_list);
	INIT_LIST_HEAD(&dev->unreg_list);
	INIT_LIST_HEAD(&dev->close_list);
	INIT_LIST_HEAD(&dev->link_watch_list);
	INIT_LIST_HEAD(&dev->adj_list.upper);
	INIT_LIST_HEAD(&dev->adj_list.lower);
	INIT_LIST_HEAD(&dev->ptype_all);
	INIT_LIST_HEAD(&dev->ptype_specific);
	INIT_LIST_HEAD(&dev->net_notifier_list);
	INIT_LIST_HEAD(&dev->todo_list);
}

static int alloc_refs(struct net_device *dev)
{
#ifdef CONFIG_PCPU_DEV_REFCNT
	dev->pcpu_refcnt = alloc_percpu(int);
	if (!dev->pcpu_refcnt)
		return -ENOMEM;
	__dev_hold(dev);
#else
	refcount_set(&dev->dev_refcnt, 1);
#endif
	return 0;
}

static int alloc_rx_queues(struct net_device *dev, unsigned int count)
{
	unsigned int i;

	dev->_rx = kvzalloc(array_size(count, sizeof(*dev->_rx)), GFP_KERNEL);
	if (!dev->_rx)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		dev->_rx[i].dev = dev;
	dev->num_rx_queues = count;
	dev->real_num_rx_queues = count;
	return 0;
}

struct net_device *alloc_netdev_mqs(int sizeof_priv, const char *name, unsigned char name_assign_type,
				    void (*setup)(struct net_device *), unsigned int txqs, unsigned int rxqs)
{
	struct drvport_netif *netif;
	struct net_device *dev;

	drvport_net_init();
	if (txqs < 1 || rxqs < 1 || strlen(name) >= IFNAMSIZ)
		return NULL;
	/* Our record, Linux's, the driver's. */
	netif = kvzalloc(sizeof(*netif) + ALIGN(sizeof(*dev), NETDEV_ALIGN) + sizeof_priv, GFP_KERNEL);
	if (!netif)
		return NULL;
	dev = (struct net_device *)(netif + 1);
	netif->dev = dev;
	netif->handle = -1;
	INIT_LIST_HEAD(&netif->list);
	init_lists(dev);
	if (alloc_refs(dev) || dev_addr_init(dev))
		goto fail;
	dev_mc_init(dev);
	dev_uc_init(dev);
	spin_lock_init(&dev->addr_list_lock);
	dev_net_set(dev, &init_net);
	dev->gso_max_size = GSO_LEGACY_MAX_SIZE;
	dev->gso_max_segs = GSO_MAX_SEGS;
	dev->tso_max_size = TSO_LEGACY_MAX_SIZE;
	dev->tso_max_segs = TSO_MAX_SEGS;
	dev->gro_max_size = GRO_LEGACY_MAX_SIZE;
	dev->upper_level = 1;
	dev->lower_level = 1;
	dev->priv_flags = IFF_XMIT_DST_RELEASE | IFF_XMIT_DST_RELEASE_PERM;
	setup(dev);
	if (!dev->tx_queue_len)
		dev->tx_queue_len = DEFAULT_TX_QUEUE_LEN;
	if (drvport_tx_alloc_queues(dev, txqs) || alloc_rx_queues(dev, rxqs))
		goto fail;
	strcpy(dev->name, name);
	dev->name_assign_type = name_assign_type;
	return dev;
fail:
	free_netdev(dev);
	return NULL;
}

static void free_memory(struct net_device *dev)
{
	kvfree(drvport_netif(dev));
}

static void net_release(struct device *d)
{
	free_memory(to_net_dev(d));
}

void free_netdev(struct net_device *dev)
{
	struct napi_struct *p, *n;

	might_sleep();
	/* Still on the way out of unregister_netdevice: what comes after the lock frees it. */
	if (dev->reg_state == NETREG_UNREGISTERING) {
		ASSERT_RTNL();
		dev->needs_free_netdev = true;
		return;
	}
	drvport_tx_free_queues(dev);
	kvfree(dev->_rx);
	dev_addr_flush(dev);
	dev_uc_flush(dev);
	dev_mc_flush(dev);
	list_for_each_entry_safe(p, n, &dev->napi_list, dev_list)
		netif_napi_del(p);
#ifdef CONFIG_PCPU_DEV_REFCNT
	free_percpu(dev->pcpu_refcnt);
	dev->pcpu_refcnt = NULL;
#endif
	free_percpu(dev->core_stats);
	dev->core_stats = NULL;
	if (dev->reg_state == NETREG_UNINITIALIZED || dev->reg_state == NETREG_DUMMY) {
		free_memory(dev);
		return;
	}
	BUG_ON(dev->reg_state != NETREG_UNREGISTERED);
	dev->reg_state = NETREG_RELEASED;
	put_device(&dev->dev);
}

/* ---- registration ---- */

/* What the stack itself would do in software, and what every device may be asked for. */
static void init_features(struct net_device *dev)
{
	dev->hw_features |= NETIF_F_SOFT_FEATURES;
	dev->features |= NETIF_F_SOFT_FEATURES;
	dev->wanted_features = dev->features & dev->hw_features;
	if (!(dev->flags & IFF_LOOPBACK))
		dev->hw_features |= NETIF_F_NOCACHE_COPY;
	dev->vlan_features |= NETIF_F_HIGHDMA;
}

static int add_device(struct net_device *dev)
{
	struct device *d = &dev->dev;
	int err;

	device_initialize(d);
	d->class = &net_class;
	d->platform_data = dev;
	err = dev_set_name(d, "%s", dev->name);
	if (err)
		return err;
	return device_add(d);
}

int register_netdevice(struct net_device *dev)
{
	static int last_index;
	int err;

	ASSERT_RTNL();
	BUG_ON(dev->reg_state != NETREG_UNINITIALIZED);
	err = dev_alloc_name(dev, dev->name);
	if (err < 0)
		return err;
	if (dev->netdev_ops->ndo_init) {
		err = dev->netdev_ops->ndo_init(dev);
		if (err)
			return err > 0 ? -EIO : err;
	}
	if (!dev->ifindex)
		dev->ifindex = ++last_index;
	init_features(dev);
	err = notifier_to_errno(drvport_call_notifiers(NETDEV_POST_INIT, dev));
	if (!err)
		err = add_device(dev);
	if (err)
		goto undo_init;
	dev->reg_state = NETREG_REGISTERED;
	__netdev_update_features(dev);
	set_bit(__LINK_STATE_PRESENT, &dev->state);
	if (dev->addr_assign_type == NET_ADDR_PERM)
		memcpy(dev->perm_addr, dev->dev_addr, dev->addr_len);
	list_add_tail(&drvport_netif(dev)->list, &drvport_netifs);
	list_add_tail_rcu(&dev->dev_list, &dev_net(dev)->dev_base_head);
	dev_hold(dev);
	drvport_held.devices++;
	err = drvport_net_offer(dev);
	if (!err)
		err = notifier_to_errno(drvport_call_notifiers(NETDEV_REGISTER, dev));
	if (err) {
		dev->needs_free_netdev = false;
		unregister_netdevice_queue(dev, NULL);
	}
	return err;
undo_init:
	if (dev->netdev_ops->ndo_uninit)
		dev->netdev_ops->ndo_uninit(dev);
	if (dev->priv_destructor)
		dev->priv_destructor(dev);
	return err;
}

int register_netdev(struct net_device *dev)
{
	int err;

	rtnl_lock();
	err = register_netdevice(dev);
	rtnl_unlock();
	return err;
}

void unregister_netdevice_queue(struct net_device *dev, struct list_head *head)
{
	ASSERT_RTNL();
	/* A list is there to batch waits for RCU; there is nothing to wait for, so each goes at once. */
	if (dev->reg_state == NETREG_UNINITIALIZED) {
		WARN_ON(1);
		return;
	}
	dev->dismantle = true;
	dev_close(dev);
	dev->reg_state = NETREG_UNREGISTERING;
	drvport_net_withdraw(dev);
	drvport_call_notifiers(NETDEV_UNREGISTER, dev);
	dev_uc_flush(dev);
	dev_mc_flush(dev);
	if (dev->netdev_ops->ndo_uninit)
		dev->netdev_ops->ndo_uninit(dev);
	drvport_link_forget(dev);
	list_del_init(&drvport_netif(dev)->list);
	list_del_rcu(&dev->dev_list);
	device_del(&dev->dev);
	dev_put(dev);
	drvport_held.devices--;
	list_add_tail(&dev->todo_list, &todo);
}

void unregister_netdevice_many(struct list_head *head)
{
	INIT_LIST_HEAD(head);
}

void unregister_netdev(struct net_device *dev)
{
	rtnl_lock();
	unregister_netdevice_queue(dev, NULL);
	rtnl_unlock();
}

static void finish_unregister(struct net_device *dev)
{
	rcu_barrier();
	drvport_rx_flush();
	WARN_ON(netdev_refcnt_read(dev) > 1);
	dev->reg_state = NETREG_UNREGISTERED;
	if (dev->priv_destructor)
		dev->priv_destructor(dev);
	if (dev->needs_free_netdev)
		free_netdev(dev);
}

/* After the lock was released: the devices unregistered under it. */
void drvport_net_run_todo(void)
{
	LIST_HEAD(list);

	list_splice_init(&todo, &list);
	while (!list_empty(&list)) {
		struct net_device *dev = list_first_entry(&list, struct net_device, todo_list);

		list_del_init(&dev->todo_list);
		finish_unregister(dev);
	}
}

int netdev_refcnt_read(const struct net_device *dev)
{
#ifdef CONFIG_PCPU_DEV_REFCNT
	return *per_cpu_ptr(dev->pcpu_refcnt, 0);
#else
	return refcount_read(&dev->dev_refcnt);
#endif
}

void synchronize_net(void)
{
	might_sleep();
	synchronize_rcu();
}

/* ---- up and down ---- */

/* As the VLAN module does for any filtering device that goes up: frames tagged with priority only must pass. */
static void vlan_zero(struct net_device *dev, bool add)
{
	struct drvport_netif *netif = drvport_netif(dev);
	const struct net_device_ops *ops = dev->netdev_ops;

	if (add == netif->vlan0)
		return;
	if (add && (dev->features & NETIF_F_HW_VLAN_CTAG_FILTER) && ops->ndo_vlan_rx_add_vid)
		netif->vlan0 = !ops->ndo_vlan_rx_add_vid(dev, htons(ETH_P_8021Q), 0);
	else if (!add && ops->ndo_vlan_rx_kill_vid) {
		ops->ndo_vlan_rx_kill_vid(dev, htons(ETH_P_8021Q), 0);
		netif->vlan0 = 0;
	}
}

int __dev_open(struct net_device *dev, struct netlink_ext_ack *extack)
{
	const struct net_device_ops *ops = dev->netdev_ops;
	int err;

	ASSERT_RTNL();
	if (!netif_device_present(dev))
		return -ENODEV;
	err = notifier_to_errno(drvport_call_notifiers(NETDEV_PRE_UP, dev));
	if (err)
		return err;
	set_bit(__LINK_STATE_START, &dev->state);
	if (ops->ndo_validate_addr)
		err = ops->ndo_validate_addr(dev);
	if (!err && ops->ndo_open)
		err = ops->ndo_open(dev);
	if (err) {
		clear_bit(__LINK_STATE_START, &dev->state);
		return err;
	}
	dev->flags |= IFF_UP;
	vlan_zero(dev, true);
	dev_set_rx_mode(dev);
	drvport_tx_activate(dev);
	return 0;
}

int dev_open(struct net_device *dev, struct netlink_ext_ack *extack)
{
	int err;

	if (dev->flags & IFF_UP)
		return 0;
	err = __dev_open(dev, extack);
	if (!err)
		drvport_call_notifiers(NETDEV_UP, dev);
	return err;
}

void dev_close(struct net_device *dev)
{
	ASSERT_RTNL();
	if (!(dev->flags & IFF_UP))
		return;
	might_sleep();
	drvport_call_notifiers(NETDEV_GOING_DOWN, dev);
	vlan_zero(dev, false);
	clear_bit(__LINK_STATE_START, &dev->state);
	drvport_tx_deactivate(dev);
	if (dev->netdev_ops->ndo_stop)
		dev->netdev_ops->ndo_stop(dev);
	dev->flags &= ~IFF_UP;
	drvport_call_notifiers(NETDEV_DOWN, dev);
}

void dev_close_many(struct list_head *head, bool unlink)
{
	struct net_device *dev, *next;

	list_for_each_entry_safe(dev, next, head, close_list) {
		dev_close(dev);
		if (unlink)
			list_del_init(&dev->close_list);
	}
}

unsigned int dev_get_flags(const struct net_device *dev)
{
	unsigned int flags = (dev->flags & ~(IFF_PROMISC | IFF_ALLMULTI | IFF_RUNNING | IFF_LOWER_UP | IFF_DORMANT)) |
			     (dev->gflags & (IFF_PROMISC | IFF_ALLMULTI));

	if (netif_running(dev)) {
		if (netif_oper_up(dev))
			flags |= IFF_RUNNING;
		if (netif_carrier_ok(dev))
			flags |= IFF_LOWER_UP;
	}
	return flags;
}

int dev_change_flags(struct net_device *dev, unsigned int flags, struct netlink_ext_ack *extack)
{
	int err = 0;

	if ((dev->flags ^ flags) & IFF_UP) {
		if (flags & IFF_UP)
			err = dev_open(dev, extack);
		else
			dev_close(dev);
	}
	return err;
}
