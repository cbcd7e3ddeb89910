// SPDX-License-Identifier: GPL-2.0-only
/*
 * A service with a thread (a counter behind a contract) and one without (an adder, answered on its caller's thread).
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <drvport/ipc.h>

/* How many requests to answer before the server fails in the midst of one; 0: never. */
static unsigned int fail_after;
module_param(fail_after, uint, 0444);

static const char rules[] = "open=1 add=2 close=3; closed: open > opened; opened: add > opened, close > closed";
static struct task_struct *server;
static int counter, adder;

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
		label = drvport_reply_receive(counter, &msg, DRVPORT_FOREVER);
	}
	/* The endpoint was closed: wait to be stopped. */
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ);
	return 0;
}

static u32 add(u32 badge, u32 label, u32 a, u32 b, u32 c)
{
	return a + b + c;
}

static int __init ipc_server_init(void)
{
	counter = drvport_service_offer("counter", rules);
	adder = drvport_service_offer("adder", NULL);
	if (counter < 0 || adder < 0)
		return -ENXIO;
	server = kthread_run(serve, NULL, "ipc_server");
	return IS_ERR(server) ? PTR_ERR(server) : drvport_service_passive(adder, add);
}
module_init(ipc_server_init);

static void __exit ipc_server_exit(void)
{
	drvport_service_close(adder);
	drvport_service_close(counter);
	kthread_stop(server);
}
module_exit(ipc_server_exit);

MODULE_DESCRIPTION("Serves another domain");
MODULE_LICENSE("GPL");
