// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt domains: numbers of a controller that a driver itself offers. A domain can be made, and nothing is mapped in it
 * yet: whoever asks for a number gets none, as where the controller has no free one.
 */
#include <linux/err.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqdomain.h>
#include <linux/slab.h>
#include <linux/version.h>

unsigned int irq_create_mapping_affinity(struct irq_domain *domain, irq_hw_number_t hwirq,
					 const struct irq_affinity_desc *affinity)
{
	return 0;
}

struct irq_desc *__irq_resolve_mapping(struct irq_domain *domain, irq_hw_number_t hwirq, unsigned int *irq)
{
	return NULL;
}

void irq_dispose_mapping(unsigned int virq)
{
}

static struct irq_domain *domain_of(struct fwnode_handle *fwnode, irq_hw_number_t hwirq_max,
				    const struct irq_domain_ops *ops, void *host_data)
{
	struct irq_domain *domain = kzalloc(sizeof(*domain), GFP_KERNEL);

	if (!domain)
		return NULL;
	domain->fwnode = fwnode;
	domain->hwirq_max = hwirq_max;
	domain->ops = ops;
	domain->host_data = host_data;
	return domain;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
struct irq_domain *irq_domain_instantiate(const struct irq_domain_info *info)
{
	return domain_of(info->fwnode, info->hwirq_max, info->ops, info->host_data) ?: ERR_PTR(-ENOMEM);
}
#else
struct irq_domain *__irq_domain_add(struct fwnode_handle *fwnode, unsigned int size, irq_hw_number_t hwirq_max,
				    int direct_max, const struct irq_domain_ops *ops, void *host_data)
{
	return domain_of(fwnode, hwirq_max, ops, host_data);
}
#endif

void irq_domain_remove(struct irq_domain *domain)
{
	kfree(domain);
}

/* Of a mapping, which nobody gets. */
void irq_set_chip_and_handler_name(unsigned int irq, const struct irq_chip *chip, irq_flow_handler_t handle, const char *name)
{
}

void handle_simple_irq(struct irq_desc *desc)
{
}

int generic_handle_irq_safe(unsigned int irq)
{
	return -EINVAL;
}

struct irq_chip dummy_irq_chip = { .name = "dummy" };
