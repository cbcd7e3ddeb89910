// SPDX-License-Identifier: GPL-2.0-only
#include <linux/dma-mapping.h>
#include "moments.h"

static char buffer[256];

static noinline void fault(struct sample *sample)
{
	struct device *dev = &sample->pdev->dev;
	dma_addr_t at = dma_map_single(dev, buffer, sizeof(buffer), DMA_TO_DEVICE);

	dma_unmap_single(dev, at, sizeof(buffer), DMA_TO_DEVICE);
	dma_unmap_single(dev, at, sizeof(buffer), DMA_TO_DEVICE); /* FAULT HERE */
}

FAULT_DRIVER("Closes a DMA window twice");
