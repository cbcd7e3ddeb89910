// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI functions granted to the domain, as struct pci_dev: configuration space through the capability, resources as the
 * host placed them. The rest of the PCI core (capabilities, power, regions, enabling) is the tree's own drivers/pci/pci.c.
 *
 * Must not know: any device; the topology beyond what the domain was granted (every bus looks like a root bus).
 */
#define DRVPORT_SHIM
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <drvport/compat.h>
#include <drvport/core.h>
#include <drvport/pci.h>

/* drivers/pci/pci.h is private to the tree's PCI core, whose files this one stands beside. */
void pci_pm_init(struct pci_dev *dev);
void pci_vpd_init(struct pci_dev *dev);
void pci_allocate_cap_save_buffers(struct pci_dev *dev);
void pci_free_cap_save_buffers(struct pci_dev *dev);

LIST_HEAD(pci_root_buses);

/* ---- configuration space ---- */

static struct drvport_function *function_at(struct pci_bus *bus, unsigned int devfn)
{
	struct pci_dev *dev;

	list_for_each_entry(dev, &bus->devices, bus_list)
		if (dev->devfn == devfn)
			return drvport_function(dev);
	return NULL;
}

static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *val)
{
	struct drvport_function *fn = function_at(bus, devfn);

	*val = fn ? drvport_pci_config_read(fn->slot, where, size) : ~0u >> (32 - 8 * size);
	return fn ? PCIBIOS_SUCCESSFUL : PCIBIOS_DEVICE_NOT_FOUND;
}

static int config_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 val)
{
	struct drvport_function *fn = function_at(bus, devfn);

	if (!fn)
		return PCIBIOS_DEVICE_NOT_FOUND;
	return drvport_pci_config_write(fn->slot, where, size, val) ? PCIBIOS_SET_FAILED : PCIBIOS_SUCCESSFUL;
}

static struct pci_ops config_ops = { .read = config_read, .write = config_write };

/* Buses are never taken away again: they are the shim's memory, one for each number seen. */
static struct pci_bus *bus_numbered(u8 number)
{
	struct pci_host_bridge *bridge;
	struct pci_bus *bus;

	list_for_each_entry(bus, &pci_root_buses, node)
		if (bus->number == number)
			return bus;
	bridge = drvport_core_alloc(sizeof(*bridge));
	bus = drvport_core_alloc(sizeof(*bus));
	if (!bridge || !bus)
		return NULL;
	device_initialize(&bridge->dev);
	INIT_LIST_HEAD(&bridge->windows);
	INIT_LIST_HEAD(&bridge->dma_ranges);
	bridge->bus = bus;
	INIT_LIST_HEAD(&bus->children);
	INIT_LIST_HEAD(&bus->devices);
	INIT_LIST_HEAD(&bus->slots);
	INIT_LIST_HEAD(&bus->resources);
	bus->number = number;
	bus->ops = &config_ops;
	bus->bridge = &bridge->dev;
	bus->max_bus_speed = PCI_SPEED_UNKNOWN;
	bus->cur_bus_speed = PCI_SPEED_UNKNOWN;
	bus->resource[0] = &ioport_resource;
	bus->resource[1] = &iomem_resource;
	list_add_tail(&bus->node, &pci_root_buses);
	return bus;
}

/* ---- reading a function's header ---- */

static void read_bars(struct drvport_function *fn)
{
	struct drvport_bar bar;
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		struct resource *res = &fn->dev.resource[i];

		res->name = dev_name(&fn->dev.dev);
		if (drvport_pci_bar(fn->slot, i, (u32)(unsigned long)&bar) || !bar.length)
			continue;
		res->start = bar.start;
		res->end = bar.start + bar.length - 1;
		if (bar.flags & DRVPORT_BAR_IO)
			res->flags = IORESOURCE_IO | PCI_BASE_ADDRESS_SPACE_IO;
		else
			res->flags = IORESOURCE_MEM | IORESOURCE_SIZEALIGN;
		if (bar.flags & DRVPORT_BAR_MEM64)
			res->flags |= IORESOURCE_MEM_64 | PCI_BASE_ADDRESS_MEM_TYPE_64;
		if (bar.flags & DRVPORT_BAR_PREFETCH)
			res->flags |= IORESOURCE_PREFETCH | PCI_BASE_ADDRESS_MEM_PREFETCH;
		if (insert_resource(bar.flags & DRVPORT_BAR_IO ? &ioport_resource : &iomem_resource, res))
			pci_err(&fn->dev, "BAR %d %pR overlaps\n", i, res);
	}
}

static void release_bars(struct pci_dev *dev)
{
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (dev->resource[i].parent)
			release_resource(&dev->resource[i]);
}

static void read_express(struct pci_dev *dev)
{
	dev->pcie_cap = pci_find_capability(dev, PCI_CAP_ID_EXP);
	if (!dev->pcie_cap)
		return;
	pci_read_config_word(dev, dev->pcie_cap + PCI_EXP_FLAGS, &dev->pcie_flags_reg);
	pci_read_config_dword(dev, dev->pcie_cap + PCI_EXP_DEVCAP, &dev->devcap);
	dev->pcie_mpss = dev->devcap & PCI_EXP_DEVCAP_PAYLOAD;
}

static void read_interrupt(struct drvport_function *fn)
{
	int line;

	pci_read_config_byte(&fn->dev, PCI_INTERRUPT_PIN, &fn->dev.pin);
	if (!fn->dev.pin)
		return;
	line = drvport_pci_vectors(fn->slot, DRVPORT_VECTOR_INTX, 1);
	if (line >= 0)
		fn->dev.irq = line;
}

