// SPDX-License-Identifier: GPL-2.0-only
/*
 * Services for ipc_client: a counter behind a contract, an adder answered on its caller's thread, and a store that takes
 * memory and rings.
 */
#include <linux/err.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <drvport/ipc.h>

/* How many requests to answer before the server fails in the midst of one; 0: never. */
static unsigned int fail_after;
module_param(fail_after, uint, 0444);

static const char rules[] = "open=1 add=2 close=3; closed: open > opened; opened: add > opened, close > closed";
static struct task_struct *server, *keeper;
static int counter, adder, store;

/* Its endpoint was closed. */
static int until_stopped(void)
{
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

/* Answer, and wait for the next. Whoever asked may have ended meanwhile, which is nobody else's loss. */
static int answer(int slot, struct drvport_message *msg)
{
	int label = drvport_reply_receive(slot, msg, DRVPORT_FOREVER);

	return label == -ENOTCONN ? drvport_receive(slot, msg, DRVPORT_FOREVER) : label;
}

static int serve(void *unused)
{
	struct drvport_message msg = { 0 };
	unsigned int served = 0;
	u32 sum = 0;
	int label = drvport_receive(counter, &msg, DRVPORT_FOREVER);

	while (label >= 0) {
		if (fail_after && ++served > fail_after)
			BUG();
		sum = label == 1 ? 0 : sum + msg.words[0];
		msg.words[0] = sum;
		msg.count = 1;
		label = answer(counter, &msg);
	}
	return until_stopped();
}

#define WINDOW 100
#define SLOT_BYTES 64

/* Sum the words of memory that was given to us, through a mapping of it. */
static u32 sum_memory(u32 slot)
{
	int i, size = drvport_mem_size(slot);
	u32 addr = drvport_mem_map(slot, 0, size), sum = 0;

	for (i = 0; addr && i < size; i += 4)
		sum += readl((void __iomem *)addr + i);
	drvport_mem_unmap(addr);
	return sum;
}

/* Take batches until a slot of zero comes; sum the first words. */
static u32 drain(u32 slot)
{
	static u32 batch[64][SLOT_BYTES / 4];
	u32 sum = 0;
	int i, count;

	for (;;) {
		count = drvport_ring_take(slot, (u32)batch, ARRAY_SIZE(batch));
		if (count < 0)
			return 0;
		for (i = 0; i < count; i++) {
			if (!batch[i][0])
				return sum;
			sum += batch[i][0];
		}
		if (!count && drvport_ring_sleep(slot, DRVPORT_FOREVER) < 0)
			return 0;
	}
}

static int keep(void *unused)
{
	struct drvport_message msg = { 0 };
	u32 sum = 0;
	int label;

	drvport_ipc_window(WINDOW, 1);
	label = drvport_receive(store, &msg, DRVPORT_FOREVER);
	while (label >= 0) {
		if (msg.cap_count == 1) {
			sum = label == 1 ? sum_memory(msg.caps[0]) : drain(msg.caps[0]);
			drvport_cap_remove(msg.caps[0]);
		}
		if (label == 2) {
			label = drvport_receive(store, &msg, DRVPORT_FOREVER);
			continue;
		}
		msg.words[0] = sum;
		msg.words[1] = msg.moved;
		msg.count = 2;
		msg.cap_count = 0;
		label = answer(store, &msg);
	}
	return until_stopped();
}

static u32 add(u32 badge, u32 label, u32 a, u32 b, u32 c)
{
	return a + b + c;
}

static int __init ipc_server_init(void)
{
	counter = drvport_service_offer("counter", rules);
	adder = drvport_service_offer("adder", NULL);
	store = drvport_service_offer("store", NULL);
	if (counter < 0 || adder < 0 || store < 0)
		return -ENXIO;
	server = kthread_run(serve, NULL, "ipc_server");
	keeper = kthread_run(keep, NULL, "ipc_keeper");
	return IS_ERR(server) || IS_ERR(keeper) ? -ENOMEM : drvport_service_passive(adder, add);
}
module_init(ipc_server_init);

static void __exit ipc_server_exit(void)
{
	drvport_service_close(adder);
	drvport_service_close(counter);
	drvport_service_close(store);
	kthread_stop(server);
	kthread_stop(keeper);
}
module_exit(ipc_server_exit);

MODULE_DESCRIPTION("Serves another domain");
MODULE_LICENSE("GPL");
