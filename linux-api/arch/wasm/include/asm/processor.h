/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_PROCESSOR_H
#define _ASM_WASM_PROCESSOR_H

/* The processor: no registers, no modes, one way to wait. */
#include <asm/abi.h>
#include <asm/page.h>
#include <asm/ptrace.h>

/* Where a user's addresses end, and device mappings start: see asm/uaccess.h. */
#define TASK_SIZE	0xc0000000UL
#define STACK_TOP	TASK_SIZE
#define STACK_TOP_MAX	STACK_TOP
#define TASK_UNMAPPED_BASE	PAGE_ALIGN(TASK_SIZE / 3)

#ifndef __ASSEMBLY__
struct task_struct;

struct thread_struct {
	/* The fiber that carries this task. */
	unsigned int fiber;
};

#define INIT_THREAD	{ }

#define task_pt_regs(task)	((struct pt_regs *)(task_stack_page(task) + THREAD_SIZE) - 1)
#define KSTK_EIP(task)	0UL
#define KSTK_ESP(task)	0UL

unsigned long __get_wchan(struct task_struct *task);
void start_thread(struct pt_regs *regs, unsigned long pc, unsigned long sp);

/* A turn of a polling loop: the machine passes a little time, so what is polled for can happen. */
#define cpu_relax()	drvport_sched_relax()
#endif

#endif
