/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_PGALLOC_H
#define _ASM_WASM_PGALLOC_H

/* Page tables are of users' memory alone. */
#include <linux/mm.h>
#include <asm-generic/pgalloc.h>

static inline void pmd_populate_kernel(struct mm_struct *mm, pmd_t *pmd, pte_t *pte)
{
	set_pmd(pmd, __pmd((unsigned long)pte));
}

static inline void pmd_populate(struct mm_struct *mm, pmd_t *pmd, pgtable_t pte)
{
	set_pmd(pmd, __pmd((unsigned long)page_address(pte)));
}

pgd_t *pgd_alloc(struct mm_struct *mm);

#define __pte_free_tlb(tlb, pte, addr)	tlb_remove_page((tlb), (pte))

#endif
