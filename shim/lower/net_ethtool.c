// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a person asks a driver with ethtool: link, identity, private counters, self-test, registers, EEPROM. Each is the
 * driver's own ethtool operation, between begin and complete and under the rtnl lock as in Linux.
 */
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include "lower.h"
#include "net.h"

#define AT(type, address) ((type)(unsigned long)(address))

static int begin(struct net_device *dev)
{
	const struct ethtool_ops *ops = dev->ethtool_ops;

	if (!netif_device_present(dev))
		return -ENODEV;
	return ops && ops->begin ? ops->begin(dev) : 0;
}

static void complete_ops(struct net_device *dev)
{
	if (dev->ethtool_ops && dev->ethtool_ops->complete)
		dev->ethtool_ops->complete(dev);
}

static int read_link(struct net_device *dev, unsigned int where, unsigned int b, unsigned int c)
{
	const struct ethtool_ops *ops = dev->ethtool_ops;
	struct drvport_net_link *out = AT(struct drvport_net_link *, where);
	struct ethtool_link_ksettings settings = { };

	out->up = ops && ops->get_link ? netif_running(dev) && ops->get_link(dev) : netif_running(dev) && netif_carrier_ok(dev);
	out->speed = (u32)SPEED_UNKNOWN;
	out->duplex = DUPLEX_UNKNOWN;
	out->autoneg = 0;
	if (!ops || !ops->get_link_ksettings || ops->get_link_ksettings(dev, &settings))
		return 0;
	out->speed = settings.base.speed;
	out->duplex = settings.base.duplex;
	out->autoneg = settings.base.autoneg;
	return 0;
}

static int read_info(struct net_device *dev, unsigned int where, unsigned int b, unsigned int c)
{
	const struct ethtool_ops *ops = dev->ethtool_ops;
	struct drvport_net_info *out = AT(struct drvport_net_info *, where);
	struct device *parent = dev->dev.parent;
	struct ethtool_drvinfo info = { };

	memset(out, 0, sizeof(*out));
	if (parent) {
		strscpy(info.bus_info, dev_name(parent), sizeof(info.bus_info));
		if (parent->driver)
			strscpy(info.driver, parent->driver->name, sizeof(info.driver));
	}
	if (ops && ops->get_drvinfo)
		ops->get_drvinfo(dev, &info);
	memcpy(out->driver, info.driver, sizeof(out->driver));
	memcpy(out->version, info.version, sizeof(out->version));
	memcpy(out->firmware, info.fw_version, sizeof(out->firmware));
	memcpy(out->bus, info.bus_info, sizeof(out->bus));
	if (ops && ops->get_regs_len)
		out->registers_bytes = ops->get_regs_len(dev);
	if (ops && ops->get_eeprom_len)
		out->eeprom_bytes = ops->get_eeprom_len(dev);
	return 0;
}

/* Names and values of one string set; fill puts the values. Returns how many there are, or an error. */
static int named_values(struct net_device *dev, u32 set, void (*fill)(struct net_device *, u64 *, int, void *), void *arg,
			struct drvport_net_value *out, unsigned int max)
{
	const struct ethtool_ops *ops = dev->ethtool_ops;
	u8 *names;
	u64 *values;
	int i, n;

	if (!ops || !ops->get_sset_count || !ops->get_strings)
		return -EOPNOTSUPP;
	n = ops->get_sset_count(dev, set);
	if (n <= 0)
		return n;
	names = kcalloc(n, ETH_GSTRING_LEN, GFP_KERNEL);
	values = kcalloc(n, sizeof(*values), GFP_KERNEL);
	if (names && values) {
		ops->get_strings(dev, set, names);
		fill(dev, values, n, arg);
		for (i = 0; i < n && i < max; i++) {
			memcpy(out[i].name, names + i * ETH_GSTRING_LEN, sizeof(out[i].name));
			out[i].name[sizeof(out[i].name) - 1] = 0;
			out[i].value = values[i];
		}
	} else {
		n = -ENOMEM;
	}
	kfree(names);
	kfree(values);
	return n;
}

static void fill_counters(struct net_device *dev, u64 *values, int n, void *arg)
{
	struct ethtool_stats request = { .cmd = ETHTOOL_GSTATS, .n_stats = n };

	if (dev->ethtool_ops->get_ethtool_stats)
		dev->ethtool_ops->get_ethtool_stats(dev, &request, values);
}

