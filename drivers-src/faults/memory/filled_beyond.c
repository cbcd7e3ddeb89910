// SPDX-License-Identifier: GPL-2.0-only
#include "../moments.h"

u8 *shared_bytes;
size_t shared_size = 40;

static noinline void fault(struct sample *sample)
{
	WRITE_ONCE(shared_bytes, kmalloc(READ_ONCE(shared_size), GFP_ATOMIC));
	memset(READ_ONCE(shared_bytes), 0, READ_ONCE(shared_size) + 4); /* FAULT HERE: heap-corruption */
}

FAULT_DRIVER("Clears more than it allocated");
