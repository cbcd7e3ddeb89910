// SPDX-License-Identifier: GPL-2.0-only
#include <linux/klist.h>
#include "../moments.h"

struct entry {
	struct klist_node node;
	int value;
} *shared_entry;

static struct klist list = KLIST_INIT(list, NULL, NULL);

static noinline void fault(struct sample *sample)
{
	WRITE_ONCE(shared_entry, kzalloc(sizeof(*shared_entry), GFP_ATOMIC));
	klist_add_tail(&READ_ONCE(shared_entry)->node, &list);
	kfree(READ_ONCE(shared_entry));
	klist_del(&READ_ONCE(shared_entry)->node); /* FAULT HERE: heap-corruption */
}

FAULT_DRIVER("Has the kernel use a list whose entry it has freed");
