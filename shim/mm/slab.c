// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slabs and kmalloc. Everything the allocator knows of an object is kept outside of it: a stray write by the driver
 * cannot break the allocator, and a double free, a free of the wrong address and a write past the end are found when
 * the object is freed (heap-corruption). Objects of a power-of-two size are aligned to it, as kmalloc promises.
 *
 * Must not know: what the objects are for.
 */
#include <linux/slab.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/bitops.h>
#include <linux/debug_locks.h>
#include <linux/log2.h>
#include <linux/export.h>
#include <drvport/core.h>

/* 6.10 gave the allocation functions the suffix _noprof and made macros of the old names. */
#ifdef alloc_hooks
#define FN(name) name##_noprof
#else
#define FN(name) name
#endif

#define OBJECT_FREE 0x80000000u /* with the index of the next free object */
#define OBJECT_CORE 0x40000000u /* the shim's own: not in the driver's count */
#define OBJECT_BYTES 0x3fffffffu
#define NO_OBJECT 0x7fffffffu
#define GUARD_BYTES 16
#define GUARD 0xa5

struct slab {
	struct list_head list; /* in the cache's list of slabs with room, when there is room */
	struct kmem_cache *cache;
	unsigned long base;
	u32 first_free;
	u32 in_use;
	u32 object[]; /* what was asked for, or OBJECT_FREE | next */
};

struct kmem_cache {
	struct list_head partial;
	const char *name;
	unsigned int bytes;  /* as asked for at creation */
	unsigned int stride; /* from one object to the next */
	unsigned int shift;  /* log2 of stride when it is a power of two, else 0 */
	unsigned int per_slab;
	unsigned int order;
	unsigned int empty; /* slabs kept though nothing is in them */
	slab_flags_t flags;
	void (*ctor)(void *);
	bool core;
};

/* ---- slabs ---- */

static struct kmem_cache bucket[PAGE_SHIFT + 2]; /* index: log2 of the size; [0] 96, [1] 192 bytes */
#define BUCKET_96 0
#define BUCKET_192 1
#define BUCKET_MIN_SHIFT 4
#define BUCKET_MAX_SHIFT (PAGE_SHIFT + 1)
#define BUCKET_MAX (1UL << BUCKET_MAX_SHIFT)

/* The kernel's inline kmalloc picks one of these by size; each only needs to exist, the size comes along. */
#ifdef alloc_hooks
kmem_buckets kmalloc_caches[NR_KMALLOC_TYPES];
#else
struct kmem_cache *kmalloc_caches[NR_KMALLOC_TYPES][KMALLOC_SHIFT_HIGH + 1];
#endif

#ifdef CONFIG_RANDOM_KMALLOC_CACHES
unsigned long random_kmalloc_seed;
#endif

/* Slab descriptors come from pages carved up here: they cannot come from slabs. */
static unsigned long arena_next, arena_left;
static struct slab *spare[4]; /* freed descriptors, by size class */

static unsigned int descriptor_class(unsigned int objects)
{
	return objects <= 8 ? 0 : objects <= 32 ? 1 : objects <= 128 ? 2 : 3;
}

static const unsigned int descriptor_objects[] = { 8, 32, 128, 512 };

static struct slab *descriptor_alloc(unsigned int objects)
{
	unsigned int class = descriptor_class(objects);
	unsigned int bytes = sizeof(struct slab) + descriptor_objects[class] * sizeof(u32);
	struct slab *slab = spare[class];

	if (slab) {
		spare[class] = (struct slab *)slab->base;
		return slab;
	}
	if (arena_left < bytes) {
		struct page *page = drvport_block_alloc(GFP_ATOMIC, 0, PAGE_USE_RESERVED);

		if (!page)
			return NULL;
		drvport_held.reserved_pages++;
		arena_next = (unsigned long)page_address(page);
		arena_left = PAGE_SIZE;
	}
	slab = (struct slab *)arena_next;
	arena_next += bytes;
	arena_left -= bytes;
	return slab;
}

static void descriptor_free(struct slab *slab)
{
	unsigned int class = descriptor_class(slab->cache->per_slab);

	slab->base = (unsigned long)spare[class];
	spare[class] = slab;
}

