// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

unsigned long stray_address = 0xe7654320;

static void fault(struct sample *sample)
{
	u32 value = readl((void __iomem *)READ_ONCE(stray_address)); /* FAULT HERE: no-capability */

	pr_info("read %x\n", value);
}

FAULT_DRIVER("Reads registers outside every mapping");
