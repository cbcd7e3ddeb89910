/* SPDX-License-Identifier: GPL-2.0-only */
/* Generated from linux-api/capabilities.ts by linux-api/generate.ts. Do not edit. */

#ifndef DRVPORT_SHIM_ABI_H
#define DRVPORT_SHIM_ABI_H

#include <drvport_abi.h>

#define DRVPORT_ABI_VERSION 2

#define DRVPORT_MMIO_BASE 0xc0000000u /* first address mmio.map may return */
#define DRVPORT_MMIO_END 0xffff0000u /* one past the last */
#define DRVPORT_E_PERM (-1) /* no capability */
#define DRVPORT_E_IO (-5) /* device error */
#define DRVPORT_E_NOMEM (-12) /* out of memory */
#define DRVPORT_E_BUSY (-16) /* in use */
#define DRVPORT_E_NODEV (-19) /* no such device */
#define DRVPORT_E_INVAL (-22) /* bad argument */
#define DRVPORT_E_NOSPC (-28) /* none left */
#define DRVPORT_E_TIMEDOUT (-110) /* deadline passed */
#define DRVPORT_E_OPNOTSUPP (-95) /* not offered */
#define DRVPORT_LOG_EMERG 0
#define DRVPORT_LOG_ALERT 1
#define DRVPORT_LOG_CRIT 2
#define DRVPORT_LOG_ERR 3
#define DRVPORT_LOG_WARNING 4
#define DRVPORT_LOG_NOTICE 5
#define DRVPORT_LOG_INFO 6
#define DRVPORT_LOG_DEBUG 7
#define DRVPORT_VECTOR_INTX 0
#define DRVPORT_VECTOR_MSI 1
#define DRVPORT_VECTOR_MSIX 2
#define DRVPORT_DMA_BIDIRECTIONAL 0 /* read and write */
#define DRVPORT_DMA_TO_DEVICE 1 /* device reads */
#define DRVPORT_DMA_FROM_DEVICE 2 /* device writes */
#define DRVPORT_DMA_ERROR 0xffffffffu /* map failed */
#define DRVPORT_FRAME_CSUM_OK 1 /* rx: hardware verified the checksum */
#define DRVPORT_FRAME_CSUM_PARTIAL 2 /* tx: hardware must fill the checksum in */
#define DRVPORT_FRAME_VLAN 4 /* vlan field is valid */
#define DRVPORT_FRAME_TSO4 8 /* tx: segment as TCP over IPv4 */
#define DRVPORT_FRAME_BROADCAST 16 /* rx */
#define DRVPORT_FRAME_MULTICAST 32 /* rx */
#define DRVPORT_FRAME_OTHERHOST 64 /* rx: not addressed to us */
#define DRVPORT_NETF_SG 1
#define DRVPORT_NETF_CSUM 2 /* transmit checksum */
#define DRVPORT_NETF_RXCSUM 4
#define DRVPORT_NETF_TSO 8
#define DRVPORT_NETF_VLAN_TX 16
#define DRVPORT_NETF_VLAN_RX 32
#define DRVPORT_NETF_VLAN_FILTER 64
#define DRVPORT_FAULT_BUG 1 /* BUG() or a failed assertion that stops the kernel */
#define DRVPORT_FAULT_NULL_DEREFERENCE 2 /* the compiler's check found a null pointer */
#define DRVPORT_FAULT_SLEEP_IN_ATOMIC 3 /* blocked where blocking is forbidden */
#define DRVPORT_FAULT_OUT_OF_MEMORY 4 /* an allocation that cannot fail failed */
#define DRVPORT_FAULT_PANIC 5 /* panic() */
#define DRVPORT_FAULT_TRAP_SYMBOL 6 /* a kernel function nobody provides was called */
#define DRVPORT_FAULT_HEAP_CORRUPTION 7 /* double free, free of something never allocated, overwritten guard */
#define DRVPORT_FAULT_DEADLOCK 8 /* waits for itself */
#define DRVPORT_FAULT_LEAK 9 /* something was left behind */
#define DRVPORT_FAULT_UNDEFINED 10 /* undefined behaviour caught by a compiler check */
#define DRVPORT_IRQ_TIMER 0x40000000u /* the armed deadline passed */
#define DRVPORT_IRQ_REQUEST 0x40000001u /* call.take has something */
#define DRVPORT_IRQ_FRAMES 0x40000002u /* net.fetch has something */
#define DRVPORT_IRQ_MESSAGE 0x40000003u /* ipc.next has something */
#define DRVPORT_REQUEST_LOAD 1 /* load a module; data: struct module_image */
#define DRVPORT_REQUEST_UNLOAD 2 /* unload a module; data: its name */
#define DRVPORT_REQUEST_PCI_ADD 3 /* a function was granted: args[0] */
#define DRVPORT_REQUEST_PCI_REMOVE 4 /* it goes away: args[0] */
#define DRVPORT_REQUEST_SYSCALL 5 /* a system call; data: struct syscall and the memory it is about */
#define DRVPORT_REQUEST_CANCEL 6 /* a system call that waits is to return: the request args[0] */
#define DRVPORT_REQUEST_NUB_ADD 7 /* a device of another domain's bus was granted; data: struct nub */
#define DRVPORT_REQUEST_NUB_REMOVE 8 /* it goes away: the handle args[0] */
#define DRVPORT_REQUEST_HEARTBEAT 9 /* show that the kernel does its work; data: room for struct waiting[]; returns how many there are */
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
#define DRVPORT_IPC_LATER (-14) /* it must wait; ipc.next says for what */
#define DRVPORT_IPC_GONE 0x7fffffffu /* label of the message that a client has gone */
#define DRVPORT_RIGHT_READ 1 /* receive, read */
#define DRVPORT_RIGHT_WRITE 2 /* send, write */
#define DRVPORT_RIGHT_GRANT 4 /* give it to another domain */
#define DRVPORT_RIGHT_MAP 8 /* map it */
#define DRVPORT_RIGHT_ALL 15

