// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network namespaces: there is one, and it lasts as long as the domain. Who keeps something in every namespace keeps it in
 * this one: set up when it registers, taken down when it unregisters.
 */
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <drvport/compat.h>

/* Pointers share their array with its header, which takes the place of the first ones. */
#define FIRST_ID	DIV_ROUND_UP(sizeof(struct net_generic), sizeof(void *))
#define IDS		64

static union {
	struct net_generic generic;
	void *ptr[IDS];
} kept;

struct net init_net = {
	.gen = &kept.generic,
	.exit_list = LIST_HEAD_INIT(init_net.exit_list),
	.dev_base_head = LIST_HEAD_INIT(init_net.dev_base_head),
};

static DEFINE_MUTEX(lock);
static DECLARE_BITMAP(ids, IDS);

static int setup(struct pernet_operations *ops)
{
	unsigned int id;
	int err;

	if (ops->id) {
		id = find_next_zero_bit(ids, IDS, FIRST_ID);
		if (id >= IDS)
			return -ENOSPC;
		if (ops->size) {
			kept.ptr[id] = kzalloc(ops->size, GFP_KERNEL);
			if (!kept.ptr[id])
				return -ENOMEM;
		}
		__set_bit(id, ids);
		*ops->id = id;
	}
	err = ops->init ? ops->init(&init_net) : 0;
	if (err && ops->id) {
		kfree(kept.ptr[id]);
		kept.ptr[id] = NULL;
		__clear_bit(id, ids);
	}
	return err;
}

/* Under the RTNL, and the interfaces that it names go together. */
static void exit_locked(struct pernet_operations *ops, struct list_head *nets)
{
	LIST_HEAD(dead);

	rtnl_lock();
	if (ops->exit_batch_rtnl)
		ops->exit_batch_rtnl(nets, &dead);
#ifdef DRVPORT_PERNET_EXIT_RTNL
	if (ops->exit_rtnl)
		ops->exit_rtnl(&init_net, &dead);
#endif
	unregister_netdevice_many(&dead);
	rtnl_unlock();
}

static void takedown(struct pernet_operations *ops)
{
	LIST_HEAD(nets);

	list_add(&init_net.exit_list, &nets);
	if (ops->pre_exit)
		ops->pre_exit(&init_net);
	exit_locked(ops, &nets);
	if (ops->exit)
		ops->exit(&init_net);
	if (ops->exit_batch)
		ops->exit_batch(&nets);
	list_del_init(&init_net.exit_list);
	if (!ops->id)
		return;
	kfree(kept.ptr[*ops->id]);
	kept.ptr[*ops->id] = NULL;
	__clear_bit(*ops->id, ids);
}

int register_pernet_subsys(struct pernet_operations *ops)
{
	int err;

	mutex_lock(&lock);
	err = setup(ops);
	mutex_unlock(&lock);
	return err;
}

void unregister_pernet_subsys(struct pernet_operations *ops)
{
	mutex_lock(&lock);
	takedown(ops);
	mutex_unlock(&lock);
}

int register_pernet_device(struct pernet_operations *ops)
{
	return register_pernet_subsys(ops);
}

void unregister_pernet_device(struct pernet_operations *ops)
{
	unregister_pernet_subsys(ops);
}
