// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts those of the tree's own files that are linked in and have something to start: classes, buses, tables of numbers.
 * tree.h gives an initcall its name; one that is not linked is not called. The order is Linux's.
 */
#include <linux/printk.h>
#include <drvport/core.h>

#define INITCALLS(X)                                                                                                   \
	X(spi_init)            /* postcore: drivers/spi/spi.c */                                                       \
	X(input_init)          /* subsys: drivers/input/input.c */                                                     \
	X(misc_init)           /* subsys: drivers/char/misc.c */                                                       \
	X(power_supply_class_init) /* subsys: drivers/power/supply/power_supply_core.c */                              \
	X(rtc_init)            /* subsys: drivers/rtc/class.c */                                                       \
	X(watchdog_init)       /* subsys: drivers/watchdog/watchdog_core.c */                                          \
	X(crypto_algapi_init)  /* late: crypto/algapi.c */

#define DECLARE(fn) extern __attribute__((weak)) int drvport_initcall_##fn(void);
INITCALLS(DECLARE)

static void call(int (*initcall)(void), const char *name)
{
	int err = initcall ? initcall() : 0;

	if (err)
		pr_err("initcall %s failed: %d\n", name, err);
}

/* Not an initcall, but called by name before them: drivers/base/auxiliary.c */
extern __attribute__((weak)) void auxiliary_bus_init(void);

void drvport_initcalls_run(void)
{
	if (auxiliary_bus_init)
		auxiliary_bus_init();
#define CALL(fn) call(drvport_initcall_##fn, #fn);
	INITCALLS(CALL)
}
