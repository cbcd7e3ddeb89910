// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPIOs: no controller is granted to any domain yet. An optional line is not there; one that must be there is an error.
 */
#include <linux/err.h>
#include <linux/gpio/consumer.h>

struct gpio_desc *gpiod_get(struct device *dev, const char *con_id, enum gpiod_flags flags)
{
	return ERR_PTR(-ENOENT);
}

struct gpio_desc *gpiod_get_optional(struct device *dev, const char *con_id, enum gpiod_flags flags)
{
	return NULL;
}

struct gpio_desc *devm_gpiod_get(struct device *dev, const char *con_id, enum gpiod_flags flags)
{
	return ERR_PTR(-ENOENT);
}

struct gpio_desc *devm_gpiod_get_optional(struct device *dev, const char *con_id, enum gpiod_flags flags)
{
	return NULL;
}

struct gpio_desc *devm_gpiod_get_index_optional(struct device *dev, const char *con_id, unsigned int index,
						enum gpiod_flags flags)
{
	return NULL;
}

void gpiod_put(struct gpio_desc *desc)
{
}

/* Setting a line had no result in older trees. */
#define RESULT typeof(gpiod_set_value((struct gpio_desc *)0, 0))

RESULT gpiod_set_value(struct gpio_desc *desc, int value)
{
	return (RESULT)0;
}

RESULT gpiod_set_value_cansleep(struct gpio_desc *desc, int value)
{
	return (RESULT)0;
}

int gpiod_get_value(const struct gpio_desc *desc)
{
	return 0;
}

int gpiod_get_value_cansleep(const struct gpio_desc *desc)
{
	return 0;
}

int gpiod_set_consumer_name(struct gpio_desc *desc, const char *name)
{
	return 0;
}

struct gpio_device;
struct fwnode_handle;
struct gpiod_lookup_table;

struct gpio_device *gpio_device_find_by_fwnode(const struct fwnode_handle *fwnode);
struct gpio_device *gpio_device_find_by_fwnode(const struct fwnode_handle *fwnode)
{
	return NULL;
}

/* Of a device that the search above never finds. */
const char *gpio_device_get_label(struct gpio_device *gdev);
const char *gpio_device_get_label(struct gpio_device *gdev)
{
	return NULL;
}

void gpio_device_put(struct gpio_device *gdev);
void gpio_device_put(struct gpio_device *gdev)
{
}

void gpiod_add_lookup_table(struct gpiod_lookup_table *table);
void gpiod_add_lookup_table(struct gpiod_lookup_table *table)
{
}
