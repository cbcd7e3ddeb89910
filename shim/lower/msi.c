// SPDX-License-Identifier: GPL-2.0-only
/*
 * Message signalled interrupts: an MSI domain of the tree's whose vectors are allocated by the machine. Address and data of
 * a message belong to the machine, which writes them itself and lets no other through; the number that arrives is one of
 * drvport_irq_domain like any line's.
 *
 * Must not know: any device.
 */
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/kernel.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include "lower.h"
#include "irq.h"

/* Trees keep the descriptors of a device's vectors in a list, or by index. */
#ifdef for_each_msi_entry
#define for_each_desc(desc, dev)	for_each_msi_entry(desc, dev)
#define is_msix(desc)			((desc)->msi_attrib.is_msix)
#define index_of(desc)			(is_msix(desc) ? (desc)->msi_attrib.entry_nr : 0)
#define FREES_DESCS			0
#else
#define for_each_desc(desc, dev)	msi_for_each_desc(desc, dev, MSI_DESC_ALL)
#define is_msix(desc)			((desc)->pci.msi_attrib.is_msix)
#define index_of(desc)			((desc)->msi_index)
#define FREES_DESCS			MSI_FLAG_FREE_MSI_DESCS
#endif

static void mask(struct irq_data *data) { drvport_irq_mask(data->hwirq); }
static void unmask(struct irq_data *data) { drvport_irq_unmask(data->hwirq); }

static unsigned int startup(struct irq_data *data)
{
	/* Attached, it starts unmasked; at the device it was masked until now. */
	if (drvport_irq_attach(data->hwirq))
		return -EPERM;
	pci_msi_unmask_irq(data);
	return 0;
}

static void shutdown(struct irq_data *data)
{
	pci_msi_mask_irq(data);
	drvport_irq_detach(data->hwirq);
}

static void eoi(struct irq_data *data) { drvport_irq_done(data->hwirq); }

static struct irq_chip chip = {
	.name = "drvport-msi",
	.irq_startup = startup,
	.irq_shutdown = shutdown,
	.irq_mask = mask,
	.irq_unmask = unmask,
	.irq_eoi = eoi,
	.flags = IRQCHIP_SKIP_SET_WAKE | IRQCHIP_ONESHOT_SAFE,
};

/* Vectors of one descriptor, from number `first` on. */
static int associate(struct msi_desc *desc, u32 first)
{
	int virq = irq_alloc_descs(-1, 1, desc->nvec_used, NUMA_NO_NODE), i;

	if (virq < 0)
		return virq;
	irq_domain_associate_many(drvport_irq_domain, virq, first, desc->nvec_used);
	for (i = 0; i < desc->nvec_used; i++) {
		irq_set_chip_and_handler(virq + i, &chip, handle_fasteoi_irq);
		/* What comes while it is off is kept by the controller. */
		irq_set_status_flags(virq + i, IRQ_DISABLE_UNLAZY | IRQ_NOPROBE);
		irq_set_msi_desc_off(virq, i, desc);
	}
	/* As the machine wrote it: it is written again when the device comes out of a reset or of sleep. */
	if (msi_desc_to_pci_dev(desc)->current_state == PCI_D0)
		__pci_read_msi_msg(desc, &desc->msg);
	return 0;
}

static void free_vectors(struct irq_domain *domain, struct device *dev)
{
	struct msi_desc *desc;
	int i;

	for_each_desc(desc, dev) {
		for (i = 0; desc->irq && i < desc->nvec_used; i++)
			irq_dispose_mapping(desc->irq + i);
		desc->irq = 0;
	}
	drvport_pci_vectors_free(drvport_pci_function(to_pci_dev(dev)));
}

/* 0, a negative error, or for several MSI how many to try instead. */
static int allocate_vectors(struct irq_domain *domain, struct device *dev, int nvec)
{
	u32 count = 0, kind = DRVPORT_VECTOR_MSI;
	struct msi_desc *desc;
	int first, err;

	for_each_desc(desc, dev) {
		count = max_t(u32, count, index_of(desc) + desc->nvec_used);
		if (is_msix(desc))
			kind = DRVPORT_VECTOR_MSIX;
	}
	first = drvport_pci_vectors(drvport_pci_function(to_pci_dev(dev)), kind, count);
	if (first < 0)
		return kind == DRVPORT_VECTOR_MSI && nvec > 1 ? nvec / 2 : -ENOSPC;
	for_each_desc(desc, dev) {
		err = associate(desc, first + index_of(desc));
		if (err)
			return err;
	}
	return 0;
}

static struct msi_domain_ops ops = {
	.domain_alloc_irqs = allocate_vectors,
	.domain_free_irqs = free_vectors,
};

static struct msi_domain_info info = {
	.flags = MSI_FLAG_PCI_MSIX | MSI_FLAG_MULTI_PCI_MSI | FREES_DESCS,
	.ops = &ops,
};

/* For the devices of a bus. */
void __init drvport_msi_init(struct device *bus)
{
	struct fwnode_handle *node = irq_domain_alloc_named_fwnode("drvport-msi");
	struct irq_domain *domain = node ? msi_create_irq_domain(node, &info, NULL) : NULL;

	if (!domain)
		panic("no memory for the domain of message signalled interrupts");
	irq_domain_update_bus_token(domain, DOMAIN_BUS_PCI_MSI);
	dev_set_msi_domain(bus, domain);
}