static void cache_setup(struct kmem_cache *cache, const char *name, unsigned int bytes, unsigned int align)
{
	unsigned int order = 0;

	INIT_LIST_HEAD(&cache->partial);
	cache->name = name;
	cache->bytes = bytes;
	cache->stride = ALIGN(max(bytes, 8U), max(align, (unsigned int)ARCH_KMALLOC_MINALIGN));
	cache->shift = is_power_of_2(cache->stride) ? ilog2(cache->stride) : 0;
	while (order < 3 && (PAGE_SIZE << order) < 4 * cache->stride)
		order++;
	while ((PAGE_SIZE << order) < cache->stride)
		order++;
	cache->order = order;
	cache->per_slab = (PAGE_SIZE << order) / cache->stride;
	if (cache->per_slab > 512)
		cache->per_slab = 512;
}

static struct slab *slab_new(struct kmem_cache *cache, gfp_t gfp)
{
	struct slab *slab = descriptor_alloc(cache->per_slab);
	struct page *page;
	unsigned int i;

	if (!slab)
		return NULL;
	slab->cache = cache;
	page = drvport_block_alloc(gfp & ~__GFP_ZERO, cache->order, PAGE_USE_SLAB);
	if (!page) {
		descriptor_free(slab);
		return NULL;
	}
	for (i = 0; i < (1U << cache->order); i++) {
		drvport_pages[page - mem_map + i].use = PAGE_USE_SLAB;
		drvport_pages[page - mem_map + i].owner = (u32)slab;
		/* Some of the tree's files ask whether an object may be given to kfree. */
		__folio_set_slab(page_folio(page + i));
	}
	drvport_held.reserved_pages += 1U << cache->order;
	slab->base = (unsigned long)page_address(page);
	slab->in_use = 0;
	slab->first_free = 0;
	for (i = 0; i < cache->per_slab; i++)
		slab->object[i] = OBJECT_FREE | (i + 1 < cache->per_slab ? i + 1 : NO_OBJECT);
	if (cache->ctor)
		for (i = 0; i < cache->per_slab; i++)
			cache->ctor((void *)(slab->base + i * cache->stride));
	list_add(&slab->list, &cache->partial);
	cache->empty++;
	return slab;
}

static void slab_release(struct slab *slab)
{
	unsigned int i, order = slab->cache->order;
	struct page *page = virt_to_page((void *)slab->base);

	for (i = 0; i < (1U << order); i++) {
		drvport_pages[page - mem_map + i].use = PAGE_USE_TAIL;
		__folio_clear_slab(page_folio(page + i));
	}
	drvport_held.reserved_pages -= 1U << order;
	drvport_block_free(page, order);
	descriptor_free(slab);
}

static void count(u32 object, int sign)
{
	if (object & OBJECT_CORE)
		return;
	drvport_held.heap_objects += sign;
	drvport_held.heap_bytes += sign * (int)(object & OBJECT_BYTES);
}

static void *object_take(struct kmem_cache *cache, gfp_t gfp, u32 asked)
{
	struct slab *slab = list_first_entry_or_null(&cache->partial, struct slab, list);
	unsigned int index, bytes = asked & OBJECT_BYTES;
	void *mem;

	if (!slab) {
		slab = slab_new(cache, gfp);
		if (!slab)
			return NULL;
	}
	index = slab->first_free;
	slab->first_free = slab->object[index] & ~OBJECT_FREE;
	slab->object[index] = asked;
	if (!slab->in_use++)
		cache->empty--;
	if (slab->first_free == NO_OBJECT)
		list_del_init(&slab->list);
	count(asked, 1);
	mem = (void *)(slab->base + index * cache->stride);
	if (gfp & __GFP_ZERO)
		memset(mem, 0, bytes);
	if (bytes < cache->stride)
		memset(mem + bytes, GUARD, min(cache->stride - bytes, (unsigned int)GUARD_BYTES));
	return mem;
}

static void guard_check(const u8 *mem, u32 bytes, unsigned int room)
{
	unsigned int i, end = min(room, bytes + GUARD_BYTES);

	for (i = bytes; i < end; i++)
		if (mem[i] != GUARD)
			drvport_fault(DRVPORT_FAULT_HEAP_CORRUPTION,
				      "write past the end of the %u bytes at 0x%lx (found at +%u)",
				      bytes, (unsigned long)mem, i);
}

