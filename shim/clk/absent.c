// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks: none is granted to any domain yet. An optional clock is NULL, which every operation accepts, as in Linux.
 */
#include <linux/clk.h>
#include <linux/err.h>

struct clk *clk_get(struct device *dev, const char *id)
{
	return ERR_PTR(-ENOENT);
}

struct clk *devm_clk_get(struct device *dev, const char *id)
{
	return ERR_PTR(-ENOENT);
}

struct clk *devm_clk_get_optional(struct device *dev, const char *id)
{
	return NULL;
}

struct clk *devm_clk_get_optional_enabled(struct device *dev, const char *id)
{
	return NULL;
}

void clk_put(struct clk *clk)
{
}

int clk_prepare(struct clk *clk)
{
	return 0;
}

void clk_unprepare(struct clk *clk)
{
}

int clk_enable(struct clk *clk)
{
	return 0;
}

void clk_disable(struct clk *clk)
{
}

unsigned long clk_get_rate(struct clk *clk)
{
	return 0;
}
