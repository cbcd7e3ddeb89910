// SPDX-License-Identifier: GPL-2.0-only
/*
 * Register blocks that several drivers share: which exist, a device tree says, and there is none.
 */
#include <linux/err.h>
#include <linux/mfd/syscon.h>
#include <linux/regmap.h>

struct regmap *syscon_node_to_regmap(struct device_node *np)
{
	return ERR_PTR(-ENOTSUPP);
}

struct regmap *device_node_to_regmap(struct device_node *np)
{
	return ERR_PTR(-ENOTSUPP);
}

struct regmap *syscon_regmap_lookup_by_compatible(const char *s)
{
	return ERR_PTR(-ENOTSUPP);
}

struct regmap *syscon_regmap_lookup_by_phandle(struct device_node *np, const char *property)
{
	return ERR_PTR(-ENOTSUPP);
}

struct regmap *syscon_regmap_lookup_by_phandle_args(struct device_node *np, const char *property, int arg_count,
						    unsigned int *out_args)
{
	return ERR_PTR(-ENOTSUPP);
}

struct regmap *syscon_regmap_lookup_by_phandle_optional(struct device_node *np, const char *property)
{
	return NULL;
}
