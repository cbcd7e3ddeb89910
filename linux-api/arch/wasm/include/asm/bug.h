/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_BUG_H
#define _ASM_WASM_BUG_H

/* BUG() ends the domain and says where. WARN() stays the generic one: warn_slowpath_fmt(file, line, ...). */
#ifndef __ASSEMBLY__
void __drvport_bug(const char *file, int line) __attribute__((noreturn, cold));

#define HAVE_ARCH_BUG
#define BUG() __drvport_bug(__FILE__, __LINE__)
#endif

#include <asm-generic/bug.h>

#endif
