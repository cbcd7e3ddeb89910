// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

struct chunk {
	struct chunk *next;
	u8 bytes[3000];
};

struct chunk *hoard;

static void fault(struct sample *sample)
{
	for (;;) {
		struct chunk *chunk = kmalloc(sizeof(*chunk), GFP_KERNEL); /* FAULT HERE: out-of-memory */

		chunk->next = hoard;
		hoard = chunk;
	}
}

FAULT_DRIVER("Allocates without end, where it may wait for memory");
