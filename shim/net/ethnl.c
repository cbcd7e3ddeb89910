// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tree's PHY library tells user space over netlink. Nobody listens in a domain: a cable test cannot be asked for.
 */
#include <linux/ethtool_netlink.h>
#include <linux/netlink.h>

int ethnl_cable_test_alloc(struct phy_device *phydev, u8 cmd)
{
	return -EOPNOTSUPP;
}

void ethnl_cable_test_free(struct phy_device *phydev)
{
}

void ethnl_cable_test_finished(struct phy_device *phydev)
{
}

void do_trace_netlink_extack(const char *msg)
{
}
