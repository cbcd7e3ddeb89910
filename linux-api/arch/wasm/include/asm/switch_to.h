/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_SWITCH_TO_H
#define _ASM_WASM_SWITCH_TO_H

/* Tasks are fibers of the machine: the shim blocks and wakes them, nothing is switched here. */
#define switch_to(prev, next, last)	((last) = (prev))

#endif
