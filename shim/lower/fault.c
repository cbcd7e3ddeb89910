// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a domain fails on its own account: BUG(), panic(), a failed check of the compiler's. Each is told to the machine by
 * kind, which takes the backtrace and ends the domain there. Warnings are the tree's own (kernel/panic.c).
 */
#include <linux/kernel.h>
#include <linux/export.h>
#include <linux/bug.h>
#include <linux/notifier.h>
#include <linux/panic_notifier.h>
#include <linux/pm.h>
#include <linux/sched/debug.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include "lower.h"

void __noreturn drvport_fault(unsigned int kind, const char *fmt, ...)
{
	static char text[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	drvport_log_fault(kind, (u32)text, len);
	__builtin_trap();
}

void __noreturn __drvport_bug(const char *file, int line)
{
	drvport_fault(DRVPORT_FAULT_BUG, "kernel BUG at %s:%d", file, line);
}

void __noreturn __ubsan_handle_type_mismatch_minimal_abort(void)
{
	drvport_fault(DRVPORT_FAULT_NULL_DEREFERENCE, "NULL dereference");
}

static int panicked(struct notifier_block *nb, unsigned long action, void *text)
{
	drvport_fault(DRVPORT_FAULT_PANIC, "%s", (const char *)text);
}

static struct notifier_block panic_block = { .notifier_call = panicked, .priority = INT_MAX };

static int __init fault_init(void)
{
	return atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
}
pure_initcall(fault_init);

/* The machine has the stacks, by file and line; in here there is nothing to unwind. */
void show_regs(struct pt_regs *regs)
{
}

void show_stack(struct task_struct *task, unsigned long *sp, const char *level)
{
}

#ifndef CONFIG_ARCH_STACKWALK
#include <linux/stacktrace.h>

void save_stack_trace(struct stack_trace *trace)
{
}
#endif

/* For drivers that know how a machine is switched off; kernel/reboot.c has the variable and uses it. */
EXPORT_SYMBOL(pm_power_off);

void __noreturn machine_restart(char *cmd)
{
	drvport_fault(DRVPORT_FAULT_PANIC, "the machine was asked to restart");
}

void __noreturn machine_halt(void)
{
	drvport_fault(DRVPORT_FAULT_PANIC, "the machine was asked to halt");
}

void __noreturn machine_power_off(void)
{
	drvport_fault(DRVPORT_FAULT_PANIC, "the machine was asked to power off");
}
