/* SPDX-License-Identifier: GPL-2.0-only */
/* Generated from linux-api/capabilities.ts by linux-api/generate.ts. Do not edit. */

#ifndef DRVPORT_SHIM_ABI_H
#define DRVPORT_SHIM_ABI_H

#define DRVPORT_NUB_BUS 16 /* the bus that `probe` and `remove` are told: it is another domain */
#define DRVPORT_NUB_I2C 1 /* an I2C or SMBus device */
#define DRVPORT_IPC_ENDED (-1) /* the other side has ended, or the capability */
#define DRVPORT_IPC_NO_RIGHT (-2) /* the capability lacks the right */
#define DRVPORT_IPC_EMPTY (-3) /* no such capability */
#define DRVPORT_IPC_DEADLINE (-4) /* it passed */
#define DRVPORT_IPC_CANCELLED (-5) /* the server ended before it answered */
#define DRVPORT_IPC_WINDOW (-6) /* the receiver opened too few slots */
#define DRVPORT_IPC_PROTOCOL (-7) /* the contract does not allow this message now */
#define DRVPORT_IPC_DEADLOCK (-8) /* everybody who could answer waits for the caller */
#define DRVPORT_IPC_NOBODY (-9) /* nobody waits for an answer; nobody answers */
#define DRVPORT_IPC_OCCUPIED (-10) /* the slot is taken */
#define DRVPORT_IPC_BADGED (-11) /* it has another badge for good */
#define DRVPORT_IPC_QUOTA (-12) /* no more capabilities may be held */
#define DRVPORT_IPC_RANGE (-13) /* no such slot, word or byte */
#define DRVPORT_IPC_GONE 0x7fffffffu /* label of the message that a client has gone */
#define DRVPORT_RIGHT_READ 1 /* receive, read */
#define DRVPORT_RIGHT_WRITE 2 /* send, write */
#define DRVPORT_RIGHT_GRANT 4 /* give it to another domain */
#define DRVPORT_RIGHT_MAP 8 /* map it */
#define DRVPORT_RIGHT_ALL 15

/* A message. Words and capabilities beyond their counts are not read and not written. */
struct drvport_message {
	unsigned int label; /* what it asks for or says, 31 bits; of a notification: its bits */
	unsigned int badge; /* in: who speaks */
	unsigned int count; /* words, 0 to 8 */
	unsigned int cap_count; /* capabilities, 0 to 3 */
	unsigned int moved; /* out: bit i: capability i is moved, not copied; bit 8 + i: memory moved exclusively; in: bit i: it is the receiver's alone */
	unsigned int words[8];
	unsigned int caps[3]; /* out: slots; in: slots of the window */
};
_Static_assert(sizeof(struct drvport_message) == 64, "message");

/* Head of a ring; the slots follow. Indices count slots since the start and wrap at 2^32. */
struct drvport_ring {
	unsigned int owner; /* the owner's index: produced or consumed so far */
	unsigned int peer; /* the peer's; the machine writes it and does not read it */
	unsigned int owner_wants; /* the owner wants to hear when the peer passes this index */
	unsigned int peer_wants; /* the peer wants to hear when the owner passes this one */
	unsigned int pad[4];
};
_Static_assert(sizeof(struct drvport_ring) == 32, "ring");

/* A device behind another domain's driver: what `probe` is told of it (bus NUB_BUS, slot: where this lies). */
struct drvport_nub {
	unsigned int kind; /* NUB_*: what its endpoint understands */
	unsigned int handle; /* what `remove` is given */
	unsigned int endpoint; /* slot of the capability to its bus, which its address is the badge of */
	unsigned int address; /* on its bus */
	unsigned char name[32]; /* of its kind, with a zero at the end */
};
_Static_assert(sizeof(struct drvport_nub) == 48, "nub");


/* End this fiber here, however deep in its calls it is. */
__attribute__((import_module("sched"), import_name("exit"), noreturn))
void drvport_sched_exit(void);


/* Somebody else is to run now: called after `preempt`, by code the pipeline adds, when that left the counter below zero. */
__attribute__((import_module("sched"), import_name("resched")))
void drvport_sched_resched(void);


/* The slot of the capability that was granted under this name, or IPC_EMPTY. */
__attribute__((import_module("ipc"), import_name("find")))
int drvport_ipc_find(unsigned int name, unsigned int len);


