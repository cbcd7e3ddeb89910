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

int clk_set_rate(struct clk *clk, unsigned long rate)
{
	return 0;
}

long clk_round_rate(struct clk *clk, unsigned long rate)
{
	return 0;
}

int clk_set_parent(struct clk *clk, struct clk *parent)
{
	return 0;
}

struct clk *clk_get_parent(struct clk *clk)
{
	return NULL;
}

int clk_set_min_rate(struct clk *clk, unsigned long rate)
{
	return 0;
}

bool clk_is_match(const struct clk *p, const struct clk *q)
{
	return p == q;
}

struct clk *devm_clk_get_enabled(struct device *dev, const char *id)
{
	return ERR_PTR(-ENOENT);
}

struct clk *devm_clk_get_prepared(struct device *dev, const char *id)
{
	return ERR_PTR(-ENOENT);
}

void devm_clk_put(struct device *dev, struct clk *clk)
{
}

struct clk *devm_get_clk_from_child(struct device *dev, struct device_node *np, const char *con_id)
{
	return ERR_PTR(-ENOENT);
}

int devm_clk_bulk_get(struct device *dev, int num_clks, struct clk_bulk_data *clks)
{
	return -ENOENT;
}

int devm_clk_bulk_get_optional(struct device *dev, int num_clks, struct clk_bulk_data *clks)
{
	return 0;
}

int devm_clk_bulk_get_all(struct device *dev, struct clk_bulk_data **clks)
{
	return 0;
}

int clk_bulk_get(struct device *dev, int num_clks, struct clk_bulk_data *clks)
{
	return -ENOENT;
}

void clk_bulk_put(int num_clks, struct clk_bulk_data *clks)
{
}

int clk_bulk_prepare(int num_clks, const struct clk_bulk_data *clks)
{
	return 0;
}

void clk_bulk_unprepare(int num_clks, const struct clk_bulk_data *clks)
{
}

int clk_bulk_enable(int num_clks, const struct clk_bulk_data *clks)
{
	return 0;
}

void clk_bulk_disable(int num_clks, const struct clk_bulk_data *clks)
{
}

struct clk *of_clk_get(struct device_node *np, int index)
{
	return ERR_PTR(-ENOENT);
}

struct clk *of_clk_get_by_name(struct device_node *np, const char *name)
{
	return ERR_PTR(-ENOENT);
}

struct clk *clk_register(struct device *dev, struct clk_hw *hw)
{
	return ERR_PTR(-ENOSYS);
}

void clk_unregister(struct clk *clk)
{
}

int clk_hw_register(struct device *dev, struct clk_hw *hw)
{
	return -ENOSYS;
}

void clk_hw_unregister(struct clk_hw *hw)
{
}

int devm_clk_hw_register(struct device *dev, struct clk_hw *hw)
{
	return -ENOSYS;
}

int of_clk_add_hw_provider(struct device_node *np, struct clk_hw *(*get)(struct of_phandle_args *, void *), void *data)
{
	return 0;
}

int devm_of_clk_add_hw_provider(struct device *dev, struct clk_hw *(*get)(struct of_phandle_args *, void *), void *data)
{
	return 0;
}

void of_clk_del_provider(struct device_node *np)
{
}

struct clk_hw *of_clk_hw_simple_get(struct of_phandle_args *clkspec, void *data)
{
	return ERR_PTR(-ENOENT);
}

struct clk_hw *of_clk_hw_onecell_get(struct of_phandle_args *clkspec, void *data)
{
	return ERR_PTR(-ENOENT);
}
