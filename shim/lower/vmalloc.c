// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instead of mm/vmalloc.c, whose memory is contiguous by page tables alone: memory that is contiguous anyway, out of the
 * page allocator. Recent trees name the allocating functions NAME_noprof and make macros of the names.
 *
 * A bit for each page of memory says whether it is such memory; the first page of a piece knows its struct vm_struct.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>
#include "lower.h"

#ifdef vmalloc
#define NAMED(name) name##_noprof
#else
#define NAMED(name) name
#endif

/* Where the kernel's data begins: the linker says it. */
extern char __global_base;

unsigned long drvport_vmalloc_start, drvport_vmalloc_end;
EXPORT_SYMBOL(drvport_vmalloc_start);
EXPORT_SYMBOL(drvport_vmalloc_end);
LIST_HEAD(vmap_area_list);

static unsigned long *pages_used;
static unsigned long pages_count;

void __init vmalloc_init(void)
{
	pages_count = max_low_pfn;
	pages_used = memblock_alloc(BITS_TO_LONGS(pages_count) * sizeof(long), SMP_CACHE_BYTES);
	drvport_vmalloc_end = max_low_pfn << PAGE_SHIFT;
}

bool is_vmalloc_addr(const void *x)
{
	unsigned long pfn = (unsigned long)x >> PAGE_SHIFT;

	return pfn < pages_count && test_bit(pfn, pages_used);
}
EXPORT_SYMBOL(is_vmalloc_addr);

int is_vmalloc_or_module_addr(const void *x) { return is_vmalloc_addr(x); }

void drvport_pages_free(struct page *first, unsigned long count)
{
	while (count--)
		__free_page(first++);
}

struct page *drvport_pages(unsigned long count, gfp_t gfp)
{
	unsigned int order = get_order(count << PAGE_SHIFT);
	struct page *first;

	/* Compaction and reclaim move what is in the way of the larger ones. */
	if (1ul << order > MAX_ORDER_NR_PAGES)
		return alloc_contig_pages(count, gfp & ~(__GFP_ZERO | __GFP_NORETRY | __GFP_HIGHMEM), numa_node_id(), NULL);
	first = alloc_pages((gfp | __GFP_NOWARN) & ~(__GFP_ZERO | __GFP_HIGHMEM), order);
	if (first) {
		split_page(first, order);
		drvport_pages_free(first + count, (1ul << order) - count);
	}
	return first;
}

/* Pages become memory that vfree() frees. */
static void *adopt(struct page *first, unsigned long count, unsigned long flags, gfp_t gfp, const void *caller)
{
	struct vm_struct *area = kzalloc(sizeof(*area), gfp & ~(__GFP_ZERO | __GFP_HIGHMEM | __GFP_COMP | __GFP_ACCOUNT));

	if (!area)
		return NULL;
	*area = (struct vm_struct) {
		.addr = page_address(first), .size = count << PAGE_SHIFT, .flags = flags, .nr_pages = count, .caller = caller,
	};
	set_page_private(first, (unsigned long)area);
	bitmap_set(pages_used, page_to_pfn(first), count);
	return area->addr;
}

static void *allocate(unsigned long size, unsigned long align, gfp_t gfp, const void *caller)
{
	unsigned long count = PAGE_ALIGN(size) >> PAGE_SHIFT, whole = max(count, align >> PAGE_SHIFT);
	struct page *first;
	void *memory;

	/* The page allocator's pieces begin at multiples of their size; what is more than was asked for goes back. */
	if (!count || whole > totalram_pages() || (align > PAGE_SIZE && whole > MAX_ORDER_NR_PAGES))
		return NULL;
	first = drvport_pages(whole, gfp);
	if (!first) {
		if (!(gfp & __GFP_NOWARN))
			warn_alloc(gfp, NULL, "vmalloc error: size %lu", size);
		return NULL;
	}
	drvport_pages_free(first + count, whole - count);
	memory = adopt(first, count, VM_ALLOC, gfp, caller);
	if (!memory)
		drvport_pages_free(first, count);
	else if (want_init_on_alloc(gfp) || (gfp & __GFP_ZERO))
		memset(memory, 0, count << PAGE_SHIFT);
	return memory;
}

#ifdef __alloc_pages_bulk
#define BULK alloc_pages_bulk_noprof
#else
#define BULK __alloc_pages_bulk
#endif
#ifdef TREE_BULK_LISTS
#define BULK_LIST struct list_head *list,
#else
#define BULK_LIST
#endif
/*
 * Pages that are asked for together follow each other where that is to be had, so that vmap() of them is a mapping.
 * An array may have some already, anywhere. Returns how many there are then, up to where none was to be had.
 */
