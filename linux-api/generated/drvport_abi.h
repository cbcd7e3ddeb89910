/* SPDX-License-Identifier: GPL-2.0-only */
/* Generated from linux-api/capabilities.ts by linux-api/generate.ts. Do not edit. */

#ifndef DRVPORT_ABI_H
#define DRVPORT_ABI_H

#define DRVPORT_ABI_VERSION 1

#define DRVPORT_TICK_HZ 250 /* ticks a second */
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
#define DRVPORT_BUS_PCI 1
#define DRVPORT_BUS_PLATFORM 2
#define DRVPORT_VECTOR_INTX 0
#define DRVPORT_VECTOR_MSI 1
#define DRVPORT_VECTOR_MSIX 2
#define DRVPORT_DMA_BIDIRECTIONAL 0 /* read and write */
#define DRVPORT_DMA_TO_DEVICE 1 /* device reads */
#define DRVPORT_DMA_FROM_DEVICE 2 /* device writes */
#define DRVPORT_DMA_ERROR 0xffffffffu /* map failed */
#define DRVPORT_BAR_IO 1 /* ports */
#define DRVPORT_BAR_MEM64 2 /* 64-bit memory */
#define DRVPORT_BAR_PREFETCH 4 /* prefetchable */
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
#define DRVPORT_FILTER_PROMISC 1
#define DRVPORT_FILTER_ALLMULTI 2
#define DRVPORT_SELFTEST_OFFLINE 1
#define DRVPORT_SELFTEST_FAILED 0x40000000u /* or-ed into the result */
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

#ifndef __ASSEMBLY__

/* A base address register as the host placed it. */
struct drvport_bar {
	unsigned long long start; /* bus address, or first port */
	unsigned long long length; /* bytes */
	unsigned int flags; /* BAR_* */
	unsigned int pad;
};
_Static_assert(sizeof(struct drvport_bar) == 24, "bar");

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

/* Interface statistics, the driver's own count. */
struct drvport_net_stats {
	unsigned long long rx_packets;
	unsigned long long tx_packets;
	unsigned long long rx_bytes;
	unsigned long long tx_bytes;
	unsigned long long rx_errors;
	unsigned long long tx_errors;
	unsigned long long rx_dropped;
	unsigned long long tx_dropped;
	unsigned long long multicast;
	unsigned long long collisions;
	unsigned long long rx_length_errors;
	unsigned long long rx_over_errors;
	unsigned long long rx_crc_errors;
	unsigned long long rx_frame_errors;
	unsigned long long rx_fifo_errors;
	unsigned long long rx_missed_errors;
	unsigned long long tx_aborted_errors;
	unsigned long long tx_carrier_errors;
	unsigned long long tx_fifo_errors;
	unsigned long long tx_heartbeat_errors;
	unsigned long long tx_window_errors;
};
_Static_assert(sizeof(struct drvport_net_stats) == 168, "net_stats");

/* Link settings. */
struct drvport_net_link {
	unsigned int up;
	unsigned int speed; /* Mb/s, all ones when unknown */
	unsigned int duplex; /* 0 half, 1 full, 255 unknown */
	unsigned int autoneg;
};
_Static_assert(sizeof(struct drvport_net_link) == 16, "net_link");

/* What the driver says of itself. */
struct drvport_net_info {
	unsigned char driver[32];
	unsigned char version[32];
	unsigned char firmware[32];
	unsigned char bus[32];
	unsigned int registers_bytes;
	unsigned int eeprom_bytes;
};
_Static_assert(sizeof(struct drvport_net_info) == 136, "net_info");

/* A named number: private counter or self-test result (0 passed). */
struct drvport_net_value {
	unsigned char name[32];
	unsigned long long value;
};
_Static_assert(sizeof(struct drvport_net_value) == 40, "net_value");

/* What the driver side still holds. All zero (but reserved_pages) after exit. */
struct drvport_census {
	unsigned int heap_objects; /* kmalloc and slab objects */
	unsigned int heap_bytes;
	unsigned int pages; /* pages allocated by the driver */
	unsigned int reserved_pages; /* pages the shim itself keeps (stacks, slabs, memory map) */
	unsigned int irqs;
	unsigned int timers;
	unsigned int work; /* pending or running work items */
	unsigned int tasks; /* kernel threads and blocked callers */
	unsigned int mappings; /* ioremap ranges */
	unsigned int dma; /* DMA windows */
	unsigned int devices; /* registered devices, drivers, interfaces */
	unsigned int resources; /* claimed regions */
};
_Static_assert(sizeof(struct drvport_census) == 48, "census");


