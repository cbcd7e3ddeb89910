// SPDX-License-Identifier: GPL-2.0-only
/*
 * The entries: where the machine comes in. Process entries give their fiber a task; atomic entries are interrupts.
 * Starts and stops the modules in the order the pipeline lists them.
 *
 * Must not know: any driver, or any bus beyond its probe function.
 */
#define DRVPORT_SHIM
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/hardirq.h>
#include <linux/slab.h>
#include <linux/completion.h>
#include <linux/timer.h>
#include <drvport/core.h>
#include <drvport/nub.h>
#include <drvport/module.h>
#include <drvport_shim_abi.h>

struct drvport_census drvport_held;
unsigned int drvport_irqs_off, drvport_pending;

/* What the subsystems took for themselves before any module ran: not the driver's. */
static struct drvport_census own;

static unsigned int modules_started;

/* Parts that a domain has only when something in it uses them. */
#define OPTIONAL __attribute__((weak))
OPTIONAL void drvport_net_init(void);
OPTIONAL void drvport_net_drain(void);
OPTIONAL void drvport_net_heartbeat(void);
OPTIONAL unsigned int drvport_pci_claims(void);
OPTIONAL int drvport_pci_bus_init(void);
OPTIONAL void radix_tree_init(void); /* the tree's lib/radix-tree.c: trees, xarrays, idr */
OPTIONAL int platform_bus_init(void); /* the tree's drivers/base/platform.c */
OPTIONAL int drvport_pci_probe(u32 slot);
OPTIONAL void drvport_pci_remove(u32 slot);
OPTIONAL void drvport_i2c_serve(void);
OPTIONAL void drvport_i2c_serve_no_more(void);
OPTIONAL int drvport_i2c_probe(const struct drvport_nub *nub);
OPTIONAL void drvport_i2c_remove(u32 handle);

static void subsystems_start(void)
{
	drvport_mm_init();
	drvport_slab_init();
	drvport_sched_init();
	drvport_time_init();
	drvport_softirq_init();
	drvport_workqueue_init();
	if (radix_tree_init)
		radix_tree_init();
}

static int modules_start(void)
{
	int err = 0;

	for (; modules_started < drvport_modules_count; modules_started++) {
		const struct drvport_module *module = &drvport_modules[modules_started];

		if (module->self)
			module->self->state = MODULE_STATE_COMING;
		err = module->init ? module->init() : 0;
		if (err) {
			pr_err("%s: init failed: %d\n", module->name, err);
			break;
		}
		if (module->self)
			module->self->state = MODULE_STATE_LIVE;
	}
	return err;
}

/*
 * What a module with an init and no exit holds is meant to last: Linux never unloads it. It counts as ours then.
 */
static bool some_stay(void)
{
	unsigned int i;

	for (i = 0; i < drvport_modules_count; i++)
		if (drvport_modules[i].init && !drvport_modules[i].exit)
			return true;
	return false;
}

static void modules_stop(void)
{
	while (modules_started) {
		const struct drvport_module *module = &drvport_modules[--modules_started];

		if (module->self)
			module->self->state = MODULE_STATE_GOING;
		if (module->exit)
			module->exit();
	}
	drvport_params_release();
}

/* ---- process entries ---- */

int drvport_entry_init(void)
{
	struct task_struct *task;
	int err;

	subsystems_start();
	task = drvport_task_enter("init");
	if (platform_bus_init)
		platform_bus_init();
	if (drvport_pci_bus_init)
		drvport_pci_bus_init();
	if (drvport_net_init)
		drvport_net_init();
	drvport_initcalls_run();
	own = drvport_held;
	drvport_params_apply();
	err = modules_start();
	if (err)
		modules_stop();
	else if (drvport_i2c_serve)
		drvport_i2c_serve();
	drvport_task_leave(task);
	return err;
}

void drvport_entry_exit(void)
{
	struct task_struct *task = drvport_task_enter("exit");

	if (drvport_i2c_serve_no_more)
		drvport_i2c_serve_no_more();
	modules_stop();
	rcu_barrier();
	if (drvport_net_drain)
		drvport_net_drain();
	drvport_fragments_drain();
	drvport_workqueue_exit();
	/* Nobody waits any more: an alarm set earlier for a timer since deleted would be left behind. */
	drvport_timer_rearm();
	drvport_task_leave(task);
	if (some_stay())
		own = drvport_held;
}

int drvport_entry_probe(unsigned int bus, unsigned int slot)
{
	struct task_struct *task = drvport_task_enter("probe");
	int err = DRVPORT_E_NODEV;

	if (bus == DRVPORT_BUS_PCI && drvport_pci_probe)
		err = drvport_pci_probe(slot);
	else if (bus == DRVPORT_NUB_BUS && drvport_i2c_probe)
		err = drvport_i2c_probe((const struct drvport_nub *)slot);
	drvport_task_leave(task);
	return err;
}

void drvport_entry_remove(unsigned int bus, unsigned int slot)
{
	struct task_struct *task = drvport_task_enter("remove");

	if (bus == DRVPORT_BUS_PCI && drvport_pci_remove)
		drvport_pci_remove(slot);
	else if (bus == DRVPORT_NUB_BUS && drvport_i2c_remove)
		drvport_i2c_remove(slot);
	rcu_barrier();
	drvport_task_leave(task);
}

struct pulse {
	struct timer_list timer;
	struct completion done;
};

static void pulse_timer(struct timer_list *timer)
{
	struct pulse *pulse = from_timer(pulse, timer, timer);

	complete(&pulse->done);
}

/*
 * A timer interrupt and its softirq must come, every work queue must take an item, and the lock of network configuration
 * must be had: whoever holds one of them up for ever holds this up too.
 */
void drvport_entry_heartbeat(void)
{
	struct task_struct *task = drvport_task_enter("heartbeat");
	struct pulse pulse;

	init_completion(&pulse.done);
	timer_setup_on_stack(&pulse.timer, pulse_timer, 0);
	mod_timer(&pulse.timer, jiffies + 1);
	wait_for_completion(&pulse.done);
	destroy_timer_on_stack(&pulse.timer);
	drvport_workqueue_heartbeat();
	if (drvport_net_heartbeat)
		drvport_net_heartbeat();
	drvport_task_leave(task);
}

/* ---- atomic entries ---- */

void drvport_entry_irq(unsigned int irq)
{
	drvport_irq_enter();
	drvport_irq_dispatch(irq);
	drvport_irq_exit();
}

void drvport_entry_timer(void)
{
	drvport_irq_enter();
	drvport_timer_interrupt();
	drvport_irq_exit();
}

void drvport_entry_softirq(void)
{
	drvport_irq_enter();
	drvport_irq_exit();
}

/* Every field but reserved_pages is less what the subsystems hold themselves. */
void drvport_entry_census(unsigned int out)
{
	const unsigned int *base = (const unsigned int *)&own;
	unsigned int *count = (unsigned int *)out;
	unsigned int i;

	*(struct drvport_census *)out = drvport_held;
	for (i = 0; i < sizeof(own) / sizeof(*base); i++)
		if (&base[i] != &own.reserved_pages)
			count[i] -= min(count[i], base[i]);
	if (drvport_pci_claims)
		((struct drvport_census *)out)->resources += drvport_pci_claims();
}

unsigned int drvport_entry_alloc(unsigned int len)
{
	return (unsigned int)drvport_core_alloc(len);
}

void drvport_entry_free(unsigned int mem)
{
	drvport_core_free((void *)mem);
}
