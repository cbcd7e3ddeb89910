/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_KASAN_H
#define _ASM_WASM_KASAN_H

/* A byte of shadow for eight of memory, in the last eighth of it: see shim/lower/kasan.c. */
#ifndef __ASSEMBLY__
extern unsigned long drvport_kasan_shadow;
#endif

#define KASAN_SHADOW_SCALE_SHIFT	3

#define KASAN_SHADOW_OFFSET	drvport_kasan_shadow
#define KASAN_SHADOW_START	drvport_kasan_shadow
#define KASAN_SHADOW_END	(drvport_kasan_shadow + (drvport_kasan_shadow >> 3))

#endif
