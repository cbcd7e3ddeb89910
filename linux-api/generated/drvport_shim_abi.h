/* SPDX-License-Identifier: GPL-2.0-only */
/* Generated from linux-api/capabilities.ts by linux-api/generate.ts. Do not edit. */

#ifndef DRVPORT_SHIM_ABI_H
#define DRVPORT_SHIM_ABI_H

/* End this fiber here, however deep in its calls it is. */
__attribute__((import_module("sched"), import_name("exit"), noreturn))
void drvport_sched_exit(void);


#endif
