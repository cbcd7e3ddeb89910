/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_UACCESS_H
#define _ASM_WASM_UACCESS_H

/*
 * A user's addresses are none of the kernel's. Of what the machine hands over for a client they are its addresses in
 * linear memory plus WASM_USER; below that lie mappings of the task's own (mmap), found by its page tables
 * (shim/lower/user.c). All else is refused, as by a processor that keeps the kernel from users' memory and users from its.
 */
#include <linux/string.h>

#define WASM_USER	0x80000000UL

extern void *high_memory;
unsigned long drvport_user_copy(void *kernel, unsigned long user, unsigned long n, int write);

/* Where it lies for the kernel, or NULL. */
static __always_inline void *wasm_user(const void __user *user, unsigned long n)
{
	unsigned long at = (unsigned long)user - WASM_USER, end = (unsigned long)high_memory;

	return likely(at < end && n <= end - at) ? (void *)at : (void *)0;
}

#define wasm_user_address(at)	((void __user *)((unsigned long)(at) + WASM_USER))

static __always_inline __must_check unsigned long
raw_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	void *at = wasm_user(from, n);

	if (!at)
		return drvport_user_copy(to, (unsigned long)from, n, 0);
	memcpy(to, at, n);
	return 0;
}

static __always_inline __must_check unsigned long
raw_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	void *at = wasm_user(to, n);

	if (!at)
		return drvport_user_copy((void *)from, (unsigned long)to, n, 1);
	memcpy(at, from, n);
	return 0;
}

#define __get_user_fn(size, from, to)	raw_copy_from_user((to), (from), (size))
#define __put_user_fn(size, to, from)	raw_copy_to_user((to), (from), (size))

#define __clear_user __clear_user
static inline __must_check unsigned long __clear_user(void __user *to, unsigned long n)
{
	void *at = wasm_user(to, n);

	if (!at)
		return drvport_user_copy((void *)0, (unsigned long)to, n, 1);
	memset(at, 0, n);
	return 0;
}

#include <asm-generic/uaccess.h>

#endif
