/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before every one of the tree's own files that is linked into a driver (-include on the command line).
 *
 * Such a file is there for the functions a driver calls, not to start a kernel: its initcalls and boot parameters would
 * keep whole subsystems in the binary and nobody would ever run them. The shim calls by name what must be started.
 */
#ifndef DRVPORT_TREE_H
#define DRVPORT_TREE_H

#include <linux/init.h>

#undef ___define_initcall
#define ___define_initcall(fn, id, sec) static initcall_t __maybe_unused drvport_no_initcall_##fn = fn;

#undef __setup_param
#define __setup_param(str, unique_id, fn, early) \
	static int (*drvport_no_setup_##unique_id)(char *) __maybe_unused = fn;

#endif