static void read_header(struct drvport_function *fn)
{
	struct pci_dev *dev = &fn->dev;
	u32 word;

	pci_read_config_dword(dev, PCI_VENDOR_ID, &word);
	dev->vendor = word & 0xffff;
	dev->device = word >> 16;
	pci_read_config_dword(dev, PCI_CLASS_REVISION, &word);
	dev->class = word >> 8;
	dev->revision = word & 0xff;
	pci_read_config_byte(dev, PCI_HEADER_TYPE, &dev->hdr_type);
	dev->multifunction = !!(dev->hdr_type & 0x80);
	dev->hdr_type &= 0x7f;
	pci_read_config_word(dev, PCI_SUBSYSTEM_VENDOR_ID, &dev->subsystem_vendor);
	pci_read_config_word(dev, PCI_SUBSYSTEM_ID, &dev->subsystem_device);
	dev->rom_base_reg = PCI_ROM_ADDRESS;
	read_express(dev);
	dev->cfg_size = dev->pcie_cap ? PCI_CFG_SPACE_EXP_SIZE : PCI_CFG_SPACE_SIZE;
	read_interrupt(fn);
	read_bars(fn);
}

static void read_capabilities(struct pci_dev *dev)
{
	dev->msi_cap = pci_find_capability(dev, PCI_CAP_ID_MSI);
	dev->msix_cap = pci_find_capability(dev, PCI_CAP_ID_MSIX);
	pci_allocate_cap_save_buffers(dev);
	pci_pm_init(dev);
	pci_vpd_init(dev);
}

/* ---- coming and going ---- */

static void release_function(struct device *d)
{
	struct pci_dev *dev = to_pci_dev(d);

	pci_free_cap_save_buffers(dev);
	bitmap_free(dev->dma_alias_mask);
#ifndef DRVPORT_DEVICE_OVERRIDE
	kfree(dev->driver_override);
#endif
	kfree(drvport_function(dev));
}

static void init_device(struct pci_dev *dev)
{
	struct device *d = &dev->dev;

	device_initialize(d);
	d->parent = NULL;
	d->bus = &pci_bus_type;
	d->release = release_function;
	d->dma_mask = &dev->dma_mask;
	d->dma_parms = &dev->dma_parms;
	d->coherent_dma_mask = DMA_BIT_MASK(32);
	dev->dma_mask = DMA_BIT_MASK(32);
	dma_set_max_seg_size(d, 65536);
	dma_set_seg_boundary(d, 0xffffffff);
	INIT_HLIST_HEAD(&dev->saved_cap_space);
	spin_lock_init(&dev->pcie_cap_lock);
#ifdef CONFIG_PCI_MSI
	raw_spin_lock_init(&dev->msi_lock);
#endif
	dev->error_state = pci_channel_io_normal;
	dev->current_state = PCI_UNKNOWN;
	dev->sysdata = dev->bus->sysdata;
	dev_set_name(d, "%04x:%02x:%02x.%d", 0, dev->bus->number, PCI_SLOT(dev->devfn), PCI_FUNC(dev->devfn));
}

static void remove_function(struct pci_dev *dev)
{
	device_del(&dev->dev);
	list_del(&dev->bus_list);
	release_bars(dev);
	put_device(&dev->dev);
}

static struct pci_dev *find_slot(u32 slot)
{
	struct pci_bus *bus;
	struct pci_dev *dev;

	list_for_each_entry(bus, &pci_root_buses, node)
		list_for_each_entry(dev, &bus->devices, bus_list)
			if (drvport_pci_slot(dev) == slot)
				return dev;
	return NULL;
}

/* 0 when a driver is bound, DRVPORT_E_NODEV when none wanted it, otherwise what its probe said. */
int drvport_pci_probe(u32 slot)
{
	int location = drvport_pci_location(slot), err;
	struct drvport_function *fn;

	if (location < 0 || find_slot(slot))
		return location < 0 ? location : DRVPORT_E_BUSY;
	err = drvport_pci_bus_init();
	if (err)
		return err;
	/* Linux takes what the firmware programmed into most devices; ours programs none. */
	pci_cache_line_size = pci_cache_line_size ?: pci_dfl_cache_line_size;
	fn = kzalloc(sizeof(*fn), GFP_KERNEL);
	if (!fn)
		return DRVPORT_E_NOMEM;
	fn->slot = slot;
	fn->probe_result = DRVPORT_E_NODEV;
	fn->dev.devfn = location & 0xff;
	fn->dev.bus = bus_numbered(location >> 8);
	if (!fn->dev.bus) {
		kfree(fn);
		return DRVPORT_E_NOMEM;
	}
	init_device(&fn->dev);
	list_add_tail(&fn->dev.bus_list, &fn->dev.bus->devices);
	read_header(fn);
	read_capabilities(&fn->dev);
	err = device_add(&fn->dev.dev);
	if (!err && fn->dev.driver)
		return 0;
	err = err ?: fn->probe_result;
	remove_function(&fn->dev);
	return err;
}

void drvport_pci_remove(u32 slot)
{
	struct pci_dev *dev = find_slot(slot);
	u32 word;

	if (!dev)
		return;
	/* Pulled out: tell the driver, as a hot-plug controller does, before it waits for what will not answer. */
	pci_read_config_dword(dev, PCI_VENDOR_ID, &word);
	if (word == ~0u)
		dev->error_state = pci_channel_io_perm_failure;
	remove_function(dev);
}
