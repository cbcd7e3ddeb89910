/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_ELF_H
#define _ASM_WASM_ELF_H

/* Enough ELF for headers that describe core files; nothing here is ever loaded as ELF. */
#include <asm/ptrace.h>

#define ELF_ARCH	0
#define ELF_CLASS	ELFCLASS32
#define ELF_DATA	ELFDATA2LSB
#define ELF_NGREG	(sizeof(struct pt_regs) / sizeof(unsigned long))
#define ELF_EXEC_PAGESIZE	4096
#define ELF_ET_DYN_BASE	0x08000000UL
#define ELF_HWCAP	0
#define ELF_PLATFORM	NULL
#define elf_check_arch(header) ((header)->e_machine == ELF_ARCH)

typedef unsigned long elf_greg_t;
typedef elf_greg_t elf_gregset_t[ELF_NGREG];
typedef unsigned long elf_fpregset_t;

#endif
