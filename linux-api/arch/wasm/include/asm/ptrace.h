/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_PTRACE_H
#define _ASM_WASM_PTRACE_H

#include <uapi/asm/ptrace.h>

#ifndef __ASSEMBLY__
struct pt_regs {
	unsigned long pc;
	unsigned long sp;
};

#define user_mode(regs)	0
#define instruction_pointer(regs)	((regs)->pc)
#define user_stack_pointer(regs)	((regs)->sp)
#define kernel_stack_pointer(regs)	((regs)->sp)
#define profile_pc(regs)	instruction_pointer(regs)
#define current_pt_regs()	task_pt_regs(current)

static inline void instruction_pointer_set(struct pt_regs *regs, unsigned long pc) { regs->pc = pc; }
#endif

#endif
