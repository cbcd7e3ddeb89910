// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversations with other domains: names as C strings, errors as errno, and the waiting, which is Linux's own. A call that
 * must wait says so and returns; which task need wait no more comes with an interrupt.
 *
 * Must not know: what any service says.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include <asm/irq_regs.h>
#define DRVPORT_SHIM
#include "drvport/ipc.h"
#include "lower.h"
#include "irq.h"

static int as_errno(int result)
{
	static const int errors[] = {
		[-DRVPORT_IPC_ENDED] = -EPIPE,
		[-DRVPORT_IPC_NO_RIGHT] = -EACCES,
		[-DRVPORT_IPC_EMPTY] = -EBADF,
		[-DRVPORT_IPC_DEADLINE] = -ETIMEDOUT,
		[-DRVPORT_IPC_CANCELLED] = -ECONNRESET,
		[-DRVPORT_IPC_WINDOW] = -EMFILE,
		[-DRVPORT_IPC_PROTOCOL] = -EPROTO,
		[-DRVPORT_IPC_DEADLOCK] = -EDEADLK,
		[-DRVPORT_IPC_NOBODY] = -ENOTCONN,
		[-DRVPORT_IPC_OCCUPIED] = -EEXIST,
		[-DRVPORT_IPC_BADGED] = -EPERM,
		[-DRVPORT_IPC_QUOTA] = -ENOSPC,
		[-DRVPORT_IPC_RANGE] = -EINVAL,
	};

	if (result >= 0)
		return result;
	return -result < ARRAY_SIZE(errors) && errors[-result] ? errors[-result] : -EIO;
}

int drvport_service_find(const char *name)
{
	int slot = drvport_ipc_find((u32)name, strlen(name));

	return slot < 0 ? -ENOENT : slot;
}
EXPORT_SYMBOL_GPL(drvport_service_find);

int drvport_service_offer(const char *name, const char *rules)
{
	return as_errno(drvport_ipc_offer((u32)name, strlen(name), (u32)rules, rules ? strlen(rules) : 0));
}
EXPORT_SYMBOL_GPL(drvport_service_offer);

void drvport_service_close(u32 slot) { drvport_ipc_close(slot); }
EXPORT_SYMBOL_GPL(drvport_service_close);

int drvport_service_passive(u32 slot, u32 (*fn)(u32 badge, u32 label, u32 a, u32 b, u32 c))
{
	return as_errno(drvport_ipc_serve(slot, (u32)fn));
}
EXPORT_SYMBOL_GPL(drvport_service_passive);

static struct pt_regs nothing_interrupted;

/* Beside the answer: a task can go on. */
#define SERVE_MADE_READY 0x80000000u

/* Another domain asks, on its own thread, while nobody runs here: an interrupt, of who runs or of who idles. */
int drvport_entry_serve(u32 cookie, u32 badge, u32 label, u32 a, u32 b, u32 c)
{
	u32 (*fn)(u32 badge, u32 label, u32 a, u32 b, u32 c) = (void *)cookie;
	struct pt_regs *old;
	unsigned long flags;
	u32 answer;

	raw_local_irq_save(flags);
	old = set_irq_regs(&nothing_interrupted);
	irq_enter();
	answer = fn(badge, label, a, b, c);
	irq_exit();
	set_irq_regs(old);
	raw_local_irq_restore(flags);
	return (answer & ~SERVE_MADE_READY) | (need_resched() ? SERVE_MADE_READY : 0);
}

/* ---- those that sleep ---- */

struct waiting {
	struct list_head list;
	wait_queue_head_t queue;
	u32 fiber;
	int outcome;
	bool told;
};

static LIST_HEAD(waiting);

/* Interrupts are off. */
void drvport_ipc_told(void)
{
	struct waiting *one, *next;
	int outcome;
	u32 fiber;

	while ((fiber = drvport_ipc_next((u32)&outcome)))
		list_for_each_entry_safe(one, next, &waiting, list) {
			if (one->fiber != fiber)
				continue;
			list_del(&one->list);
			one->outcome = outcome;
			one->told = true;
			wake_up(&one->queue);
		}
}

/* The same time on the machine's clock. */
static u64 machine_time(u64 deadline)
{
	u64 now, left;

	if (deadline == DRVPORT_FOREVER)
		return deadline;
	left = max_t(s64, deadline - ktime_get_ns(), 0);
	drvport_time_now((u32)&now);
	return now + left;
}

/* Make the call; told in between that it need not wait, nobody would be there to hear it. */
#define SLEEPING(call) ({						\
	struct waiting me = { .fiber = current->thread.fiber };		\
	u64 at = machine_time(deadline);				\
	u32 low = at, high = at >> 32;					\
	unsigned long flags;						\
									\
	might_sleep();							\
	init_waitqueue_head(&me.queue);					\
	local_irq_save(flags);						\
	me.outcome = (call);						\
	if (me.outcome == DRVPORT_IPC_LATER)				\
		list_add(&me.list, &waiting);				\
	else								\
		me.told = true;						\
	local_irq_restore(flags);					\
	wait_event_idle(me.queue, me.told);				\
	as_errno(me.outcome);						\
})

#define WITH_MESSAGE(name)						\
int drvport_##name(u32 slot, struct drvport_message *msg, u64 deadline)	\
{									\
	return SLEEPING(drvport_ipc_##name(slot, (u32)msg, low, high));	\
}

WITH_MESSAGE(call)
EXPORT_SYMBOL_GPL(drvport_call);
WITH_MESSAGE(send)
EXPORT_SYMBOL_GPL(drvport_send);
WITH_MESSAGE(receive)
EXPORT_SYMBOL_GPL(drvport_receive);
WITH_MESSAGE(reply_receive)
EXPORT_SYMBOL_GPL(drvport_reply_receive);

int drvport_wait_bits(u32 slot, struct drvport_message *msg, u64 deadline)
{
	return SLEEPING(drvport_ipc_wait(slot, (u32)msg, low, high));
}
EXPORT_SYMBOL_GPL(drvport_wait_bits);

/* ---- rings ---- */

void drvport_ring_publish(u32 slot, struct drvport_ring *ring, u32 count)
{
	u32 old = ring->owner, now = old + count;

	WRITE_ONCE(ring->owner, now);
	if (now - READ_ONCE(ring->peer_wants) - 1 < now - old)
		drvport_ring_tell(slot);
}
EXPORT_SYMBOL_GPL(drvport_ring_publish);

int drvport_ring_sleep(u32 slot, u64 deadline) { return SLEEPING(drvport_ring_wait(slot, low, high)); }
EXPORT_SYMBOL_GPL(drvport_ring_sleep);

int drvport_ring_wait_peer(u32 slot, struct drvport_ring *ring, u64 deadline)
{
	WRITE_ONCE(ring->owner_wants, READ_ONCE(ring->peer));
	return drvport_ring_sleep(slot, deadline);
}
EXPORT_SYMBOL_GPL(drvport_ring_wait_peer);