static int read_counters(struct net_device *dev, unsigned int where, unsigned int max, unsigned int c)
{
	return named_values(dev, ETH_SS_STATS, fill_counters, NULL, AT(struct drvport_net_value *, where), max);
}

static void fill_selftest(struct net_device *dev, u64 *values, int n, void *arg)
{
	struct ethtool_test *request = arg;

	request->len = n;
	dev->ethtool_ops->self_test(dev, request, values);
}

static int run_selftest(struct net_device *dev, unsigned int flags, unsigned int where, unsigned int max)
{
	struct ethtool_test request = {
		.cmd = ETHTOOL_TEST,
		.flags = flags & DRVPORT_SELFTEST_OFFLINE ? ETH_TEST_FL_OFFLINE : 0,
	};
	int n;

	if (!dev->ethtool_ops || !dev->ethtool_ops->self_test)
		return -EOPNOTSUPP;
	n = named_values(dev, ETH_SS_TEST, fill_selftest, &request, AT(struct drvport_net_value *, where), max);
	if (n >= 0 && (request.flags & ETH_TEST_FL_FAILED))
		n |= DRVPORT_SELFTEST_FAILED;
	return n;
}

static int read_registers(struct net_device *dev, unsigned int where, unsigned int max, unsigned int c)
{
	const struct ethtool_ops *ops = dev->ethtool_ops;
	struct ethtool_regs regs = { .cmd = ETHTOOL_GREGS };
	void *buffer;
	int n;

	if (!ops || !ops->get_regs_len || !ops->get_regs)
		return -EOPNOTSUPP;
	n = ops->get_regs_len(dev);
	if (n <= 0)
		return n;
	buffer = kvzalloc(n, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	regs.len = n;
	ops->get_regs(dev, &regs, buffer);
	n = min3((u32)n, regs.len, max);
	memcpy(AT(void *, where), buffer, n);
	kvfree(buffer);
	return n;
}

static int read_eeprom(struct net_device *dev, unsigned int offset, unsigned int where, unsigned int len)
{
	const struct ethtool_ops *ops = dev->ethtool_ops;
	struct ethtool_eeprom request = { .cmd = ETHTOOL_GEEPROM, .offset = offset };
	u32 total;
	u8 *buffer;
	int err;

	if (!ops || !ops->get_eeprom || !ops->get_eeprom_len)
		return -EOPNOTSUPP;
	total = ops->get_eeprom_len(dev);
	if (offset >= total)
		return -EINVAL;
	request.len = min(len, total - offset);
	if (!request.len)
		return 0;
	buffer = kvzalloc(request.len, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	err = ops->get_eeprom(dev, &request, buffer);
	if (!err)
		memcpy(AT(void *, where), buffer, request.len);
	kvfree(buffer);
	return err ?: request.len;
}

typedef int (*operation)(struct net_device *dev, unsigned int a, unsigned int b, unsigned int c);

static int bracketed(struct net_device *dev, operation run, unsigned int a, unsigned int b, unsigned int c)
{
	int err = begin(dev);

	if (err)
		return err;
	err = run(dev, a, b, c);
	complete_ops(dev);
	return err;
}

int drvport_ethtool_request(struct net_device *dev, u32 kind, const u32 *args)
{
	switch (kind) {
	case DRVPORT_REQUEST_NET_LINK:
		return bracketed(dev, read_link, args[1], 0, 0);
	case DRVPORT_REQUEST_NET_INFO:
		return bracketed(dev, read_info, args[1], 0, 0);
	case DRVPORT_REQUEST_NET_COUNTERS:
		return bracketed(dev, read_counters, args[1], args[2], 0);
	case DRVPORT_REQUEST_NET_SELFTEST:
		return bracketed(dev, run_selftest, args[1], args[2], args[3]);
	case DRVPORT_REQUEST_NET_REGISTERS:
		return bracketed(dev, read_registers, args[1], args[2], 0);
	case DRVPORT_REQUEST_NET_EEPROM:
		return bracketed(dev, read_eeprom, args[1], args[2], args[3]);
	}
	return -EOPNOTSUPP;
}