/* Which object is at mem; faults when there is none, or it is free. */
static unsigned int object_find(const struct slab *slab, const void *mem, const char *what)
{
	const struct kmem_cache *cache = slab->cache;
	unsigned long offset = (unsigned long)mem - slab->base;
	unsigned int index = cache->shift ? offset >> cache->shift : offset / cache->stride;

	if (index >= cache->per_slab || offset != index * cache->stride)
		drvport_fault(DRVPORT_FAULT_HEAP_CORRUPTION, "%s of 0x%lx, which is inside an object of %s, not its start",
			      what, (unsigned long)mem, cache->name);
	if (slab->object[index] & OBJECT_FREE)
		drvport_fault(DRVPORT_FAULT_HEAP_CORRUPTION, "%s of 0x%lx (%s), which is free already", what,
			      (unsigned long)mem, cache->name);
	return index;
}

static void object_free(struct slab *slab, const void *mem)
{
	struct kmem_cache *cache = slab->cache;
	unsigned int index = object_find(slab, mem, "free");

	guard_check(mem, slab->object[index] & OBJECT_BYTES, cache->stride);
	debug_check_no_locks_freed(mem, cache->stride);
	count(slab->object[index], -1);
	if (slab->first_free == NO_OBJECT)
		list_add(&slab->list, &cache->partial);
	slab->object[index] = OBJECT_FREE | slab->first_free;
	slab->first_free = index;
	if (--slab->in_use)
		return;
	if (cache->empty) {
		list_del(&slab->list);
		slab_release(slab);
	} else {
		cache->empty++;
	}
}

/* ---- kmalloc ---- */

static struct kmem_cache *bucket_for(size_t bytes)
{
	if (bytes <= 64)
		return &bucket[bytes <= 16 ? 4 : bytes <= 32 ? 5 : 6];
	if (bytes <= 96)
		return &bucket[BUCKET_96];
	if (bytes > 128 && bytes <= 192)
		return &bucket[BUCKET_192];
	return &bucket[fls(bytes - 1)];
}

static void *large_alloc(size_t bytes, gfp_t gfp, u32 core)
{
	struct page *page = drvport_run_alloc(gfp, DIV_ROUND_UP(bytes, PAGE_SIZE), PAGE_USE_LARGE);

	if (!page) {
		drvport_out_of_memory(gfp, bytes);
		return NULL;
	}
	drvport_pages[page - mem_map].owner = bytes | core;
	count(bytes | core, 1);
	return page_address(page);
}

static void *heap_alloc(size_t bytes, gfp_t gfp, u32 core)
{
	if (!bytes)
		return ZERO_SIZE_PTR;
	if (bytes > OBJECT_BYTES)
		return NULL;
	if (bytes > BUCKET_MAX)
		return large_alloc(bytes, gfp, core);
	return object_take(bucket_for(bytes), gfp, bytes | core);
}

static void *kernel_alloc(size_t bytes, gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp))
		might_sleep();
	return heap_alloc(bytes, gfp, 0);
}

void *drvport_core_alloc(size_t bytes)
{
	void *mem = heap_alloc(bytes, GFP_ATOMIC | __GFP_ZERO, OBJECT_CORE);

	return ZERO_OR_NULL_PTR(mem) ? NULL : mem;
}

void drvport_core_free(const void *mem)
{
	kfree(mem);
}

static struct drvport_page *page_of(const void *mem)
{
	unsigned long index = (unsigned long)mem >> PAGE_SHIFT;

	if (index >= max_mapnr)
		drvport_fault(DRVPORT_FAULT_HEAP_CORRUPTION, "0x%lx is not an address in memory", (unsigned long)mem);
	return &drvport_pages[index];
}

void kfree(const void *mem)
{
	struct drvport_page *page;

	if (ZERO_OR_NULL_PTR(mem))
		return;
	page = page_of(mem);
	if (page->use == PAGE_USE_SLAB) {
		object_free((struct slab *)page->owner, mem);
		return;
	}
	if (page->use != PAGE_USE_LARGE || offset_in_page(mem))
		drvport_fault(DRVPORT_FAULT_HEAP_CORRUPTION, "free of 0x%lx, which was not allocated or is free already",
			      (unsigned long)mem);
	debug_check_no_locks_freed(mem, (size_t)page->pages << PAGE_SHIFT);
	count(page->owner, -1);
	drvport_run_free(mem_map + (page - drvport_pages));
}

