/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_ABI_H
#define _ASM_WASM_ABI_H

/*
 * The driver ABI as the overlay's headers use it: calls to the machine, and the two words that stand for the
 * processor's interrupt flag.
 */
#include <drvport_abi.h>

#ifndef __ASSEMBLY__
/* Non-zero while interrupts are held off. */
extern unsigned int drvport_irqs_off;
/* Non-zero when the machine held a delivery back meanwhile. */
extern unsigned int drvport_pending;
#endif

#endif
