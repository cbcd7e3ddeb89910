// SPDX-License-Identifier: GPL-2.0-only
#include "../moments.h"

u16 *shared_numbers;

static noinline void fault(struct sample *sample)
{
	int i;

	WRITE_ONCE(shared_numbers, kcalloc(20, sizeof(u16), GFP_ATOMIC));
	for (i = 0; i <= 20; i++)
		WRITE_ONCE(shared_numbers[i], i); /* FAULT HERE: heap-corruption */
}

FAULT_DRIVER("Writes the element behind an array that it allocated");
