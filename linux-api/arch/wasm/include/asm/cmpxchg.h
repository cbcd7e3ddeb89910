/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_CMPXCHG_H
#define _ASM_WASM_CMPXCHG_H

/* Exchange of any scalar of 1, 2, 4 or 8 bytes. Plain code is atomic here: see asm/atomic.h. */
#include <linux/types.h>
#include <linux/compiler.h>

#define arch_xchg(ptr, new)							\
({										\
	__typeof__(ptr) __xchg_ptr = (ptr);					\
	__typeof__(*__xchg_ptr) __xchg_old = ({ barrier(); *__xchg_ptr; });	\
										\
	*__xchg_ptr = (__typeof__(*__xchg_ptr))(new);				\
	barrier();								\
	__xchg_old;								\
})

#define arch_cmpxchg(ptr, old, new)						\
({										\
	__typeof__(ptr) __cmpxchg_ptr = (ptr);					\
	__typeof__(*__cmpxchg_ptr) __cmpxchg_new =				\
		(__typeof__(*__cmpxchg_ptr))(new);				\
	__typeof__(*__cmpxchg_ptr) __cmpxchg_want =				\
		(__typeof__(*__cmpxchg_ptr))(old);				\
	__typeof__(*__cmpxchg_ptr) __cmpxchg_seen =				\
		({ barrier(); *__cmpxchg_ptr; });				\
										\
	if (__cmpxchg_seen == __cmpxchg_want)					\
		*__cmpxchg_ptr = __cmpxchg_new;					\
	barrier();								\
	__cmpxchg_seen;								\
})

#define arch_cmpxchg_local	arch_cmpxchg
#define arch_cmpxchg64		arch_cmpxchg
#define arch_cmpxchg64_local	arch_cmpxchg

#endif
