// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tree's buffer code calls when a buffer carries something of a protocol stack: a route, a connection, a socket,
 * a security association. No stack is in the domain, so no buffer ever does; each of these is a stub that says so if called.
 */
#include <linux/bug.h>
#include <linux/jump_label.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
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

/* No socket waits for a transmit time stamp or an error. */
int sysctl_tstamp_allow_data;

void sk_error_report(struct sock *sk)
{
	WARN_ON_ONCE(1);
}

struct sk_buff *tcp_get_timestamping_opt_stats(const struct sock *sk, const struct sk_buff *orig_skb,
					       const struct sk_buff *ack_skb)
{
	return NULL;
}

#ifdef CONFIG_NETWORK_PHY_TIMESTAMPING
/* Asked before every transmit; only a socket's buffer can want a stamp. */
void skb_clone_tx_timestamp(struct sk_buff *skb)
{
}

/* No PHY time stamper is registered in the domain. */
bool skb_defer_rx_timestamp(struct sk_buff *skb)
{
	return false;
}
#endif

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