/* An interface on offer. */
struct drvport_net_desc {
	unsigned char name[16]; /* NUL-terminated; the machine may rename (eth%d) */
	unsigned char mac[6];
	unsigned short pad;
	unsigned int slot; /* PCI function handle behind it, all ones if none */
	unsigned int mtu;
	unsigned int min_mtu;
	unsigned int max_mtu;
	unsigned int features; /* NETF_*: what the hardware does for us */
	unsigned int arena; /* transmit arena: address */
	unsigned int arena_slots; /* slots in it */
	unsigned int arena_slot_bytes; /* bytes a slot */
};
_Static_assert(sizeof(struct drvport_net_desc) == 56, "net_desc");

/* One frame in linear memory. */
struct drvport_net_frame {
	unsigned int addr;
	unsigned int len; /* bytes, without FCS */
	unsigned int flags; /* FRAME_* */
	unsigned short vlan; /* tag taken out by, or to be put in by, the hardware */
	unsigned short csum_start; /* with FRAME_CSUM_PARTIAL: where summing starts */
	unsigned short csum_offset; /* and where, after csum_start, the sum goes */
	unsigned short gso_size; /* segment payload for FRAME_TSO4, else 0 */
};
_Static_assert(sizeof(struct drvport_net_frame) == 20, "net_frame");

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

/* A device behind another domain's driver, as REQUEST_NUB_ADD tells of it. */
struct drvport_nub {
	unsigned int kind; /* NUB_*: what its endpoint understands */
	unsigned int handle; /* what REQUEST_NUB_REMOVE is told */
	unsigned int endpoint; /* slot of the capability to its bus, which its address is the badge of */
	unsigned int address; /* on its bus */
	unsigned char name[32]; /* of its kind, with a zero at the end */
};
_Static_assert(sizeof(struct drvport_nub) == 48, "nub");

/* What the machine asks for. */
struct drvport_request {
	unsigned int id;
	unsigned int kind; /* REQUEST_* */
	unsigned int args[4];
	unsigned int bytes; /* of data that comes with it */
};
_Static_assert(sizeof(struct drvport_request) == 28, "request");

/* A task that waits and cannot be interrupted, as the answer to a heartbeat tells it. */
struct drvport_waiting {
	unsigned int fiber;
	unsigned char name[16];
};
_Static_assert(sizeof(struct drvport_waiting) == 20, "waiting");

