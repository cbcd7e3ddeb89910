// SPDX-License-Identifier: GPL-2.0-only
#include "../moments.h"

u32 *shared_words;

static noinline void fault(struct sample *sample)
{
	WRITE_ONCE(shared_words, kzalloc(64, GFP_ATOMIC));
	pr_info("%u\n", READ_ONCE(shared_words[-1])); /* FAULT HERE: heap-corruption */
}

FAULT_DRIVER("Reads in front of what it allocated");
