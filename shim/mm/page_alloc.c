// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages: a buddy allocator over the linear memory beyond the program (from __heap_base up), with one struct page per
 * 4 KiB in mem_map. Linear address = physical address = page number << 12. Memory never grows.
 *
 * When there is none: NULL, as in Linux. A request that Linux would never let fail (small, may sleep, no
 * __GFP_NORETRY), for which it would start killing processes, ends the domain with out-of-memory.
 *
 * Must not know: slabs, who asks, or devices.
 */
#include <linux/mm.h>
#include <linux/debug_locks.h>
#include <linux/gfp.h>
#include <linux/mmzone.h>
#include <linux/page_ref.h>
#include <linux/string.h>
#include <linux/export.h>
#include <linux/memblock.h>
#include <drvport/core.h>
#include <drvport/compat.h>

#define ORDERS 14 /* 4 KiB to 32 MiB */

extern unsigned char __heap_base[];

struct page *mem_map;
unsigned long max_mapnr;
unsigned long max_pfn, max_low_pfn, min_low_pfn;
void *high_memory;
atomic_long_t _totalram_pages;
unsigned long totalreserve_pages;
struct drvport_page *drvport_pages;

static struct list_head free_blocks[ORDERS];
static unsigned long first_page, end_page;

static inline unsigned long index_of(const struct page *page)
{
	return page - mem_map;
}

static void block_insert(unsigned long index, unsigned int order)
{
	drvport_pages[index].use = PAGE_USE_FREE;
	drvport_pages[index].order = order;
	list_add(&mem_map[index].lru, &free_blocks[order]);
}

static void block_remove(unsigned long index)
{
	list_del(&mem_map[index].lru);
	drvport_pages[index].use = PAGE_USE_TAIL;
}

/* Give back 2^order pages, joining them with their buddies. */
static void pages_return(unsigned long index, unsigned int order)
{
	while (order + 1 < ORDERS) {
		unsigned long buddy = index ^ (1UL << order);

		if (buddy < first_page || buddy + (1UL << order) > end_page)
			break;
		if (drvport_pages[buddy].use != PAGE_USE_FREE || drvport_pages[buddy].order != order)
			break;
		block_remove(buddy);
		drvport_pages[index].use = PAGE_USE_TAIL;
		index &= ~(1UL << order);
		order++;
	}
	block_insert(index, order);
}

/* Give back any run of pages, as the largest aligned blocks it is made of. */
static void run_return(unsigned long index, unsigned long count)
{
	while (count) {
		unsigned int order = min_t(unsigned int, __ffs(index), __fls(count));

		order = min_t(unsigned int, order, ORDERS - 1);
		pages_return(index, order);
		index += 1UL << order;
		count -= 1UL << order;
	}
}

static long block_take(unsigned int order)
{
	unsigned int have = order;
	unsigned long index;

	while (have < ORDERS && list_empty(&free_blocks[have]))
		have++;
	if (have >= ORDERS)
		return -1;
	index = index_of(list_first_entry(&free_blocks[have], struct page, lru));
	block_remove(index);
	while (have > order) {
		have--;
		block_insert(index + (1UL << have), have);
	}
	return index;
}

/*
 * Mark pages as given out; each tail knows its head, so that any address inside finds it. Linear memory begins as zeros,
 * so a page that nobody has had needs no clearing: touching it would make the host find memory for it.
 */
static struct page *pages_claim(unsigned long index, unsigned long count, enum drvport_page_use use, gfp_t gfp)
{
	unsigned long i;

	for (i = 0; i < count; i++) {
		struct page *page = &mem_map[index + i];

		memset(page, 0, sizeof(*page));
		atomic_set(&page->_mapcount, -1);
		set_page_count(page, 0);
		if ((gfp & __GFP_ZERO) && drvport_pages[index + i].had)
			clear_page(page_address(page));
		drvport_pages[index + i].had = true;
		drvport_pages[index + i].use = PAGE_USE_TAIL;
		drvport_pages[index + i].owner = index;
	}
	drvport_pages[index].use = use;
	drvport_pages[index].owner = 0;
	drvport_pages[index].pages = count;
	set_page_count(&mem_map[index], 1);
	return &mem_map[index];
}

