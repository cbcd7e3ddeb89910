// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks its device for one interrupt after the other, through as many vectors of a kind as it may have, and counts what came
 * where. The device sends message N, or raises its pin, when N is written to its first register.
 */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>

/* Newer trees call the pin by what it is. */
#ifndef PCI_IRQ_INTX
#define PCI_IRQ_INTX PCI_IRQ_LEGACY
#endif

#define VECTORS_MAX 8
#define REG_SEND 0
#define REG_ACKNOWLEDGE 4

static char *kind = "msix";
module_param(kind, charp, 0444);
static int wanted = VECTORS_MAX;
module_param(wanted, int, 0444);
/* Every second entry of the table only. */
static bool sparse;
module_param(sparse, bool, 0444);

/* What was had, how often each came, and how often while it was disabled and after. */
static int had;
module_param(had, int, 0444);
static int counts[VECTORS_MAX];
module_param_array(counts, int, NULL, 0444);
static int disabled, enabled;
module_param(disabled, int, 0444);
module_param(enabled, int, 0444);

static void __iomem *regs;
static int irqs[VECTORS_MAX];

static irqreturn_t came(int irq, void *count)
{
	iowrite32(0, regs + REG_ACKNOWLEDGE);
	++*(int *)count;
	return IRQ_HANDLED;
}

static int allocate_sparse(struct pci_dev *pdev)
{
	struct msix_entry entries[VECTORS_MAX / 2];
	int i, count = min(wanted, VECTORS_MAX / 2);

	for (i = 0; i < count; i++)
		entries[i].entry = 2 * i + 1;
	count = pci_enable_msix_range(pdev, entries, 1, count);
	for (i = 0; i < count; i++)
		irqs[2 * i + 1] = entries[i].vector;
	return count;
}

static int allocate(struct pci_dev *pdev)
{
	unsigned int flags = !strcmp(kind, "msix") ? PCI_IRQ_MSIX : !strcmp(kind, "msi") ? PCI_IRQ_MSI : PCI_IRQ_INTX;
	int count, i;

	if (sparse)
		return allocate_sparse(pdev);
	count = pci_alloc_irq_vectors(pdev, 1, wanted, flags);
	for (i = 0; i < count; i++)
		irqs[i] = pci_irq_vector(pdev, i);
	return count;
}

static void release(struct pci_dev *pdev)
{
	int i;

	for (i = 0; i < VECTORS_MAX; i++)
		if (irqs[i])
			free_irq(irqs[i], &counts[i]);
	memset(irqs, 0, sizeof(irqs));
	if (sparse)
		pci_disable_msix(pdev);
	else
		pci_free_irq_vectors(pdev);
}

static void send_all(void)
{
	int i;

	for (i = 0; i < VECTORS_MAX; i++) {
		if (!irqs[i])
			continue;
		iowrite32(i, regs + REG_SEND);
		udelay(50);
	}
}

/* What comes while the interrupt is disabled must come when it is enabled again. */
static void hold_back(int i)
{
	int before = counts[i];

	disable_irq(irqs[i]);
	iowrite32(i, regs + REG_SEND);
	udelay(50);
	disabled = counts[i] - before;
	enable_irq(irqs[i]);
	udelay(50);
	enabled = counts[i] - before;
}

static int vectors_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int i, err = pcim_enable_device(pdev);

	if (!err)
		err = pcim_iomap_regions(pdev, 1, "vectors");
	if (err)
		return err;
	regs = pcim_iomap_table(pdev)[0];
	pci_set_master(pdev);
	had = allocate(pdev);
	if (had < 0)
		return had;
	for (i = 0; i < VECTORS_MAX; i++) {
		if (!irqs[i])
			continue;
		err = request_irq(irqs[i], came, IRQF_SHARED, "vectors", &counts[i]);
		if (err)
			irqs[i] = 0;
	}
	send_all();
	/* It forgets what is in its own configuration, which Linux puts back. */
	pci_save_state(pdev);
	pci_restore_state(pdev);
	send_all();
	for (i = 0; i < VECTORS_MAX; i++)
		if (irqs[i])
			hold_back(i);
	return 0;
}

static void vectors_remove(struct pci_dev *pdev)
{
	release(pdev);
}

static const struct pci_device_id vectors_ids[] = { { PCI_DEVICE(0x1af4, 0x10fe) }, { } };
MODULE_DEVICE_TABLE(pci, vectors_ids);

static struct pci_driver vectors_driver = {
	.name = KBUILD_MODNAME,
	.id_table = vectors_ids,
	.probe = vectors_probe,
	.remove = vectors_remove,
};
module_pci_driver(vectors_driver);

MODULE_DESCRIPTION("Counts what comes through each of its interrupt vectors");
MODULE_LICENSE("GPL");
