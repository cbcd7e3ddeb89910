// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module parameters. The values arrive as WASI arguments, `module.name=value`, and are set before a module's init runs.
 * The operations on each type are the tree's own (kernel/params.c), whose boot-time and sysfs parts are left out here.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/init.h>
#include <linux/string.h>
#include <linux/slab.h>

/* The file registers itself with sysfs at boot; there is neither. */
#undef subsys_initcall
#undef late_initcall
#define subsys_initcall(fn) static void *const fn##_left_out __maybe_unused = fn
#define late_initcall(fn) static void *const fn##_left_out __maybe_unused = fn

#include <linux/../../kernel/params.c>

#include <drvport/core.h>
#include <drvport/module.h>
#include <drvport/wasi.h>

/* The linker gives these to every section with such a name; weak, as a domain may have no parameters at all. */
extern const struct kernel_param __attribute__((weak)) __start___param[];
extern const struct kernel_param __attribute__((weak)) __stop___param[];

static const struct drvport_module *module_named(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < drvport_modules_count; i++)
		if (parameqn(drvport_modules[i].name, name, len) && !drvport_modules[i].name[len])
			return &drvport_modules[i];
	return NULL;
}

static int param_set(const struct drvport_module *module, const char *name, const char *value)
{
	const struct kernel_param *kp;

	for (kp = __start___param; kp < __stop___param; kp++) {
		if (kp->mod != module->self || !parameq(kp->name, name))
			continue;
		if (!value && !(kp->ops->flags & KERNEL_PARAM_OPS_FL_NOARG))
			return -EINVAL;
		return kp->ops->set(value, kp);
	}
	return -ENOENT;
}

/* arg: "module.name=value" or "module.name"; anything else is not for us. */
static void argument_apply(char *arg)
{
	char *value = strchr(arg, '=');
	char *name = strchr(arg, '.');
	const struct drvport_module *module;
	int err;

	if (!name || (value && name > value))
		return;
	*name++ = 0;
	if (value)
		*value++ = 0;
	module = module_named(arg, strlen(arg));
	if (!module)
		return;
	err = param_set(module, name, value);
	if (err == -ENOENT)
		pr_warn("%s: unknown parameter '%s' ignored\n", arg, name);
	else if (err)
		pr_err("%s: '%s' invalid for parameter '%s'\n", arg, value ?: "", name);
}

void drvport_params_apply(void)
{
	u32 count = 0, bytes = 0, i;
	char **argv, *text;

	if (__start___param == __stop___param || wasi_args_sizes_get(&count, &bytes) || !count)
		return;
	argv = drvport_core_alloc(count * sizeof(*argv));
	text = drvport_core_alloc(bytes); /* stays: charp parameters point into it */
	if (!argv || !text || wasi_args_get(argv, text))
		return;
	for (i = 0; i < count; i++)
		argument_apply(argv[i]);
	drvport_core_free(argv);
}

/* What setting parameters allocated goes with the modules. */
void drvport_params_release(void)
{
	const struct kernel_param *kp;

	for (kp = __start___param; kp < __stop___param; kp++)
		if (kp->ops->free)
			kp->ops->free(kp->arg);
}