/* A system call of the personality; memory that it is about follows. */
struct drvport_syscall {
	unsigned int number;
	unsigned int pointers; /* bit i: args[i] is an offset into the memory that follows */
	unsigned int args[6];
	unsigned int within; /* how many words lie at the end of that memory: offsets of words in it that are such offsets too */
};
_Static_assert(sizeof(struct drvport_syscall) == 36, "syscall");

/* A module that has been instantiated, as REQUEST_LOAD describes it; its sections follow, then its information, then its parameters. */
struct drvport_module_image {
	unsigned int place; /* address of its struct module */
	unsigned int place_bytes; /* of that and the sections after it */
	unsigned int init; /* table slot, 0 for none */
	unsigned int exit; /* table slot, 0 for none */
	unsigned int sections; /* how many */
	unsigned int information; /* bytes of .modinfo */
	unsigned char name[56]; /* NUL-terminated */
};
_Static_assert(sizeof(struct drvport_module_image) == 80, "module_image");

/* A table in the data of a module that Linux walks. */
struct drvport_module_section {
	unsigned char name[40]; /* NUL-terminated */
	unsigned int address;
	unsigned int bytes;
	unsigned int align; /* bytes */
};
_Static_assert(sizeof(struct drvport_module_section) == 52, "module_section");


/* ---- log: Log records and self-reported failure. Every domain holds it, within a volume quota. ---- */
/* One log record, UTF-8, without a trailing newline. */
__attribute__((import_module("log"), import_name("write")))
void drvport_log_write(unsigned int level, unsigned int text, unsigned int len);

/* The driver has failed and says how. The domain ends here; the call never returns. */
__attribute__((import_module("log"), import_name("fault"), noreturn))
void drvport_log_fault(unsigned int kind, unsigned int text, unsigned int len);

/* Bytes of the machine's one seeded source, for the domain's own. */
__attribute__((import_module("log"), import_name("seed")))
void drvport_log_seed(unsigned int out, unsigned int len);


/* ---- pci: PCI functions granted to the domain: configuration space, BARs, interrupt vectors, reset. ---- */
/* bus << 8 | device << 3 | function, or E_NODEV. */
__attribute__((import_module("pci"), import_name("location")))
int drvport_pci_location(unsigned int fn);

/* Read configuration space; all ones where nothing answers. */
__attribute__((import_module("pci"), import_name("config_read")))
unsigned int drvport_pci_config_read(unsigned int fn, unsigned int offset, unsigned int width);

/* Write configuration space. BARs and MSI address/data registers belong to the host: E_PERM. */
__attribute__((import_module("pci"), import_name("config_write")))
int drvport_pci_config_write(unsigned int fn, unsigned int offset, unsigned int width, unsigned int value);

/* Allocate interrupt vectors; returns the first interrupt number (they are consecutive) or E_NOSPC / E_INVAL. VECTOR_INTX returns the line. */
__attribute__((import_module("pci"), import_name("vectors")))
int drvport_pci_vectors(unsigned int fn, unsigned int kind, unsigned int count);

/* Give MSI or MSI-X vectors back and return to INTx. */
__attribute__((import_module("pci"), import_name("vectors_free")))
int drvport_pci_vectors_free(unsigned int fn);


/* ---- dma: Windows of linear memory that a device may reach. Anything outside them is an IOMMU fault. ---- */
/* Open a window; returns the bus address the device must use, or DMA_ERROR. */
__attribute__((import_module("dma"), import_name("map")))
unsigned int drvport_dma_map(unsigned int fn, unsigned int addr, unsigned int len, unsigned int dir);

/* Close a window. E_INVAL when it is not open (a double unmap), which is also reported. */
__attribute__((import_module("dma"), import_name("unmap")))
int drvport_dma_unmap(unsigned int fn, unsigned int iova, unsigned int len);

/* Address bits the device can drive, 1 to 64. */
__attribute__((import_module("dma"), import_name("set_mask")))
int drvport_dma_set_mask(unsigned int fn, unsigned int bits);


/* ---- irq: Interrupt lines and messages granted to the domain. ---- */
/* Deliver this interrupt from now on, by irq.take. Starts unmasked. */
__attribute__((import_module("irq"), import_name("attach")))
int drvport_irq_attach(unsigned int irq);

