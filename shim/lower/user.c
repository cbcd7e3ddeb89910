// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a user's: what requests may map (mmap), what came with them, and copies to and from it. No engine walks page
 * tables, so a copy looks each page up as a fault would, by the tree's own memory management; a page that is not to be had
 * ends the copy.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "lower.h"

struct mm_struct *drvport_program;

/* What came with a request lies there already (asm/uaccess.h): whoever wants a page for itself (O_DIRECT) finds that one. */
static vm_fault_t find_page(const struct vm_special_mapping *mapping, struct vm_area_struct *area, struct vm_fault *fault)
{
	spinlock_t *lock;
	pte_t *entry = get_locked_pte(area->vm_mm, fault->address, &lock);

	if (!entry)
		return VM_FAULT_OOM;
	set_pte(entry, pfn_pte((fault->address - WASM_USER) >> PAGE_SHIFT, PAGE_SHARED));
	pte_unmap_unlock(entry, lock);
	return VM_FAULT_NOPAGE;
}

static const struct vm_special_mapping requests = { .name = "[requests]", .fault = find_page };
#define REQUESTS_MAY	(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_SHARED | VM_MAYSHARE | VM_MIXEDMAP)

void drvport_user_begin(void)
{
	drvport_program = mm_alloc();
	if (!drvport_program)
		panic("no memory for the program that requests are of");
	drvport_program->task_size = WASM_USER;
	arch_pick_mmap_layout(drvport_program, &current->signal->rlim[RLIMIT_STACK]);
	mmap_write_lock(drvport_program);
	_install_special_mapping(drvport_program, WASM_USER, (unsigned long)high_memory, REQUESTS_MAY, &requests);
	mmap_write_unlock(drvport_program);
}

/* How many bytes were not copied. Zeros are written where `kernel` is NULL. */
unsigned long drvport_user_copy(void *kernel, unsigned long user, unsigned long n, int write)
{
	while (n && current->mm && !faulthandler_disabled()) {
		unsigned long bytes = min(n, PAGE_SIZE - offset_in_page(user));
		struct page *page;
		void *at;

		if (get_user_pages_fast(user & PAGE_MASK, 1, write ? FOLL_WRITE : 0, &page) != 1)
			break;
		at = page_address(page) + offset_in_page(user);
		if (!kernel)
			memset(at, 0, bytes);
		else
			memcpy(write ? at : kernel, write ? kernel : at, bytes);
		put_page(page);
		kernel = kernel ? kernel + bytes : NULL;
		user += bytes;
		n -= bytes;
	}
	return n;
}
EXPORT_SYMBOL(drvport_user_copy);

#ifdef TREE_COPIES_STRINGS
/* Newer trees have these two in lib/. */
long drvport_user_strncpy(char *to, const char __user *from, long count)
{
	long n;

	for (n = 0; n < count; n++) {
		if (raw_copy_from_user(to + n, from + n, 1))
			return -EFAULT;
		if (!to[n])
			break;
	}
	return n;
}
EXPORT_SYMBOL(drvport_user_strncpy);

/* With its NUL; more than `count` where there is none. */
long drvport_user_strnlen(const char __user *from, long count)
{
	char byte = 1;
	long n;

	for (n = 0; n < count && byte; n++)
		if (raw_copy_from_user(&byte, from + n, 1))
			return 0;
	return n + !!byte;
}
EXPORT_SYMBOL(drvport_user_strnlen);
#endif