/* Make an endpoint and offer it under a name: whoever the machine connects gets a capability to it. Returns the slot of the one to receive with, IPC_PROTOCOL for rules that make no sense, IPC_QUOTA. */
__attribute__((import_module("ipc"), import_name("offer")))
int drvport_ipc_offer(unsigned int name, unsigned int len, unsigned int rules, unsigned int rules_len);


/* Make a notification. Returns its slot, or IPC_QUOTA. */
__attribute__((import_module("ipc"), import_name("notification")))
int drvport_ipc_notification(void);


/* End an endpoint or notification one may receive from: everybody who waits there is told, every capability to it ends. */
__attribute__((import_module("ipc"), import_name("close")))
int drvport_ipc_close(unsigned int cap);


/* Send the message and wait for its reply, which replaces it. Returns the label of the reply, or IPC_*. */
__attribute__((import_module("ipc"), import_name("call")))
int drvport_ipc_call(unsigned int cap, unsigned int msg, unsigned int deadline_lo, unsigned int deadline_hi);


/* Send the message; done when it is received. Returns 0 or IPC_*. */
__attribute__((import_module("ipc"), import_name("send")))
int drvport_ipc_send(unsigned int cap, unsigned int msg, unsigned int deadline_lo, unsigned int deadline_hi);


/* Wait for the next message. Returns its label, or IPC_*. */
__attribute__((import_module("ipc"), import_name("receive")))
int drvport_ipc_receive(unsigned int cap, unsigned int msg, unsigned int deadline_lo, unsigned int deadline_hi);


/* Answer the latest caller not yet answered. On an error it still waits. */
__attribute__((import_module("ipc"), import_name("reply")))
int drvport_ipc_reply(unsigned int msg);


/* Answer with the message, then wait for the next one in its place: what the loop of a server does. Returns its label, or IPC_*. */
__attribute__((import_module("ipc"), import_name("reply_receive")))
int drvport_ipc_reply_receive(unsigned int cap, unsigned int msg, unsigned int deadline_lo, unsigned int deadline_hi);


/* From now on whoever receives there hears, by a message with label IPC_GONE and the badge, that the last capability of a client has ended. */
__attribute__((import_module("ipc"), import_name("watch")))
int drvport_ipc_watch(unsigned int cap);


/* Open slots for capabilities that come in messages to this fiber: without it none do. */
__attribute__((import_module("ipc"), import_name("window")))
int drvport_ipc_window(unsigned int first, unsigned int count);


/* Answer ipc.invoke on this endpoint with the `serve` entry from now on, on the thread of the caller. */
__attribute__((import_module("ipc"), import_name("serve")))
int drvport_ipc_serve(unsigned int cap, unsigned int cookie);


/* Call the `serve` entry behind an endpoint and return its answer (31 bits), or IPC_*: IPC_DEADLOCK where the server is at work already or holds interrupts off. Never blocks: for atomic entries too. */
__attribute__((import_module("ipc"), import_name("invoke")))
int drvport_ipc_invoke(unsigned int cap, unsigned int label, unsigned int a, unsigned int b, unsigned int c);


/* Set bits of a notification: those of the badge where there is one. Never blocks. */
__attribute__((import_module("ipc"), import_name("signal")))
int drvport_ipc_signal(unsigned int cap, unsigned int bits);


/* Wait until bits are set; they come as the label of the message and are cleared. Returns 0 or IPC_*. */
__attribute__((import_module("ipc"), import_name("wait")))
int drvport_ipc_wait(unsigned int cap, unsigned int msg, unsigned int deadline_lo, unsigned int deadline_hi);


/* The bits that are set (31 of them), cleared; 0 when there are none, or IPC_*. Never blocks. */
__attribute__((import_module("ipc"), import_name("poll")))
int drvport_ipc_poll(unsigned int cap);


/* Derive a capability into an empty slot, with no more rights and with a badge if it has none. */
__attribute__((import_module("cap"), import_name("mint")))
int drvport_cap_mint(unsigned int from, unsigned int to, unsigned int rights, unsigned int badge);


/* Put it into another slot. */
__attribute__((import_module("cap"), import_name("move")))
int drvport_cap_move(unsigned int from, unsigned int to);


/* Empty a slot. What was derived from it stays. */
__attribute__((import_module("cap"), import_name("remove")))
int drvport_cap_remove(unsigned int cap);


/* End everything derived from it, wherever it lies. All of it fails from the instant this begins; others run in between. Returns how many ended. */
__attribute__((import_module("cap"), import_name("revoke")))
int drvport_cap_revoke(unsigned int cap);


