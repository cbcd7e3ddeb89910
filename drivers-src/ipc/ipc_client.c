// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the services of ipc_server, in another domain. One log line a check: "ok NAME" or "FAILED NAME: condition".
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <drvport/ipc.h>

#define CHECK(condition)						\
	do {								\
		if (!(condition)) {					\
			pr_err("FAILED %s: %s\n", __func__, #condition); \
			return;						\
		}							\
	} while (0)

static int ask(int slot, u32 label, u32 word, u32 *answer)
{
	struct drvport_message msg = { .label = label, .count = 1, .words = { word } };
	int result = drvport_call(slot, &msg, ktime_get_ns() + NSEC_PER_SEC);

	*answer = msg.words[0];
	return result;
}

static void conversation(void)
{
	int slot = drvport_service_find("count");
	u32 sum;

	CHECK(slot >= 0);
	CHECK(ask(slot, 2, 5, &sum) == -EPROTO);
	CHECK(ask(slot, 1, 0, &sum) == 1 && sum == 0);
	CHECK(ask(slot, 2, 5, &sum) == 2 && sum == 5);
	CHECK(ask(slot, 2, 37, &sum) == 2 && sum == 42);
	CHECK(ask(slot, 3, 0, &sum) == 3);
	CHECK(ask(slot, 2, 1, &sum) == -EPROTO);
	pr_info("ok conversation\n");
}

static void passive(void)
{
	int slot = drvport_service_find("plus");

	CHECK(slot >= 0);
	CHECK(drvport_ipc_invoke(slot, 0, 30, 10, 2) == 42);
	/* Asked again before it had a turn. */
	CHECK(drvport_ipc_invoke(slot, 0, 30, 10, 3) == 43);
	CHECK(drvport_service_find("nothing") == -ENOENT);
	CHECK(drvport_ipc_invoke(4000, 0, 1, 2, 3) == DRVPORT_IPC_EMPTY);
	pr_info("ok passive\n");
}

#define WORDS 1024

static int give(int slot, int memory, u32 how, struct drvport_message *msg)
{
	*msg = (struct drvport_message){ .label = 1, .cap_count = 1, .moved = how, .caps = { memory } };
	return drvport_call(slot, msg, ktime_get_ns() + NSEC_PER_SEC);
}

static void memory(void)
{
	static u32 words[WORDS];
	struct drvport_message msg;
	int i, slot = drvport_service_find("store"), own, lent, tied, reader;
	u32 sum = 0;

	for (i = 0; i < WORDS; i++)
		sum += words[i] = i * 2654435761u;
	own = drvport_mem_create(sizeof(words));
	lent = drvport_mem_lend((u32)words, sizeof(words));
	CHECK(slot >= 0 && own >= 0 && lent >= 0);
	CHECK(drvport_mem_write(own, 0, (u32)words, sizeof(words)) == 0);
	CHECK(drvport_mem_write(own, 4, (u32)words, sizeof(words)) == DRVPORT_IPC_RANGE);
	/* A copy is shared: both have it, and the store is not its only holder. */
	CHECK(give(slot, own, 0, &msg) == 1 && msg.words[0] == sum && msg.words[1] == 0);
	CHECK(drvport_mem_size(own) == sizeof(words));
	/* What was lent is read where it lies, and cannot be given away. */
	CHECK(give(slot, lent, 0, &msg) == 1 && msg.words[0] == sum);
	words[0]++;
	CHECK(give(slot, lent, 0, &msg) == 1 && msg.words[0] == sum + 1);
	CHECK(give(slot, lent, 1 << 8, &msg) == -EACCES && drvport_mem_size(lent) == sizeof(words));
	/* Without the right to transfer it is refused, and nothing has moved. */
	tied = drvport_cap_free();
	CHECK(drvport_cap_mint(own, tied, DRVPORT_RIGHT_READ | DRVPORT_RIGHT_MAP, 0) == 0);
	CHECK(give(slot, tied, 1, &msg) == -EACCES && drvport_mem_size(tied) == sizeof(words));
	CHECK(drvport_mem_write(tied, 0, (u32)words, 4) == DRVPORT_IPC_NO_RIGHT);
	/* Only who owns it can give it away, and then every other capability to it ends. */
	reader = drvport_cap_free();
	CHECK(drvport_cap_mint(own, reader, DRVPORT_RIGHT_ALL, 0) == 0);
	CHECK(give(slot, reader, 1 << 8, &msg) == -EACCES);
	CHECK(give(slot, own, 1 << 8, &msg) == 1 && msg.words[0] == sum && msg.words[1] == 1);
	CHECK(drvport_mem_size(own) == DRVPORT_IPC_EMPTY && drvport_mem_size(reader) == DRVPORT_IPC_EMPTY);
	CHECK(drvport_mem_size(tied) == DRVPORT_IPC_EMPTY);
	CHECK(drvport_cap_remove(lent) == 0);
	pr_info("ok memory\n");
}

#define SLOTS 128
#define SLOT_BYTES 64

static unsigned int burst = 16;
module_param(burst, uint, 0444);
static unsigned int packets = 1024;
module_param(packets, uint, 0444);
static bool keep_ring;
module_param(keep_ring, bool, 0444);

static struct {
	struct drvport_ring head;
	u8 slots[SLOTS * SLOT_BYTES];
} ring;

static int produce(int slot, u32 value)
{
	while (!drvport_ring_room(&ring.head, SLOTS)) {
		int err = drvport_ring_wait_peer(slot, &ring.head, DRVPORT_FOREVER);

		if (err)
			return err;
	}
	*(u32 *)drvport_ring_slot(&ring.head, SLOTS, SLOT_BYTES, ring.head.owner) = value;
	drvport_ring_publish(slot, &ring.head, 1);
	return 0;
}

static void rings(void)
{
	int slot = drvport_service_find("store"), owner = drvport_ring_create((u32)&ring, SLOTS, SLOT_BYTES, 1);
	struct drvport_message msg = { .label = 2, .cap_count = 1, .caps = { owner } };
	u32 i, sum = 0;

	CHECK(slot >= 0 && owner >= 0);
	CHECK(drvport_send(slot, &msg, DRVPORT_FOREVER) == 0);
	for (i = 1; i <= packets; i++) {
		CHECK(produce(owner, i) == 0);
		sum += i;
		/* The next packets come later. */
		if (i % burst == 0)
			usleep_range(100, 100);
	}
	CHECK(produce(owner, 0) == 0);
	msg = (struct drvport_message){ .label = 3 };
	CHECK(drvport_call(slot, &msg, DRVPORT_FOREVER) == 3 && msg.words[0] == sum);
	if (!keep_ring)
		CHECK(drvport_cap_remove(owner) == 0);
	pr_info("ok rings\n");
}

static int __init ipc_client_init(void)
{
	conversation();
	passive();
	memory();
	rings();
	return 0;
}
module_init(ipc_client_init);

static void __exit ipc_client_exit(void)
{
}
module_exit(ipc_client_exit);

MODULE_DESCRIPTION("Asks another domain");
MODULE_LICENSE("GPL");
