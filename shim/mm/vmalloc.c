// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmalloc: a run of whole pages. There are no page tables, so the run is contiguous and its addresses are ordinary
 * ones; vmap of scattered pages is only possible when they happen to lie side by side.
 */
#include <linux/vmalloc.h>
#include <linux/slab.h>
#include <linux/mm.h>
#include <linux/export.h>
#include <drvport/core.h>

bool drvport_is_vmalloc(const void *mem)
{
	unsigned long index = (unsigned long)mem >> PAGE_SHIFT;

	return index < max_mapnr && drvport_pages[index].use == PAGE_USE_VMALLOC;
}

static void *area_alloc(unsigned long size, gfp_t gfp)
{
	struct page *page;

	if (gfpflags_allow_blocking(gfp))
		might_sleep();
	page = drvport_run_alloc(gfp, DIV_ROUND_UP(size, PAGE_SIZE), PAGE_USE_VMALLOC);
	if (!page)
		return NULL;
	drvport_held.pages += drvport_pages[page - mem_map].pages;
	return page_address(page);
}

#ifdef alloc_hooks
#define FN(name) name##_noprof
#else
#define FN(name) name
#endif

void *FN(vmalloc)(unsigned long size)
{
	return area_alloc(size, GFP_KERNEL);
}

void *FN(vzalloc)(unsigned long size)
{
	return area_alloc(size, GFP_KERNEL | __GFP_ZERO);
}

void *FN(vmalloc_node)(unsigned long size, int node)
{
	return area_alloc(size, GFP_KERNEL);
}

void *FN(vzalloc_node)(unsigned long size, int node)
{
	return area_alloc(size, GFP_KERNEL | __GFP_ZERO);
}

void *FN(vmalloc_user)(unsigned long size)
{
	return area_alloc(size, GFP_KERNEL | __GFP_ZERO);
}

void *FN(vmalloc_32)(unsigned long size)
{
	return area_alloc(size, GFP_KERNEL);
}

void *FN(vmalloc_32_user)(unsigned long size)
{
	return area_alloc(size, GFP_KERNEL | __GFP_ZERO);
}

void *FN(__vmalloc)(unsigned long size, gfp_t gfp)
{
	return area_alloc(size, gfp);
}

void vfree(const void *mem)
{
	struct page *page;

	if (!mem)
		return;
	if (!drvport_is_vmalloc(mem) || offset_in_page(mem))
		drvport_fault(DRVPORT_FAULT_HEAP_CORRUPTION, "vfree of 0x%lx, which vmalloc did not return or which is free",
			      (unsigned long)mem);
	page = virt_to_page(mem);
	drvport_held.pages -= drvport_pages[page - mem_map].pages;
	drvport_run_free(page);
}

void vfree_atomic(const void *mem)
{
	vfree(mem);
}

struct page *vmalloc_to_page(const void *mem)
{
	return virt_to_page(mem);
}

unsigned long vmalloc_to_pfn(const void *mem)
{
	return (unsigned long)mem >> PAGE_SHIFT;
}

void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
{
	unsigned int i;

	for (i = 1; i < count; i++)
		if (pages[i] != pages[0] + i)
			return NULL;
	return count ? page_address(pages[0]) : NULL;
}

void vunmap(const void *addr)
{
}

bool is_vmalloc_addr(const void *mem)
{
	return drvport_is_vmalloc(mem);
}
