/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * No linker reads this: wasm has no linker scripts. The pipeline has it preprocessed, takes the order of the tree's tables
 * and the names of their bounds from it, and writes a source of empty sections in that order (pipeline/core/layout.ts).
 */
#include <asm-generic/vmlinux.lds.h>
#include <asm/page.h>
#include <asm/thread_info.h>

SECTIONS
{
	. = 0;
	_stext = .;
	.text : { TEXT_TEXT SCHED_TEXT CPUIDLE_TEXT LOCK_TEXT KPROBES_TEXT IRQENTRY_TEXT SOFTIRQENTRY_TEXT }
	_etext = .;
	__init_begin = .;
	INIT_TEXT_SECTION(PAGE_SIZE)
	INIT_DATA_SECTION(16)
	.init.ramfs : { INIT_RAM_FS }
	__init_end = .;
	_sdata = .;
	RO_DATA(PAGE_SIZE)
	RW_DATA(L1_CACHE_BYTES, PAGE_SIZE, THREAD_SIZE)
	_edata = .;
	EXCEPTION_TABLE(16)
	BSS_SECTION(0, 0, 0)
	_end = .;
}
