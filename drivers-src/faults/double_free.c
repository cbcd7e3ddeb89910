// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

u8 *shared_buffer;

static noinline void release(void)
{
	kfree(READ_ONCE(shared_buffer)); /* FAULT HERE: heap-corruption */
}

static void fault(struct sample *sample)
{
	WRITE_ONCE(shared_buffer, kmalloc(64, GFP_ATOMIC));
	release();
	release();
}

FAULT_DRIVER("Frees the same memory twice");
