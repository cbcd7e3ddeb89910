// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tree's own checker of memory asks of an architecture, in the configuration that has it: where the shadow lies, and
 * the functions on memory that do not look at it. Its reports end the domain: see fault.c.
 */
#include <linux/kernel.h>
#include <linux/init.h>
#include <linux/kasan.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include "lower.h"

#ifdef CONFIG_KASAN

unsigned long drvport_kasan_shadow;

/* Of so many bytes of memory the last eighth is the shadow of the rest. It is zero, which allows everything. */
unsigned long drvport_kasan_divide(unsigned long bytes)
{
	drvport_kasan_shadow = ALIGN_DOWN(bytes - (bytes >> KASAN_SHADOW_SCALE_SHIFT), PAGE_SIZE);
	return drvport_kasan_shadow;
}

/* From here on what is found is told. */
void __init kasan_init(void) { init_task.kasan_depth = 0; }
void *__memcpy(void *to, const void *from, size_t bytes) { return __builtin_memcpy(to, from, bytes); }
void *__memmove(void *to, const void *from, size_t bytes) { return __builtin_memmove(to, from, bytes); }
void *__memset(void *to, int value, size_t bytes) { return __builtin_memset(to, value, bytes); }

#endif
