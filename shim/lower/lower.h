/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DRVPORT_LOWER_H
#define DRVPORT_LOWER_H

/*
 * What the parts of the lower half know of each other. Above it is the tree's own kernel; below it the calls of
 * drvport_abi.h. Nothing here is seen by a driver.
 */
#include <linux/types.h>
#include <drvport_shim_abi.h>

struct page;
struct pci_dev;
struct task_struct;

/* Tell the machine of a failure: the domain ends there. */
void __noreturn drvport_fault(unsigned int kind, const char *fmt, ...) __printf(2, 3);
/* A line that the kernel writes into its log: it may be the report of a failure. */
void drvport_fault_line(const char *text, unsigned int len);

/* Deliver what is pending; interrupts are off. Called by deliver.c. */
void drvport_interrupts(void);

/* A task's first instruction, on its own stack: see task.c. */
struct task_struct *drvport_switch_to(struct task_struct *prev, struct task_struct *next);

/* init's work once the kernel is up: serve the machine's requests. Never returns. */
void __noreturn drvport_serve(void);
/* The same in a domain that began from an image of one that served. */
void __noreturn drvport_go_on(void);
/* The machine's seed into the kernel's random source. */
void drvport_seed(void);

/* A line of the log, which may be of a report of the lock checker's, and where that shows the stack. See lockdep.c. */
#ifdef CONFIG_LOCKDEP
bool drvport_lockdep_line(const char *text, unsigned int len);
void drvport_lockdep_stack(void);
#else
static inline bool drvport_lockdep_line(const char *text, unsigned int len) { return false; }
static inline void drvport_lockdep_stack(void) { }
#endif

/* Of the memory the kernel's part; the rest shadows it where that is configured. See kasan.c. */
#ifdef CONFIG_KASAN
unsigned long drvport_kasan_divide(unsigned long bytes);
void kasan_init(void);
#else
static inline unsigned long drvport_kasan_divide(unsigned long bytes) { return bytes; }
static inline void kasan_init(void) { }
#endif

/* Requests by subject. */
int drvport_module_load(u32 description);
int drvport_module_unload(u32 name);
int drvport_module_find(const char *name);
int drvport_pci_add(u32 fn);
void drvport_pci_remove(u32 fn);
int drvport_nub_add(const struct drvport_nub *nub);
void drvport_nub_remove(u32 handle);
int drvport_syscall(void *data, u32 bytes);
int drvport_heartbeat(struct drvport_waiting *list, u32 bytes);
void drvport_mounts(void);
/* The memory of the program that requests are of: see user.c. */
extern struct mm_struct *drvport_program;
void drvport_user_begin(void);
u32 drvport_pci_function(struct pci_dev *dev);
/* Frames of the machine's are waiting: from the interrupt. */
void drvport_net_frames(void);

/* Tasks that waited for other domains need not any more: see ipc.c. Interrupts are off. */
void drvport_ipc_told(void);

/* Pages that follow each other: see vmalloc.c. */
struct page *drvport_pages(unsigned long count, gfp_t gfp);
void drvport_pages_free(struct page *first, unsigned long count);
/* Bytes of module memory that the loader handed to the tree's module loader: see vmalloc.c. */
void *drvport_module_place(unsigned long size);

#endif