unsigned long BULK(gfp_t gfp, int node, nodemask_t *nodes, int count, BULK_LIST struct page **pages)
{
	struct page *page, *next;
	int done, wanted = count;

	for (done = 0; pages && done < count; done++)
		wanted -= !!pages[done];
	next = wanted > 1 ? drvport_pages(wanted, gfp | __GFP_NORETRY | __GFP_NOWARN) : NULL;
	for (done = 0; done < count; done++) {
		if (pages && pages[done])
			continue;
		page = next ? next++ : alloc_pages(gfp, 0);
		if (!page)
			break;
		if (want_init_on_alloc(gfp))
			clear_page(page_address(page));
#ifdef TREE_BULK_LISTS
		if (list)
			list_add(&page->lru, list);
#endif
		if (pages)
			pages[done] = page;
	}
	return done;
}
EXPORT_SYMBOL_GPL(BULK);

struct vm_struct *find_vm_area(const void *addr)
{
	return is_vmalloc_addr(addr) ? (struct vm_struct *)page_private(virt_to_page(addr)) : NULL;
}

/* The tree's module loader asks for memory that is as good as code: the place was chosen when the module was bound. */
void *NAMED(__vmalloc_node_range)(unsigned long size, unsigned long align, unsigned long start, unsigned long end,
				  gfp_t gfp, pgprot_t prot, unsigned long flags, int node, const void *caller)
{
	void *place = drvport_module_place(size);

	return place ?: allocate(size, align, gfp, caller);
}

