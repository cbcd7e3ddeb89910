/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_DELAY_H
#define _ASM_WASM_DELAY_H

/* Busy waits pass virtual time: devices go on working and interrupts arrive if they are on. */
#include <asm/abi.h>

/* Longest wait one call can express, in ns. */
#define WASM_DELAY_NS_MAX	4000000000u

static inline void drvport_delay(unsigned long long ns)
{
	for (; ns > WASM_DELAY_NS_MAX; ns -= WASM_DELAY_NS_MAX)
		drvport_time_delay(WASM_DELAY_NS_MAX);
	drvport_time_delay((unsigned int)ns);
}

#define ndelay(ns)	drvport_delay((unsigned long)(ns))
#define udelay(us)	drvport_delay((unsigned long)(us) * 1000ull)
#define __delay(loops)	drvport_delay((unsigned long)(loops))

#endif