/* RIGHT_* of a capability that can be used, or IPC_*. */
__attribute__((import_module("cap"), import_name("rights")))
int drvport_cap_rights(unsigned int cap);


/* The lowest empty slot, or IPC_QUOTA. */
__attribute__((import_module("cap"), import_name("free")))
int drvport_cap_free(void);


/* Make a memory object, zeroed, and own it. Returns its slot, or IPC_QUOTA. */
__attribute__((import_module("mem"), import_name("create")))
int drvport_mem_create(unsigned int len);


/* Make a memory object of a piece of the domain's own memory: it can be shared and taken back, never given away. Returns its slot, IPC_RANGE, or IPC_QUOTA. */
__attribute__((import_module("mem"), import_name("lend")))
int drvport_mem_lend(unsigned int addr, unsigned int len);


/* Bytes of a memory object, or IPC_*. */
__attribute__((import_module("mem"), import_name("size")))
int drvport_mem_size(unsigned int cap);


/* Copy out of a memory object. 0, or IPC_RANGE when not all of it lies within. */
__attribute__((import_module("mem"), import_name("read")))
int drvport_mem_read(unsigned int cap, unsigned int offset, unsigned int dst, unsigned int len);


/* Copy into a memory object. 0, or IPC_RANGE, and nothing is written. */
__attribute__((import_module("mem"), import_name("write")))
int drvport_mem_write(unsigned int cap, unsigned int offset, unsigned int src, unsigned int len);


/* Map a piece of it beyond linear memory, for mmio.read and mmio.write. Returns the address, or 0. It ends when the capability it was made by is revoked. */
__attribute__((import_module("mem"), import_name("map")))
unsigned int drvport_mem_map(unsigned int cap, unsigned int offset, unsigned int len);


/* Undo map. */
__attribute__((import_module("mem"), import_name("unmap")))
int drvport_mem_unmap(unsigned int addr);


/* Make a ring in the domain's own memory. Returns the owner's slot; who is given one derived from it is the peer. */
__attribute__((import_module("ring"), import_name("create")))
int drvport_ring_create(unsigned int addr, unsigned int slots, unsigned int slot_bytes, unsigned int outward);


/* Peer: take what is there, and tell the owner if it asked for that. Returns how many slots. */
__attribute__((import_module("ring"), import_name("take")))
int drvport_ring_take(unsigned int cap, unsigned int dst, unsigned int max);


/* Peer: put slots, and tell the owner if it asked for that. Returns how many there was room for. */
__attribute__((import_module("ring"), import_name("put")))
int drvport_ring_put(unsigned int cap, unsigned int src, unsigned int count);


/* Owner: the peer asked to hear of the slot just passed (its event index in the ring). */
__attribute__((import_module("ring"), import_name("tell")))
int drvport_ring_tell(unsigned int cap);


/* Wait until the other side went on: the peer for slots to move, the owner for what it wrote as its event index. 0, or IPC_ENDED when nobody is there. */
__attribute__((import_module("ring"), import_name("wait")))
int drvport_ring_wait(unsigned int cap, unsigned int deadline_lo, unsigned int deadline_hi);


#ifdef DRVPORT_SHIM
/* atomic: Whether the fiber that runs may be stopped here for another domain: not while it holds a spinlock. Without this entry it always may. */
__attribute__((export_name("preemptible"), used)) int drvport_entry_preemptible(void);
#endif

#ifdef DRVPORT_SHIM
/* process: Go once through what every thread of the driver depends on (timer, softirq, each work queue, the lock of network configuration), and return. One that does not return serves nobody. */
__attribute__((export_name("heartbeat"), used)) void drvport_entry_heartbeat(void);
#endif

#ifdef DRVPORT_SHIM
/* process: Show or store an attribute of a device; of a shorter path, list what is below. Returns bytes, or a negative errno. */
__attribute__((export_name("attribute"), used)) int drvport_entry_attribute(unsigned int buffer, unsigned int path_len, unsigned int value_len, unsigned int size);
#endif

#ifdef DRVPORT_SHIM
/* atomic: ipc.invoke by another domain, on its thread. Returns the answer, 31 bits. */
__attribute__((export_name("serve"), used)) int drvport_entry_serve(unsigned int cookie, unsigned int badge, unsigned int label, unsigned int a, unsigned int b, unsigned int c);
#endif

#endif
