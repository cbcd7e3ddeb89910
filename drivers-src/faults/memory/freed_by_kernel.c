// SPDX-License-Identifier: GPL-2.0-only
#include <linux/skbuff.h>
#include "../moments.h"

struct sk_buff *shared_skb;

static noinline void fault(struct sample *sample)
{
	WRITE_ONCE(shared_skb, alloc_skb(100, GFP_ATOMIC));
	consume_skb(READ_ONCE(shared_skb));
	pr_info("%u\n", READ_ONCE(shared_skb->len)); /* FAULT HERE: heap-corruption */
}

FAULT_DRIVER("Reads a frame that it has given back");
