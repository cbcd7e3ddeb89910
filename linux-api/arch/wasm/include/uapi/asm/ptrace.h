/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _UAPI_ASM_WASM_PTRACE_H
#define _UAPI_ASM_WASM_PTRACE_H

#ifndef __ASSEMBLY__
/* A wasm program has no registers that anyone could look at. */
struct user_pt_regs {
	unsigned long pc;
	unsigned long sp;
};
#endif

#endif
