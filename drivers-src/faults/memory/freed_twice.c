// SPDX-License-Identifier: GPL-2.0-only
#include "../moments.h"

u8 *shared_bytes;

static noinline void fault(struct sample *sample)
{
	void *other = kmalloc(64, GFP_ATOMIC);

	WRITE_ONCE(shared_bytes, kmalloc(64, GFP_ATOMIC));
	kfree(READ_ONCE(shared_bytes));
	kfree(other);
	kfree(READ_ONCE(shared_bytes)); /* FAULT HERE: heap-corruption */
}

FAULT_DRIVER("Frees the same memory twice, something else between");
