/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_LINKAGE_H
#define _ASM_WASM_LINKAGE_H

/* wasm code has no addresses: a label's address, which the generic definition takes, does not exist. */
#define _THIS_IP_	0UL

#endif
