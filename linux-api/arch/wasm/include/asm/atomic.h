/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_ATOMIC_H
#define _ASM_WASM_ATOMIC_H

/*
 * Atomic operations are plain ones: the machine interrupts a domain only inside a call to it, and no call stands
 * between the load and the store. What is left out here the tree's fallback header builds from these.
 */
#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/cmpxchg.h>

#define arch_atomic_read(v)	READ_ONCE((v)->counter)
#define arch_atomic_set(v, i)	WRITE_ONCE((v)->counter, (i))

#define WASM_ATOMIC_OP(prefix, type, word, op, expression)			\
static __always_inline void arch_##prefix##_##op(word i, type *v)		\
{										\
	barrier();								\
	v->counter = (expression);						\
	barrier();								\
}										\
static __always_inline word arch_##prefix##_fetch_##op(word i, type *v)	\
{										\
	word old;								\
										\
	barrier();								\
	old = v->counter;							\
	v->counter = (expression);						\
	barrier();								\
	return old;								\
}

#define WASM_ATOMIC_RETURN(prefix, type, word, op, expression)			\
static __always_inline word arch_##prefix##_##op##_return(word i, type *v)	\
{										\
	word new;								\
										\
	barrier();								\
	new = (expression);							\
	v->counter = new;							\
	barrier();								\
	return new;								\
}

#define WASM_ATOMIC(prefix, type, word)						\
WASM_ATOMIC_OP(prefix, type, word, add, (word)((u64)v->counter + (u64)i))	\
WASM_ATOMIC_OP(prefix, type, word, sub, (word)((u64)v->counter - (u64)i))	\
WASM_ATOMIC_OP(prefix, type, word, and, v->counter & i)				\
WASM_ATOMIC_OP(prefix, type, word, or, v->counter | i)				\
WASM_ATOMIC_OP(prefix, type, word, xor, v->counter ^ i)				\
WASM_ATOMIC_OP(prefix, type, word, andnot, v->counter & ~i)			\
WASM_ATOMIC_RETURN(prefix, type, word, add, (word)((u64)v->counter + (u64)i))	\
WASM_ATOMIC_RETURN(prefix, type, word, sub, (word)((u64)v->counter - (u64)i))

WASM_ATOMIC(atomic, atomic_t, int)

#define arch_atomic_add			arch_atomic_add
#define arch_atomic_sub			arch_atomic_sub
#define arch_atomic_and			arch_atomic_and
#define arch_atomic_or			arch_atomic_or
#define arch_atomic_xor			arch_atomic_xor
#define arch_atomic_andnot		arch_atomic_andnot
#define arch_atomic_fetch_add		arch_atomic_fetch_add
#define arch_atomic_fetch_sub		arch_atomic_fetch_sub
#define arch_atomic_fetch_and		arch_atomic_fetch_and
#define arch_atomic_fetch_or		arch_atomic_fetch_or
#define arch_atomic_fetch_xor		arch_atomic_fetch_xor
#define arch_atomic_fetch_andnot	arch_atomic_fetch_andnot
#define arch_atomic_add_return		arch_atomic_add_return
#define arch_atomic_sub_return		arch_atomic_sub_return
#define arch_atomic_xchg(v, new)	arch_xchg(&(v)->counter, (new))
#define arch_atomic_cmpxchg(v, old, new) arch_cmpxchg(&(v)->counter, (old), (new))

/* 64-bit counters need no lock for the same reason. */
typedef struct {
	s64 __aligned(8) counter;
} atomic64_t;

#define ATOMIC64_INIT(i)	{ (i) }
#define arch_atomic64_read(v)	READ_ONCE((v)->counter)
#define arch_atomic64_set(v, i)	WRITE_ONCE((v)->counter, (i))

WASM_ATOMIC(atomic64, atomic64_t, s64)

#define arch_atomic64_add		arch_atomic64_add
#define arch_atomic64_sub		arch_atomic64_sub
#define arch_atomic64_and		arch_atomic64_and
#define arch_atomic64_or		arch_atomic64_or
#define arch_atomic64_xor		arch_atomic64_xor
#define arch_atomic64_andnot		arch_atomic64_andnot
#define arch_atomic64_fetch_add		arch_atomic64_fetch_add
#define arch_atomic64_fetch_sub		arch_atomic64_fetch_sub
#define arch_atomic64_fetch_and		arch_atomic64_fetch_and
#define arch_atomic64_fetch_or		arch_atomic64_fetch_or
#define arch_atomic64_fetch_xor		arch_atomic64_fetch_xor
#define arch_atomic64_fetch_andnot	arch_atomic64_fetch_andnot
#define arch_atomic64_add_return	arch_atomic64_add_return
#define arch_atomic64_sub_return	arch_atomic64_sub_return
#define arch_atomic64_xchg(v, new)	arch_xchg(&(v)->counter, (new))
#define arch_atomic64_cmpxchg(v, old, new) arch_cmpxchg(&(v)->counter, (old), (new))

#endif