/* ---- log: Log records and self-reported failure. Every domain holds it, within a volume quota. ---- */
/* One log record, UTF-8, without a trailing newline. */
__attribute__((import_module("log"), import_name("write")))
void drvport_log_write(unsigned int level, unsigned int text, unsigned int len);

/* The driver has failed and says how. The domain ends here; the call never returns. */
__attribute__((import_module("log"), import_name("fault"), noreturn))
void drvport_log_fault(unsigned int kind, unsigned int text, unsigned int len);

/* ---- mmio: Device memory. A mapping is a range of addresses beyond linear memory, so a plain dereference of it traps. ---- */
/* Map part of a granted memory BAR. Returns the address, or 0 when no capability covers the range. */
__attribute__((import_module("mmio"), import_name("map")))
unsigned int drvport_mmio_map(unsigned int phys_lo, unsigned int phys_hi, unsigned int len);

/* Undo map. 0, or E_INVAL. */
__attribute__((import_module("mmio"), import_name("unmap")))
int drvport_mmio_unmap(unsigned int addr);

/* Read a byte. */
__attribute__((import_module("mmio"), import_name("read8")))
unsigned int drvport_mmio_read8(unsigned int addr);

/* Read two bytes, little-endian. */
__attribute__((import_module("mmio"), import_name("read16")))
unsigned int drvport_mmio_read16(unsigned int addr);

/* Read four bytes, little-endian. */
__attribute__((import_module("mmio"), import_name("read32")))
unsigned int drvport_mmio_read32(unsigned int addr);

/* Write a byte. */
__attribute__((import_module("mmio"), import_name("write8")))
void drvport_mmio_write8(unsigned int addr, unsigned int value);

/* Write two bytes. */
__attribute__((import_module("mmio"), import_name("write16")))
void drvport_mmio_write16(unsigned int addr, unsigned int value);

/* Write four bytes. */
__attribute__((import_module("mmio"), import_name("write32")))
void drvport_mmio_write32(unsigned int addr, unsigned int value);

/* Read one register repeatedly into memory. */
__attribute__((import_module("mmio"), import_name("read_rep")))
void drvport_mmio_read_rep(unsigned int addr, unsigned int width, unsigned int dst, unsigned int count);

/* Write memory to one register repeatedly. */
__attribute__((import_module("mmio"), import_name("write_rep")))
void drvport_mmio_write_rep(unsigned int addr, unsigned int width, unsigned int src, unsigned int count);

/* ---- pio: I/O ports. A port is usable when it lies in a granted I/O BAR or a granted fixed range. ---- */
/* Read a byte. */
__attribute__((import_module("pio"), import_name("in8")))
unsigned int drvport_pio_in8(unsigned int port);

/* Read two bytes. */
__attribute__((import_module("pio"), import_name("in16")))
unsigned int drvport_pio_in16(unsigned int port);

/* Read four bytes. */
__attribute__((import_module("pio"), import_name("in32")))
unsigned int drvport_pio_in32(unsigned int port);

/* Write a byte. */
__attribute__((import_module("pio"), import_name("out8")))
void drvport_pio_out8(unsigned int port, unsigned int value);

/* Write two bytes. */
__attribute__((import_module("pio"), import_name("out16")))
void drvport_pio_out16(unsigned int port, unsigned int value);

/* Write four bytes. */
__attribute__((import_module("pio"), import_name("out32")))
void drvport_pio_out32(unsigned int port, unsigned int value);

/* Read one port repeatedly into memory. */
__attribute__((import_module("pio"), import_name("in_rep")))
void drvport_pio_in_rep(unsigned int port, unsigned int width, unsigned int dst, unsigned int count);

/* Write memory to one port repeatedly. */
__attribute__((import_module("pio"), import_name("out_rep")))
void drvport_pio_out_rep(unsigned int port, unsigned int width, unsigned int src, unsigned int count);

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

/* Describe a BAR as the host placed it. 0, or E_NODEV when it is not implemented. */
__attribute__((import_module("pci"), import_name("bar")))
int drvport_pci_bar(unsigned int fn, unsigned int index, unsigned int out);

