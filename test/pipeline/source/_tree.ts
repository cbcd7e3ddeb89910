/** A kernel tree of a few headers, in words of our own. */
import type { TreeReader } from '../../../pipeline/source/index.ts'

export function treeOf(files: Record<string, string>): TreeReader {
  return { read: async (path) => files[path] }
}

export const tree = treeOf({
  'include/linux/pci_ids.h': `#define PCI_VENDOR_ID_ACME 0x1abc
#define PCI_DEVICE_ID_ACME_ONE 0x0001
#define PCI_CLASS_NETWORK_ETHERNET 0x0200
`,
  'include/linux/pci.h': `#define PCI_ANY_ID (~0)
#define PCI_DEVICE(vend,dev) \\
	.vendor = (vend), .device = (dev), \\
	.subvendor = PCI_ANY_ID, .subdevice = PCI_ANY_ID
#define PCI_VDEVICE(vend, dev) \\
	.vendor = PCI_VENDOR_ID_##vend, .device = (dev), \\
	.subvendor = PCI_ANY_ID, .subdevice = PCI_ANY_ID, 0, 0
#define PCI_DEVICE_CLASS(dev_class,dev_class_mask) \\
	.class = (dev_class), .class_mask = (dev_class_mask), \\
	.vendor = PCI_ANY_ID, .device = PCI_ANY_ID, \\
	.subvendor = PCI_ANY_ID, .subdevice = PCI_ANY_ID
`,
  'include/linux/usb.h': `#define USB_DEVICE(vend, prod) .match_flags = 3, .idVendor = (vend), .idProduct = (prod)
`,
  'drivers/acme/acme.h': `/* SPDX-License-Identifier: MIT */
#ifndef ACME_H
#define ACME_H
#define ACME_NAME "acme"
#define ACME_VERSION "1." __stringify(7)
#define ACME_FLAG(n) (1 << (n))
static inline int acme_helper(int a) { return a + 1; }
int acme_other(void);
#endif
`,
})
