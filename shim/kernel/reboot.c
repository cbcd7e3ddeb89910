// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restarting and switching off: drivers offer ways to do it, which nobody asks for. One that does it itself ends its
 * domain, which is all the computer it has.
 */
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <drvport/core.h>

static ATOMIC_NOTIFIER_HEAD(restart_handlers);

int register_restart_handler(struct notifier_block *nb)
{
	return atomic_notifier_chain_register(&restart_handlers, nb);
}

int unregister_restart_handler(struct notifier_block *nb)
{
	return atomic_notifier_chain_unregister(&restart_handlers, nb);
}

void emergency_restart(void)
{
	drvport_fault(DRVPORT_FAULT_PANIC, "emergency restart");
}

void kernel_restart(char *cmd)
{
	drvport_fault(DRVPORT_FAULT_PANIC, "restart: %s", cmd ?: "");
}

void kernel_power_off(void)
{
	drvport_fault(DRVPORT_FAULT_PANIC, "power off");
}

void orderly_poweroff(bool force)
{
	drvport_fault(DRVPORT_FAULT_PANIC, "orderly power off");
}
