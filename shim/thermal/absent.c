// SPDX-License-Identifier: GPL-2.0-only
/*
 * Thermal zones: nobody watches temperatures or throttles anything in a domain. The answers are those of a kernel without
 * CONFIG_THERMAL.
 */
#include <linux/err.h>
#include <linux/thermal.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
struct thermal_zone_device *thermal_zone_device_register(const char *type, int trips, int mask, void *devdata,
							 struct thermal_zone_device_ops *ops,
							 struct thermal_zone_params *params, int passive_delay,
							 int polling_delay)
{
	return ERR_PTR(-ENODEV);
}
#endif

/* Declared here, as older releases have it not. */
struct thermal_zone_device *thermal_tripless_zone_device_register(const char *type, void *devdata,
								  const struct thermal_zone_device_ops *ops,
								  const struct thermal_zone_params *params);
struct thermal_zone_device *thermal_tripless_zone_device_register(const char *type, void *devdata,
								  const struct thermal_zone_device_ops *ops,
								  const struct thermal_zone_params *params)
{
	return ERR_PTR(-ENODEV);
}

void thermal_zone_device_unregister(struct thermal_zone_device *zone)
{
}

int thermal_zone_device_enable(struct thermal_zone_device *zone)
{
	return -ENODEV;
}

int thermal_zone_device_disable(struct thermal_zone_device *zone)
{
	return -ENODEV;
}

void thermal_zone_device_update(struct thermal_zone_device *zone, enum thermal_notify_event event)
{
}

struct thermal_cooling_device *thermal_cooling_device_register(const char *type, void *devdata,
							       const struct thermal_cooling_device_ops *ops)
{
	return ERR_PTR(-ENODEV);
}

struct thermal_cooling_device *thermal_of_cooling_device_register(struct device_node *np, const char *type,
								  void *devdata,
								  const struct thermal_cooling_device_ops *ops)
{
	return ERR_PTR(-ENODEV);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define TYPE char
#else
#define TYPE const char
#endif

struct thermal_cooling_device *devm_thermal_of_cooling_device_register(struct device *dev, struct device_node *np,
								       TYPE *type, void *devdata,
								       const struct thermal_cooling_device_ops *ops)
{
	return ERR_PTR(-ENODEV);
}

void thermal_cooling_device_unregister(struct thermal_cooling_device *device)
{
}

/* Since 6.3; of a zone that nobody has. */
void *thermal_zone_device_priv(struct thermal_zone_device *zone);
void *thermal_zone_device_priv(struct thermal_zone_device *zone)
{
	return NULL;
}
