// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a domain fails on its own account: BUG(), panic(), a failed check of the compiler's, memory used up, and what the
 * kernel only reports in its log before it goes on, though nothing can be relied on from there. Each is told to the machine
 * by kind, which takes the backtrace and ends the domain there. Other warnings are the tree's own (kernel/panic.c).
 */
#include <linux/kernel.h>
#include <linux/export.h>
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/pm.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/reboot.h>
#include <linux/string.h>
/* Older trees declare its list in kernel.h. */
#if __has_include(<linux/panic_notifier.h>)
#include <linux/panic_notifier.h>
#endif
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

/* The allocator of small objects stops only where its own lists cannot be right. */
static bool of_the_heap(const char *file) { return !strcmp(file, "mm/slub.c") || !strcmp(file, "mm/slab.c"); }

void __noreturn __drvport_bug(const char *file, int line)
{
	drvport_fault(of_the_heap(file) ? DRVPORT_FAULT_HEAP_CORRUPTION : DRVPORT_FAULT_BUG, "kernel BUG at %s:%d", file, line);
}
EXPORT_SYMBOL(__drvport_bug);

void __noreturn __ubsan_handle_type_mismatch_minimal_abort(void)
{
	drvport_fault(DRVPORT_FAULT_NULL_DEREFERENCE, "NULL dereference");
}
EXPORT_SYMBOL(__ubsan_handle_type_mismatch_minimal_abort);

static int panicked(struct notifier_block *nb, unsigned long action, void *text)
{
	drvport_fault(DRVPORT_FAULT_PANIC, "%s", (const char *)text);
}

static struct notifier_block panic_block = { .notifier_call = panicked, .priority = INT_MAX };

/* Reclaim has found nothing, nor has anybody before; there is no program whose end would give memory back. */
static int used_up(struct notifier_block *nb, unsigned long action, void *freed)
{
	if (!*(unsigned long *)freed)
		drvport_fault(DRVPORT_FAULT_OUT_OF_MEMORY, "memory is used up: nothing can be reclaimed");
	return NOTIFY_OK;
}

static struct notifier_block oom_block = { .notifier_call = used_up, .priority = INT_MIN };

static int __init fault_init(void)
{
	register_oom_notifier(&oom_block);
	return atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
}
pure_initcall(fault_init);

/*
 * Reports that are the end, by how their line begins: after these Linux repairs what it can and goes on by chance. A stack
 * dump follows each but those that stand `alone`, and the domain ends there. The last row is for whatever else Linux calls a
 * bug.
 */
static const struct {
	const char *begins, *with;
	unsigned int kind;
	/* No stack dump follows; the line after it says more. */
	bool alone, goes_on;
} reports[] = {
	{ "BUG: scheduling while atomic", "", DRVPORT_FAULT_SLEEP_IN_ATOMIC },
	{ "BUG: sleeping function called from invalid context", "", DRVPORT_FAULT_SLEEP_IN_ATOMIC },
	/* A count that went wrong is memory used after it was freed, now or later. */
	{ "refcount_t: ", "", DRVPORT_FAULT_BUG },
	{ "timer: ", "preempt leak", DRVPORT_FAULT_BUG },
	{ "huh, entered softirq ", "", DRVPORT_FAULT_BUG, true },
	{ "initcall ", "returned with ", DRVPORT_FAULT_BUG },
	{ "BUG: KASAN: ", "", DRVPORT_FAULT_HEAP_CORRUPTION, false, true },
	{ "BUG: ", "", DRVPORT_FAULT_BUG },
};

/* What the report is of, its line, and whose it is. */
static unsigned int reported;
static char report[256];
static struct task_struct *reporter;
static bool report_goes_on;

static void add_to_report(const char *text, unsigned int len)
{
	unsigned int used = strlen(report);

	while (len && text[len - 1] == '\n')
		len--;
	scnprintf(report + used, sizeof(report) - used, "%s%.*s", used ? ": " : "", (int)len, text);
}

/* A line of the kernel's log. */
void drvport_fault_line(const char *text, unsigned int len)
{
	unsigned int i;

	if (drvport_lockdep_line(text, len))
		return;
	if (reported && reporter == current) {
		if (report_goes_on)
			add_to_report(text, len);
		report_goes_on = false;
		return;
	}
	for (i = 0; i < ARRAY_SIZE(reports); i++) {
		unsigned int begin = strlen(reports[i].begins);

		if (len < begin || memcmp(text, reports[i].begins, begin) || !strnstr(text, reports[i].with, len))
			continue;
		report[0] = 0;
		add_to_report(text, len);
		reported = reports[i].kind;
		reporter = current;
		report_goes_on = reports[i].goes_on;
		if (reports[i].alone)
			drvport_fault(reported, "%s", report);
		return;
	}
}

/* The machine has the stacks, by file and line; in here there is nothing to unwind. */
void show_regs(struct pt_regs *regs) { }

void show_stack(struct task_struct *task, unsigned long *sp, const char *level)
{
	drvport_lockdep_stack();
	if (reported && reporter == current)
		drvport_fault(reported, "%s", report);
}

#ifndef CONFIG_ARCH_STACKWALK
#include <linux/stacktrace.h>

void save_stack_trace(struct stack_trace *trace) { }
#endif

/* For drivers that know how a machine is switched off. An architecture's; newer trees have a weak one (kernel/reboot.c). */
void (*pm_power_off)(void);
EXPORT_SYMBOL(pm_power_off);

void __noreturn machine_restart(char *cmd) { drvport_fault(DRVPORT_FAULT_PANIC, "the machine was asked to restart"); }
void __noreturn machine_halt(void) { drvport_fault(DRVPORT_FAULT_PANIC, "the machine was asked to halt"); }
void __noreturn machine_power_off(void) { drvport_fault(DRVPORT_FAULT_PANIC, "the machine was asked to power off"); }
