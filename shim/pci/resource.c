// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many regions the driver still claims, for the census: the claims themselves are in the tree's kernel/resource.c.
 */
#include <linux/ioport.h>
#include <drvport/pci.h>

static unsigned int claims_below(const struct resource *parent)
{
	const struct resource *res;
	unsigned int n = 0;

	for (res = parent->child; res; res = res->sibling)
		n += !!(res->flags & IORESOURCE_BUSY) + claims_below(res);
	return n;
}

unsigned int drvport_pci_claims(void)
{
	return claims_below(&ioport_resource) + claims_below(&iomem_resource);
}
