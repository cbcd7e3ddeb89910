/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_PGTABLE_H
#define _ASM_WASM_PGTABLE_H

/*
 * A two-level page table that no processor reads: copies to and from a user's mappings do (shim/lower/user.c). The
 * format of an entry is nobody's but ours.
 */
#include <asm/page.h>
#include <asm-generic/pgtable-nopmd.h>

#define PGDIR_SHIFT	22
#define PGDIR_SIZE	(1UL << PGDIR_SHIFT)
#define PGDIR_MASK	(~(PGDIR_SIZE - 1))
#define PTRS_PER_PGD	1024
#define PTRS_PER_PTE	1024
#define USER_PTRS_PER_PGD	(TASK_SIZE / PGDIR_SIZE)

#define _PAGE_PRESENT	0x001
#define _PAGE_WRITE	0x002
#define _PAGE_EXEC	0x004
#define _PAGE_USER	0x008
#define _PAGE_ACCESSED	0x010
#define _PAGE_DIRTY	0x020
#define _PAGE_SWP_EXCLUSIVE	0x040
#define _PAGE_PROT	(_PAGE_PRESENT | _PAGE_WRITE | _PAGE_EXEC | _PAGE_USER)

#define PAGE_NONE	__pgprot(_PAGE_USER)
#define PAGE_READONLY	__pgprot(_PAGE_PRESENT | _PAGE_USER)
#define PAGE_READONLY_EXEC	__pgprot(_PAGE_PRESENT | _PAGE_USER | _PAGE_EXEC)
#define PAGE_COPY	PAGE_READONLY
#define PAGE_COPY_EXEC	PAGE_READONLY_EXEC
#define PAGE_SHARED	__pgprot(_PAGE_PRESENT | _PAGE_USER | _PAGE_WRITE)
#define PAGE_SHARED_EXEC	__pgprot(_PAGE_PROT)
#define PAGE_KERNEL	__pgprot(_PAGE_PRESENT | _PAGE_WRITE | _PAGE_EXEC | _PAGE_DIRTY | _PAGE_ACCESSED)

#ifndef __ASSEMBLY__
#include <linux/mm_types.h>

extern pgd_t swapper_pg_dir[PTRS_PER_PGD];
#ifndef WASM_TREE_HAS_ZERO_PAGE
extern unsigned long empty_zero_page[PAGE_SIZE / sizeof(unsigned long)];

#define ZERO_PAGE(vaddr)	virt_to_page(empty_zero_page)
#endif

/* vmalloc memory is ordinary memory; the shim decides what lies where. */
#define VMALLOC_START	drvport_vmalloc_start
#define VMALLOC_END	drvport_vmalloc_end
extern unsigned long drvport_vmalloc_start, drvport_vmalloc_end;

#define pgd_ERROR(e)	pr_err("bad pgd %08lx\n", pgd_val(e))
#define pte_ERROR(e)	pr_err("bad pte %08lx\n", pte_val(e))

#define WASM_PTE_BIT(get, set, clear, bit)					\
static inline int pte_##get(pte_t pte) { return !!(pte_val(pte) & (bit)); }	\
static inline pte_t pte_##set(pte_t pte) { return __pte(pte_val(pte) | (bit)); } \
static inline pte_t pte_##clear(pte_t pte) { return __pte(pte_val(pte) & ~(bit)); }

WASM_PTE_BIT(dirty, mkdirty, mkclean, _PAGE_DIRTY)
WASM_PTE_BIT(young, mkyoung, mkold, _PAGE_ACCESSED)
WASM_PTE_BIT(swp_exclusive, swp_mkexclusive, swp_clear_exclusive, _PAGE_SWP_EXCLUSIVE)
#define __HAVE_ARCH_PTE_SWP_EXCLUSIVE

static inline int pte_write(pte_t pte) { return !!(pte_val(pte) & _PAGE_WRITE); }
static inline pte_t pte_wrprotect(pte_t pte) { return __pte(pte_val(pte) & ~_PAGE_WRITE); }
static inline pte_t pte_mkwrite_novma(pte_t pte) { return __pte(pte_val(pte) | _PAGE_WRITE); }
/* Older trees call it with the entry alone, recent ones with the area too. */
#define pte_mkwrite(pte, ...)	pte_mkwrite_novma(pte)

static inline int pte_none(pte_t pte) { return !pte_val(pte); }
static inline int pte_present(pte_t pte) { return !!(pte_val(pte) & _PAGE_PRESENT); }
static inline void set_pte(pte_t *ptep, pte_t pte) { *ptep = pte; }

/* A function, so that a tree which builds this from set_ptes() may define its macro over it. */
static inline void set_pte_at(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte) { set_pte(ptep, pte); }
static inline void pte_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep) { set_pte(ptep, __pte(0)); }

static inline pte_t pte_modify(pte_t pte, pgprot_t prot)
{
	return __pte((pte_val(pte) & ~_PAGE_PROT) | (pgprot_val(prot) & _PAGE_PROT));
}

#define PFN_PTE_SHIFT	PAGE_SHIFT
#define pte_pfn(pte)	(pte_val(pte) >> PAGE_SHIFT)
#define pfn_pte(pfn, prot)	__pte(((unsigned long)(pfn) << PAGE_SHIFT) | pgprot_val(prot))
#define pte_page(pte)	pfn_to_page(pte_pfn(pte))
#ifndef WASM_TREE_HAS_MK_PTE
#define mk_pte(page, prot)	pfn_pte(page_to_pfn(page), (prot))
#endif

static inline int pmd_none(pmd_t pmd) { return !pmd_val(pmd); }
static inline int pmd_bad(pmd_t pmd) { return 0; }
static inline int pmd_present(pmd_t pmd) { return !!pmd_val(pmd); }
static inline void set_pmd(pmd_t *pmdp, pmd_t pmd) { *pmdp = pmd; }
static inline void pmd_clear(pmd_t *pmdp) { set_pmd(pmdp, __pmd(0)); }
static inline unsigned long pmd_page_vaddr(pmd_t pmd) { return pmd_val(pmd) & PAGE_MASK; }

#define pmd_pfn(pmd)	(pmd_val(pmd) >> PAGE_SHIFT)
#define pmd_page(pmd)	pfn_to_page(pmd_pfn(pmd))

#define __swp_type(entry)	(((entry).val >> 7) & 0x1f)
#define __swp_offset(entry)	((entry).val >> 12)
#define __swp_entry(type, offset)	((swp_entry_t) { ((type) << 7) | ((offset) << 12) })
#define __pte_to_swp_entry(pte)	((swp_entry_t) { pte_val(pte) })
#define __swp_entry_to_pte(entry)	__pte((entry).val)

#define update_mmu_cache(vma, addr, ptep)	do { } while (0)
#define update_mmu_cache_range(vmf, vma, addr, ptep, nr)	do { } while (0)
#endif

#endif
