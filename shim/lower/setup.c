// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the domain begins: memory, command line and console, and then start_kernel(). Linear memory is physical memory,
 * from 0 to its end; what lies below the heap (stack, modules, the kernel's own data) is reserved.
 */
#include <linux/console.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/of_fdt.h>
#include <linux/ptrace.h>
#include <linux/random.h>
#include <linux/regulator/machine.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/start_kernel.h>
#include <linux/string.h>
#include <asm/setup.h>
#define DRVPORT_SHIM
#include "lower.h"

extern char __heap_base[];
#ifndef WASM_TREE_HAS_ZERO_PAGE
unsigned long empty_zero_page[PAGE_SIZE / sizeof(unsigned long)] __aligned(PAGE_SIZE);
EXPORT_SYMBOL(empty_zero_page);
#endif
pgd_t swapper_pg_dir[PTRS_PER_PGD] __aligned(PAGE_SIZE);
EXPORT_SYMBOL(swapper_pg_dir);

/*
 * What the machine's firmware would pass: no calibration of a loop that nobody turns, an "init" that is there without a root
 * file system (service.c), a panic that ends the domain at once, nobody who would hand in firmware through sysfs.
 */
static char command_line[COMMAND_LINE_SIZE] =
	"lpj=1000000 rdinit=/dev panic=-1 loglevel=7 printk.time=0 sysctl.kernel.firmware_config.ignore_sysfs_fallback=1";
static unsigned long memory_bytes;

void drvport_entry_start(u32 bytes, u32 fiber)
{
	memory_bytes = drvport_kasan_divide(bytes);
	init_task.thread.fiber = fiber;
	start_kernel();
}

static void write_console(struct console *console, const char *text, unsigned int len)
{
	drvport_log_write(DRVPORT_LOG_INFO, (u32)text, len);
	drvport_fault_line(text, len);
}

static struct console console = {
	.name = "drvport",
	.write = write_console,
	.flags = CON_PRINTBUFFER | CON_ENABLED | CON_ANYTIME,
	.index = -1,
};

#define SEED_BYTES 32

void drvport_seed(void)
{
	u8 bytes[SEED_BYTES];

	drvport_log_seed((u32)bytes, sizeof(bytes));
	add_bootloader_randomness(bytes, sizeof(bytes));
}

/* All of memory is alike. */
void __init arch_zone_limits_init(unsigned long *limits) { limits[ZONE_NORMAL] = max_low_pfn; }

static void __init lay_out_zones(void)
{
#ifdef TREE_WANTS_ZONES
	unsigned long limits[MAX_NR_ZONES] = { 0 };

	arch_zone_limits_init(limits);
	free_area_init(limits);
#endif
}

void __init setup_arch(char **cmdline)
{
	register_console(&console);
	if (IS_ENABLED(CONFIG_WASM_CLEARS_MEMORY))
		strlcat(command_line, " init_on_alloc=1 init_on_free=1", COMMAND_LINE_SIZE);
	strscpy(boot_command_line, command_line, COMMAND_LINE_SIZE);
	*cmdline = command_line;
	memblock_add(0, memory_bytes);
	memblock_reserve(0, PAGE_ALIGN((unsigned long)__heap_base));
	max_low_pfn = max_pfn = memory_bytes >> PAGE_SHIFT;
	max_mapnr = max_low_pfn;
	high_memory = (void *)memory_bytes;
	drvport_seed();
	parse_early_param();
	lay_out_zones();
	kasan_init();
	unflatten_device_tree();
}

void __init mem_init(void)
{
#ifdef TREE_WANTS_PAGES
	memblock_free_all();
#endif
}

/* Code lies outside of memory, and data is part of the image that the domain begins from. */
void free_initmem(void) { }

/* Of a user's memory: shim/lower/user.c. */
pgd_t *pgd_alloc(struct mm_struct *mm) { return (pgd_t *)get_zeroed_page(GFP_KERNEL); }

#ifndef TREE_HAS_PROTECTION_MAP
/* Private pages are written by way of a fault: the first write copies them. */
pgprot_t vm_get_page_prot(unsigned long flags)
{
	if (!(flags & (VM_READ | VM_WRITE | VM_EXEC)))
		return PAGE_NONE;
	return (flags & (VM_WRITE | VM_SHARED)) == (VM_WRITE | VM_SHARED) ? PAGE_SHARED : PAGE_READONLY;
}
EXPORT_SYMBOL(vm_get_page_prot);
#endif

/* There is no other program to trace, and no registers to show. */
long arch_ptrace(struct task_struct *child, long request, unsigned long addr, unsigned long data) { return -EIO; }
void ptrace_disable(struct task_struct *child) { }

/* No supply of the board can be switched: whoever asks for one that nobody describes has it. */
static int __init board_init(void)
{
	regulator_has_full_constraints();
	return 0;
}
arch_initcall(board_init);

static void *no_cpus(struct seq_file *m, loff_t *pos) { return NULL; }
static void no_more(struct seq_file *m, void *v) { }
static int show_cpu(struct seq_file *m, void *v) { return 0; }
static void *next_cpu(struct seq_file *m, void *v, loff_t *pos) { return NULL; }

const struct seq_operations cpuinfo_op = { .start = no_cpus, .next = next_cpu, .stop = no_more, .show = show_cpu };

/* certs/ would have these in assembly: no certificate is built in. */
const u8 system_certificate_list[1], revocation_certificate_list[1];
const unsigned long system_certificate_list_size, module_cert_size, revocation_certificate_list_size;