void drvport_out_of_memory(gfp_t gfp, size_t bytes)
{
	bool small = bytes <= (PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER);
	bool may_fail = gfp & (__GFP_NORETRY | __GFP_RETRY_MAYFAIL);

	if ((gfp & __GFP_NOFAIL) || ((gfp & __GFP_DIRECT_RECLAIM) && small && !may_fail))
		drvport_fault(DRVPORT_FAULT_OUT_OF_MEMORY, "no memory for %zu bytes: the domain has %lu KiB in all",
			      bytes, (end_page - first_page) << (PAGE_SHIFT - 10));
}

static void may_sleep_for(gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp))
		might_sleep();
}

struct page *drvport_block_alloc(gfp_t gfp, unsigned int order, enum drvport_page_use use)
{
	long index;

	if (order >= ORDERS)
		return NULL;
	index = block_take(order);
	if (index < 0) {
		drvport_out_of_memory(gfp, PAGE_SIZE << order);
		return NULL;
	}
	pages_claim(index, 1UL << order, use, gfp);
	drvport_pages[index].order = order;
	return &mem_map[index];
}

void drvport_block_free(struct page *page, unsigned int order)
{
	pages_return(index_of(page), order);
}

struct page *drvport_run_alloc(gfp_t gfp, unsigned int pages, enum drvport_page_use use)
{
	unsigned int order = get_order((unsigned long)pages << PAGE_SHIFT);
	long index;

	if (!pages || order >= ORDERS)
		return NULL;
	index = block_take(order);
	if (index < 0)
		return NULL;
	run_return(index + pages, (1UL << order) - pages);
	return pages_claim(index, pages, use, gfp);
}

void drvport_run_free(struct page *page)
{
	unsigned long index = index_of(page);

	run_return(index, drvport_pages[index].pages);
}

/* Lay the page tables of the shim out at the start of the heap, all zeros as it is; everything after is free. */
void drvport_mm_init(void)
{
	unsigned long heap = PAGE_ALIGN((unsigned long)__heap_base);
	unsigned long bytes;
	int order;

	end_page = __builtin_wasm_memory_size(0) << (16 - PAGE_SHIFT);
	mem_map = (struct page *)heap;
	bytes = ALIGN(end_page * sizeof(struct page), 16);
	drvport_pages = (struct drvport_page *)(heap + bytes);
	bytes += end_page * sizeof(struct drvport_page);
	first_page = PAGE_ALIGN(heap + bytes) >> PAGE_SHIFT;
	for (order = 0; order < ORDERS; order++)
		INIT_LIST_HEAD(&free_blocks[order]);
	run_return(first_page, end_page - first_page);

	max_mapnr = max_pfn = max_low_pfn = end_page;
	min_low_pfn = first_page;
	high_memory = (void *)(end_page << PAGE_SHIFT);
	atomic_long_set(&_totalram_pages, end_page - first_page);
	drvport_held.reserved_pages += first_page - (heap >> PAGE_SHIFT);
}

/* ---- the API ---- */

static struct page *pages_alloc(gfp_t gfp, unsigned int order)
{
	struct page *page;

	may_sleep_for(gfp);
	page = drvport_block_alloc(gfp, order, PAGE_USE_PAGES);
	if (!page)
		return NULL;
	if ((gfp & __GFP_COMP) && order)
		drvport_compound_init(page, order);
	drvport_held.pages += 1U << order;
	return page;
}

static void pages_free(struct page *page, unsigned int order)
{
	struct drvport_page *head = &drvport_pages[index_of(page)];

	if (head->use != PAGE_USE_PAGES)
		drvport_fault(DRVPORT_FAULT_HEAP_CORRUPTION, "page at 0x%lx is freed but not allocated",
			      (unsigned long)page_address(page));
	if (head->order != order)
		drvport_fault(DRVPORT_FAULT_HEAP_CORRUPTION, "page at 0x%lx was allocated with order %u, freed with %u",
			      (unsigned long)page_address(page), head->order, order);
	drvport_held.pages -= 1U << order;
	pages_return(index_of(page), order);
}

