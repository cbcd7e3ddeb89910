// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks the services of ipc_server, in another domain. One log line a check: "ok NAME" or "FAILED NAME: condition".
 */
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
	CHECK(drvport_service_find("nothing") == -ENOENT);
	CHECK(drvport_ipc_invoke(4000, 0, 1, 2, 3) == DRVPORT_IPC_EMPTY);
	pr_info("ok passive\n");
}

static int __init ipc_client_init(void)
{
	conversation();
	passive();
	return 0;
}
module_init(ipc_client_init);

static void __exit ipc_client_exit(void)
{
}
module_exit(ipc_client_exit);

MODULE_DESCRIPTION("Asks another domain");
MODULE_LICENSE("GPL");
