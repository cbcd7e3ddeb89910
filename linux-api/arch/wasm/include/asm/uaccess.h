/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_UACCESS_H
#define _ASM_WASM_UACCESS_H

/*
 * "User" buffers lie in the same linear memory: the machine puts a client's bytes there before it enters the driver.
 * A bad pointer is caught by the engine, not by a fix-up table, so a copy always succeeds.
 */
#include <linux/string.h>

static __always_inline __must_check unsigned long
raw_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	memcpy(to, (const void __force *)from, n);
	return 0;
}

static __always_inline __must_check unsigned long
raw_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	memcpy((void __force *)to, from, n);
	return 0;
}

#define __get_user_fn(size, from, to)	raw_copy_from_user((to), (from), (size))
#define __put_user_fn(size, to, from)	raw_copy_to_user((to), (from), (size))

#define __clear_user __clear_user
static inline __must_check unsigned long __clear_user(void __user *to, unsigned long n)
{
	memset((void __force *)to, 0, n);
	return 0;
}

#include <asm-generic/uaccess.h>

#endif
