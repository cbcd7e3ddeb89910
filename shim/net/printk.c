// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages about an interface: driver, bus device and interface name in front.
 */
#include <linux/device.h>
#include <linux/netdevice.h>
#include <linux/printk.h>
#include <linux/stdarg.h>

static void print(const char *level, const struct net_device *dev, struct va_format *vaf)
{
	struct device *parent = dev ? dev->dev.parent : NULL;

	if (parent)
		printk("%s%s %s %s%s: %pV", level, dev_driver_string(parent), dev_name(parent), netdev_name(dev),
		       netdev_reg_state(dev), vaf);
	else if (dev)
		printk("%s%s%s: %pV", level, netdev_name(dev), netdev_reg_state(dev), vaf);
	else
		printk("%s(NULL net_device): %pV", level, vaf);
}

void netdev_printk(const char *level, const struct net_device *dev, const char *format, ...)
{
	struct va_format vaf;
	va_list args;

	va_start(args, format);
	vaf.fmt = format;
	vaf.va = &args;
	print(level, dev, &vaf);
	va_end(args);
}

#define NETDEV_LEVEL(name, level)							\
void name(const struct net_device *dev, const char *format, ...)			\
{											\
	struct va_format vaf;								\
	va_list args;									\
											\
	va_start(args, format);								\
	vaf.fmt = format;								\
	vaf.va = &args;									\
	print(level, dev, &vaf);							\
	va_end(args);									\
}

NETDEV_LEVEL(netdev_emerg, KERN_EMERG)
NETDEV_LEVEL(netdev_alert, KERN_ALERT)
NETDEV_LEVEL(netdev_crit, KERN_CRIT)
NETDEV_LEVEL(netdev_err, KERN_ERR)
NETDEV_LEVEL(netdev_warn, KERN_WARNING)
NETDEV_LEVEL(netdev_notice, KERN_NOTICE)
NETDEV_LEVEL(netdev_info, KERN_INFO)
