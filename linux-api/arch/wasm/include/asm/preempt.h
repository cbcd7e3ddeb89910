/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_PREEMPT_H
#define _ASM_WASM_PREEMPT_H

#include <asm-generic/preempt.h>

/* A tree that asks nobody before it takes a label's address (see asm/linkage.h): its definition is replaced. */
#ifdef WASM_TREE_FORCES_THIS_IP
#include <linux/kernel.h>
#undef _THIS_IP_
#define _THIS_IP_	0UL
#endif

#endif
