// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt domains: numbers of a controller that a driver itself offers. There are none yet: nothing is mapped.
 */
#include <linux/irqdomain.h>

unsigned int irq_create_mapping_affinity(struct irq_domain *domain, irq_hw_number_t hwirq,
					 const struct irq_affinity_desc *affinity)
{
	return 0;
}
