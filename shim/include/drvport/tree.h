/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before every one of the tree's own files that is linked into a driver (-include on the command line).
 *
 * Such a file is there for the functions a driver calls, not to start a kernel: its boot parameters would keep whole
 * subsystems in the binary, and so would a list of its initcalls. An initcall becomes a function of a known name instead,
 * which the linker drops unless base/initcalls.c asks for it.
 */
#ifndef DRVPORT_TREE_H
#define DRVPORT_TREE_H

#include <linux/init.h>

#undef ___define_initcall
#define ___define_initcall(fn, id, sec)				\
	int drvport_initcall_##fn(void);			\
	__attribute__((weak)) int drvport_initcall_##fn(void)	\
	{							\
		return fn();					\
	}

/* Nobody ever stops what is built in. */
#undef __exitcall
#define __exitcall(fn) static exitcall_t __maybe_unused drvport_no_exitcall_##fn = fn;

#undef __setup_param
#define __setup_param(str, unique_id, fn, early) \
	static int (*drvport_no_setup_##unique_id)(char *) __maybe_unused = fn;

#endif
