// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tree's PHY library tells user space over netlink. Nobody listens in a domain: a cable test cannot be asked for.
 */
#include <linux/ethtool_netlink.h>
#include <linux/netlink.h>
#include <linux/version.h>

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

/* With the source of the measure since 6.12. */
int ethnl_cable_test_result_with_src(struct phy_device *phydev, u8 pair, u8 result, u32 src);
int ethnl_cable_test_result_with_src(struct phy_device *phydev, u8 pair, u8 result, u32 src)
{
	return -EOPNOTSUPP;
}

int ethnl_cable_test_fault_length_with_src(struct phy_device *phydev, u8 pair, u32 cm, u32 src);
int ethnl_cable_test_fault_length_with_src(struct phy_device *phydev, u8 pair, u32 cm, u32 src)
{
	return -EOPNOTSUPP;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
int ethnl_cable_test_result(struct phy_device *phydev, u8 pair, u8 result)
{
	return -EOPNOTSUPP;
}

int ethnl_cable_test_fault_length(struct phy_device *phydev, u8 pair, u32 cm)
{
	return -EOPNOTSUPP;
}
#endif

void do_trace_netlink_extack(const char *msg)
{
}