/* Room there is for an object. Asking makes it the driver's to use. */
size_t __ksize(const void *mem)
{
	struct drvport_page *page;
	struct slab *slab;
	unsigned int index;

	if (ZERO_OR_NULL_PTR(mem))
		return 0;
	page = page_of(mem);
	if (page->use == PAGE_USE_LARGE)
		return (size_t)page->pages << PAGE_SHIFT;
	if (page->use != PAGE_USE_SLAB)
		return 0;
	slab = (struct slab *)page->owner;
	index = object_find(slab, mem, "ksize");
	count(slab->object[index], -1);
	slab->object[index] = (slab->object[index] & OBJECT_CORE) | slab->cache->stride;
	count(slab->object[index], 1);
	return slab->cache->stride;
}

size_t ksize(const void *mem)
{
	return __ksize(mem);
}

/* Bytes the caller asked for, or 0. */
static size_t asked_for(const void *mem)
{
	struct drvport_page *page = page_of(mem);
	struct slab *slab = (struct slab *)page->owner;

	if (page->use == PAGE_USE_LARGE)
		return page->owner & OBJECT_BYTES;
	if (page->use != PAGE_USE_SLAB)
		return 0;
	return slab->object[object_find(slab, mem, "krealloc")] & OBJECT_BYTES;
}

size_t kmalloc_size_roundup(size_t size)
{
	if (!size || size > KMALLOC_MAX_SIZE)
		return size;
	if (size > BUCKET_MAX)
		return PAGE_ALIGN(size);
	return bucket_for(size)->stride;
}

void kfree_sensitive(const void *mem)
{
	if (!ZERO_OR_NULL_PTR(mem))
		memzero_explicit((void *)mem, asked_for(mem));
	kfree(mem);
}

void *FN(krealloc)(const void *mem, size_t bytes, gfp_t gfp)
{
	size_t had;
	void *fresh;

	if (!bytes) {
		kfree(mem);
		return ZERO_SIZE_PTR;
	}
	had = ZERO_OR_NULL_PTR(mem) ? 0 : asked_for(mem);
	if (had == bytes)
		return (void *)mem;
	fresh = kernel_alloc(bytes, gfp);
	if (fresh && had) {
		memcpy(fresh, mem, min(had, bytes));
		kfree(mem);
	}
	return fresh;
}

void *FN(__kmalloc)(size_t size, gfp_t gfp)
{
	return kernel_alloc(size, gfp);
}

#ifdef alloc_hooks
void *__kmalloc_node_noprof(DECL_BUCKET_PARAMS(size, b), gfp_t gfp, int node)
{
	return kernel_alloc(size, gfp);
}

void *__kmalloc_cache_noprof(struct kmem_cache *cache, gfp_t gfp, size_t size)
{
	return kernel_alloc(size, gfp);
}

void *__kmalloc_cache_node_noprof(struct kmem_cache *cache, gfp_t gfp, int node, size_t size)
{
	return kernel_alloc(size, gfp);
}

void *__kmalloc_large_noprof(size_t size, gfp_t gfp)
{
	return kernel_alloc(size, gfp);
}

void *__kmalloc_large_node_noprof(size_t size, gfp_t gfp, int node)
{
	return kernel_alloc(size, gfp);
}

void *__kmalloc_node_track_caller_noprof(DECL_BUCKET_PARAMS(size, b), gfp_t gfp, int node, unsigned long caller)
{
	return kernel_alloc(size, gfp);
}
#else
void *__kmalloc_node(size_t size, gfp_t gfp, int node)
{
	return kernel_alloc(size, gfp);
}

void *kmalloc_trace(struct kmem_cache *cache, gfp_t gfp, size_t size)
{
	return kernel_alloc(size, gfp);
}

void *kmalloc_node_trace(struct kmem_cache *cache, gfp_t gfp, int node, size_t size)
{
	return kernel_alloc(size, gfp);
}

void *kmalloc_large(size_t size, gfp_t gfp)
{
	return kernel_alloc(size, gfp);
}

void *kmalloc_large_node(size_t size, gfp_t gfp, int node)
{
	return kernel_alloc(size, gfp);
}

