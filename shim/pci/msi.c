// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt vectors of a function: INTx, MSI or MSI-X. Address and data registers are the host's; the driver gets numbers.
 */
#define DRVPORT_SHIM
#include <linux/interrupt.h>
#include <linux/pci.h>
#include <drvport/pci.h>

static void remember(struct pci_dev *dev, int kind, int first, int count)
{
	struct drvport_function *fn = drvport_function(dev);

	fn->vector_kind = kind;
	fn->vector_first = first;
	fn->vector_count = count;
	dev->msi_enabled = kind == DRVPORT_VECTOR_MSI;
	dev->msix_enabled = kind == DRVPORT_VECTOR_MSIX;
}

/* As many vectors as there are between min and max; returns the number, or what the last try said. */
static int take(struct pci_dev *dev, int kind, int min, int max)
{
	int count = max, first;

	if (dev->no_msi || dev->msi_enabled || dev->msix_enabled)
		return -EINVAL;
	for (;;) {
		/* MSI comes in powers of two. */
		if (kind == DRVPORT_VECTOR_MSI)
			count = rounddown_pow_of_two(count);
		if (count < min)
			return -ENOSPC;
		first = drvport_pci_vectors(drvport_pci_slot(dev), kind, count);
		if (first >= 0)
			break;
		if (count == 1 || first != DRVPORT_E_NOSPC)
			return first;
		count--;
	}
	remember(dev, kind, first, count);
	return count;
}

static void give_back(struct pci_dev *dev)
{
	if (!dev->msi_enabled && !dev->msix_enabled)
		return;
	drvport_pci_vectors_free(drvport_pci_slot(dev));
	remember(dev, DRVPORT_VECTOR_INTX, 0, 0);
}

int pci_msi_vec_count(struct pci_dev *dev)
{
	u16 control;

	if (!dev->msi_cap)
		return -EINVAL;
	pci_read_config_word(dev, dev->msi_cap + PCI_MSI_FLAGS, &control);
	return 1 << ((control & PCI_MSI_FLAGS_QMASK) >> 1);
}

int pci_msix_vec_count(struct pci_dev *dev)
{
	u16 control;

	if (!dev->msix_cap)
		return -EINVAL;
	pci_read_config_word(dev, dev->msix_cap + PCI_MSIX_FLAGS, &control);
	return (control & PCI_MSIX_FLAGS_QSIZE) + 1;
}

int pci_msi_enabled(void)
{
	return 1;
}

static int enable_msi(struct pci_dev *dev, int min, int max)
{
	int available = pci_msi_vec_count(dev), count;

	if (available < 0)
		return available;
	if (available < min)
		return -ENOSPC;
	count = take(dev, DRVPORT_VECTOR_MSI, min, min(available, max));
	/* With MSI the function's one irq number is the first message, until it is given back. */
	if (count > 0) {
		drvport_function(dev)->intx = dev->irq;
		dev->irq = drvport_function(dev)->vector_first;
	}
	return count;
}

int pci_enable_msi(struct pci_dev *dev)
{
	int count = enable_msi(dev, 1, 1);

	return count < 0 ? count : 0;
}

void pci_disable_msi(struct pci_dev *dev)
{
	if (!dev->msi_enabled)
		return;
	give_back(dev);
	dev->irq = drvport_function(dev)->intx;
}

/* Entries name table slots; only the plain order (0, 1, 2, ...) can be had. */
int pci_enable_msix_range(struct pci_dev *dev, struct msix_entry *entries, int minvec, int maxvec)
{
	int available = pci_msix_vec_count(dev), count, i;

	if (available < 0)
		return available;
	for (i = 0; entries && i < maxvec; i++)
		if (entries[i].entry != i)
			return -EINVAL;
	if (available < minvec)
		return -ENOSPC;
	count = take(dev, DRVPORT_VECTOR_MSIX, minvec, min(available, maxvec));
	for (i = 0; entries && i < count; i++)
		entries[i].vector = drvport_function(dev)->vector_first + i;
	return count;
}

void pci_disable_msix(struct pci_dev *dev)
{
	if (dev->msix_enabled)
		give_back(dev);
}

int pci_alloc_irq_vectors_affinity(struct pci_dev *dev, unsigned int min_vecs, unsigned int max_vecs, unsigned int flags,
				   struct irq_affinity *affd)
{
	int count = -ENOSPC;

	if (flags & PCI_IRQ_MSIX) {
		count = pci_enable_msix_range(dev, NULL, min_vecs, max_vecs);
		if (count > 0)
			return count;
	}
	if (flags & PCI_IRQ_MSI) {
		count = enable_msi(dev, min_vecs, max_vecs);
		if (count > 0)
			return count;
	}
	/* Bit 0 is the flag for INTx in every tree; its name changed. */
	if ((flags & 1) && min_vecs == 1 && dev->irq)
		return 1;
	return count;
}

#if __has_include(<linux/msi_api.h>) /* since then not inline */
int pci_alloc_irq_vectors(struct pci_dev *dev, unsigned int min_vecs, unsigned int max_vecs, unsigned int flags)
{
	return pci_alloc_irq_vectors_affinity(dev, min_vecs, max_vecs, flags, NULL);
}
#endif

void pci_free_irq_vectors(struct pci_dev *dev)
{
	pci_disable_msix(dev);
	pci_disable_msi(dev);
}

int pci_irq_vector(struct pci_dev *dev, unsigned int nr)
{
	struct drvport_function *fn = drvport_function(dev);

	if (!dev->msi_enabled && !dev->msix_enabled)
		return nr ? -EINVAL : dev->irq;
	return nr < fn->vector_count ? fn->vector_first + nr : -EINVAL;
}

const struct cpumask *pci_irq_get_affinity(struct pci_dev *dev, int nr)
{
	return cpu_possible_mask;
}

/* ---- asked for by the tree's PCI core ---- */

/* The host keeps the message registers; nothing of them is lost by a reset. */
void pci_restore_msi_state(struct pci_dev *dev)
{
}

void pci_no_msi(void)
{
}
