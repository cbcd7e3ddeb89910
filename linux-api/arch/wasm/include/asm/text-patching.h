/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_WASM_TEXT_PATCHING_H
#define _ASM_WASM_TEXT_PATCHING_H

/* Code lies in no memory: what recent trees ask for beyond memcpy() is not there. */

#endif
