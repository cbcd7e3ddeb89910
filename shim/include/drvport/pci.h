/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI functions as this domain sees them: the shim's own side of a struct pci_dev. Shared by pci/, dma/ and io/.
 */
#ifndef DRVPORT_PCI_H
#define DRVPORT_PCI_H

#include <linux/pci.h>

/* The kernel's object first, so that a cast is a container_of. */
struct drvport_function {
	struct pci_dev dev;
	u32 slot; /* handle of the pci capability */
	int vector_kind; /* VECTOR_* in use */
	int vector_first; /* first interrupt number of it */
	int vector_count;
	int intx; /* the line, while dev.irq is a message */
	int probe_result; /* of the last driver that matched */
};

static inline struct drvport_function *drvport_function(struct pci_dev *dev)
{
	return container_of(dev, struct drvport_function, dev);
}

static inline u32 drvport_pci_slot(struct pci_dev *dev)
{
	return drvport_function(dev)->slot;
}

/* Entries from shim/entry.c: a function was granted, or goes away. */
int drvport_pci_probe(u32 slot);
void drvport_pci_remove(u32 slot);

/* Regions drivers still claim, for the census. */
unsigned int drvport_pci_claims(void);

/* shim/pci/driver.c: register the bus with the driver core, once. */
int drvport_pci_bus_init(void);

#endif
