// SPDX-License-Identifier: GPL-2.0-only
#include "../moments.h"

u32 *shared_words;

static noinline void fault(struct sample *sample)
{
	WRITE_ONCE(shared_words, kmalloc(64, GFP_ATOMIC));
	kfree(READ_ONCE(shared_words));
	WRITE_ONCE(shared_words[3], 1); /* FAULT HERE: heap-corruption */
}

FAULT_DRIVER("Writes memory that it has freed");
