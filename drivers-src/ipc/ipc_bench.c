// SPDX-License-Identifier: GPL-2.0-only
/*
 * For bench/kernel.ts: asks the services of ipc_server as often as its parameters say, and does nothing else.
 */
#include <linux/module.h>
#include <drvport/ipc.h>

/* Calls of the kernel that do next to nothing; passive calls; calls answered by another thread. */
static unsigned int selves, invokes, calls;
/* Signals nobody waits for, each taken by a poll; bits signalled and waited for at once. */
static unsigned int polls, waits;
module_param(selves, uint, 0444);
module_param(invokes, uint, 0444);
module_param(calls, uint, 0444);
module_param(polls, uint, 0444);
module_param(waits, uint, 0444);

static int __init ipc_bench_init(void)
{
	int adder = drvport_service_find("plus");
	int counter = drvport_service_find("count");
	int bits = drvport_ipc_notification();
	struct drvport_message msg = { .label = 1 };
	unsigned int i, sum = 0;

	if (adder < 0 || counter < 0 || bits < 0)
		return -ENOENT;
	for (i = 0; i < selves; i++)
		sum += drvport_sched_self();
	for (i = 0; i < invokes; i++)
		if (drvport_ipc_invoke(adder, 0, 1, i & 0xffff, 0) != (i & 0xffff) + 1)
			return -EIO;
	if (calls && drvport_call(counter, &msg, DRVPORT_FOREVER) != 1)
		return -EPROTO;
	for (i = 0; i < calls; i++) {
		msg.label = 2;
		msg.count = 1;
		msg.words[0] = 1;
		if (drvport_call(counter, &msg, DRVPORT_FOREVER) != 2 || msg.words[0] != i + 1)
			return -EIO;
	}
	for (i = 0; i < polls; i++) {
		drvport_ipc_signal(bits, 1);
		if (drvport_ipc_poll(bits) != 1)
			return -EIO;
	}
	for (i = 0; i < waits; i++) {
		drvport_ipc_signal(bits, 1);
		if (drvport_wait_bits(bits, &msg, DRVPORT_FOREVER) < 0 || msg.label != 1)
			return -EIO;
	}
	drvport_service_close(bits);
	return sum == ~0u ? -EIO : 0;
}
module_init(ipc_bench_init);

static void __exit ipc_bench_exit(void)
{
}
module_exit(ipc_bench_exit);

MODULE_DESCRIPTION("Asks another domain, often");
MODULE_LICENSE("GPL");