/* Of whatever they are asked besides, only zeros make a difference. */
#define ALLOCATOR(name, gfp, ...)						\
void *NAMED(name)(unsigned long size, ##__VA_ARGS__)				\
{										\
	return allocate(size, 1, gfp, NULL);					\
}

ALLOCATOR(__vmalloc, gfp, gfp_t gfp)
EXPORT_SYMBOL(__vmalloc);
ALLOCATOR(vmalloc, GFP_KERNEL)
ALLOCATOR(vmalloc_node, GFP_KERNEL, int node)
ALLOCATOR(vmalloc_32, GFP_KERNEL)
ALLOCATOR(vmalloc_huge, gfp, gfp_t gfp)
ALLOCATOR(vmalloc_huge_node, gfp, gfp_t gfp, int node)
ALLOCATOR(vzalloc, GFP_KERNEL | __GFP_ZERO)
ALLOCATOR(vzalloc_node, GFP_KERNEL | __GFP_ZERO, int node)
ALLOCATOR(vmalloc_user, GFP_KERNEL | __GFP_ZERO)
ALLOCATOR(vmalloc_32_user, GFP_KERNEL | __GFP_ZERO)

void *NAMED(__vmalloc_node)(unsigned long size, unsigned long align, gfp_t gfp, int node, const void *caller)
{
	return allocate(size, align, gfp, caller);
}

void vfree(const void *addr)
{
	struct vm_struct *area = find_vm_area(addr);

	/* A module's own memory lies below the kernel's data, and stays its own. */
	if (addr < (void *)&__global_base)
		return;
	if (!area || area->addr != addr) {
		WARN(1, "Trying to vfree() nonexistent vm area (%p)\n", addr);
		return;
	}
	set_page_private(virt_to_page(addr), 0);
	bitmap_clear(pages_used, page_to_pfn(virt_to_page(addr)), area->nr_pages);
	drvport_pages_free(virt_to_page(addr), area->nr_pages);
	kvfree(area->pages);
	kfree(area);
}

/* What is left of a piece that becomes smaller is zero again, for who asks for zeros when it grows. */
void *NAMED(vrealloc_node_align)(const void *addr, size_t size, unsigned long align, gfp_t gfp, int node)
{
	struct vm_struct *area = find_vm_area(addr);
	size_t old = addr && area ? area->size : 0;
	void *fresh;

	if (size && size <= old && IS_ALIGNED((unsigned long)addr, align)) {
		if (gfp & __GFP_ZERO)
			memset((void *)addr + size, 0, old - size);
		return (void *)addr;
	}
	fresh = size ? allocate(size, align, gfp, NULL) : NULL;
	if (fresh)
		memcpy(fresh, addr, min(old, size));
	if (fresh || !size)
		vfree(addr);
	return fresh;
}

/* A macro over the other, where that is the tree's. */
#ifndef vrealloc_noprof
void *NAMED(vrealloc)(const void *addr, size_t size, gfp_t gfp)
{
	return NAMED(vrealloc_node_align)(addr, size, 1, gfp, NUMA_NO_NODE);
}
#endif

void vfree_atomic(const void *addr) { vfree(addr); }
struct page *vmalloc_to_page(const void *addr) { return virt_to_page(addr); }
unsigned long vmalloc_to_pfn(const void *addr) { return page_to_pfn(virt_to_page(addr)); }
unsigned long vmalloc_nr_pages(void) { return bitmap_weight(pages_used, pages_count); }

/*
 * Files that the kernel makes for itself in memory (mm/shmem.c) lie in one piece where that is to be had, since whoever
 * makes them maps them later. All of their pages are there from the beginning, and are no charge of the file system's.
 */
struct file *drvport_shmem_file(struct inode *inode, struct vfsmount *mnt, const char *name, int flags,
				const struct file_operations *operations)
{
	struct file *file = alloc_file_pseudo(inode, mnt, name, flags, operations);
#ifdef TREE_HAS_FOLIOS
	unsigned long count = DIV_ROUND_UP_ULL(i_size_read(inode), PAGE_SIZE), i;
	struct page *first = NULL;

	if (!IS_ERR(file) && count < totalram_pages() / 2)
		first = count ? drvport_pages(count, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN) : NULL;
	for (i = 0; first && i < count; i++) {
		struct folio *folio = page_folio(first + i);

		if (xa_err(xa_store_irq(&inode->i_mapping->i_pages, i, folio, GFP_KERNEL))) {
			folio_put(folio);
			continue;
		}
		clear_page(folio_address(folio));
		folio->mapping = inode->i_mapping;
		folio->index = i;
		__folio_set_swapbacked(folio);
		folio_mark_uptodate(folio);
		inode->i_mapping->nrpages++;
		inc_node_page_state(&folio->page, NR_FILE_PAGES);
		inc_node_page_state(&folio->page, NR_SHMEM);
	}
#endif
	return file;
}

/*
 * Pages that follow each other in memory are mapped already. For others there is no mapping to be had: NULL, which is
 * what Linux says when it has no room left for one.
 */
void *vmap(struct page **pages, unsigned int count, unsigned long flags, pgprot_t prot)
{
	unsigned int i;
	void *memory;

	for (i = 1; i < count; i++)
		if (pages[i] != pages[0] + i)
			return NULL;
	if (!count || !(flags & VM_MAP_PUT_PAGES))
		return count ? page_address(pages[0]) : NULL;
	memory = adopt(pages[0], count, flags, GFP_KERNEL, NULL);
	if (memory)
		find_vm_area(memory)->pages = pages;
	return memory;
}

void *vmap_pfn(unsigned long *pfns, unsigned int count, pgprot_t prot)
{
	unsigned int i;

	for (i = 1; i < count; i++)
		if (pfns[i] != pfns[0] + i)
			return NULL;
	return count && pfn_valid(pfns[0]) ? pfn_to_virt(pfns[0]) : NULL;
}

void vunmap(const void *addr) { }
void *vm_map_ram(struct page **pages, unsigned int count, int node) { return vmap(pages, count, VM_MAP, PAGE_KERNEL); }
void vm_unmap_ram(const void *mem, unsigned int count) { }
void vm_unmap_aliases(void) { }
void vunmap_range(unsigned long addr, unsigned long end) { }
void unmap_kernel_range(unsigned long addr, unsigned long size) { }
int ioremap_page_range(unsigned long addr, unsigned long end, phys_addr_t phys, pgprot_t prot) { return -EINVAL; }
int vmap_page_range(unsigned long addr, unsigned long end, phys_addr_t phys, pgprot_t prot) { return -EINVAL; }
struct vm_struct *get_vm_area(unsigned long size, unsigned long flags) { return NULL; }
struct vm_struct *get_vm_area_caller(unsigned long size, unsigned long flags, const void *caller) { return NULL; }
void free_vm_area(struct vm_struct *area) { }

int remap_vmalloc_range_partial(struct vm_area_struct *vma, unsigned long at, void *memory, unsigned long skip,
				unsigned long size)
{
	struct vm_struct *area = find_vm_area(memory);
	unsigned long count = PAGE_ALIGN(size) >> PAGE_SHIFT, i;
	int err = area && skip <= area->nr_pages && count <= area->nr_pages - skip ? 0 : -EINVAL;

	for (i = 0; !err && i < count; i++)
		err = vm_insert_page(vma, at + (i << PAGE_SHIFT), virt_to_page(memory) + skip + i);
	return err;
}

int remap_vmalloc_range(struct vm_area_struct *vma, void *addr, unsigned long pgoff)
{
	return remap_vmalloc_range_partial(vma, vma->vm_start, addr, pgoff, vma->vm_end - vma->vm_start);
}

bool vmalloc_dump_obj(void *object)
{
	struct vm_struct *area = find_vm_area(object);

	if (area)
		pr_cont(" %u-page vmalloc region starting at %#lx\n", area->nr_pages, (unsigned long)area->addr);
	return area != NULL;
}

long vread(char *buf, char *addr, unsigned long count) { return memcpy(buf, addr, count) ? count : 0; }
long vwrite(char *buf, char *addr, unsigned long count) { return memcpy(addr, buf, count) ? count : 0; }
long vread_iter(struct iov_iter *iter, const char *addr, size_t count) { return copy_to_iter(addr, count, iter); }
