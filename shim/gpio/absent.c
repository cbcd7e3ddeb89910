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

int gpiod_count(struct device *dev, const char *con_id)
{
	return -ENOENT;
}

struct gpio_desc *gpiod_get_index(struct device *dev, const char *con_id, unsigned int idx, enum gpiod_flags flags)
{
	return ERR_PTR(-ENOENT);
}

struct gpio_desc *gpiod_get_index_optional(struct device *dev, const char *con_id, unsigned int index,
					   enum gpiod_flags flags)
{
	return NULL;
}

struct gpio_desc *devm_gpiod_get_index(struct device *dev, const char *con_id, unsigned int idx, enum gpiod_flags flags)
{
	return ERR_PTR(-ENOENT);
}

struct gpio_descs *gpiod_get_array(struct device *dev, const char *con_id, enum gpiod_flags flags)
{
	return ERR_PTR(-ENOENT);
}

struct gpio_descs *devm_gpiod_get_array(struct device *dev, const char *con_id, enum gpiod_flags flags)
{
	return ERR_PTR(-ENOENT);
}

struct gpio_descs *gpiod_get_array_optional(struct device *dev, const char *con_id, enum gpiod_flags flags)
{
	return NULL;
}

struct gpio_descs *devm_gpiod_get_array_optional(struct device *dev, const char *con_id, enum gpiod_flags flags)
{
	return NULL;
}

void gpiod_put_array(struct gpio_descs *descs)
{
}

void devm_gpiod_put(struct device *dev, struct gpio_desc *desc)
{
}

struct gpio_desc *fwnode_gpiod_get_index(struct fwnode_handle *fwnode, const char *con_id, int index,
					 enum gpiod_flags flags, const char *label)
{
	return ERR_PTR(-ENOENT);
}

struct gpio_desc *devm_fwnode_gpiod_get_index(struct device *dev, struct fwnode_handle *child, const char *con_id,
					      int index, enum gpiod_flags flags, const char *label)
{
	return ERR_PTR(-ENOENT);
}

int gpiod_get_direction(struct gpio_desc *desc)
{
	return -ENOSYS;
}

int gpiod_direction_input(struct gpio_desc *desc)
{
	return 0;
}

int gpiod_direction_output(struct gpio_desc *desc, int value)
{
	return 0;
}

int gpiod_direction_output_raw(struct gpio_desc *desc, int value)
{
	return 0;
}

int gpiod_get_raw_value(const struct gpio_desc *desc)
{
	return 0;
}

int gpiod_get_raw_value_cansleep(const struct gpio_desc *desc)
{
	return 0;
}

int gpiod_set_debounce(struct gpio_desc *desc, unsigned int debounce)
{
	return 0;
}

void gpiod_toggle_active_low(struct gpio_desc *desc)
{
}

int gpiod_is_active_low(const struct gpio_desc *desc)
{
	return 0;
}

int gpiod_cansleep(const struct gpio_desc *desc)
{
	return 0;
}

int gpiod_to_irq(const struct gpio_desc *desc)
{
	return -EINVAL;
}

struct gpio_desc *gpio_to_desc(unsigned gpio)
{
	return NULL;
}

int desc_to_gpio(const struct gpio_desc *desc)
{
	return -EINVAL;
}

RESULT gpiod_set_raw_value(struct gpio_desc *desc, int value)
{
	return (RESULT)0;
}

RESULT gpiod_set_raw_value_cansleep(struct gpio_desc *desc, int value)
{
	return (RESULT)0;
}
