/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_STRING_H
#define _ASM_WASM_STRING_H

/*
 * The checker has functions of these names that look at the shadow first, and what is checked calls them; what is not checked
 * goes past them (shim/lower/kasan.c).
 */
#define __HAVE_ARCH_MEMCPY
#define __HAVE_ARCH_MEMMOVE
#define __HAVE_ARCH_MEMSET

void *memcpy(void *to, const void *from, __SIZE_TYPE__ bytes);
void *memmove(void *to, const void *from, __SIZE_TYPE__ bytes);
void *memset(void *to, int value, __SIZE_TYPE__ bytes);
void *__memcpy(void *to, const void *from, __SIZE_TYPE__ bytes);
void *__memmove(void *to, const void *from, __SIZE_TYPE__ bytes);
void *__memset(void *to, int value, __SIZE_TYPE__ bytes);

#if !__has_feature(address_sanitizer)
#define memcpy(to, from, bytes)		__memcpy(to, from, bytes)
#define memmove(to, from, bytes)	__memmove(to, from, bytes)
#define memset(to, value, bytes)	__memset(to, value, bytes)
#endif

#endif
