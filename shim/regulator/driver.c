// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drivers that offer regulators: there is no core to offer them to.
 */
#include <linux/err.h>
#include <linux/notifier.h>
#include <linux/regulator/driver.h>
#include <linux/regulator/of_regulator.h>

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

int regulator_notifier_call_chain(struct regulator_dev *rdev, unsigned long event, void *data)
{
	return NOTIFY_DONE;
}

int regulator_set_voltage_time_sel(struct regulator_dev *rdev, unsigned int old_selector, unsigned int new_selector)
{
	return 0;
}

struct regulator_init_data *of_get_regulator_init_data(struct device *dev, struct device_node *node,
						       const struct regulator_desc *desc)
{
	return NULL;
}

int of_regulator_match(struct device *dev, struct device_node *node, struct of_regulator_match *matches,
		       unsigned int num_matches)
{
	return 0;
}
