// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tree's buffer code calls when a buffer carries something of a protocol stack: a route, a connection, a socket,
 * a security association. No stack is in the domain, so no buffer ever does; each of these is a stub that says so if called.
 */
#include <linux/bug.h>
#include <linux/jump_label.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/mctp.h>
#include <net/sock.h>
#include <net/xfrm.h>

DEFINE_STATIC_KEY_FALSE(memalloc_socks_key);

void dst_release(struct dst_entry *dst)
{
	WARN_ON_ONCE(dst);
}

void sock_edemux(struct sk_buff *skb)
{
	WARN_ON_ONCE(skb->sk);
}

#if IS_ENABLED(CONFIG_NF_CONNTRACK)
void nf_conntrack_destroy(struct nf_conntrack *nfct)
{
	WARN_ON_ONCE(1);
}
#endif

#ifdef CONFIG_XFRM
void __xfrm_state_destroy(struct xfrm_state *x)
{
	WARN_ON_ONCE(1);
}
#endif

#ifdef CONFIG_MCTP_FLOWS
void mctp_key_unref(struct mctp_sk_key *key)
{
	WARN_ON_ONCE(1);
}
#endif
