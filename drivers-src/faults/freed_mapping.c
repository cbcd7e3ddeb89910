// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

static noinline void fault(struct sample *sample)
{
	void __iomem *again = pci_iomap(sample->pdev, 1, 0);

	pci_iounmap(sample->pdev, again);
	ioread32(again + REG_TIMER_COUNT); /* FAULT HERE */
}

FAULT_DRIVER("Reads a register through a mapping it has given back");
