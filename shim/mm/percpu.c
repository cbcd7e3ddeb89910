// SPDX-License-Identifier: GPL-2.0-only
/* Per-processor memory: one processor, so one copy, and a pointer to it is the pointer. */
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/export.h>

#ifdef alloc_hooks
void __percpu *pcpu_alloc_noprof(size_t size, size_t align, bool reserved, gfp_t gfp)
{
	return (void __percpu *)kzalloc(size, gfp);
}
#else
void __percpu *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp)
{
	return (void __percpu *)kzalloc(size, gfp);
}

void __percpu *__alloc_percpu(size_t size, size_t align)
{
	return (void __percpu *)kzalloc(size, GFP_KERNEL);
}
#endif

void free_percpu(void __percpu *mem)
{
	kfree((void *)mem);
}