void *__kmalloc_node_track_caller(size_t size, gfp_t gfp, int node, unsigned long caller)
{
	return kernel_alloc(size, gfp);
}
#endif

/* ---- kmem_cache ---- */

static struct kmem_cache *cache_create(const char *name, unsigned int size, unsigned int align, slab_flags_t flags,
				       void (*ctor)(void *))
{
	struct kmem_cache *cache = drvport_core_alloc(sizeof(*cache));

	if (!cache)
		return NULL;
	if (flags & SLAB_HWCACHE_ALIGN)
		align = max(align, (unsigned int)SMP_CACHE_BYTES);
	cache_setup(cache, name, size, align);
	cache->flags = flags;
	cache->ctor = ctor;
	drvport_held.resources++;
	return cache;
}

#ifdef alloc_hooks
struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int size, struct kmem_cache_args *args,
					    slab_flags_t flags)
{
	return cache_create(name, size, args->align, flags, args->ctor);
}
#else
struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
					      slab_flags_t flags, unsigned int useroffset, unsigned int usersize,
					      void (*ctor)(void *))
{
	return cache_create(name, size, align, flags, ctor);
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align, slab_flags_t flags,
				     void (*ctor)(void *))
{
	return cache_create(name, size, align, flags, ctor);
}
#endif

int kmem_cache_shrink(struct kmem_cache *cache)
{
	struct slab *slab, *next;

	list_for_each_entry_safe(slab, next, &cache->partial, list) {
		if (slab->in_use)
			continue;
		list_del(&slab->list);
		slab_release(slab);
		cache->empty--;
	}
	return list_empty(&cache->partial) ? 0 : 1;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	if (!cache)
		return;
	if (kmem_cache_shrink(cache)) {
		pr_err("kmem_cache_destroy %s: Slab cache still has objects\n", cache->name);
		return; /* stays counted: a leak */
	}
	drvport_held.resources--;
	drvport_core_free(cache);
}

static void *cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp))
		might_sleep();
	return object_take(cache, gfp, cache->bytes);
}

void *FN(kmem_cache_alloc)(struct kmem_cache *cache, gfp_t gfp)
{
	return cache_alloc(cache, gfp);
}

void *FN(kmem_cache_alloc_lru)(struct kmem_cache *cache, struct list_lru *lru, gfp_t gfp)
{
	return cache_alloc(cache, gfp);
}

void *FN(kmem_cache_alloc_node)(struct kmem_cache *cache, gfp_t gfp, int node)
{
	return cache_alloc(cache, gfp);
}

void kmem_cache_free(struct kmem_cache *cache, void *mem)
{
	struct drvport_page *page;

	if (!mem)
		return;
	page = page_of(mem);
	if (page->use != PAGE_USE_SLAB || ((struct slab *)page->owner)->cache != cache)
		drvport_fault(DRVPORT_FAULT_HEAP_CORRUPTION, "kmem_cache_free of 0x%lx, which is not of cache %s",
			      (unsigned long)mem, cache->name);
	object_free((struct slab *)page->owner, mem);
}

int FN(kmem_cache_alloc_bulk)(struct kmem_cache *cache, gfp_t gfp, size_t count, void **mem)
{
	size_t i;

	for (i = 0; i < count; i++) {
		mem[i] = cache_alloc(cache, gfp);
		if (!mem[i]) {
			kmem_cache_free_bulk(cache, i, mem);
			return 0;
		}
	}
	return count;
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t count, void **mem)
{
	while (count--) {
		if (cache)
			kmem_cache_free(cache, mem[count]);
		else
			kfree(mem[count]);
	}
}

unsigned int kmem_cache_size(struct kmem_cache *cache)
{
	return cache->bytes;
}

bool slab_is_available(void)
{
	return true;
}

void drvport_slab_init(void)
{
	int shift;

	for (shift = BUCKET_MIN_SHIFT; shift <= BUCKET_MAX_SHIFT; shift++)
		cache_setup(&bucket[shift], "kmalloc", 1U << shift, 1U << shift);
	cache_setup(&bucket[BUCKET_96], "kmalloc-96", 96, 32);
	cache_setup(&bucket[BUCKET_192], "kmalloc-192", 192, 64);
}