#ifdef alloc_hooks
struct page *__alloc_pages_noprof(gfp_t gfp, unsigned int order, int nid, nodemask_t *nodes)
#else
struct page *__alloc_pages(gfp_t gfp, unsigned int order, int nid, nodemask_t *nodes)
#endif
{
	return pages_alloc(gfp, order);
}

#ifdef alloc_hooks
struct folio *__folio_alloc_noprof(gfp_t gfp, unsigned int order, int nid, nodemask_t *nodes)
#else
struct folio *__folio_alloc(gfp_t gfp, unsigned int order, int nid, nodemask_t *nodes)
#endif
{
	return (struct folio *)pages_alloc(gfp | __GFP_COMP, order);
}

#ifdef alloc_hooks
unsigned long get_free_pages_noprof(gfp_t gfp, unsigned int order)
#else
unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
#endif
{
	struct page *page = pages_alloc(gfp, order);

	return page ? (unsigned long)page_address(page) : 0;
}

#ifdef alloc_hooks
unsigned long get_zeroed_page_noprof(gfp_t gfp)
#else
unsigned long get_zeroed_page(gfp_t gfp)
#endif
{
	struct page *page = pages_alloc(gfp | __GFP_ZERO, 0);

	return page ? (unsigned long)page_address(page) : 0;
}

