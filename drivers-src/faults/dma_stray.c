// SPDX-License-Identifier: GPL-2.0-only
#include "moments.h"

#define REG_TX_STATUS0 0x10
#define REG_TX_START0 0x20
#define COMMAND_TX_ENABLE 0x04

static void fault(struct sample *sample)
{
	iowrite8(COMMAND_TX_ENABLE, sample->regs + REG_COMMAND);
	iowrite32(0x00123450, sample->regs + REG_TX_START0);
	iowrite32(64, sample->regs + REG_TX_STATUS0); /* FAULT HERE: dma-stray */
	mdelay(1);
}

FAULT_DRIVER("Has its device read memory that was never mapped for it");
