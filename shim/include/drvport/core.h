/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the shim's own files share with each other and with nobody else: faults, counters, contexts, timers. A driver
 * never sees this header. Include it after the kernel's headers.
 */
#ifndef DRVPORT_CORE_H
#define DRVPORT_CORE_H

#include <linux/types.h>
#include <linux/sched.h>
#include <drvport_abi.h>

/* ---- faults and log (kernel/fault.c, kernel/printk.c) ---- */
/* Ends the domain; kind is FAULT_*. The text is formatted with the kernel's own vsnprintf. */
void __noreturn __printf(2, 3) drvport_fault(unsigned int kind, const char *fmt, ...);

/* ---- what the tree's lockdep reports, in the configuration that has it (kernel/lockdep.c) ---- */
#ifdef CONFIG_LOCKDEP
/* A line of the log: lockdep says there what it found. */
void drvport_lockdep_line(const char *line, unsigned int len);
/* It has said all: ends the domain, unless it only ran out of its own tables. */
void drvport_lockdep_fault(void);
#else
static inline void drvport_lockdep_line(const char *line, unsigned int len) { }
static inline void drvport_lockdep_fault(void) { }
#endif

/* ---- what is still held (entry.c reports it) ---- */
extern struct drvport_census drvport_held;

/* ---- memory (mm/) ---- */
void drvport_mm_init(void);
/* Memory of the shim's own, not counted as the driver's; zeroed; NULL when there is none. */
void *drvport_core_alloc(size_t bytes);
void drvport_core_free(const void *mem);
void drvport_slab_init(void);

/* How a page of linear memory is used. A side table, so that it is the same for every kernel version. */
enum drvport_page_use {
	PAGE_USE_RESERVED = 0, /* not ours to give: program, stack, tables */
	PAGE_USE_FREE,         /* head of a free block */
	PAGE_USE_PAGES,        /* head of a block given out by alloc_pages */
	PAGE_USE_SLAB,         /* head of a slab */
	PAGE_USE_LARGE,        /* head of a kmalloc too large for a slab */
	PAGE_USE_VMALLOC,      /* head of a vmalloc area */
	PAGE_USE_TAIL,         /* not the head of anything */
};

struct drvport_page {
	u8 use;
	u8 order;   /* of a block */
	bool had;   /* given out before: not zeros any more */
	u32 pages;  /* of a large or vmalloc area */
	u32 owner;  /* slab: its descriptor; large: bytes asked for; tail: index of the head */
};

extern struct drvport_page *drvport_pages;
struct page *drvport_block_alloc(gfp_t gfp, unsigned int order, enum drvport_page_use use);
void drvport_block_free(struct page *page, unsigned int order);
bool drvport_is_vmalloc(const void *mem);
/* A run of pages that need not be a power of two. */
struct page *drvport_run_alloc(gfp_t gfp, unsigned int pages, enum drvport_page_use use);
void drvport_run_free(struct page *page);
/* When the last module has gone: pages kept for more fragments. */
void drvport_fragments_drain(void);
/* No memory left for a request that Linux would not let fail: ends the domain. Otherwise returns. */
void drvport_out_of_memory(gfp_t gfp, size_t bytes);

/* ---- contexts (sched/, irq/softirq.c) ---- */
void drvport_sched_init(void);
/* Around every process entry: gives the calling fiber a task. */
struct task_struct *drvport_task_enter(const char *name);
void drvport_task_leave(struct task_struct *task);
/* Around every atomic entry: hard interrupt context, softirqs run on the way out. */
void drvport_irq_enter(void);
void drvport_irq_exit(void);
void drvport_softirq_run(void);
/* New fiber running fn(arg) as task; the task is returned sleeping until woken when `wake` is false. */
struct task_struct *drvport_fiber_start(void (*fn)(void *), void *arg, const char *name);
/* End the calling fiber and its task. */
void __noreturn drvport_fiber_exit(void);
/* Sleep until woken or until ns (absolute); false when the deadline passed. State must be set by the caller. */
bool drvport_sleep_until(u64 deadline_ns);
#define DRVPORT_FOREVER (~0ULL)

/* ---- time (time/) ---- */
u64 drvport_now(void);
void drvport_time_init(void);
/* The domain timer's entry, in hard interrupt context. */
void drvport_timer_interrupt(void);
/* The earliest of the two queues changed: arm the domain's one timer. */
void drvport_timer_rearm(void);
u64 drvport_timers_next(void);
u64 drvport_hrtimers_next(void);
void drvport_timers_expired(u64 now);
void drvport_hrtimers_run(u64 now);

/* ---- subsystems that need a start ---- */
void drvport_workqueue_init(void);
void drvport_workqueue_exit(void);
/* Return when every queue has taken an item put behind those it has now. */
void drvport_workqueue_heartbeat(void);
void drvport_softirq_init(void);
/* A handler for one of the kernel's softirq numbers. */
void drvport_softirq_open(unsigned int nr, void (*fn)(void));
void drvport_timers_run(void);
void drvport_hrtimers_run_soft(void);
void drvport_irq_dispatch(unsigned int irq);
void drvport_base_init(void);
/* The tree's own files that are linked in. */
void drvport_initcalls_run(void);
void drvport_params_apply(void);
void drvport_params_release(void);
void drvport_rcu_run(void);

/* ---- buses: shim files of shimnet's and others ---- */
int drvport_pci_probe(u32 slot);
void drvport_pci_remove(u32 slot);

#endif
