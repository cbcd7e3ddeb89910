// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tree's own lock checker (kernel/locking/lockdep.c) asks of an architecture, in the configuration that has it: when
 * interrupts go on and off, which objects are static, what an address is called. And what it reports, as a fault of the domain:
 * it switches itself off and prints before it shows the stack; from what it prints come the headline and the locks it names.
 */
#include <linux/debug_locks.h>
#include <linux/irqflags.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/string.h>
#include "lower.h"

#ifdef CONFIG_TRACE_IRQFLAGS

/* kernel/trace/trace_preemptirq.c without the tracing. */
void trace_hardirqs_on_prepare(void) { }

void trace_hardirqs_on(void)
{
	lockdep_hardirqs_on_prepare();
	lockdep_hardirqs_on(0);
}
EXPORT_SYMBOL(trace_hardirqs_on);

void trace_hardirqs_off_finish(void) { }
void trace_hardirqs_off(void) { lockdep_hardirqs_off(0); }
EXPORT_SYMBOL(trace_hardirqs_off);

#endif

#ifdef CONFIG_LOCKDEP

extern char __heap_base[];

/* Static is what a linker or the binder laid out: all that lies below the heap, the kernel's own data as well as modules'. */
bool is_module_address(unsigned long addr) { return addr < (unsigned long)__heap_base; }

#define NAMES 2

static struct {
	char headline[96];
	char name[NAMES][56];
	unsigned int names;
	/* All locks that it is about have been named; it is over. */
	bool closed, told;
} report;

static bool begins(const char *line, unsigned int len, const char *with)
{
	return len > strlen(with) && !memcmp(line, with, strlen(with));
}

static void headline_from(const char *line, unsigned int len)
{
	static const char *const marks[] = { "WARNING: ", "BUG: ", "INFO: ", "DEBUG_LOCKS_WARN_ON" };
	unsigned int i, skip;

	/* WARN()'s own line; the condition stands above it. */
	if (begins(line, len, "WARNING: CPU: ") || strnstr(line, " at ", len))
		return;
	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		if (!begins(line, len, marks[i]))
			continue;
		skip = marks[i][strlen(marks[i]) - 1] == ' ' ? strlen(marks[i]) : 0;
		while (len && line[len - 1] == '\n')
			len--;
		scnprintf(report.headline, sizeof(report.headline), "%.*s", (int)(len - skip), line + skip);
		return;
	}
}

/* A lock is printed as `(NAME){USES}`. */
static void name_from(const char *line, unsigned int len)
{
	const char *open = memchr(line, '(', len), *close;

	for (close = open; close && close + 1 < line + len; close++)
		if (close[0] == ')' && close[1] == '{') {
			scnprintf(report.name[report.names], sizeof(report.name[0]), "%.*s", (int)(close - open - 1), open + 1);
			report.names++;
			return;
		}
}

/* Whether the line is the checker's. */
bool drvport_lockdep_line(const char *line, unsigned int len)
{
	bool reports = !debug_locks || report.headline[0] || begins(line, len, "WARNING: suspicious RCU usage");

	if (likely(!reports) || report.told)
		return false;
	if (!report.headline[0])
		headline_from(line, len);
	else if (begins(line, len, "other info") || strnstr(line, " held by ", len))
		report.closed = true;
	else if (!report.closed && report.names < NAMES)
		name_from(line, len);
	return true;
}

/* Misuse of a lock that could never wait for ever, by the checker's own words. */
static bool is_misuse(void)
{
	static const char *const words[] = { "bad unlock balance", "held lock freed", "locks held", "lock held when",
					     "non-static key", "bad magic", "wrong owner", "wrong CPU", "already unlocked",
					     "DEBUG_LOCKS_WARN_ON", "Nested lock", "RCU usage" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(report.headline, words[i]))
			return true;
	return false;
}

void drvport_lockdep_stack(void)
{
	if (likely(!report.headline[0]) || report.told)
		return;
	report.told = true;
	/* Its tables are too small for this driver: from here on it watches nothing, and has said so in the log. */
	if (strstr(report.headline, "too low"))
		return;
	drvport_fault(is_misuse() ? DRVPORT_FAULT_BUG : DRVPORT_FAULT_DEADLOCK, "%s%s%s%s%s", report.headline,
		      report.names > 0 ? ": " : "", report.name[0], report.names > 1 ? " and " : "", report.name[1]);
}

#endif

#ifdef CONFIG_KALLSYMS

/* The checker selects it. Code has no addresses, so none has a name: the tables that a second link would fill are empty. */
const unsigned int kallsyms_num_syms, kallsyms_markers[1];
const int kallsyms_offsets[1];
const unsigned long kallsyms_relative_base;
const u8 kallsyms_names[1], kallsyms_seqs_of_names[1];
const char kallsyms_token_table[1];
const u16 kallsyms_token_index[1];

#endif
