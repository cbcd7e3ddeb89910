// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small things that drivers and the tree's library ask of the kernel and that have one answer here.
 */
#include <linux/kernel.h>
#include <linux/capability.h>
#include <linux/kallsyms.h>
#include <linux/kmod.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/mm.h>
#include <linux/utsname.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/jump_label.h>
#include <generated/utsrelease.h>
#include <linux/trace_events.h>
#include <linux/export.h>
#include <drvport/core.h>

/* ---- rights: what a driver may do is decided by the capabilities its domain holds, not here ---- */

bool capable(int cap)
{
	return true;
}

bool ns_capable(struct user_namespace *ns, int cap)
{
	return true;
}

bool has_capability_noaudit(struct task_struct *task, int cap)
{
	return true;
}

/* Lockdown keeps users of a machine from its kernel; there are none here. */
int security_locked_down(enum lockdown_reason what)
{
	return 0;
}

/* Hardened copying asks whether a buffer is one object: every copy stays inside the domain's own memory. */
void __check_object_size(const void *ptr, unsigned long n, bool to_user)
{
}

#if defined(CONFIG_PROVE_LOCKING) || defined(CONFIG_DEBUG_ATOMIC_SLEEP)
void __might_fault(const char *file, int line)
{
	__might_sleep(file, line);
}
#endif

bool kmem_dump_obj(void *object)
{
	return false;
}

bool static_key_initialized = true;

/* ---- symbols: code has no addresses in wasm; %pS prints the number of the function ---- */

int sprint_symbol(char *buffer, unsigned long address)
{
	return sprintf(buffer, "function %lu", address);
}

int sprint_symbol_build_id(char *buffer, unsigned long address)
{
	return sprint_symbol(buffer, address);
}

int sprint_symbol_no_offset(char *buffer, unsigned long address)
{
	return sprint_symbol(buffer, address);
}

int sprint_backtrace(char *buffer, unsigned long address)
{
	return sprint_symbol(buffer, address);
}

int sprint_backtrace_build_id(char *buffer, unsigned long address)
{
	return sprint_symbol(buffer, address);
}

unsigned long kallsyms_lookup_name(const char *name)
{
	return 0;
}

/* ---- names of flags for %pG: numbers are printed instead ---- */

const struct trace_print_flags pageflag_names[] = { { 0, NULL } };
const struct trace_print_flags vmaflag_names[] = { { 0, NULL } };
const struct trace_print_flags gfpflag_names[] = { { 0, NULL } };

/* ---- modules: all there will be are linked in ---- */

int __request_module(bool wait, const char *name, ...)
{
	return -ENOENT;
}

bool try_module_get(struct module *module)
{
	if (module && module->state != MODULE_STATE_GOING)
		atomic_inc(&module->refcnt);
	return !module || module->state != MODULE_STATE_GOING;
}

void __module_get(struct module *module)
{
	if (module)
		atomic_inc(&module->refcnt);
}

void module_put(struct module *module)
{
	if (module)
		atomic_dec(&module->refcnt);
}

void __noreturn __module_put_and_kthread_exit(struct module *module, long code)
{
	module_put(module);
	kthread_exit(code);
}

/* No module comes or goes while its domain lives: there is nothing to hear of. */
int register_module_notifier(struct notifier_block *nb)
{
	return 0;
}

int unregister_module_notifier(struct notifier_block *nb)
{
	return 0;
}

/* ---- copies that do not fit ---- */

void __copy_overflow(int size, unsigned long count)
{
	WARN(1, "Buffer overflow detected (%d < %lu)!\n", size, count);
}

/* ---- who we are ---- */

struct uts_namespace init_uts_ns = {
	.name = { .sysname = "Linux", .nodename = "drvport", .release = UTS_RELEASE, .machine = "wasm32" },
};
