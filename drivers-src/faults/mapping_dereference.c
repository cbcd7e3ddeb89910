// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

static void fault(struct sample *sample)
{
	volatile u32 *registers = (__force u32 *)sample->regs;

	registers[0] = 1; /* FAULT HERE: memory-access */
}

FAULT_DRIVER("Dereferences device registers instead of calling writel");
