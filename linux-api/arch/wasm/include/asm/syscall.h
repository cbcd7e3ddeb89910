/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_SYSCALL_H
#define _ASM_WASM_SYSCALL_H

/* A driver domain has no system calls. */
#include <linux/sched.h>
#include <asm/ptrace.h>

static inline int syscall_get_nr(struct task_struct *task, struct pt_regs *regs) { return -1; }
static inline long syscall_get_error(struct task_struct *task, struct pt_regs *regs) { return 0; }
static inline long syscall_get_return_value(struct task_struct *task, struct pt_regs *regs) { return 0; }
static inline int syscall_get_arch(struct task_struct *task) { return 0; }

static inline void syscall_get_arguments(struct task_struct *task, struct pt_regs *regs, unsigned long *args)
{
	__builtin_memset(args, 0, 6 * sizeof(*args));
}

#endif
