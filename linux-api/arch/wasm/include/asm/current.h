/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_CURRENT_H
#define _ASM_WASM_CURRENT_H

/* The task that runs. The shim changes it whenever another fiber is entered. */
#ifndef __ASSEMBLY__
struct task_struct;
extern struct task_struct *drvport_current;

#define get_current()	drvport_current
#define current		get_current()
#endif

#endif
