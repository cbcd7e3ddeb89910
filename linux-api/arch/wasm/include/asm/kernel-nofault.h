/* SPDX-License-Identifier: GPL-2.0-only */
/* For mm/maccess.c: addresses of the kernel's are none of a user's, and what lies beyond its memory is not there. */
extern void *high_memory;
#define HAVE_GET_KERNEL_NOFAULT
#define wasm_nofault(to, from, at, type, failed)	\
	do { if ((void *)(at) > high_memory - sizeof(type)) goto failed; *(type *)(to) = *(const type *)(from); } while (0)
#define __get_kernel_nofault(to, from, type, failed)	wasm_nofault(to, from, from, type, failed)
#define __put_kernel_nofault(to, from, type, failed)	wasm_nofault(to, from, to, type, failed)
