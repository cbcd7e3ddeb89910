// SPDX-License-Identifier: GPL-2.0-only
/*
 * The surroundings of the tree's own kernel/locking/lockdep.c, in the configuration that has it: where interrupts are on
 * and off, which objects are static, and a report that becomes a fault of the domain.
 *
 * Lockdep switches itself off (debug_locks) and prints before it asks for a stack dump. What it prints in between is read
 * here for the headline and the locks it names; the dump is where the domain ends.
 *
 * Must not know: what lockdep checks, or any lock.
 */
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/debug_locks.h>
#include <linux/irqflags.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/nmi.h>
#include <linux/panic.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <asm/sections.h>
#include <drvport/core.h>
#include <drvport_shim_abi.h>

#ifdef CONFIG_LOCKDEP

/* ---- interrupts on and off: the flag itself is drvport_irqs_off ---- */

DEFINE_PER_CPU(int, hardirqs_enabled) = 1;
DEFINE_PER_CPU(int, hardirq_context);
bool early_boot_irqs_disabled;

void trace_hardirqs_on_prepare(void)
{
	lockdep_hardirqs_on_prepare();
}

void trace_hardirqs_on(void)
{
	lockdep_hardirqs_on_prepare();
	lockdep_hardirqs_on(_RET_IP_);
}

void trace_hardirqs_off_finish(void)
{
}

void trace_hardirqs_off(void)
{
	lockdep_hardirqs_off(_RET_IP_);
}

/* ---- what is static: all that the linker laid out; there is one module, and it is the kernel too ---- */

extern char __global_base[], __data_end[];
char _sdata[1], _edata[1], _stext[1], _end[1], __bss_start[1], __bss_stop[1];
char __init_begin[1], __init_end[1];

bool is_module_address(unsigned long addr)
{
	return addr >= (unsigned long)__global_base && addr < (unsigned long)__data_end;
}

bool is_module_percpu_address(unsigned long addr)
{
	return false;
}

bool __is_module_percpu_address(unsigned long addr, unsigned long *can_addr)
{
	return false;
}

bool is_kernel_percpu_address(unsigned long addr)
{
	return false;
}

bool __is_kernel_percpu_address(unsigned long addr, unsigned long *can_addr)
{
	return false;
}

/* ---- where a lock was taken before: wasm has no return addresses; the fault's backtrace says where it is taken now ---- */

unsigned int stack_trace_save(unsigned long *store, unsigned int size, unsigned int skip)
{
	return 0;
}

void stack_trace_print(const unsigned long *trace, unsigned int entries, int spaces)
{
}

const char *kallsyms_lookup(unsigned long addr, unsigned long *symbolsize, unsigned long *offset, char **modname,
			    char *name)
{
	return NULL;
}

/* ---- what a report asks for besides ---- */

/* Every line reaches the log whatever its level. */
void console_verbose(void)
{
}

/* A report is not torn by others' lines: there is one writer. Asked for since 6.12. */
void nbcon_cpu_emergency_enter(void);
void nbcon_cpu_emergency_enter(void)
{
}

void nbcon_cpu_emergency_exit(void);
void nbcon_cpu_emergency_exit(void)
{
}

const char *print_tainted(void)
{
	return get_taint() ? "Tainted" : "Not tainted";
}

/* The machine's own watchdog counts work, and a report is little. */
void touch_softlockup_watchdog(void)
{
}

void touch_all_softlockup_watchdogs(void)
{
}

/* Allocating may wait for file systems to give pages back: here nothing is ever reclaimed, so nothing is waited for. */
void fs_reclaim_acquire(gfp_t gfp)
{
}

void fs_reclaim_release(gfp_t gfp)
{
}

/* ---- a report ---- */

#define NAMES 2

static struct {
	char headline[96];
	char name[NAMES][56];
	unsigned int names;
	bool closed, told;
} report;

static bool starts(const char *line, unsigned int len, const char *with)
{
	return len > strlen(with) && !memcmp(line, with, strlen(with));
}

static void headline_from(const char *line, unsigned int len)
{
	static const char *const marks[] = { "WARNING: ", "BUG: ", "INFO: ", "DEBUG_LOCKS_WARN_ON" };
	unsigned int i, skip;

	/* WARN()'s first line; the second has the condition. */
	if (starts(line, len, "WARNING: at "))
		return;
	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		if (!starts(line, len, marks[i]))
			continue;
		skip = marks[i][strlen(marks[i]) - 1] == ' ' ? strlen(marks[i]) : 0;
		len = min_t(unsigned int, len - skip, sizeof(report.headline) - 1);
		memcpy(report.headline, line + skip, len);
		return;
	}
}

/* A lock is printed as `(NAME){USES}`. */
static void name_from(const char *line, unsigned int len)
{
	const char *open = memchr(line, '(', len), *close;

	for (close = open; close && close + 1 < line + len; close++)
		if (close[0] == ')' && close[1] == '{') {
			memcpy(report.name[report.names++], open + 1,
			       min_t(unsigned int, close - open - 1, sizeof(report.name[0]) - 1));
			return;
		}
}

void drvport_lockdep_line(const char *line, unsigned int len)
{
	if (likely(debug_locks) || report.told)
		return;
	if (!report.headline[0])
		headline_from(line, len);
	else if (starts(line, len, "other info") || strnstr(line, " held by ", len))
		report.closed = true;
	else if (!report.closed && report.names < NAMES)
		name_from(line, len);
}

/* Misuse of a lock that could never deadlock, by lockdep's own words. */
static bool is_misuse(void)
{
	static const char *const words[] = { "bad unlock balance", "held lock freed", "locks held", "lock held when",
					     "non-static key", "bad magic", "wrong owner", "wrong CPU", "already unlocked",
					     "DEBUG_LOCKS_WARN_ON", "Nested lock" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(report.headline, words[i]))
			return true;
	return false;
}

void drvport_lockdep_fault(void)
{
	if (likely(debug_locks) || report.told || !report.headline[0])
		return;
	report.told = true;
	/* Its tables are too small for this driver: from here on it watches nothing, and says so in the log. */
	if (strstr(report.headline, "too low"))
		return;
	drvport_fault(is_misuse() ? DRVPORT_FAULT_BUG : DRVPORT_FAULT_DEADLOCK, "%s%s%s%s%s", report.headline,
		      report.names > 0 ? ": " : "", report.name[0], report.names > 1 ? " and " : "", report.name[1]);
}

#endif
