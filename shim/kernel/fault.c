// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways a driver fails on its own account: BUG, panic, a failed compiler check. Each is told to the machine by kind,
 * and the domain ends there. WARN only logs, and taints.
 */
#include <linux/kernel.h>
#include <linux/panic.h>
#include <linux/panic_notifier.h>
#include <linux/bug.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/ratelimit.h>
#include <linux/string.h>
#include <linux/export.h>
#include <drvport/core.h>

static unsigned long tainted;
int panic_timeout, panic_on_oops = 1;
int oops_in_progress;
ATOMIC_NOTIFIER_HEAD(panic_notifier_list);
enum system_states system_state __read_mostly = SYSTEM_RUNNING;

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

void panic(const char *fmt, ...)
{
	static char text[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	drvport_log_fault(DRVPORT_FAULT_PANIC, (u32)text, len);
	__builtin_trap();
}

#define REFCOUNT "refcount_t: "

void warn_slowpath_fmt(const char *file, int line, unsigned int taint, const char *fmt, ...)
{
	struct va_format vaf;
	va_list args;

	/* lib/refcount.c only warns: a count that went wrong is memory used after it was freed, now or later. */
	if (fmt && !strncmp(fmt, REFCOUNT, sizeof(REFCOUNT) - 1))
		drvport_fault(DRVPORT_FAULT_BUG, "%s", fmt);
	add_taint(taint, LOCKDEP_STILL_OK);
	pr_warn("WARNING: at %s:%d\n", file, line);
	if (fmt) {
		va_start(args, fmt);
		vaf.fmt = fmt;
		vaf.va = &args;
		pr_warn("%pV", &vaf);
		va_end(args);
	}
	drvport_lockdep_fault();
}

void __warn_printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
	drvport_lockdep_fault();
}

void add_taint(unsigned int flag, enum lockdep_ok lockdep_ok)
{
	set_bit(flag, &tainted);
}

int test_taint(unsigned int flag)
{
	return test_bit(flag, &tainted);
}

unsigned long get_taint(void)
{
	return tainted;
}

/* The machine takes the backtrace when there is a fault; here there is only the fact to log. */
void dump_stack(void)
{
	drvport_lockdep_fault();
	pr_debug("dump_stack\n");
}

void dump_stack_lvl(const char *level)
{
	dump_stack();
}

int register_reboot_notifier(struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&reboot_notifier_list, nb);
}

int unregister_reboot_notifier(struct notifier_block *nb)
{
	return blocking_notifier_chain_unregister(&reboot_notifier_list, nb);
}

void __noreturn __stack_chk_fail(void)
{
	drvport_fault(DRVPORT_FAULT_BUG, "stack-protector: kernel stack is corrupted");
}
