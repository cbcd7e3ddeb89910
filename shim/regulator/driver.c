// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers that offer regulators: there is no core to offer them to.
 */
#include <linux/err.h>
#include <linux/regulator/driver.h>

struct regulator_dev *devm_regulator_register(struct device *dev, const struct regulator_desc *desc,
					      const struct regulator_config *config)
{
	return ERR_PTR(-ENODEV);
}

void *rdev_get_drvdata(struct regulator_dev *rdev)
{
	return rdev->reg_data;
}

struct device *rdev_get_dev(struct regulator_dev *rdev)
{
	return &rdev->dev;
}

struct regmap *rdev_get_regmap(struct regulator_dev *rdev)
{
	return rdev->regmap;
}

int rdev_get_id(struct regulator_dev *rdev)
{
	return rdev->desc->id;
}
