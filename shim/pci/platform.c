// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tree's PCI core asks of an architecture or of optional services that the domain leaves to the host.
 */
#include <linux/pci.h>

/* Quirks repair known bad hardware; models have none, and each quirk would name a device here. */
void pci_fixup_device(enum pci_fixup_pass pass, struct pci_dev *dev)
{
}

struct pci_dev *pci_real_dma_dev(struct pci_dev *dev)
{
	return dev;
}

/* Links are the host's: nothing to train again from here. */
int pcie_failed_link_retrain(struct pci_dev *dev);
int pcie_failed_link_retrain(struct pci_dev *dev)
{
	return -ENOTTY;
}

/* Quirks' part of access control services. */
int pci_dev_specific_enable_acs(struct pci_dev *dev);
int pci_dev_specific_enable_acs(struct pci_dev *dev)
{
	return -ENOTTY;
}

int pci_dev_specific_disable_acs_redir(struct pci_dev *dev);
int pci_dev_specific_disable_acs_redir(struct pci_dev *dev)
{
	return -ENOTTY;
}

/* The host owns the port services: error reporting, hot plug. */
#ifdef CONFIG_PCIEPORTBUS
bool pcie_ports_native;
#endif
