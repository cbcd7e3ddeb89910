// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pin multiplexing: no controller is granted to any domain. Nobody has a state to look up, so nobody selects one.
 */
#include <linux/err.h>
#include <linux/pinctrl/consumer.h>

struct pinctrl_state *pinctrl_lookup_state(struct pinctrl *p, const char *name)
{
	return ERR_PTR(-ENODEV);
}

int pinctrl_select_state(struct pinctrl *p, struct pinctrl_state *s)
{
	return -ENODEV;
}
