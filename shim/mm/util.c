// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small helpers on top of kmalloc: copies of strings and of memory, and kvmalloc, which here is kmalloc or else pages.
 */
#include <linux/slab.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/uaccess.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/overflow.h>
#include <drvport/core.h>

#ifdef alloc_hooks
#define FN(name) name##_noprof
#else
#define FN(name) name
#endif

void kfree_const(const void *mem)
{
	kfree(mem);
}

static void *duplicate(const void *mem, size_t bytes, size_t room, gfp_t gfp)
{
	char *copy = kmalloc(room, gfp);

	if (copy) {
		memcpy(copy, mem, bytes);
		if (room > bytes)
			copy[bytes] = 0;
	}
	return copy;
}

#ifdef kstrdup
#undef kstrdup
#define KSTRDUP kstrdup_noprof
#else
#define KSTRDUP kstrdup
#endif
char *KSTRDUP(const char *s, gfp_t gfp)
{
	size_t len = s ? strlen(s) : 0;

	return s ? duplicate(s, len, len + 1, gfp) : NULL;
}

const char *kstrdup_const(const char *s, gfp_t gfp)
{
	return KSTRDUP(s, gfp);
}

char *kstrndup(const char *s, size_t max, gfp_t gfp)
{
	size_t len = s ? strnlen(s, max) : 0;

	return s ? duplicate(s, len, len + 1, gfp) : NULL;
}

#ifdef kmemdup
#undef kmemdup
#define KMEMDUP kmemdup_noprof
#else
#define KMEMDUP kmemdup
#endif
void *KMEMDUP(const void *src, size_t len, gfp_t gfp)
{
	return duplicate(src, len, len, gfp);
}

char *kmemdup_nul(const char *s, size_t len, gfp_t gfp)
{
	return s ? duplicate(s, len, len + 1, gfp) : NULL;
}

void *memdup_user(const void __user *src, size_t len)
{
	void *copy = duplicate((const void *)src, len, len, GFP_USER);

	return copy ? copy : ERR_PTR(-ENOMEM);
}

void *memdup_user_nul(const void __user *src, size_t len)
{
	void *copy = duplicate((const void *)src, len, len + 1, GFP_USER);

	return copy ? copy : ERR_PTR(-ENOMEM);
}

void *vmemdup_user(const void __user *src, size_t len)
{
	return memdup_user(src, len);
}

/* Memory is one contiguous space here, so a large kmalloc is as good as a vmalloc; only it must not be the end. */
static void *kv_alloc(size_t size, gfp_t gfp)
{
	if (size > PAGE_SIZE)
		gfp |= __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	return kmalloc(size, gfp);
}

#ifdef alloc_hooks
void *__kvmalloc_node_noprof(DECL_BUCKET_PARAMS(size, b), gfp_t gfp, int node)
{
	return kv_alloc(size, gfp);
}

void *kvrealloc_noprof(const void *mem, size_t size, gfp_t gfp)
{
	return krealloc(mem, size, gfp);
}
#else
void *kvmalloc_node(size_t size, gfp_t gfp, int node)
{
	return kv_alloc(size, gfp);
}

void *kvrealloc(const void *mem, size_t oldsize, size_t newsize, gfp_t gfp)
{
	void *fresh;

	if (oldsize >= newsize)
		return (void *)mem;
	fresh = kv_alloc(newsize, gfp);
	if (fresh) {
		memcpy(fresh, mem, oldsize);
		kvfree(mem);
	}
	return fresh;
}
#endif

void kvfree(const void *mem)
{
	if (drvport_is_vmalloc(mem))
		vfree(mem);
	else
		kfree(mem);
}

void kvfree_sensitive(const void *mem, size_t len)
{
	if (!ZERO_OR_NULL_PTR(mem)) {
		memzero_explicit((void *)mem, len);
		kvfree(mem);
	}
}

/* As with init_on_alloc=0 init_on_free=0: memory is cleared only where the caller asks, so that a driver's bug shows. */
typeof(init_on_alloc) init_on_alloc = { STATIC_KEY_INIT_FALSE };
typeof(init_on_free) init_on_free = { STATIC_KEY_INIT_FALSE };

#undef kmemdup_array
void *kmemdup_array(const void *src, size_t count, size_t element_size, gfp_t gfp);
void *kmemdup_array(const void *src, size_t count, size_t element_size, gfp_t gfp)
{
	size_t bytes = size_mul(count, element_size);

	return duplicate(src, bytes, bytes, gfp);
}

/* Nothing counts as read-only: a constant string is copied, and its copy freed. */
char __start_rodata[1];
extern char __end_rodata[1] __attribute__((alias("__start_rodata")));
