// SPDX-License-Identifier: GPL-2.0-only
#include "../moments.h"

u8 *shared_bytes;

static noinline void fault(struct sample *sample)
{
	WRITE_ONCE(shared_bytes, kzalloc(13, GFP_ATOMIC));
	pr_info("%u\n", READ_ONCE(shared_bytes[13])); /* FAULT HERE: heap-corruption */
}

FAULT_DRIVER("Reads the byte behind what it allocated");
