// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversations with other domains: the ABI's calls with `current` kept right around those that sleep, names as C strings
 * and errors as errno.
 *
 * Must not know: what any service says.
 */
#define DRVPORT_SHIM
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <drvport/core.h>
#include <drvport/ipc.h>

int drvport_ipc_errno(int result)
{
	switch (result) {
	case DRVPORT_IPC_ENDED:
		return -EPIPE;
	case DRVPORT_IPC_NO_RIGHT:
		return -EACCES;
	case DRVPORT_IPC_EMPTY:
		return -EBADF;
	case DRVPORT_IPC_DEADLINE:
		return -ETIMEDOUT;
	case DRVPORT_IPC_CANCELLED:
		return -ECONNRESET;
	case DRVPORT_IPC_WINDOW:
		return -EMFILE;
	case DRVPORT_IPC_PROTOCOL:
		return -EPROTO;
	case DRVPORT_IPC_DEADLOCK:
		return -EDEADLK;
	case DRVPORT_IPC_NOBODY:
		return -ENOTCONN;
	case DRVPORT_IPC_OCCUPIED:
		return -EEXIST;
	case DRVPORT_IPC_BADGED:
		return -EPERM;
	case DRVPORT_IPC_QUOTA:
		return -ENOSPC;
	case DRVPORT_IPC_RANGE:
		return -EINVAL;
	}
	return result < 0 ? -EIO : result;
}

int drvport_service_find(const char *name)
{
	int slot = drvport_ipc_find((u32)name, strlen(name));

	return slot < 0 ? -ENOENT : slot;
}

int drvport_service_offer(const char *name, const char *rules)
{
	return drvport_ipc_errno(drvport_ipc_offer((u32)name, strlen(name), (u32)rules, rules ? strlen(rules) : 0));
}

void drvport_service_close(u32 slot)
{
	drvport_ipc_close(slot);
}

int drvport_service_passive(u32 slot, u32 (*fn)(u32 badge, u32 label, u32 a, u32 b, u32 c))
{
	return drvport_ipc_errno(drvport_ipc_serve(slot, (u32)fn));
}

/* Another domain asks, on its own thread: nothing of ours may sleep. */
int drvport_entry_serve(unsigned int cookie, unsigned int badge, unsigned int label, unsigned int a, unsigned int b,
			unsigned int c)
{
	u32 (*fn)(u32 badge, u32 label, u32 a, u32 b, u32 c) = (void *)cookie;
	u32 answer;

	drvport_irq_enter();
	answer = fn(badge, label, a, b, c);
	drvport_irq_exit();
	return answer;
}

/* Whoever sleeps here is not current meanwhile. */
#define SLEEPING(call) ({						\
	struct task_struct *me = drvport_current;			\
	int result;							\
									\
	might_sleep();							\
	drvport_current = &init_task;					\
	result = (call);						\
	drvport_current = me;						\
	drvport_ipc_errno(result);					\
})

int drvport_call(u32 slot, struct drvport_message *msg, u64 deadline)
{
	return SLEEPING(drvport_ipc_call(slot, (u32)msg, (u32)deadline, (u32)(deadline >> 32)));
}

int drvport_send(u32 slot, struct drvport_message *msg, u64 deadline)
{
	return SLEEPING(drvport_ipc_send(slot, (u32)msg, (u32)deadline, (u32)(deadline >> 32)));
}

int drvport_receive(u32 slot, struct drvport_message *msg, u64 deadline)
{
	return SLEEPING(drvport_ipc_receive(slot, (u32)msg, (u32)deadline, (u32)(deadline >> 32)));
}

int drvport_reply_receive(u32 slot, struct drvport_message *msg, u64 deadline)
{
	return SLEEPING(drvport_ipc_reply_receive(slot, (u32)msg, (u32)deadline, (u32)(deadline >> 32)));
}

/* ---- rings ---- */

void drvport_ring_publish(u32 slot, struct drvport_ring *ring, u32 count)
{
	u32 old = ring->owner, now = old + count;

	WRITE_ONCE(ring->owner, now);
	if (now - READ_ONCE(ring->peer_wants) - 1 < now - old)
		drvport_ring_tell(slot);
}

int drvport_ring_sleep(u32 slot, u64 deadline)
{
	return SLEEPING(drvport_ring_wait(slot, (u32)deadline, (u32)(deadline >> 32)));
}

int drvport_ring_wait_peer(u32 slot, struct drvport_ring *ring, u64 deadline)
{
	WRITE_ONCE(ring->owner_wants, READ_ONCE(ring->peer));
	return drvport_ring_sleep(slot, deadline);
}

/* ---- notifications ---- */

int drvport_wait_bits(u32 slot, struct drvport_message *msg, u64 deadline)
{
	return SLEEPING(drvport_ipc_wait(slot, (u32)msg, (u32)deadline, (u32)(deadline >> 32)));
}
