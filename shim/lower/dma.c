// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA operations of PCI functions: every mapping is a window of the machine's IOMMU, with a bus address of its own.
 * Nothing but what is mapped can be reached.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include "lower.h"

static dma_addr_t window(struct device *dev, void *at, size_t size, enum dma_data_direction dir)
{
	u32 address = drvport_dma_map(drvport_pci_function(to_pci_dev(dev)), (u32)at, size, dir);

	return address == DRVPORT_DMA_ERROR ? DMA_MAPPING_ERROR : address;
}

static void close_window(struct device *dev, dma_addr_t address, size_t size)
{
	drvport_dma_unmap(drvport_pci_function(to_pci_dev(dev)), address, size);
}

/* Aligned to its size, as the DMA API promises. */
static void *allocate(struct device *dev, size_t size, dma_addr_t *address, gfp_t gfp, unsigned long attrs)
{
	unsigned long count = PAGE_ALIGN(size) >> PAGE_SHIFT;
	struct page *first = drvport_pages(count, gfp);
	void *at = first ? memset(page_address(first), 0, count << PAGE_SHIFT) : NULL;

	*address = first ? window(dev, at, size, DMA_BIDIRECTIONAL) : DMA_MAPPING_ERROR;
	if (!first || *address != DMA_MAPPING_ERROR)
		return at;
	drvport_pages_free(first, count);
	return NULL;
}

static void release(struct device *dev, size_t size, void *at, dma_addr_t address, unsigned long attrs)
{
	close_window(dev, address, size);
	drvport_pages_free(virt_to_page(at), PAGE_ALIGN(size) >> PAGE_SHIFT);
}

#ifdef TREE_MAPS_PHYSICAL
static dma_addr_t map(struct device *dev, phys_addr_t at, size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	/* Registers of another device: no bus of the machine leads there. */
	return attrs & DMA_ATTR_MMIO ? DMA_MAPPING_ERROR : window(dev, phys_to_virt(at), size, dir);
}
#define map_page map_phys
#define unmap_page unmap_phys
#else
static dma_addr_t map(struct device *dev, struct page *page, unsigned long offset, size_t size,
		      enum dma_data_direction dir, unsigned long attrs)
{
	return window(dev, page_address(page) + offset, size, dir);
}
#endif

static void unmap(struct device *dev, dma_addr_t address, size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	close_window(dev, address, size);
}

static void unmap_sg(struct device *dev, struct scatterlist *list, int count, enum dma_data_direction dir,
		     unsigned long attrs)
{
	struct scatterlist *item;
	int i;

	for_each_sg(list, item, count, i)
		close_window(dev, sg_dma_address(item), sg_dma_len(item));
}

static int map_sg(struct device *dev, struct scatterlist *list, int count, enum dma_data_direction dir,
		  unsigned long attrs)
{
	struct scatterlist *item;
	int i;

	for_each_sg(list, item, count, i) {
		sg_dma_address(item) = window(dev, sg_virt(item), item->length, dir);
		if (sg_dma_address(item) == DMA_MAPPING_ERROR) {
			unmap_sg(dev, list, i, dir, attrs);
			return -ENOMEM;
		}
		sg_dma_len(item) = item->length;
	}
	return count;
}

static int supported(struct device *dev, u64 mask)
{
	return !drvport_dma_set_mask(drvport_pci_function(to_pci_dev(dev)), fls64(mask));
}

static const struct dma_map_ops ops = {
	.alloc = allocate,
	.free = release,
	.map_page = map,
	.unmap_page = unmap,
	.map_sg = map_sg,
	.unmap_sg = unmap_sg,
	.mmap = dma_common_mmap,
	.get_sgtable = dma_common_get_sgtable,
	.dma_supported = supported,
};

static int device_comes(struct notifier_block *nb, unsigned long action, void *dev)
{
	if (action == BUS_NOTIFY_ADD_DEVICE)
		set_dma_ops(dev, &ops);
	return NOTIFY_OK;
}

static struct notifier_block device_block = { .notifier_call = device_comes };

static int __init dma_init(void) { return bus_register_notifier(&pci_bus_type, &device_block); }
arch_initcall(dma_init);
