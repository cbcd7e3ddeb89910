/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of modules linked into one domain, in dependency order: what the pipeline generates for each package, and
 * the shim's start and stop read. Knows nothing of what the modules do.
 */
#ifndef DRVPORT_MODULE_H
#define DRVPORT_MODULE_H

struct module;

struct drvport_module {
	const char *name;      /* as in /sys/module: KBUILD_MODNAME */
	int (*init)(void);     /* NULL when the module has none */
	void (*exit)(void);    /* NULL when the module has none */
	struct module *self;   /* its __this_module */
};

extern const struct drvport_module drvport_modules[];
extern const unsigned int drvport_modules_count;

#endif
