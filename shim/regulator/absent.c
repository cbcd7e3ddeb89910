// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regulators: none is granted to any domain. Supplies are always on, as on a kernel without CONFIG_REGULATOR, whose
 * answers these are.
 */
#include <linux/regulator/consumer.h>

int regulator_bulk_get(struct device *dev, int num_consumers, struct regulator_bulk_data *consumers)
{
	for (int i = 0; i < num_consumers; i++)
		consumers[i].consumer = NULL;
	return 0;
}

int regulator_bulk_enable(int num_consumers, struct regulator_bulk_data *consumers)
{
	return 0;
}

int regulator_bulk_disable(int num_consumers, struct regulator_bulk_data *consumers)
{
	return 0;
}

void regulator_bulk_free(int num_consumers, struct regulator_bulk_data *consumers)
{
}

int regulator_disable(struct regulator *regulator)
{
	return 0;
}

void devm_regulator_put(struct regulator *regulator)
{
}

struct regulator *regulator_get(struct device *dev, const char *id)
{
	return NULL;
}

struct regulator *regulator_get_optional(struct device *dev, const char *id)
{
	return ERR_PTR(-ENODEV);
}

struct regulator *devm_regulator_get(struct device *dev, const char *id)
{
	return NULL;
}

struct regulator *devm_regulator_get_optional(struct device *dev, const char *id)
{
	return ERR_PTR(-ENODEV);
}

struct regulator *devm_regulator_get_exclusive(struct device *dev, const char *id)
{
	return ERR_PTR(-ENODEV);
}

int devm_regulator_get_enable(struct device *dev, const char *id)
{
	return 0;
}

int devm_regulator_get_enable_optional(struct device *dev, const char *id)
{
	return -ENODEV;
}

int devm_regulator_bulk_get(struct device *dev, int num_consumers, struct regulator_bulk_data *consumers)
{
	return 0;
}

int devm_regulator_bulk_get_enable(struct device *dev, int num_consumers, const char * const *id)
{
	return 0;
}

void regulator_put(struct regulator *regulator)
{
}

int regulator_enable(struct regulator *regulator)
{
	return 0;
}

int regulator_is_enabled(struct regulator *regulator)
{
	return 1;
}

int regulator_get_voltage(struct regulator *regulator)
{
	return -EINVAL;
}

int regulator_set_voltage(struct regulator *regulator, int min_uV, int max_uV)
{
	return 0;
}

int regulator_set_load(struct regulator *regulator, int load_uA)
{
	return 0;
}
