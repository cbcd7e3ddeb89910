// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the domain looks whether something is to be delivered: when it turns interrupts on, when a busy wait passes time,
 * and when its work counter runs out. The machine only writes `drvport_pending`; it never calls in from here.
 *
 * These names are calls of the ABI to everybody else (drvport_abi.h), so that drivers and kernel are compiled alike; here
 * they become functions of the core. That is why hardly a header of the kernel is included.
 */
#include <linux/export.h>

typedef unsigned int u32;

#define CALL(group, name) __attribute__((import_module(group), import_name(name)))
CALL("time", "pass") u32 pass(u32 ns);
CALL("sched", "relax") void relax(void);

u32 drvport_irqs_off = 1, drvport_pending;
EXPORT_SYMBOL(drvport_irqs_off);
EXPORT_SYMBOL(drvport_pending);

void drvport_interrupts(void);

/* Interrupts are on, and something is pending. */
void drvport_irq_deliver(void)
{
	do {
		drvport_irqs_off = 1;
		drvport_pending = 0;
		drvport_interrupts();
		drvport_irqs_off = 0;
	} while (drvport_pending);
}
EXPORT_SYMBOL(drvport_irq_deliver);

/* Also called by modules whose work counter has run out: see machine/load/core.ts. */
__attribute__((export_name("look"), used)) void drvport_entry_look(void)
{
	if (drvport_pending && !drvport_irqs_off)
		drvport_irq_deliver();
}

/* The machine returns early when something is to be delivered, and says how much of the time is left. */
void drvport_time_delay(u32 ns)
{
	while (ns) {
		ns = pass(ns);
		drvport_entry_look();
	}
}
EXPORT_SYMBOL(drvport_time_delay);

void drvport_sched_relax(void)
{
	relax();
	drvport_entry_look();
}
EXPORT_SYMBOL(drvport_sched_relax);
