/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conversations with other domains, for the shim's files that offer a service or use one: the calls of the ABI with
 * Linux's contexts and errors around them. Errors are negative errno; a deadline is absolute virtual time in ns.
 */
#ifndef DRVPORT_IPC_H
#define DRVPORT_IPC_H

#include <linux/types.h>
#include <drvport_abi.h>
#include <drvport_shim_abi.h>

#ifndef DRVPORT_FOREVER
#define DRVPORT_FOREVER (~0ULL)
#endif

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

/* IPC_* as errno; what is not negative stays. */
int drvport_ipc_errno(int result);

#endif
