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
