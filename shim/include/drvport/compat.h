/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few places where kernel versions differ in a way no feature macro tells: each with the version it changed in.
 */
#ifndef DRVPORT_COMPAT_H
#define DRVPORT_COMPAT_H

#include <linux/version.h>
#include <linux/mm.h>

/* Functions that only look at a driver, or begin at a device, take it const since 6.11. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define DRVPORT_CONST_DRIVER
#define DRVPORT_CONST_START
#else
#define DRVPORT_CONST_DRIVER const
#define DRVPORT_CONST_START const
#endif

/* Tell a page's order to compound_order() and folio_order(). The field moved into _flags_1 in 6.6. */
static inline void drvport_compound_init(struct page *page, unsigned int order)
{
	unsigned long i;

	__SetPageHead(page);
	for (i = 1; i < (1UL << order); i++)
		set_compound_head(page + i, page);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	page[1].compound_order = order;
#else
	((struct folio *)page)->_flags_1 = order;
#endif
}

#endif
