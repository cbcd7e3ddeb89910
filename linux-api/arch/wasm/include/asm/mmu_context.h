/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_MMU_CONTEXT_H
#define _ASM_WASM_MMU_CONTEXT_H

/* One address space, always. */
#include <linux/mm_types.h>
#include <asm-generic/mm_hooks.h>

/* Older trees' generic header has it too. */
#ifndef WASM_TREE_HAS_SWITCH_MM
static inline void switch_mm(struct mm_struct *prev, struct mm_struct *next,
			     struct task_struct *task)
{
}
#endif

#include <asm-generic/mmu_context.h>

#endif
