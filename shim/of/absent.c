// SPDX-License-Identifier: GPL-2.0-only
/*
 * More questions about a device tree where there is none (see base/of.c): nothing is found, nothing needs to be set up.
 */
#include <linux/clk.h>
#include <linux/clk/clk-conf.h>
#include <linux/iommu.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/of_device.h>
#include <linux/of_irq.h>
#include <linux/of_platform.h>
#include <linux/thermal.h>

struct device_node *of_get_next_available_child(const struct device_node *node, struct device_node *prev)
{
	return NULL;
}

int of_property_read_variable_u32_array(const struct device_node *np, const char *propname, u32 *out_values,
					size_t sz_min, size_t sz_max)
{
	return -EINVAL;
}

int of_property_match_string(const struct device_node *np, const char *propname, const char *string)
{
	return -EINVAL;
}

int __of_parse_phandle_with_args(const struct device_node *np, const char *list_name, const char *cells_name,
				 int cell_count, int index, struct of_phandle_args *out_args)
{
	return -ENOENT;
}

#ifdef CONFIG_OF_DYNAMIC
struct device_node *of_node_get(struct device_node *node)
{
	return node;
}

void of_node_put(struct device_node *node)
{
}
#endif

int of_address_to_resource(struct device_node *dev, int index, struct resource *r)
{
	return -EINVAL;
}

unsigned int irq_of_parse_and_map(struct device_node *node, int index)
{
	return 0;
}

struct device_node *of_get_child_by_name(const struct device_node *node, const char *name)
{
	return NULL;
}

bool of_node_name_eq(const struct device_node *np, const char *name)
{
	return false;
}

bool of_device_is_big_endian(const struct device_node *device)
{
	return false;
}

int of_irq_get(struct device_node *dev, int index)
{
	return -EINVAL;
}

int of_irq_get_byname(struct device_node *dev, const char *name)
{
	return -EINVAL;
}

ssize_t of_device_modalias(struct device *dev, char *str, ssize_t len)
{
	return -ENODEV;
}

int of_device_uevent_modalias(typeof(_Generic(of_device_uevent_modalias,
					      int (*)(struct device *, struct kobj_uevent_env *): (struct device *)0,
					      default: (const struct device *)0)) dev,
			      struct kobj_uevent_env *env)
{
	return -ENODEV;
}

int of_dma_configure_id(struct device *dev, struct device_node *np, bool force_dma, const u32 *id)
{
	return 0;
}

int of_clk_set_defaults(struct device_node *node, bool clk_supplier)
{
	return 0;
}

struct platform_device *of_find_device_by_node(struct device_node *np)
{
	return NULL;
}

int of_alias_get_id(struct device_node *np, const char *stem)
{
	return -ENODEV;
}

int of_alias_get_highest_id(const char *stem)
{
	return -ENODEV;
}

/* One name until 6.4, another since. */
int of_modalias_node(struct device_node *node, char *modalias, int len);
int of_modalias_node(struct device_node *node, char *modalias, int len)
{
	return -ENODEV;
}

int of_alias_from_compatible(const struct device_node *node, char *alias, int len);
int of_alias_from_compatible(const struct device_node *node, char *alias, int len)
{
	return -ENODEV;
}

ssize_t of_modalias(const struct device_node *np, char *str, ssize_t len);
ssize_t of_modalias(const struct device_node *np, char *str, ssize_t len)
{
	return -ENODEV;
}

#ifdef CONFIG_OF_DYNAMIC
int of_reconfig_notifier_register(struct notifier_block *nb)
{
	return 0;
}

int of_reconfig_notifier_unregister(struct notifier_block *nb)
{
	return 0;
}

int of_reconfig_get_state_change(unsigned long action, struct of_reconfig_data *arg)
{
	return OF_RECONFIG_NO_CHANGE;
}
#endif

/* A sensor becomes a thermal zone where a device tree says so. */
struct thermal_zone_device *devm_thermal_of_zone_register(struct device *dev, int id, void *data,
							  const struct thermal_zone_device_ops *ops)
{
	return ERR_PTR(-ENODEV);
}

/* No node is one of the device tree's: is_of_node() compares with this. */
const struct fwnode_operations of_fwnode_ops;

/* Private to drivers/of in newer trees. */
void of_platform_register_reconfig_notifier(void);
void of_platform_register_reconfig_notifier(void)
{
}

/* DMA of every device goes through the host's IOMMU; there is no choice of domain in here. */
int iommu_device_use_default_domain(struct device *dev)
{
	return 0;
}

void iommu_device_unuse_default_domain(struct device *dev)
{
}

int of_device_is_compatible(const struct device_node *device, const char *name)
{
	return 0;
}

bool of_device_is_available(const struct device_node *device)
{
	return false;
}

int of_property_read_u32_index(const struct device_node *np, const char *propname, u32 index, u32 *out_value)
{
	return -EINVAL;
}

int of_property_count_elems_of_size(const struct device_node *np, const char *propname, int elem_size)
{
	return -EINVAL;
}

int of_property_read_string_helper(const struct device_node *np, const char *propname, const char **out_strs,
				   size_t sz, int index)
{
	return -EINVAL;
}

int of_property_read_variable_u8_array(const struct device_node *np, const char *propname, u8 *out_values,
				       size_t sz_min, size_t sz_max)
{
	return -EINVAL;
}

int of_property_read_variable_u16_array(const struct device_node *np, const char *propname, u16 *out_values,
					size_t sz_min, size_t sz_max)
{
	return -EINVAL;
}

int of_property_read_u64(const struct device_node *np, const char *propname, u64 *out_value)
{
	return -EINVAL;
}

struct device_node *of_get_parent(const struct device_node *node)
{
	return NULL;
}

struct device_node *of_get_next_parent(struct device_node *node)
{
	return NULL;
}

struct device_node *of_find_compatible_node(struct device_node *from, const char *type, const char *compat)
{
	return NULL;
}

struct device_node *of_find_node_opts_by_path(const char *path, const char **opts)
{
	return NULL;
}

struct device_node *of_find_node_by_phandle(phandle handle)
{
	return NULL;
}

struct device_node *of_find_matching_node_and_match(struct device_node *from, const struct of_device_id *matches,
						    const struct of_device_id **match)
{
	return NULL;
}

struct device_node *of_get_compatible_child(const struct device_node *parent, const char *compatible)
{
	return NULL;
}

void __iomem *of_iomap(struct device_node *node, int index)
{
	return NULL;
}

int of_irq_count(struct device_node *dev)
{
	return 0;
}

int of_irq_to_resource_table(struct device_node *dev, struct resource *res, int nr_irqs)
{
	return 0;
}

int of_platform_populate(struct device_node *root, const struct of_device_id *matches,
			 const struct of_dev_auxdata *lookup, struct device *parent)
{
	return -ENODEV;
}

int devm_of_platform_populate(struct device *dev)
{
	return -ENODEV;
}

void of_platform_depopulate(struct device *parent)
{
}

struct platform_device *of_platform_device_create(struct device_node *np, const char *bus_id, struct device *parent)
{
	return NULL;
}

int of_platform_device_destroy(struct device *dev, void *data)
{
	return -ENODEV;
}

void device_set_of_node_from_dev(struct device *dev, const struct device *dev2)
{
}