void __free_pages(struct page *page, unsigned int order)
{
	if (!put_page_testzero(page))
		return;
	debug_check_no_locks_freed(page_address(page), PAGE_SIZE << order);
	pages_free(page, order);
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

/* The last reference went: put_page() and folio_put() end here. */
void __folio_put(struct folio *folio)
{
	struct page *page = &folio->page;

	pages_free(page, drvport_pages[index_of(page)].order);
}

#ifdef alloc_hooks
void *alloc_pages_exact_noprof(size_t size, gfp_t gfp)
#else
void *alloc_pages_exact(size_t size, gfp_t gfp)
#endif
{
	struct page *page;

	may_sleep_for(gfp);
	page = drvport_run_alloc(gfp, DIV_ROUND_UP(size, PAGE_SIZE), PAGE_USE_VMALLOC);
	if (!page) {
		drvport_out_of_memory(gfp, size);
		return NULL;
	}
	drvport_held.pages += drvport_pages[index_of(page)].pages;
	return page_address(page);
}

void free_pages_exact(void *virt, size_t size)
{
	struct page *page = virt_to_page(virt);
	struct drvport_page *head = &drvport_pages[index_of(page)];

	if (head->use != PAGE_USE_VMALLOC)
		drvport_fault(DRVPORT_FAULT_HEAP_CORRUPTION, "0x%lx is not from alloc_pages_exact", (unsigned long)virt);
	drvport_held.pages -= head->pages;
	drvport_run_free(page);
}

void split_page(struct page *page, unsigned int order)
{
	unsigned long i, index = index_of(page);

	for (i = 0; i < (1UL << order); i++) {
		drvport_pages[index + i].use = PAGE_USE_PAGES;
		drvport_pages[index + i].order = 0;
		set_page_count(page + i, 1);
	}
}

unsigned long nr_free_buffer_pages(void)
{
	struct list_head *each;
	unsigned long total = 0;
	int order;

	for (order = 0; order < ORDERS; order++)
		list_for_each(each, &free_blocks[order])
			total += 1UL << order;
	return total;
}

void si_meminfo(struct sysinfo *val)
{
	memset(val, 0, sizeof(*val));
	val->totalram = atomic_long_read(&_totalram_pages);
	val->freeram = nr_free_buffer_pages();
	val->mem_unit = PAGE_SIZE;
}

/* ---- page fragments: small pieces of one page, each holding a reference to it ---- */

#define FRAGMENT_REFERENCES (PAGE_FRAG_CACHE_MAX_SIZE + 1)

/* Caches that live as long as the domain, the tree's own per-processor ones: at the end their pages are given back. */
static struct page_frag_cache *lasting[4];

static void fragments_remember(struct page_frag_cache *nc)
{
	unsigned int i;

	if ((unsigned long)nc >= (unsigned long)__heap_base)
		return;
	for (i = 0; i < ARRAY_SIZE(lasting) && lasting[i] != nc; i++) {
		if (!lasting[i]) {
			lasting[i] = nc;
			return;
		}
	}
}

static bool fragments_refill(struct page_frag_cache *nc, gfp_t gfp)
{
	unsigned int order = PAGE_FRAG_CACHE_MAX_ORDER;
	struct page *page = pages_alloc((gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_COMP | __GFP_NOWARN, order);

	if (!page) {
		order = 0;
		page = pages_alloc(gfp, 0);
	}
	nc->va = page ? page_address(page) : NULL;
	if (!page)
		return false;
	fragments_remember(nc);
	page_ref_add(page, FRAGMENT_REFERENCES - 1);
	nc->pagecnt_bias = FRAGMENT_REFERENCES;
	nc->offset = PAGE_SIZE << order;
#if PAGE_SIZE < PAGE_FRAG_CACHE_MAX_SIZE
	nc->size = PAGE_SIZE << order;
#endif
	return true;
}

static void *fragment_alloc(struct page_frag_cache *nc, unsigned int bytes, gfp_t gfp, unsigned int align_mask)
{
	unsigned int size;
	int offset;

	if (!nc->va && !fragments_refill(nc, gfp))
		return NULL;
	offset = (int)nc->offset - (int)bytes;
	if (offset < 0) {
		struct page *page = virt_to_page(nc->va);

		if (page_ref_sub_and_test(page, nc->pagecnt_bias))
			pages_free(page, drvport_pages[index_of(page)].order);
		nc->va = NULL;
		if (!fragments_refill(nc, gfp))
			return NULL;
		offset = (int)nc->offset - (int)bytes;
	}
	size = PAGE_SIZE << drvport_pages[index_of(virt_to_page(nc->va))].order;
	if (offset < 0 || bytes > size)
		return NULL;
	nc->pagecnt_bias--;
	nc->offset = offset & align_mask;
	return nc->va + nc->offset;
}

#ifdef alloc_hooks
void *__page_frag_alloc_align(struct page_frag_cache *nc, unsigned int fragsz, gfp_t gfp, unsigned int align_mask)
#else
void *page_frag_alloc_align(struct page_frag_cache *nc, unsigned int fragsz, gfp_t gfp, unsigned int align_mask)
#endif
{
	return fragment_alloc(nc, fragsz, gfp, align_mask);
}

void __page_frag_cache_drain(struct page *page, unsigned int count)
{
	if (page_ref_sub_and_test(page, count))
		pages_free(page, drvport_pages[index_of(page)].order);
}

void page_frag_cache_drain(struct page_frag_cache *nc)
{
	if (nc->va)
		__page_frag_cache_drain(virt_to_head_page(nc->va), nc->pagecnt_bias);
	memset(nc, 0, sizeof(*nc));
}

void drvport_fragments_drain(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lasting) && lasting[i]; i++) {
		if (lasting[i]->va)
			__page_frag_cache_drain(virt_to_head_page(lasting[i]->va), lasting[i]->pagecnt_bias);
		lasting[i]->va = NULL;
	}
}

void page_frag_free(void *addr)
{
	struct page *page = virt_to_head_page(addr);

	if (put_page_testzero(page))
		pages_free(page, drvport_pages[index_of(page)].order);
}

/* There is no memory reserve to be in need of. */
bool gfp_pfmemalloc_allowed(gfp_t gfp)
{
	return false;
}

/* Fills the holes of an array, or a list; gives how many pages are there. */
#ifdef alloc_hooks
unsigned long alloc_pages_bulk_noprof(gfp_t gfp, int nid, nodemask_t *nodes, int count, struct list_head *list,
				      struct page **array)
#else
unsigned long __alloc_pages_bulk(gfp_t gfp, int nid, nodemask_t *nodes, int count, struct list_head *list,
				 struct page **array)
#endif
{
	int done;

	for (done = 0; done < count; done++) {
		struct page *page;

		if (array && array[done])
			continue;
		page = pages_alloc(gfp, 0);
		if (!page)
			break;
		if (array)
			array[done] = page;
		else
			list_add(&page->lru, list);
	}
	return done;
}
