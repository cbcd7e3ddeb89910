// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI functions granted to the domain, under the tree's own PCI core: one root bridge whose configuration space
 * answers for what was granted and for nothing else. Addresses are as the machine's firmware placed them.
 *
 * Must not know: any device.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/ioport.h>
#include <linux/irqdomain.h>
#include <linux/kernel.h>
#include <linux/pci.h>
/* The driver core's own. */
#include <../drivers/base/base.h>
#include "drvport/bus.h"
#include "lower.h"
#include "irq.h"

#define FUNCTIONS 256

/* Handle of the function at a place on the bus, plus one. */
static u32 handles[FUNCTIONS];
static struct pci_bus *root;

u32 drvport_pci_function(struct pci_dev *dev) { return handles[dev->devfn] - 1; }

static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	u32 handle = bus == root || !root ? handles[devfn] : 0;

	*value = handle ? drvport_pci_config_read(handle - 1, where, size) : ~0u >> (32 - 8 * size);
	return PCIBIOS_SUCCESSFUL;
}

static int config_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 value)
{
	u32 handle = bus == root || !root ? handles[devfn] : 0;

	if (!handle)
		return PCIBIOS_DEVICE_NOT_FOUND;
	return drvport_pci_config_write(handle - 1, where, size, value) ? PCIBIOS_SET_FAILED : PCIBIOS_SUCCESSFUL;
}

static struct pci_ops config_ops = { .read = config_read, .write = config_write };

/* The machine's address map: see hw/pci/host.ts. Linear memory ends long before. */
static struct resource ports = { .name = "PCI ports", .start = 0, .end = 0xffff, .flags = IORESOURCE_IO };
static struct resource memory = {
	.name = "PCI memory", .start = 0x80000000, .end = 0xfebfffff, .flags = IORESOURCE_MEM,
};
static struct resource buses = { .name = "PCI buses", .start = 0, .end = 0, .flags = IORESOURCE_BUS };

static int line_of(const struct pci_dev *dev, u8 slot, u8 pin)
{
	u8 line;

	pci_read_config_byte(dev, PCI_INTERRUPT_LINE, &line);
	return line == 0xff ? -1 : irq_create_mapping(drvport_irq_domain, line);
}

/* A function is granted after its driver has come, or before: the bus is there first, and empty. */
static int __init bridge_init(void)
{
	struct pci_host_bridge *bridge = pci_alloc_host_bridge(0);
	int err;

	if (!bridge)
		return -ENOMEM;
	pci_add_resource(&bridge->windows, &ports);
	pci_add_resource(&bridge->windows, &memory);
	pci_add_resource(&bridge->windows, &buses);
	bridge->ops = &config_ops;
	bridge->map_irq = line_of;
	bridge->swizzle_irq = pci_common_swizzle;
	err = pci_scan_root_bus_bridge(bridge);
	if (err)
		return err;
	root = bridge->bus;
	drvport_msi_init(&root->dev);
	pci_bus_add_devices(root);
	return 0;
}
device_initcall(bridge_init);

static void claim(struct pci_dev *dev)
{
	int i;

	for (i = 0; i < PCI_BRIDGE_RESOURCES; i++) {
		struct resource *resource = &dev->resource[i];

		if (resource->flags && !resource->parent && resource->start && pci_claim_resource(dev, i))
			pci_warn(dev, "BAR %d: not where the machine has room for it\n", i);
	}
}

/* ---- probing, with an answer ---- */

struct attempt {
	struct device *dev;
	int result;
};

/* One driver after the other, as the driver core does when a device comes, but with the reason when a probe fails. */
static int try_driver(struct device_driver *driver, void *data)
{
	struct attempt *attempt = data;
	int result;

	if (driver->bus->match && driver->bus->match(attempt->dev, driver) <= 0)
		return 0;
	result = device_driver_attach(driver, attempt->dev);
	/* What one is told who binds by hand: it waits for another device, and is to be asked again. */
	if (result == -EAGAIN)
		result = -EPROBE_DEFER;
	if (!result || attempt->result == -ENODEV)
		attempt->result = result;
	return !result;
}

int drvport_probe(struct device *dev)
{
	struct attempt attempt = { .dev = dev, .result = -ENODEV };

	bus_for_each_drv(dev->bus, NULL, &attempt, try_driver);
	return attempt.result;
}
EXPORT_SYMBOL_GPL(drvport_probe);

/* A function was granted. 0 when a driver is bound to it, -ENODEV when none wants it, else why the probe failed. */
int drvport_pci_add(u32 fn)
{
	int location = drvport_pci_location(fn);
	u8 devfn = location;
	struct pci_dev *dev;
	int result = -ENODEV;

	if (location < 0 || !root)
		return -ENODEV;
	handles[devfn] = fn + 1;
	pci_lock_rescan_remove();
	dev = pci_scan_single_device(root, devfn);
	if (dev) {
		claim(dev);
		pci_assign_unassigned_bus_resources(root);
		/* The probing below is what asks: meanwhile the driver core has no driver take it. */
		dev->dev.p->dead = true;
		pci_bus_add_device(dev);
		dev->dev.p->dead = false;
		result = drvport_probe(&dev->dev);
	}
	pci_unlock_rescan_remove();
	return result;
}

void drvport_pci_remove(u32 fn)
{
	unsigned int devfn;
	struct pci_dev *dev;

	for (devfn = 0; devfn < FUNCTIONS; devfn++)
		if (handles[devfn] == fn + 1)
			break;
	if (devfn == FUNCTIONS || !root)
		return;
	dev = pci_get_slot(root, devfn);
	if (dev) {
		pci_stop_and_remove_bus_device_locked(dev);
		pci_dev_put(dev);
	}
	handles[devfn] = 0;
}
