/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_SWITCH_TO_H
#define _ASM_WASM_SWITCH_TO_H

struct task_struct;

/* A call of the machine: see the lower half's task.c. */
struct task_struct *drvport_switch_to(struct task_struct *prev, struct task_struct *next);
#define switch_to(prev, next, last)	((last) = drvport_switch_to((prev), (next)))

#endif
