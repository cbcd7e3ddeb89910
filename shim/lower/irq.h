/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRVPORT_LOWER_IRQ_H
#define DRVPORT_LOWER_IRQ_H

/* The interrupt domain and those who are interrupted. */
struct clock_event_device;
struct device;
struct irq_chip;
struct irq_domain;

extern struct clock_event_device drvport_clock_event;
extern struct irq_chip drvport_irq_chip;
extern struct irq_domain *drvport_irq_domain;

/* Message signalled interrupts for the devices of a bus: see msi.c. */
void drvport_msi_init(struct device *bus);

/* The machine has requests: see service.c. */
void drvport_request_pending(void);

#endif