/* Allocate interrupt vectors; returns the first interrupt number (they are consecutive) or E_NOSPC / E_INVAL. VECTOR_INTX returns the line. */
__attribute__((import_module("pci"), import_name("vectors")))
int drvport_pci_vectors(unsigned int fn, unsigned int kind, unsigned int count);

/* Give MSI or MSI-X vectors back and return to INTx. */
__attribute__((import_module("pci"), import_name("vectors_free")))
int drvport_pci_vectors_free(unsigned int fn);

/* Function-level reset. */
__attribute__((import_module("pci"), import_name("reset")))
int drvport_pci_reset(unsigned int fn);

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
/* Deliver this interrupt to the `irq` entry from now on. Starts unmasked. */
__attribute__((import_module("irq"), import_name("attach")))
int drvport_irq_attach(unsigned int irq);

/* Stop delivery. */
__attribute__((import_module("irq"), import_name("detach")))
int drvport_irq_detach(unsigned int irq);

/* Hold delivery back. Nests. */
__attribute__((import_module("irq"), import_name("mask")))
int drvport_irq_mask(unsigned int irq);

/* Undo one mask; what is pending is delivered at once if interrupts are on. */
__attribute__((import_module("irq"), import_name("unmask")))
int drvport_irq_unmask(unsigned int irq);

/* Interrupts were turned on while `pending` was set: deliver now. */
__attribute__((import_module("irq"), import_name("deliver")))
void drvport_irq_deliver(void);

/* ---- time: Virtual time. ---- */
/* Nanoseconds since the machine started. */
__attribute__((import_module("time"), import_name("now")))
void drvport_time_now(unsigned int out);

/* Nanoseconds since 1970 by the machine's own (virtual) clock. */
__attribute__((import_module("time"), import_name("wall")))
void drvport_time_wall(unsigned int out);

/* Arm the domain's one timer: the `timer` entry is called at or after the deadline. Replaces the earlier deadline. */
__attribute__((import_module("time"), import_name("set_timer")))
void drvport_time_set_timer(unsigned int deadline_lo, unsigned int deadline_hi);

/* Busy wait. Time passes; devices work; interrupts arrive if they are on. */
__attribute__((import_module("time"), import_name("delay")))
void drvport_time_delay(unsigned int ns);

/* ---- sched: Fibers. A fiber runs until it blocks; a wake-up of a fiber that is not blocked is remembered once. ---- */
/* The current fiber, 1 and up; 0 in an atomic entry that no fiber was interrupted by. */
__attribute__((import_module("sched"), import_name("self")))
unsigned int drvport_sched_self(void);

/* New fiber, which calls the `fiber` entry with arg. Returns its id, 0 when the quota is exhausted. */
__attribute__((import_module("sched"), import_name("spawn")))
unsigned int drvport_sched_spawn(unsigned int arg);

/* Suspend this fiber until it is woken (0) or the deadline passes (1). */
__attribute__((import_module("sched"), import_name("block")))
unsigned int drvport_sched_block(unsigned int deadline_lo, unsigned int deadline_hi);

/* Make a fiber runnable. */
__attribute__((import_module("sched"), import_name("wake")))
void drvport_sched_wake(unsigned int fiber);

/* Let other runnable fibers run. */
__attribute__((import_module("sched"), import_name("yield")))
void drvport_sched_yield(void);

/* Ask for the `softirq` entry to be called soon. */
__attribute__((import_module("sched"), import_name("kick")))
void drvport_sched_kick(void);

/* A busy-wait loop turned once: a little time passes and interrupts may arrive. */
__attribute__((import_module("sched"), import_name("relax")))
void drvport_sched_relax(void);

/* The work counter ran out (called by code the pipeline adds at loop back-edges). */
__attribute__((import_module("sched"), import_name("preempt")))
void drvport_sched_preempt(void);

/* The C stack pointer left its region (called by code the pipeline adds). */
__attribute__((import_module("sched"), import_name("stack_overflow"), noreturn))
void drvport_sched_stack_overflow(void);

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

/* Address, MTU, name or features changed. */
__attribute__((import_module("net"), import_name("changed")))
void drvport_net_changed(unsigned int net, unsigned int desc);


#ifdef DRVPORT_SHIM /* entries: defined by the shim, in one place each */

/* process, required: Start the shim and run the modules' init functions. 0 or E_*. */
__attribute__((export_name("init"), used)) int drvport_entry_init(void);

