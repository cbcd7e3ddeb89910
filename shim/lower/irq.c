// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's interrupt controller as an irq chip and a domain of the tree's irq core. The hardware number is the
 * machine's; it holds back what is masked, and keeps a level until it goes.
 */
#include <linux/kernel.h>
#include <linux/clockchips.h>
#include <linux/hardirq.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqdomain.h>
#include <asm/irq_regs.h>
#include "lower.h"
#include "irq.h"

#ifdef TREE_DEFAULT_DOMAIN
#define irq_set_default_host irq_set_default_domain
#endif

static void mask(struct irq_data *data) { drvport_irq_mask(data->hwirq); }
static void unmask(struct irq_data *data) { drvport_irq_unmask(data->hwirq); }

static unsigned int startup(struct irq_data *data)
{
	/* Attached, it starts unmasked. */
	return drvport_irq_attach(data->hwirq) ? -EPERM : 0;
}

static void shutdown(struct irq_data *data) { drvport_irq_detach(data->hwirq); }
static void eoi(struct irq_data *data) { drvport_irq_done(data->hwirq); }

struct irq_chip drvport_irq_chip = {
	.name = "drvport",
	.irq_startup = startup,
	.irq_shutdown = shutdown,
	.irq_mask = mask,
	.irq_unmask = unmask,
	.irq_eoi = eoi,
	.flags = IRQCHIP_SKIP_SET_WAKE,
};

static int map(struct irq_domain *domain, unsigned int virq, irq_hw_number_t hwirq)
{
	irq_domain_set_info(domain, virq, hwirq, &drvport_irq_chip, NULL, handle_fasteoi_irq, NULL, NULL);
	irq_set_probe(virq);
	return 0;
}

static const struct irq_domain_ops ops = { .map = map, .xlate = irq_domain_xlate_onecell };
struct irq_domain *drvport_irq_domain;

void __init init_IRQ(void)
{
	drvport_irq_domain = irq_domain_create_tree(NULL, &ops, NULL);
	if (!drvport_irq_domain)
		panic("no memory for the interrupt domain");
	irq_set_default_host(drvport_irq_domain);
}

static struct pt_regs nothing_interrupted;

static void deliver(int number)
{
	if (number == DRVPORT_IRQ_TIMER)
		drvport_clock_event.event_handler(&drvport_clock_event);
	else if (number == DRVPORT_IRQ_REQUEST)
		drvport_request_pending();
	else if (number == DRVPORT_IRQ_FRAMES)
		drvport_net_frames();
	else if (number == DRVPORT_IRQ_MESSAGE)
		drvport_ipc_told();
	else
		generic_handle_irq(irq_find_mapping(drvport_irq_domain, number));
}

/* On one processor a spin lock is a count: who returns with one held, or without one it was given, is found by that. */
static void hold_to_count(int number, int before)
{
	int after = preempt_count();

	if (likely(after == before))
		return;
	drvport_fault(DRVPORT_FAULT_BUG, "interrupt %d: the handler returned with preempt_count %x, and was called with %x: %s", number,
		      after, before, after > before ? "a lock is still held" : "a lock was released that was not held");
}

void drvport_interrupts(void)
{
	struct pt_regs *old = set_irq_regs(&nothing_interrupted);
	int number;

	trace_hardirqs_off();
	irq_enter();
	while ((number = drvport_irq_take()) >= 0) {
		int count = preempt_count();

		deliver(number);
		hold_to_count(number, count);
	}
	irq_exit();
	trace_hardirqs_on();
	set_irq_regs(old);
}
