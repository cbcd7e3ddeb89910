// SPDX-License-Identifier: GPL-2.0-only
/*
 * The start of the crypto API: its manager, which answers for every algorithm that registers, is named by nobody. The
 * API's own initcall asks for its file in /proc first, which is not there: here instead the manager is started.
 */
#include <linux/init.h>

int drvport_initcall_cryptomgr_init(void); /* crypto/algboss.c */
void crypto_init_proc(void);
void crypto_exit_proc(void);

void crypto_init_proc(void)
{
	drvport_initcall_cryptomgr_init();
}

void crypto_exit_proc(void)
{
}
