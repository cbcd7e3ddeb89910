/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_FIXMAP_H
#define _ASM_WASM_FIXMAP_H

/* There is nothing to map at a fixed address; early console drivers want the header. */
#include <asm/page.h>

enum fixed_addresses {
	FIX_EARLYCON_MEM_BASE,
	__end_of_fixed_addresses
};

#define FIXADDR_TOP	0xfffff000UL
#define FIXADDR_SIZE	(__end_of_fixed_addresses << PAGE_SHIFT)
#define FIXADDR_START	(FIXADDR_TOP - FIXADDR_SIZE)

#include <asm-generic/fixmap.h>

#endif