/* process, required: Run the modules' exit functions; afterwards the domain holds nothing. */
__attribute__((export_name("exit"), used)) void drvport_entry_exit(void);

/* process, required: A device was granted: match it and bind a driver. 0 bound, E_NODEV no driver wanted it, other E_* the probe failed. */
__attribute__((export_name("probe"), used)) int drvport_entry_probe(unsigned int bus, unsigned int slot);

/* process, required: The device goes away: unbind. */
__attribute__((export_name("remove"), used)) void drvport_entry_remove(unsigned int bus, unsigned int slot);

/* process, required: Body of a spawned fiber. */
__attribute__((export_name("fiber"), used)) void drvport_entry_fiber(unsigned int arg);

/* atomic, required: An attached interrupt fired. */
__attribute__((export_name("irq"), used)) void drvport_entry_irq(unsigned int irq);

/* atomic, required: The armed deadline passed. */
__attribute__((export_name("timer"), used)) void drvport_entry_timer(void);

/* atomic, required: Answer to sched.kick. */
__attribute__((export_name("softirq"), used)) void drvport_entry_softirq(void);

/* atomic: Count what the driver still holds, for leak checks after remove and exit. */
__attribute__((export_name("census"), used)) void drvport_entry_census(unsigned int out);

/* atomic, required: Memory for arguments of entries; 0 when there is none. */
__attribute__((export_name("alloc"), used)) unsigned int drvport_entry_alloc(unsigned int len);

/* atomic, required: Give it back. */
__attribute__((export_name("free"), used)) void drvport_entry_free(unsigned int mem);

/* process: Bring the interface up. */
__attribute__((export_name("net_open"), used)) int drvport_entry_net_open(unsigned int net);

/* process: Bring it down. */
__attribute__((export_name("net_stop"), used)) int drvport_entry_net_stop(unsigned int net);

/* atomic: Send frames; returns how many were taken (the queue may stop part-way). */
__attribute__((export_name("net_tx"), used)) int drvport_entry_net_tx(unsigned int net, unsigned int vec, unsigned int count);

/* process: Change the MTU. */
__attribute__((export_name("net_set_mtu"), used)) int drvport_entry_net_set_mtu(unsigned int net, unsigned int mtu);

/* process: Change the station address. */
__attribute__((export_name("net_set_address"), used)) int drvport_entry_net_set_address(unsigned int net, unsigned int mac);

/* process: Set promiscuous / all-multicast and the multicast list. */
__attribute__((export_name("net_set_filter"), used)) int drvport_entry_net_set_filter(unsigned int net, unsigned int flags, unsigned int list, unsigned int count);

/* process: The driver's own statistics. */
__attribute__((export_name("net_stats"), used)) int drvport_entry_net_stats(unsigned int net, unsigned int out);

/* process: Speed, duplex, link as the driver reports them. */
__attribute__((export_name("net_link"), used)) int drvport_entry_net_link(unsigned int net, unsigned int out);

/* process: Driver name, version, bus, firmware, register and EEPROM sizes. */
__attribute__((export_name("net_info"), used)) int drvport_entry_net_info(unsigned int net, unsigned int out);

/* process: The driver's private counters; returns how many there are. */
__attribute__((export_name("net_counters"), used)) int drvport_entry_net_counters(unsigned int net, unsigned int out, unsigned int max);

/* process: The driver's self-test; returns the number of results; SELFTEST_FAILED is or-ed in when the driver says so. */
__attribute__((export_name("net_selftest"), used)) int drvport_entry_net_selftest(unsigned int net, unsigned int flags, unsigned int out, unsigned int max);

/* process: Register dump; returns its length. */
__attribute__((export_name("net_registers"), used)) int drvport_entry_net_registers(unsigned int net, unsigned int out, unsigned int max);

/* process: Read the EEPROM; returns bytes read. */
__attribute__((export_name("net_eeprom"), used)) int drvport_entry_net_eeprom(unsigned int net, unsigned int offset, unsigned int out, unsigned int len);


/* Periodic tick count (TICK_HZ a second); the machine keeps it current. */
extern unsigned long long drvport_tick;
/* Non-zero while the domain holds interrupts off; the machine reads it before every delivery. */
extern unsigned int drvport_irqs_off;
/* The machine sets it when it held a delivery back; the shim calls irq.deliver on turning interrupts on. */
extern unsigned int drvport_pending;

#endif
#endif
#endif
