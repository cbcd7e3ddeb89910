// SPDX-License-Identifier: GPL-2.0-only
/* One processor, always there. */
#include <linux/cpumask.h>
#include <linux/cpu.h>
#include <linux/smp.h>
#include <linux/export.h>
#include <linux/nodemask.h>

struct cpumask __cpu_possible_mask = { CPU_BITS_CPU0 };
struct cpumask __cpu_online_mask = { CPU_BITS_CPU0 };
struct cpumask __cpu_present_mask = { CPU_BITS_CPU0 };
struct cpumask __cpu_active_mask = { CPU_BITS_CPU0 };
struct cpumask __cpu_dying_mask;
const DECLARE_BITMAP(cpu_all_bits, NR_CPUS) = CPU_BITS_ALL;

const unsigned long cpu_bit_bitmap[BITS_PER_LONG + 1][BITS_TO_LONGS(NR_CPUS)] = { [1] = { 1UL } };

#ifndef smp_call_function_single
int smp_call_function_single(int cpu, smp_call_func_t func, void *info, int wait)
{
	unsigned long flags;

	if (cpu)
		return -ENXIO;
	local_irq_save(flags);
	func(info);
	local_irq_restore(flags);
	return 0;
}
#endif

/* Processors do not come and go: the callback for the one there is runs now, as for one that is online already. */
int __cpuhp_setup_state(enum cpuhp_state state, const char *name, bool invoke, int (*startup)(unsigned int cpu),
			int (*teardown)(unsigned int cpu), bool multi_instance)
{
	static int dynamic = CPUHP_AP_ONLINE_DYN;

	if (invoke && startup) {
		int err = startup(0);

		if (err)
			return err;
	}
	return state == CPUHP_AP_ONLINE_DYN ? dynamic++ : 0;
}

void __cpuhp_remove_state(enum cpuhp_state state, bool invoke)
{
}
