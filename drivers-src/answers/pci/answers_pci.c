// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI core and the DMA API, asked through a device: coherent memory and its alignment, which memory can be mapped, the
 * expansion ROM, quirks, sets of vectors, a probe that is deferred. What was heard is in the module's parameters.
 *
 * The device fills memory with the sum of its bytes' numbers: address, then length, written to its registers.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define REG_ADDRESS 0
#define REG_FILL 4
#define VECTORS 4

/* Pieces of coherent memory that were had, and those not aligned to their order: by address, by the device's address. */
static int coherent_had, coherent_misplaced, coherent_misplaced_at_device;
module_param(coherent_had, int, 0444);
module_param(coherent_misplaced, int, 0444);
module_param(coherent_misplaced_at_device, int, 0444);

/* Bytes of mapped alloc_pages_exact() memory that hold what the device has written; of memory that cannot be mapped, the error. */
static int exact_filled, vmalloc_mapped;
module_param(exact_filled, int, 0444);
module_param(vmalloc_mapped, int, 0444);

static int rom_bytes, rom_sum;
module_param(rom_bytes, int, 0444);
module_param(rom_sum, int, 0444);

/* What quirks have said of the device. */
static bool no_bus_reset, broken_intx_masking;
module_param(no_bus_reset, bool, 0444);
module_param(broken_intx_masking, bool, 0444);

/* Vectors had of those wanted in sets, and how often the driver was asked how to divide them. */
static int set_vectors, sets_asked;
module_param(set_vectors, int, 0444);
module_param(sets_asked, int, 0444);

/* Devices of this revision wait for one of another to be bound. */
static int waiting_revision = -1;
module_param(waiting_revision, int, 0444);
static int bound, deferred;
module_param(bound, int, 0444);
module_param(deferred, int, 0444);

static void ask_coherent(struct pci_dev *pdev)
{
	static const size_t sizes[] = { 100, PAGE_SIZE, 3 * PAGE_SIZE, 5 * PAGE_SIZE, 16 * PAGE_SIZE + 1, 7, 33 * PAGE_SIZE };
	void *memory[ARRAY_SIZE(sizes)];
	dma_addr_t handles[ARRAY_SIZE(sizes)];
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned long align = PAGE_SIZE << get_order(sizes[i]);

		memory[i] = dma_alloc_coherent(&pdev->dev, sizes[i], &handles[i], GFP_KERNEL);
		if (!memory[i])
			continue;
		coherent_had += !memchr_inv(memory[i], 0, sizes[i]);
		coherent_misplaced += !IS_ALIGNED((unsigned long)memory[i], align);
		coherent_misplaced_at_device += !IS_ALIGNED(handles[i], align);
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (memory[i])
			dma_free_coherent(&pdev->dev, sizes[i], memory[i], handles[i]);
}

static int filled(const u8 *memory, size_t bytes)
{
	size_t i;
	int count = 0;

	for (i = 0; i < bytes; i++)
		count += memory[i] == (u8)(i + (i >> 8));
	return count;
}

static void ask_mapping(struct pci_dev *pdev, void __iomem *regs)
{
	size_t bytes = 3 * PAGE_SIZE;
	u8 *exact = alloc_pages_exact(bytes, GFP_KERNEL | __GFP_ZERO), *virtual = vmalloc(bytes);
	dma_addr_t handle;

	if (exact) {
		handle = dma_map_single(&pdev->dev, exact, bytes, DMA_FROM_DEVICE);
		if (!dma_mapping_error(&pdev->dev, handle)) {
			iowrite32(handle, regs + REG_ADDRESS);
			iowrite32(bytes, regs + REG_FILL);
			udelay(50);
			dma_unmap_single(&pdev->dev, handle, bytes, DMA_FROM_DEVICE);
			exact_filled = filled(exact, bytes);
		}
		free_pages_exact(exact, bytes);
	}
	if (virtual) {
		handle = dma_map_single(&pdev->dev, virtual, bytes, DMA_FROM_DEVICE);
		vmalloc_mapped = dma_mapping_error(&pdev->dev, handle);
		if (!vmalloc_mapped)
			dma_unmap_single(&pdev->dev, handle, bytes, DMA_FROM_DEVICE);
		vfree(virtual);
	}
}

static void ask_rom(struct pci_dev *pdev)
{
	size_t bytes, i;
	void __iomem *rom = pci_map_rom(pdev, &bytes);

	if (!rom)
		return;
	rom_bytes = bytes;
	for (i = 0; i < bytes; i++)
		rom_sum += readb(rom + i);
	pci_unmap_rom(pdev, rom);
}

static void divides(struct irq_affinity *affinity, unsigned int vectors)
{
	sets_asked++;
	affinity->nr_sets = 2;
	affinity->set_size[0] = vectors / 2;
	affinity->set_size[1] = vectors - vectors / 2;
}

static void ask_sets(struct pci_dev *pdev)
{
	struct irq_affinity affinity = { .pre_vectors = 1, .calc_sets = divides };

	set_vectors = pci_alloc_irq_vectors_affinity(pdev, 2, VECTORS, PCI_IRQ_MSIX | PCI_IRQ_AFFINITY, &affinity);
	if (set_vectors > 0)
		pci_free_irq_vectors(pdev);
}

static int answers_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	void __iomem *regs;
	int err;

	if (pdev->revision == waiting_revision && !bound) {
		deferred++;
		return -EPROBE_DEFER;
	}
	err = pcim_enable_device(pdev);
	if (!err)
		err = pcim_iomap_regions(pdev, 1, "answers_pci");
	if (err)
		return err;
	regs = pcim_iomap_table(pdev)[0];
	pci_set_master(pdev);
	no_bus_reset = pdev->dev_flags & PCI_DEV_FLAGS_NO_BUS_RESET;
	broken_intx_masking = pdev->broken_intx_masking;
	ask_coherent(pdev);
	ask_mapping(pdev, regs);
	ask_rom(pdev);
	ask_sets(pdev);
	bound++;
	return 0;
}

static const struct pci_device_id answers_ids[] = {
	{ PCI_DEVICE(0x1af4, 0x10fd) },
	/* Two that the tree has quirks for. */
	{ PCI_DEVICE(PCI_VENDOR_ID_ATHEROS, 0x0030) },
	{ PCI_DEVICE(PCI_VENDOR_ID_REALTEK, 0x8169) },
	{ }
};
MODULE_DEVICE_TABLE(pci, answers_ids);

static struct pci_driver answers_driver = { .name = KBUILD_MODNAME, .id_table = answers_ids, .probe = answers_probe };
module_pci_driver(answers_driver);

MODULE_DESCRIPTION("Asks what Linux answers of PCI devices and DMA");
MODULE_LICENSE("GPL");
