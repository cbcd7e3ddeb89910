// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of somebody's own, last touched when 5.10 was new: the example of README.md. It is right, and newer kernels
 * want it otherwise.
 */
#include <linux/module.h>
#include <linux/io.h>
#include <linux/platform_device.h>
#include <linux/string.h>
#include <linux/timer.h>

struct acme_fan {
	void __iomem *registers;
	struct timer_list poll;
	char label[16];
	u32 speed;
};

static void acme_fan_poll(struct timer_list *timer)
{
	struct acme_fan *fan = from_timer(fan, timer, poll);

	fan->speed = readl(fan->registers);
	mod_timer(&fan->poll, jiffies + HZ);
}

static int acme_fan_probe(struct platform_device *pdev)
{
	struct acme_fan *fan = devm_kzalloc(&pdev->dev, sizeof(*fan), GFP_KERNEL);

	if (!fan)
		return -ENOMEM;
	fan->registers = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(fan->registers))
		return PTR_ERR(fan->registers);
	strlcpy(fan->label, dev_name(&pdev->dev), sizeof(fan->label));
	timer_setup(&fan->poll, acme_fan_poll, 0);
	platform_set_drvdata(pdev, fan);
	mod_timer(&fan->poll, jiffies + HZ);
	return 0;
}

static int acme_fan_remove(struct platform_device *pdev)
{
	struct acme_fan *fan = platform_get_drvdata(pdev);

	del_timer_sync(&fan->poll);
	return 0;
}

static struct platform_driver acme_fan_driver = {
	.probe = acme_fan_probe,
	.remove = acme_fan_remove,
	.driver = { .name = "acme-fan" },
};
module_platform_driver(acme_fan_driver);

MODULE_DESCRIPTION("Acme fan");
MODULE_LICENSE("GPL");
