// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI drivers: registration, matching by id table (static, dynamic, override-only), probe, remove, shutdown.
 */
#define DRVPORT_SHIM
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <drvport/compat.h>
#include <drvport/core.h>
#include <drvport/pci.h>

/* Whoever has a PCI driver has the way to give it a device: a weak reference alone does not link it. */
static int (*const entry)(u32 slot) __used = drvport_pci_probe;

struct dynamic_id {
	struct list_head node;
	struct pci_device_id id;
};

static bool matches(const struct pci_device_id *id, const struct pci_dev *dev)
{
	return (id->vendor == PCI_ANY_ID || id->vendor == dev->vendor) &&
	       (id->device == PCI_ANY_ID || id->device == dev->device) &&
	       (id->subvendor == PCI_ANY_ID || id->subvendor == dev->subsystem_vendor) &&
	       (id->subdevice == PCI_ANY_ID || id->subdevice == dev->subsystem_device) &&
	       !((id->class ^ dev->class) & id->class_mask);
}

static const struct pci_device_id *match_table(const struct pci_device_id *ids, struct pci_dev *dev, bool override)
{
	for (; ids && (ids->vendor || ids->subvendor || ids->class_mask); ids++)
		if (matches(ids, dev) && (!ids->override_only || override))
			return ids;
	return NULL;
}

const struct pci_device_id *pci_match_id(const struct pci_device_id *ids, struct pci_dev *dev)
{
	return match_table(ids, dev, false);
}

static const char *wanted_driver(struct pci_dev *dev)
{
#ifdef DRVPORT_DEVICE_OVERRIDE
	return drvport_override_name(&dev->dev);
#else
	return dev->driver_override;
#endif
}

/* What a driver is probed with that was chosen by name and knows no such device. */
static const struct pci_device_id any_device = {
	.vendor = PCI_ANY_ID, .device = PCI_ANY_ID, .subvendor = PCI_ANY_ID, .subdevice = PCI_ANY_ID,
};

/* The caller's copy, as a dynamic id may go away at any time. */
static const struct pci_device_id *match_driver(struct pci_driver *drv, struct pci_dev *dev, struct pci_device_id *copy)
{
	const char *wanted = wanted_driver(dev);
	const struct pci_device_id *found = NULL;
	struct dynamic_id *dynamic;

	if (wanted && strcmp(wanted, drv->driver.name))
		return NULL;
	spin_lock(&drv->dynids.lock);
	list_for_each_entry(dynamic, &drv->dynids.list, node) {
		if (matches(&dynamic->id, dev)) {
			*copy = dynamic->id;
			found = copy;
			break;
		}
	}
	spin_unlock(&drv->dynids.lock);
	if (!found)
		found = match_table(drv->id_table, dev, wanted);
	return found || !wanted ? found : &any_device;
}

int pci_add_dynid(struct pci_driver *drv, unsigned int vendor, unsigned int device, unsigned int subvendor,
		  unsigned int subdevice, unsigned int class, unsigned int class_mask, unsigned long driver_data)
{
	struct dynamic_id *dynamic = kzalloc(sizeof(*dynamic), GFP_KERNEL);

	if (!dynamic)
		return -ENOMEM;
	dynamic->id = (struct pci_device_id){ .vendor = vendor, .device = device, .subvendor = subvendor,
					      .subdevice = subdevice, .class = class, .class_mask = class_mask,
					      .driver_data = driver_data };
	spin_lock(&drv->dynids.lock);
	list_add_tail(&dynamic->node, &drv->dynids.list);
	spin_unlock(&drv->dynids.lock);
	return driver_attach(&drv->driver);
}

static void forget_dynamic(struct pci_driver *drv)
{
	struct dynamic_id *dynamic, *next;

	spin_lock(&drv->dynids.lock);
	list_for_each_entry_safe(dynamic, next, &drv->dynids.list, node) {
		list_del(&dynamic->node);
		kfree(dynamic);
	}
	spin_unlock(&drv->dynids.lock);
}

/* ---- the bus, as the driver core sees it ---- */

static struct pci_driver *to_driver(const struct device_driver *drv)
{
	return container_of((struct device_driver *)drv, struct pci_driver, driver);
}

static __maybe_unused int bus_match_const(struct device *dev, const struct device_driver *drv)
{
	struct pci_device_id copy;

	return !!match_driver(to_driver(drv), to_pci_dev(dev), &copy);
}

static __maybe_unused int bus_match(struct device *dev, struct device_driver *drv)
{
	return bus_match_const(dev, drv);
}

static int bus_probe(struct device *dev)
{
	struct pci_driver *drv = to_driver(dev->driver);
	struct pci_dev *pdev = to_pci_dev(dev);
	const struct pci_device_id *id;
	struct pci_device_id copy;
	int err;

	id = match_driver(drv, pdev, &copy);
	if (!drv->probe || !id)
		return -ENODEV;
	pci_dev_get(pdev);
	pdev->driver = drv;
	err = drv->probe(pdev, id);
	if (err > 0) {
		pci_warn(pdev, "Driver probe function unexpectedly returned %d\n", err);
		err = 0;
	}
	drvport_function(pdev)->probe_result = err;
	if (err) {
		pdev->driver = NULL;
		pci_dev_put(pdev);
	}
	return err;
}

static void bus_remove(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);

	if (pdev->driver && pdev->driver->remove)
		pdev->driver->remove(pdev);
	pdev->driver = NULL;
	/* Undo what a driver that never set a state left: the next one starts from the unknown. */
	if (pdev->current_state == PCI_D0)
		pdev->current_state = PCI_UNKNOWN;
	pci_dev_put(pdev);
}

static void bus_shutdown(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);

	if (pdev->driver && pdev->driver->shutdown)
		pdev->driver->shutdown(pdev);
}

static int bus_num_vf(struct device *dev)
{
	return 0;
}

/* The constness of a parameter changed over the years; a wasm call must have exactly the type the caller names. */
typeof(pci_bus_type) pci_bus_type = {
	.name = "pci",
	.match = _Generic(((struct bus_type *)0)->match,
			  int (*)(struct device *, const struct device_driver *): bus_match_const, default: bus_match),
	.probe = bus_probe,
	.remove = bus_remove,
	.shutdown = bus_shutdown,
	.num_vf = bus_num_vf,
};

int drvport_pci_bus_init(void)
{
	static bool registered;
	int err;

	if (registered)
		return 0;
	err = bus_register(&pci_bus_type);
	registered = !err;
	return err;
}

int __pci_register_driver(struct pci_driver *drv, struct module *owner, const char *mod_name)
{
	int err = drvport_pci_bus_init();

	if (err)
		return err;
	drv->driver.name = drv->name;
	drv->driver.bus = &pci_bus_type;
	drv->driver.owner = owner;
	drv->driver.mod_name = mod_name;
	drv->driver.groups = drv->groups;
	drv->driver.dev_groups = drv->dev_groups;
	spin_lock_init(&drv->dynids.lock);
	INIT_LIST_HEAD(&drv->dynids.list);
	return driver_register(&drv->driver);
}

void pci_unregister_driver(struct pci_driver *drv)
{
	driver_unregister(&drv->driver);
	forget_dynamic(drv);
}

struct pci_driver *pci_dev_driver(const struct pci_dev *dev)
{
	return dev->driver;
}

struct pci_dev *pci_dev_get(struct pci_dev *dev)
{
	if (dev)
		get_device(&dev->dev);
	return dev;
}

void pci_dev_put(struct pci_dev *dev)
{
	if (dev)
		put_device(&dev->dev);
}
