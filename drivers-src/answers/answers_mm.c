// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory: which is whose, how it is aligned, and what is said when there is none.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

static void exact_pages_are_pages(struct kunit *test)
{
	size_t bytes = 5 * PAGE_SIZE, at;
	u8 *memory = alloc_pages_exact(bytes, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(memory));
	for (at = 0; at < bytes; at += PAGE_SIZE) {
		struct page *page = virt_to_page(memory + at);

		KUNIT_EXPECT_FALSE(test, is_vmalloc_addr(memory + at));
		KUNIT_EXPECT_TRUE(test, virt_addr_valid(memory + at));
		KUNIT_EXPECT_EQ(test, page_count(page), 1);
		KUNIT_EXPECT_PTR_EQ(test, page_address(page), (void *)(memory + at));
		KUNIT_EXPECT_EQ(test, (u64)page_to_phys(page), (u64)virt_to_phys(memory) + at);
	}
	free_pages_exact(memory, bytes);
}

static void vmalloc_is_known_throughout(struct kunit *test)
{
	size_t bytes = 5 * PAGE_SIZE, at;
	u8 *memory = vzalloc(bytes), *other = kmalloc(64, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_ASSERT_NOT_NULL(test, other);
	for (at = 0; at < bytes; at += PAGE_SIZE / 2) {
		KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(memory + at));
		KUNIT_EXPECT_NOT_NULL(test, vmalloc_to_page(memory + at));
		KUNIT_EXPECT_EQ(test, memory[at], (u8)0);
	}
	KUNIT_EXPECT_FALSE(test, is_vmalloc_addr(other));
	kfree(other);
	vfree(memory);
}

static void kmalloc_has_a_largest(struct kunit *test)
{
	size_t bytes = KMALLOC_MAX_SIZE + 1;
	void *memory;

	OPTIMIZER_HIDE_VAR(bytes);
	memory = kmalloc(bytes, GFP_KERNEL | __GFP_NOWARN);
	KUNIT_EXPECT_NULL(test, memory);
	kfree(memory);
	/* Where that is too small, there is vmalloc. */
	memory = kvmalloc(bytes, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, memory);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(memory));
	kvfree(memory);
}

static void percpu_is_aligned(struct kunit *test)
{
	size_t align;

	for (align = 4; align <= 1024; align *= 2) {
		void __percpu *odd = __alloc_percpu(4, 4), *memory = __alloc_percpu(24, align);

		KUNIT_ASSERT_NOT_NULL(test, (void __force *)memory);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)raw_cpu_ptr(memory), align));
		KUNIT_EXPECT_EQ(test, *(u32 *)raw_cpu_ptr(memory), 0u);
		free_percpu(memory);
		free_percpu(odd);
	}
}

static void slab_objects_are_aligned(struct kunit *test)
{
	struct kmem_cache *cache = kmem_cache_create("answers", 40, 128, 0, NULL);
	void *one, *two;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	one = kmem_cache_alloc(cache, GFP_KERNEL);
	two = kmem_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, one);
	KUNIT_ASSERT_NOT_NULL(test, two);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)one, 128));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)two, 128));
	kmem_cache_free(cache, one);
	kmem_cache_free(cache, two);
	kmem_cache_destroy(cache);
}

#define POLITELY (GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/* More than there is: no for an answer, whichever way it is asked for, and all of it comes back. */
static void exhaustion_is_an_answer(struct kunit *test)
{
	unsigned long pages = 0, again = 0, total = totalram_pages();
	void **list = NULL, **page;

	if (total > SZ_512M >> PAGE_SHIFT)
		kunit_skip(test, "this computer has more memory than a test should take");
	KUNIT_EXPECT_NULL(test, __vmalloc(2 * (total << PAGE_SHIFT), POLITELY));
	while ((page = (void **)__get_free_page(POLITELY))) {
		*page = list;
		list = page;
		pages++;
	}
	KUNIT_EXPECT_GT(test, pages, total / 4);
	KUNIT_EXPECT_NULL(test, __vmalloc(total / 2 << PAGE_SHIFT, POLITELY));
	while ((page = list)) {
		list = *page;
		free_page((unsigned long)page);
	}
	while (again < pages / 2 && (page = (void **)__get_free_page(POLITELY))) {
		*page = list;
		list = page;
		again++;
	}
	KUNIT_EXPECT_EQ(test, again, pages / 2);
	while ((page = list)) {
		list = *page;
		free_page((unsigned long)page);
	}
}

/* Pages that do not follow each other: a mapping of them, or none. */
static void vmap_is_of_these_pages(struct kunit *test)
{
	struct page *pages[3];
	u8 *memory;
	int i;

	for (i = 0; i < 3; i++) {
		pages[i] = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
		*(u8 *)page_address(pages[i]) = i + 1;
	}
	swap(pages[0], pages[2]);
	memory = vmap(pages, 3, VM_MAP, PAGE_KERNEL);
	for (i = 0; memory && i < 3; i++)
		KUNIT_EXPECT_EQ(test, memory[i * PAGE_SIZE], *(u8 *)page_address(pages[i]));
	vunmap(memory);
	for (i = 0; i < 3; i++)
		__free_page(pages[i]);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(exact_pages_are_pages),
	KUNIT_CASE(vmalloc_is_known_throughout),
	KUNIT_CASE(kmalloc_has_a_largest),
	KUNIT_CASE(percpu_is_aligned),
	KUNIT_CASE(slab_objects_are_aligned),
	KUNIT_CASE(exhaustion_is_an_answer),
	KUNIT_CASE(vmap_is_of_these_pages),
	{ }
};

static struct kunit_suite suite = { .name = "answers_mm", .test_cases = cases };
kunit_test_suite(suite);

MODULE_DESCRIPTION("Asks what Linux answers of memory");
MODULE_LICENSE("GPL");
