/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few places where kernel versions differ in a way no feature macro tells: each with the version it changed in.
 */
#ifndef DRVPORT_COMPAT_H
#define DRVPORT_COMPAT_H

#include <linux/version.h>
#include <linux/device.h>
#include <linux/mm.h>

/* Functions that only look at a driver, or begin at a device, take it const since 6.11. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define DRVPORT_CONST_DRIVER
#define DRVPORT_CONST_START
#else
#define DRVPORT_CONST_DRIVER const
#define DRVPORT_CONST_START const
#endif

/* Attributes' functions take their class const since 6.4. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define DRVPORT_CONST_CLASS
#else
#define DRVPORT_CONST_CLASS const
#endif

/*
 * The driver that a device wants by name: a string that each bus keeps in its own device until 6.12.80, one of every
 * device since. (No release between 6.12 and the one that 6.12.80 has it from is known here.)
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 80)
#define DRVPORT_DEVICE_OVERRIDE
#endif

/* struct pernet_operations has exit_rtnl(). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 114)
#define DRVPORT_PERNET_EXIT_RTNL
#endif

static inline void drvport_override_init(struct device *dev)
{
#ifdef DRVPORT_DEVICE_OVERRIDE
	spin_lock_init(&dev->driver_override.lock);
#endif
}

static inline const char *drvport_override_name(struct device *dev)
{
#ifdef DRVPORT_DEVICE_OVERRIDE
	return dev->driver_override.name;
#else
	return NULL;
#endif
}

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
