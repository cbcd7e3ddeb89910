// SPDX-License-Identifier: GPL-2.0-only
#include "../moments.h"

u8 *shared_bytes;

static noinline void fault(struct sample *sample)
{
	WRITE_ONCE(shared_bytes, kmalloc(64, GFP_ATOMIC));
	kfree(READ_ONCE(shared_bytes) + 16); /* FAULT HERE: heap-corruption */
}

FAULT_DRIVER("Frees the inside of what it allocated");
