// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

unsigned long wild_address = 0x9abcdef0;

static void fault(struct sample *sample)
{
	int *wild = (int *)READ_ONCE(wild_address);

	WRITE_ONCE(*wild, 1); /* FAULT HERE: memory-access */
}

FAULT_DRIVER("Writes far outside its memory");
