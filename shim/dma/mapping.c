// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA API over dma.map: every mapping is a window of linear memory that one PCI function may reach, with the bounds
 * the driver gave. Memory is coherent (the device works on the very bytes), so the sync calls have nothing to do.
 *
 * Must not know: which device or bus address layout the host uses; a bus address is whatever dma.map returned.
 */
#define DRVPORT_SHIM
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <drvport_abi.h>
#include <drvport/pci.h>
#include <drvport/core.h>

/* A device that is not a PCI function (an MDIO bus, a netdev) does DMA through the function it hangs from. */
static bool dma_slot(struct device *dev, u32 *slot)
{
	for (; dev; dev = dev->parent) {
		if (dev_is_pci(dev)) {
			*slot = drvport_pci_slot(to_pci_dev(dev));
			return true;
		}
	}
	return false;
}

static dma_addr_t open_window(struct device *dev, void *start, size_t size, enum dma_data_direction dir)
{
	u32 slot, iova;

	if (!dma_slot(dev, &slot) || !size || dir == DMA_NONE)
		return DMA_MAPPING_ERROR;
	iova = drvport_dma_map(slot, (u32)(unsigned long)start, size, dir);
	if (iova == DRVPORT_DMA_ERROR)
		return DMA_MAPPING_ERROR;
	drvport_held.dma++;
	return iova;
}

static void close_window(struct device *dev, dma_addr_t addr, size_t size)
{
	u32 slot;

	if (!dma_slot(dev, &slot))
		return;
	if (drvport_dma_unmap(slot, (u32)addr, size)) {
		dev_err(dev, "DMA unmap of %#llx+%zu, which is not mapped\n", (u64)addr, size);
		return;
	}
	drvport_held.dma--;
}

dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	return open_window(dev, page_address(page) + offset, size, dir);
}

void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
			  unsigned long attrs)
{
	close_window(dev, addr, size);
}

unsigned int dma_map_sg_attrs(struct device *dev, struct scatterlist *sgl, int nents, enum dma_data_direction dir,
			      unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		sg_dma_address(sg) = open_window(dev, sg_virt(sg), sg->length, dir);
		if (sg_dma_address(sg) == DMA_MAPPING_ERROR) {
			dma_unmap_sg_attrs(dev, sgl, i, dir, attrs);
			return 0;
		}
		sg_dma_len(sg) = sg->length;
	}
	return nents;
}

void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sgl, int nents, enum dma_data_direction dir,
			unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i)
		close_window(dev, sg_dma_address(sg), sg_dma_len(sg));
}

int dma_map_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir, unsigned long attrs)
{
	unsigned int nents = dma_map_sg_attrs(dev, sgt->sgl, sgt->orig_nents, dir, attrs);

	if (!nents)
		return -EIO;
	sgt->nents = nents;
	return 0;
}

/* Device-to-device DMA would have to name another device's registers; no window can. */
dma_addr_t dma_map_resource(struct device *dev, phys_addr_t phys_addr, size_t size, enum dma_data_direction dir,
			    unsigned long attrs)
{
	return DMA_MAPPING_ERROR;
}

void dma_unmap_resource(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
			unsigned long attrs)
{
}

/* Trees since this header was split off have the sync calls inline where memory is coherent, and one more question. */
#if !__has_include(<linux/iommu-dma.h>)
void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir) { }
void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir) { }
void dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nelems, enum dma_data_direction dir) { }
void dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nelems, enum dma_data_direction dir) { }

bool dma_need_sync(struct device *dev, dma_addr_t dma_addr)
{
	return false;
}
#else
bool dma_addressing_limited(struct device *dev)
{
	return false;
}
#endif

void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *dma_handle, gfp_t flag, unsigned long attrs)
{
	void *mem = alloc_pages_exact(PAGE_ALIGN(size), (flag & ~(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM | __GFP_COMP)) | __GFP_ZERO);

	if (!mem)
		return NULL;
	*dma_handle = open_window(dev, mem, size, DMA_BIDIRECTIONAL);
	if (*dma_handle == DMA_MAPPING_ERROR) {
		free_pages_exact(mem, PAGE_ALIGN(size));
		return NULL;
	}
	return mem;
}

void dma_free_attrs(struct device *dev, size_t size, void *cpu_addr, dma_addr_t dma_handle, unsigned long attrs)
{
	if (!cpu_addr)
		return;
	close_window(dev, dma_handle, size);
	free_pages_exact(cpu_addr, PAGE_ALIGN(size));
}

