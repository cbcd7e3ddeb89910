// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree's buffer code keeps freed buffers at hand for the next packet. When the last driver has gone they are given
 * back, so that what is left afterwards is what somebody forgot.
 */
#define DRVPORT_SHIM
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <drvport/core.h>
#include <drvport/net.h>

/* The cache holds at most 64 and is filled 16 at a time. */
#define HELD_MAX 96

static struct sk_buff *take(struct page *page)
{
	struct sk_buff *skb = napi_build_skb(page_address(page), PAGE_SIZE);

	if (skb)
		get_page(page);
	return skb;
}

/* Small buffers share a page, four to one: a new page means the old one is used up, and three more use up the new one. */
static void drain_small(void)
{
	static struct napi_struct napi;
	struct sk_buff *held[8];
	unsigned int n = 0, more = 5, before;

	while (n < ARRAY_SIZE(held) && more) {
		before = drvport_held.pages;
		held[n] = napi_alloc_skb(&napi, 128);
		if (!held[n])
			break;
		n++;
		more = drvport_held.pages != before ? 3 : more - 1;
	}
	while (n)
		kfree_skb(held[--n]);
}

/* A buffer head comes from the cache until that is empty; then the heap grows by a batch, of which the rest is taken too. */
void drvport_net_drain(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct sk_buff *held[HELD_MAX];
	unsigned int n = 0, before, batch = 0;

	if (!page)
		return;
	local_bh_disable();
	drain_small();
	while (!batch && n < HELD_MAX) {
		before = drvport_held.heap_objects;
		held[n] = take(page);
		if (!held[n])
			break;
		n++;
		batch = drvport_held.heap_objects - before;
	}
	while (batch > 1 && n < HELD_MAX && (held[n] = take(page))) {
		n++;
		batch--;
	}
	while (n)
		kfree_skb(held[--n]);
	local_bh_enable();
	put_page(page);
}
