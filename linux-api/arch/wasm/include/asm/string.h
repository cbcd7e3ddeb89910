/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_STRING_H
#define _ASM_WASM_STRING_H

/* Nothing of our own: the compiler turns memcpy and memset into instructions, and the tree's lib/string.c has the rest. */

#endif