/* dma_alloc_pages: the caller gets pages and a streaming window over them. */
struct page *dma_alloc_pages(struct device *dev, size_t size, dma_addr_t *dma_handle, enum dma_data_direction dir,
			     gfp_t gfp)
{
	void *mem = alloc_pages_exact(PAGE_ALIGN(size), gfp | __GFP_ZERO);

	if (!mem)
		return NULL;
	*dma_handle = open_window(dev, mem, size, dir);
	if (*dma_handle == DMA_MAPPING_ERROR) {
		free_pages_exact(mem, PAGE_ALIGN(size));
		return NULL;
	}
	return virt_to_page(mem);
}

void dma_free_pages(struct device *dev, size_t size, struct page *page, dma_addr_t dma_handle,
		    enum dma_data_direction dir)
{
	close_window(dev, dma_handle, size);
	free_pages_exact(page_address(page), PAGE_ALIGN(size));
}

struct dma_devres {
	size_t size;
	void *vaddr;
	dma_addr_t handle;
	unsigned long attrs;
};

static void dmam_release(struct device *dev, void *res)
{
	struct dma_devres *held = res;

	dma_free_attrs(dev, held->size, held->vaddr, held->handle, held->attrs);
}

static int dmam_match(struct device *dev, void *res, void *match_data)
{
	struct dma_devres *held = res, *wanted = match_data;

	return held->vaddr == wanted->vaddr;
}

void *dmam_alloc_attrs(struct device *dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp, unsigned long attrs)
{
	struct dma_devres *held = devres_alloc(dmam_release, sizeof(*held), gfp);

	if (!held)
		return NULL;
	held->vaddr = dma_alloc_attrs(dev, size, dma_handle, gfp, attrs);
	if (!held->vaddr) {
		devres_free(held);
		return NULL;
	}
	held->handle = *dma_handle;
	held->size = size;
	held->attrs = attrs;
	devres_add(dev, held);
	return held->vaddr;
}

void dmam_free_coherent(struct device *dev, size_t size, void *vaddr, dma_addr_t dma_handle)
{
	struct dma_devres wanted = { .size = size, .vaddr = vaddr, .handle = dma_handle };

	dma_free_coherent(dev, size, vaddr, dma_handle);
	WARN_ON(devres_destroy(dev, dmam_release, dmam_match, &wanted));
}

int dma_get_sgtable_attrs(struct device *dev, struct sg_table *sgt, void *cpu_addr, dma_addr_t dma_addr, size_t size,
			  unsigned long attrs)
{
	int err = sg_alloc_table(sgt, 1, GFP_KERNEL);

	if (!err)
		sg_set_page(sgt->sgl, virt_to_page(cpu_addr), PAGE_ALIGN(size), 0);
	return err;
}

/* User mappings do not exist in a driver domain. */
int dma_mmap_attrs(struct device *dev, struct vm_area_struct *vma, void *cpu_addr, dma_addr_t dma_addr, size_t size,
		   unsigned long attrs)
{
	return -ENXIO;
}

bool dma_can_mmap(struct device *dev)
{
	return false;
}

bool dma_pci_p2pdma_supported(struct device *dev)
{
	return false;
}

static int device_can_drive(struct device *dev, u64 mask)
{
	u32 slot;

	if (!mask || !dma_slot(dev, &slot))
		return -EIO;
	return drvport_dma_set_mask(slot, fls64(mask)) ? -EIO : 0;
}

int dma_set_mask(struct device *dev, u64 mask)
{
	int err = dev->dma_mask ? device_can_drive(dev, mask) : -EIO;

	if (!err)
		*dev->dma_mask = mask;
	return err;
}

/* Windows are handed out for both kinds of memory alike, below the streaming mask; a wider one is a promise already kept. */
int dma_set_coherent_mask(struct device *dev, u64 mask)
{
	u32 slot;

	if (!mask || !dma_slot(dev, &slot))
		return -EIO;
	dev->coherent_dma_mask = mask;
	return 0;
}

/* All bus addresses are 32-bit. */
u64 dma_get_required_mask(struct device *dev)
{
	return DMA_BIT_MASK(32);
}

size_t dma_max_mapping_size(struct device *dev)
{
	return SIZE_MAX;
}

size_t dma_opt_mapping_size(struct device *dev)
{
	return SIZE_MAX;
}

unsigned long dma_get_merge_boundary(struct device *dev)
{
	return 0;
}
