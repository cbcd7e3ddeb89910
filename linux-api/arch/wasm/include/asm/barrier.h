/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_BARRIER_H
#define _ASM_WASM_BARRIER_H

/* One processor, and a device sees memory only while the machine runs: keeping the compiler in order is enough. */
#include <asm-generic/barrier.h>

#endif
