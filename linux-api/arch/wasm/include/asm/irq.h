/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_IRQ_H
#define _ASM_WASM_IRQ_H

/* Lines and messages of the machine's interrupt controller. */
#define NR_IRQS	1024

#include <asm-generic/irq.h>

#endif
