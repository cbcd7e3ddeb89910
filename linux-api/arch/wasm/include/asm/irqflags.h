/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_IRQFLAGS_H
#define _ASM_WASM_IRQFLAGS_H

/*
 * The processor's interrupt flag is one word of linear memory that the machine reads before it delivers anything.
 * Turning interrupts on costs no call unless a delivery was held back.
 */
#include <linux/compiler.h>
#include <asm/abi.h>

static __always_inline unsigned long arch_local_save_flags(void) { return READ_ONCE(drvport_irqs_off); }

static __always_inline void arch_local_irq_restore(unsigned long flags)
{
	barrier();
	WRITE_ONCE(drvport_irqs_off, flags);
	if (!flags && READ_ONCE(drvport_pending))
		drvport_irq_deliver();
	barrier();
}

#define ARCH_IRQ_DISABLED	1
#define ARCH_IRQ_ENABLED	0

#include <asm-generic/irqflags.h>

#endif
