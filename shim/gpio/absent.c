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
