/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conversations with other domains, for drivers that offer a service or use one: the calls of the ABI with Linux's contexts
 * and errors around them. Errors are negative errno; a deadline is a time of ktime_get_ns().
 */
#ifndef DRVPORT_IPC_H
#define DRVPORT_IPC_H

#include <linux/types.h>
#include <drvport_shim_abi.h>

#define DRVPORT_FOREVER (~0ULL)

/* The slot of what was granted under a name; -ENOENT. */
int drvport_service_find(const char *name);
/* Offer an endpoint; rules is a contract (docs/microkernel.md) or NULL. The slot to receive with. */
int drvport_service_offer(const char *name, const char *rules);
/* Nobody is served there any more; who waits is told. */
void drvport_service_close(u32 slot);
/* Answer drvport_ipc_invoke with fn, in hard interrupt context, on the caller's thread. 31 bits. */
int drvport_service_passive(u32 slot, u32 (*fn)(u32 badge, u32 label, u32 a, u32 b, u32 c));

/* These may sleep. The label of what came in, or an error. */
int drvport_call(u32 slot, struct drvport_message *msg, u64 deadline);
int drvport_send(u32 slot, struct drvport_message *msg, u64 deadline);
int drvport_receive(u32 slot, struct drvport_message *msg, u64 deadline);
int drvport_reply_receive(u32 slot, struct drvport_message *msg, u64 deadline);
/* Wait for bits of a notification: they are the message's label. */
int drvport_wait_bits(u32 slot, struct drvport_message *msg, u64 deadline);

/*
 * The owner's side of a ring, in place: no call unless the peer asked to hear. An outward ring's owner produces; its
 * room is what the peer has taken. The peer's index is another's word: more than the ring has is none.
 */
static inline u32 drvport_ring_room(const struct drvport_ring *ring, u32 slots)
{
	u32 used = ring->owner - READ_ONCE(ring->peer);

	return used > slots ? 0 : slots - used;
}

static inline void *drvport_ring_slot(struct drvport_ring *ring, u32 slots, u32 slot_bytes, u32 index)
{
	return (u8 *)(ring + 1) + (index & (slots - 1)) * slot_bytes;
}

/* The slots up to here are the peer's. */
void drvport_ring_publish(u32 slot, struct drvport_ring *ring, u32 count);
/* Wait until the peer has gone on from where it is, or has gone. These may sleep. */
int drvport_ring_wait_peer(u32 slot, struct drvport_ring *ring, u64 deadline);
/* The peer's: wait until there is something to move. */
int drvport_ring_sleep(u32 slot, u64 deadline);

#endif
