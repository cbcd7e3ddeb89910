// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's firmware nodes: the primary one describes it, a secondary one, made by software, adds to it.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fwnode.h>

static bool is_primary(const struct fwnode_handle *fwnode)
{
	return fwnode && !IS_ERR(fwnode->secondary);
}

/* The new primary, or none, in front of the secondary that is there. */
void set_primary_fwnode(struct device *dev, struct fwnode_handle *fwnode)
{
	struct fwnode_handle *old = dev->fwnode, *secondary = is_primary(old) ? old->secondary : old;

	if (!fwnode) {
		if (is_primary(old)) {
			dev->fwnode = secondary;
			old->secondary = NULL;
		}
		return;
	}
	if (is_primary(old))
		old->secondary = NULL;
	if (secondary != fwnode)
		fwnode->secondary = secondary;
	dev->fwnode = fwnode;
}

void set_secondary_fwnode(struct device *dev, struct fwnode_handle *fwnode)
{
	if (fwnode)
		fwnode->secondary = ERR_PTR(-ENODEV);
	if (is_primary(dev->fwnode))
		dev->fwnode->secondary = fwnode;
	else
		dev->fwnode = fwnode;
}