/* Stop delivery. */
__attribute__((import_module("irq"), import_name("detach")))
int drvport_irq_detach(unsigned int irq);

/* Hold delivery back. Nests. */
__attribute__((import_module("irq"), import_name("mask")))
int drvport_irq_mask(unsigned int irq);

/* Undo one mask; what was held back can be taken. */
__attribute__((import_module("irq"), import_name("unmask")))
int drvport_irq_unmask(unsigned int irq);

/* The next interrupt to be handled, or IRQ_TIMER, IRQ_REQUEST; -1 when there is nothing more. */
__attribute__((import_module("irq"), import_name("take")))
int drvport_irq_take(void);

/* An interrupt that was taken has been handled: what is still asserted comes again. */
__attribute__((import_module("irq"), import_name("done")))
void drvport_irq_done(unsigned int irq);


/* ---- time: Virtual time. ---- */
/* Nanoseconds since the machine started. */
__attribute__((import_module("time"), import_name("now")))
void drvport_time_now(unsigned int out);

/* Nanoseconds since 1970 by the machine's own (virtual) clock. */
__attribute__((import_module("time"), import_name("wall")))
void drvport_time_wall(unsigned int out);

/* Arm the domain's one timer: irq.take says IRQ_TIMER at or after the deadline. Replaces the earlier deadline. */
__attribute__((import_module("time"), import_name("set_timer")))
void drvport_time_set_timer(unsigned int deadline_lo, unsigned int deadline_hi);

/* Busy wait, for one turn at most, until something is to be delivered and interrupts are on, or others may want the processor. Returns the ns left. */
__attribute__((import_module("time"), import_name("pass")))
unsigned int drvport_time_pass(unsigned int ns);


/* ---- sched: Tasks as fibers, each with a C stack of its own. The program says which of them runs; the machine, whether the program does. ---- */
/* The current fiber, 1 and up; 0 in an atomic entry that no fiber was interrupted by. */
__attribute__((import_module("sched"), import_name("self")))
unsigned int drvport_sched_self(void);

/* The work counter ran out (called by code the pipeline adds at loop back-edges). */
__attribute__((import_module("sched"), import_name("preempt")))
void drvport_sched_preempt(void);

/* Somebody else is to run now: called after `preempt`, by code the pipeline adds, when that left the counter below zero. */
__attribute__((import_module("sched"), import_name("resched")))
void drvport_sched_resched(void);

/* The C stack pointer left its region (called by code the pipeline adds). */
__attribute__((import_module("sched"), import_name("stack_overflow"), noreturn))
void drvport_sched_stack_overflow(void);

/* A fiber with a C stack of the program, which runs when it is switched to. Its number, or 0 when the quota is exhausted. */
__attribute__((import_module("sched"), import_name("create")))
unsigned int drvport_sched_create(unsigned int arg, unsigned int base, unsigned int top);

/* Another fiber made by `create` goes on at once, in the place of this one, which goes on when it is switched to. Then 0; 1 when the machine has given the domain up and asks where this fiber waits: it must fail there. */
__attribute__((import_module("sched"), import_name("switch")))
unsigned int drvport_sched_switch(unsigned int fiber);

/* A fiber that was switched away from, or never to, will not be switched to any more. */
__attribute__((import_module("sched"), import_name("release")))
void drvport_sched_release(unsigned int fiber);

/* Nobody can run: wait until there is something to deliver. */
__attribute__((import_module("sched"), import_name("idle")))
void drvport_sched_idle(void);

/* The program is up: from here on it takes requests. All its other fibers are parked; its memory may be kept as an image, from which others like it begin. */
__attribute__((import_module("sched"), import_name("ready")))
void drvport_sched_ready(void);


/* ---- call: What the machine asks of the domain: requests, announced by the interrupt IRQ_REQUEST. ---- */
/* The next request: 1, or 0 when there is none. */
__attribute__((import_module("call"), import_name("take")))
int drvport_call_take(unsigned int out);

/* What came with a request that was taken. 0, or E_INVAL. */
__attribute__((import_module("call"), import_name("data")))
int drvport_call_data(unsigned int id, unsigned int dst);

