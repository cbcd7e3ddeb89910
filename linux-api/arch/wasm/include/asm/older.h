/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_OLDER_H
#define _ASM_WASM_OLDER_H

/*
 * What older trees alone ask of an architecture. Every file of such a tree begins with it (arch/wasm/Makefile), and no
 * file of another one sees it.
 */
#ifndef __ASSEMBLY__
struct task_struct;

/* Empty in the lower half: newer trees have these themselves. */
void release_thread(struct task_struct *task);
unsigned long get_wchan(struct task_struct *task);

/* Strings of a user's: the generic header would read them where they are not. */
long drvport_user_strncpy(char *to, const char __user *from, long count);
long drvport_user_strnlen(const char __user *from, long count);
#define __strncpy_from_user(to, from, count)	drvport_user_strncpy((to), (from), (count))
#define __strnlen_user(from, count)	drvport_user_strnlen((from), (count))

#define kern_addr_valid(addr)	1
#define FIRST_USER_ADDRESS	0UL
#define pmd_pgtable(pmd)	pmd_page(pmd)

/* Protection by what a mapping allows, private and shared. */
#define __P000	PAGE_NONE
#define __P001	PAGE_READONLY
#define __P010	PAGE_COPY
#define __P011	PAGE_COPY
#define __P100	PAGE_READONLY_EXEC
#define __P101	PAGE_READONLY_EXEC
#define __P110	PAGE_COPY_EXEC
#define __P111	PAGE_COPY_EXEC
#define __S000	PAGE_NONE
#define __S001	PAGE_READONLY
#define __S010	PAGE_SHARED
#define __S011	PAGE_SHARED
#define __S100	PAGE_READONLY_EXEC
#define __S101	PAGE_READONLY_EXEC
#define __S110	PAGE_SHARED_EXEC
#define __S111	PAGE_SHARED_EXEC

/* Nobody has numbered buses or laid out windows before the kernel does. */
#define PCIBIOS_MIN_IO	0
#define PCIBIOS_MIN_MEM	0
#define pcibios_assign_all_busses()	1
extern int isa_dma_bridge_buggy;
#endif

#endif
