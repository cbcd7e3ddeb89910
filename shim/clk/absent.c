// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clocks: none is granted to any domain yet. An optional clock is NULL, which every operation accepts, as in Linux.
 */
#include <linux/clk.h>
#include <linux/clk-provider.h>
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

/* A driver that offers clocks: there is nobody to use them. */

struct clk *devm_clk_register(struct device *dev, struct clk_hw *hw)
{
	return ERR_PTR(-ENOSYS);
}

int of_clk_add_provider(struct device_node *np, struct clk *(*get)(struct of_phandle_args *, void *), void *data)
{
	return 0;
}

struct clk *of_clk_src_simple_get(struct of_phandle_args *clkspec, void *data)
{
	return ERR_PTR(-ENOENT);
}

struct clk *of_clk_src_onecell_get(struct of_phandle_args *clkspec, void *data)
{
	return ERR_PTR(-ENOENT);
}