/* A request has been carried out. */
__attribute__((import_module("call"), import_name("done")))
void drvport_call_done(unsigned int id, int result, unsigned int data);

/* Somebody asks for a module by its name or an alias. Bytes of the image of the one that is to be loaded next for it; 0 when all are; E_NODEV when there is none. */
__attribute__((import_module("call"), import_name("wanted")))
int drvport_call_wanted(unsigned int name, unsigned int len);

/* Put that module in its place, and its image where it is wanted. 0, or E_INVAL when it is not of so many bytes any more. */
__attribute__((import_module("call"), import_name("module")))
int drvport_call_module(unsigned int name, unsigned int len, unsigned int dst, unsigned int bytes);


/* ---- net: Ethernet interfaces offered by the domain to the machine's network service. ---- */
/* Offer an interface; returns its handle or an error. */
__attribute__((import_module("net"), import_name("register")))
int drvport_net_register(unsigned int desc);

/* Withdraw it. Frames in flight are dropped. */
__attribute__((import_module("net"), import_name("unregister")))
int drvport_net_unregister(unsigned int net);

/* Link came up (1) or went down (0). */
__attribute__((import_module("net"), import_name("carrier")))
void drvport_net_carrier(unsigned int net, unsigned int up);

/* Transmit queue stopped (0) or accepting (1). */
__attribute__((import_module("net"), import_name("queue")))
void drvport_net_queue(unsigned int net, unsigned int awake);

/* Received frames; the machine has copied them when the call returns. */
__attribute__((import_module("net"), import_name("rx")))
void drvport_net_rx(unsigned int net, unsigned int vec, unsigned int count);

/* Frames to be sent: the machine fills the transmit arena from its start. Returns how many. */
__attribute__((import_module("net"), import_name("fetch")))
unsigned int drvport_net_fetch(unsigned int net);

/* Address, MTU, name or features changed. */
__attribute__((import_module("net"), import_name("changed")))
void drvport_net_changed(unsigned int net, unsigned int desc);


/* ---- ipc: Conversations with other domains, through endpoints and notifications that the domain holds. Results below zero are IPC_*. ---- */
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

/* Of a program that switches between its tasks itself, whose calls that must wait return IPC_LATER: the next fiber that need not wait any more, announced by IRQ_MESSAGE; 0 when there is none. */
__attribute__((import_module("ipc"), import_name("next")))
unsigned int drvport_ipc_next(unsigned int out);


/* ---- cap: The capability space of the domain. Rights only shrink; results below zero are IPC_*. ---- */
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


/* ---- mem: Memory shared between domains. Results below zero are IPC_*. ---- */
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


/* ---- ring: Rings of slots in memory that one side, the owner, lends (layout: struct ring). The owner works on it in place. Results below zero are IPC_*. ---- */
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


#ifdef DRVPORT_SHIM /* entries: defined by the shim, in one place each */

/* process: Bring the kernel up. Does not return: the fiber becomes the one that idles. */
__attribute__((export_name("start"), used)) void drvport_entry_start(unsigned int bytes, unsigned int fiber);

/* process: Body of a fiber made by sched.create. */
__attribute__((export_name("task"), used)) void drvport_entry_task(unsigned int arg);

/* process: Body of a fiber of a domain that began from an image: it goes on with what it was given when it was created. */
__attribute__((export_name("resume"), used)) void drvport_entry_resume(unsigned int arg);

/* atomic: Take what there is, if interrupts are on. Called where the work of a module bound to the core is counted, and never by the machine. */
__attribute__((export_name("look"), used)) void drvport_entry_look(void);

/* atomic: ipc.invoke by another domain, on its thread. Returns the answer, 31 bits; the upper one says that a task can go on. */
__attribute__((export_name("serve"), used)) int drvport_entry_serve(unsigned int cookie, unsigned int badge, unsigned int label, unsigned int a, unsigned int b, unsigned int c);


/* Non-zero while the domain holds interrupts off; the machine reads it before it stops a fiber, ends a busy wait or lets another domain in. */
extern unsigned int drvport_irqs_off;
/* The machine sets it when there is something for irq.take; the core looks at it when it turns interrupts on. */
extern unsigned int drvport_pending;

#endif

#endif
