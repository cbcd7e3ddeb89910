// SPDX-License-Identifier: GPL-2.0-only
#include <linux/dma-mapping.h>
#include "moments.h"

static char buffer[256];

static noinline void fault(struct sample *sample)
{
	dma_map_single(&sample->pdev->dev, buffer, sizeof(buffer), DMA_FROM_DEVICE);
}

FAULT_DRIVER("Leaves a DMA window open when its device goes");
