/** Generated from linux-api/capabilities.ts by linux-api/generate.ts. Do not edit. */
export const ABI_VERSION = 2

/** Address space beyond linear memory. */
export const MMIO = {
  /** first address mmio.map may return */
  BASE: 3221225472,
  /** one past the last */
  END: 4294901760,
} as const

/** Errors, negative. */
export const E = {
  /** no capability */
  PERM: -1,
  /** device error */
  IO: -5,
  /** out of memory */
  NOMEM: -12,
  /** in use */
  BUSY: -16,
  /** no such device */
  NODEV: -19,
  /** bad argument */
  INVAL: -22,
  /** none left */
  NOSPC: -28,
  /** deadline passed */
  TIMEDOUT: -110,
  /** not offered */
  OPNOTSUPP: -95,
} as const

/** Log levels. */
export const LOG = {
  EMERG: 0,
  ALERT: 1,
  CRIT: 2,
  ERR: 3,
  WARNING: 4,
  NOTICE: 5,
  INFO: 6,
  DEBUG: 7,
} as const

/** Interrupt vector kinds. */
export const VECTOR = {
  INTX: 0,
  MSI: 1,
  MSIX: 2,
} as const

/** Direction of a window, from the device's side. */
export const DMA = {
  /** read and write */
  BIDIRECTIONAL: 0,
  /** device reads */
  TO_DEVICE: 1,
  /** device writes */
  FROM_DEVICE: 2,
  /** map failed */
  ERROR: 4294967295,
} as const

/** Frame flags. */
export const FRAME = {
  /** rx: hardware verified the checksum */
  CSUM_OK: 1,
  /** tx: hardware must fill the checksum in */
  CSUM_PARTIAL: 2,
  /** vlan field is valid */
  VLAN: 4,
  /** tx: segment as TCP over IPv4 */
  TSO4: 8,
  /** rx */
  BROADCAST: 16,
  /** rx */
  MULTICAST: 32,
  /** rx: not addressed to us */
  OTHERHOST: 64,
} as const

/** Interface features. */
export const NETF = {
  SG: 1,
  /** transmit checksum */
  CSUM: 2,
  RXCSUM: 4,
  TSO: 8,
  VLAN_TX: 16,
  VLAN_RX: 32,
  VLAN_FILTER: 64,
} as const

/** Ways a driver reports its own failure. */
export const FAULT = {
  /** BUG() or a failed assertion that stops the kernel */
  BUG: 1,
  /** the compiler's check found a null pointer */
  NULL_DEREFERENCE: 2,
  /** blocked where blocking is forbidden */
  SLEEP_IN_ATOMIC: 3,
  /** an allocation that cannot fail failed */
  OUT_OF_MEMORY: 4,
  /** panic() */
  PANIC: 5,
  /** a kernel function nobody provides was called */
  TRAP_SYMBOL: 6,
  /** double free, free of something never allocated, overwritten guard */
  HEAP_CORRUPTION: 7,
  /** waits for itself */
  DEADLOCK: 8,
  /** something was left behind */
  LEAK: 9,
  /** undefined behaviour caught by a compiler check */
  UNDEFINED: 10,
} as const

/** Interrupts that are no line of a device. */
export const IRQ = {
  /** the armed deadline passed */
  TIMER: 1073741824,
  /** call.take has something */
  REQUEST: 1073741825,
  /** net.fetch has something */
  FRAMES: 1073741826,
  /** ipc.next has something */
  MESSAGE: 1073741827,
} as const

/** What the machine asks for. */
export const REQUEST = {
  /** load a module; data: struct module_image */
  LOAD: 1,
  /** unload a module; data: its name */
  UNLOAD: 2,
  /** a function was granted: args[0] */
  PCI_ADD: 3,
  /** it goes away: args[0] */
  PCI_REMOVE: 4,
  /** a system call; data: struct syscall and the memory it is about */
  SYSCALL: 5,
  /** a system call that waits is to return: the request args[0] */
  CANCEL: 6,
  /** a device of another domain's bus was granted; data: struct nub */
  NUB_ADD: 7,
  /** it goes away: the handle args[0] */
  NUB_REMOVE: 8,
  /** show that the kernel does its work; data: room for struct waiting[]; returns how many there are */
  HEARTBEAT: 9,
} as const

/** Devices that a driver in another domain found on its bus. */
export const NUB = {
  /** an I2C or SMBus device */
  I2C: 1,
} as const

/** Why a conversation or an operation on capabilities was refused. */
export const IPC = {
  /** the other side has ended, or the capability */
  ENDED: -1,
  /** the capability lacks the right */
  NO_RIGHT: -2,
  /** no such capability */
  EMPTY: -3,
  /** it passed */
  DEADLINE: -4,
  /** the server ended before it answered */
  CANCELLED: -5,
  /** the receiver opened too few slots */
  WINDOW: -6,
  /** the contract does not allow this message now */
  PROTOCOL: -7,
  /** everybody who could answer waits for the caller */
  DEADLOCK: -8,
  /** nobody waits for an answer; nobody answers */
  NOBODY: -9,
  /** the slot is taken */
  OCCUPIED: -10,
  /** it has another badge for good */
  BADGED: -11,
  /** no more capabilities may be held */
  QUOTA: -12,
  /** no such slot, word or byte */
  RANGE: -13,
  /** it must wait; ipc.next says for what */
  LATER: -14,
  /** label of the message that a client has gone */
  GONE: 2147483647,
} as const

/** What the holder of a capability may do. */
export const RIGHT = {
  /** receive, read */
  READ: 1,
  /** send, write */
  WRITE: 2,
  /** give it to another domain */
  GRANT: 4,
  /** map it */
  MAP: 8,
  ALL: 15,
} as const

/** An interface on offer. */
export const net_desc = {
  size: 56,
  name: { offset: 0, type: 'u8', count: 16 },
  mac: { offset: 16, type: 'u8', count: 6 },
  pad: { offset: 22, type: 'u16', count: 1 },
  slot: { offset: 24, type: 'u32', count: 1 },
  mtu: { offset: 28, type: 'u32', count: 1 },
  min_mtu: { offset: 32, type: 'u32', count: 1 },
  max_mtu: { offset: 36, type: 'u32', count: 1 },
  features: { offset: 40, type: 'u32', count: 1 },
  arena: { offset: 44, type: 'u32', count: 1 },
  arena_slots: { offset: 48, type: 'u32', count: 1 },
  arena_slot_bytes: { offset: 52, type: 'u32', count: 1 },
} as const

/** One frame in linear memory. */
export const net_frame = {
  size: 20,
  addr: { offset: 0, type: 'u32', count: 1 },
  len: { offset: 4, type: 'u32', count: 1 },
  flags: { offset: 8, type: 'u32', count: 1 },
  vlan: { offset: 12, type: 'u16', count: 1 },
  csum_start: { offset: 14, type: 'u16', count: 1 },
  csum_offset: { offset: 16, type: 'u16', count: 1 },
  gso_size: { offset: 18, type: 'u16', count: 1 },
} as const

/** A message. Words and capabilities beyond their counts are not read and not written. */
export const message = {
  size: 64,
  label: { offset: 0, type: 'u32', count: 1 },
  badge: { offset: 4, type: 'u32', count: 1 },
  count: { offset: 8, type: 'u32', count: 1 },
  cap_count: { offset: 12, type: 'u32', count: 1 },
  moved: { offset: 16, type: 'u32', count: 1 },
  words: { offset: 20, type: 'u32', count: 8 },
  caps: { offset: 52, type: 'u32', count: 3 },
} as const

/** Head of a ring; the slots follow. Indices count slots since the start and wrap at 2^32. */
export const ring = {
  size: 32,
  owner: { offset: 0, type: 'u32', count: 1 },
  peer: { offset: 4, type: 'u32', count: 1 },
  owner_wants: { offset: 8, type: 'u32', count: 1 },
  peer_wants: { offset: 12, type: 'u32', count: 1 },
  pad: { offset: 16, type: 'u32', count: 4 },
} as const

/** A device behind another domain's driver, as REQUEST_NUB_ADD tells of it. */
export const nub = {
  size: 48,
  kind: { offset: 0, type: 'u32', count: 1 },
  handle: { offset: 4, type: 'u32', count: 1 },
  endpoint: { offset: 8, type: 'u32', count: 1 },
  address: { offset: 12, type: 'u32', count: 1 },
  name: { offset: 16, type: 'u8', count: 32 },
} as const

/** What the machine asks for. */
export const request = {
  size: 28,
  id: { offset: 0, type: 'u32', count: 1 },
  kind: { offset: 4, type: 'u32', count: 1 },
  args: { offset: 8, type: 'u32', count: 4 },
  bytes: { offset: 24, type: 'u32', count: 1 },
} as const

/** A task that waits and cannot be interrupted, as the answer to a heartbeat tells it. */
export const waiting = {
  size: 20,
  fiber: { offset: 0, type: 'u32', count: 1 },
  name: { offset: 4, type: 'u8', count: 16 },
} as const

/** A system call of the personality; memory that it is about follows. */
export const syscall = {
  size: 36,
  number: { offset: 0, type: 'u32', count: 1 },
  pointers: { offset: 4, type: 'u32', count: 1 },
  args: { offset: 8, type: 'u32', count: 6 },
  within: { offset: 32, type: 'u32', count: 1 },
} as const

/** A module that has been instantiated, as REQUEST_LOAD describes it; its sections follow, then its information, then its parameters. */
export const module_image = {
  size: 80,
  place: { offset: 0, type: 'u32', count: 1 },
  place_bytes: { offset: 4, type: 'u32', count: 1 },
  init: { offset: 8, type: 'u32', count: 1 },
  exit: { offset: 12, type: 'u32', count: 1 },
  sections: { offset: 16, type: 'u32', count: 1 },
  information: { offset: 20, type: 'u32', count: 1 },
  name: { offset: 24, type: 'u8', count: 56 },
} as const

/** A table in the data of a module that Linux walks. */
export const module_section = {
  size: 52,
  name: { offset: 0, type: 'u8', count: 40 },
  address: { offset: 40, type: 'u32', count: 1 },
  bytes: { offset: 44, type: 'u32', count: 1 },
  align: { offset: 48, type: 'u32', count: 1 },
} as const

/** Log records and self-reported failure. Every domain holds it, within a volume quota. */
export interface LogCalls {
  /** One log record, UTF-8, without a trailing newline. */
  write(level: number, text: number, len: number): void
  /** The driver has failed and says how. The domain ends here; the call never returns. */
  fault(kind: number, text: number, len: number): never
  /** Bytes of the machine's one seeded source, for the domain's own. */
  seed(out: number, len: number): void
}

/** Device memory. A mapping is a range of addresses beyond linear memory, so a plain dereference of it traps. */
export interface MmioCalls {
  /** Map part of a granted memory BAR. Returns the address, or 0 when no capability covers the range. */
  map(phys_lo: number, phys_hi: number, len: number): number
  /** Undo map. 0, or E_INVAL. */
  unmap(addr: number): number
  /** Read a byte. */
  read8(addr: number): number
  /** Read two bytes, little-endian. */
  read16(addr: number): number
  /** Read four bytes, little-endian. */
  read32(addr: number): number
  /** Write a byte. */
  write8(addr: number, value: number): void
  /** Write two bytes. */
  write16(addr: number, value: number): void
  /** Write four bytes. */
  write32(addr: number, value: number): void
  /** Read one register repeatedly into memory. */
  read_rep(addr: number, width: number, dst: number, count: number): void
  /** Write memory to one register repeatedly. */
  write_rep(addr: number, width: number, src: number, count: number): void
}

/** I/O ports. A port is usable when it lies in a granted I/O BAR or a granted fixed range. */
export interface PioCalls {
  /** Read a byte. */
  in8(port: number): number
  /** Read two bytes. */
  in16(port: number): number
  /** Read four bytes. */
  in32(port: number): number
  /** Write a byte. */
  out8(port: number, value: number): void
  /** Write two bytes. */
  out16(port: number, value: number): void
  /** Write four bytes. */
  out32(port: number, value: number): void
  /** Read one port repeatedly into memory. */
  in_rep(port: number, width: number, dst: number, count: number): void
  /** Write memory to one port repeatedly. */
  out_rep(port: number, width: number, src: number, count: number): void
}

/** PCI functions granted to the domain: configuration space, BARs, interrupt vectors, reset. */
export interface PciCalls {
  /** bus << 8 | device << 3 | function, or E_NODEV. */
  location(fn: number): number
  /** Read configuration space; all ones where nothing answers. */
  config_read(fn: number, offset: number, width: number): number
  /** Write configuration space. BARs and MSI address/data registers belong to the host: E_PERM. */
  config_write(fn: number, offset: number, width: number, value: number): number
  /** Allocate interrupt vectors; returns the first interrupt number (they are consecutive) or E_NOSPC / E_INVAL. VECTOR_INTX returns the line. */
  vectors(fn: number, kind: number, count: number): number
  /** Give MSI or MSI-X vectors back and return to INTx. */
  vectors_free(fn: number): number
}

/** Windows of linear memory that a device may reach. Anything outside them is an IOMMU fault. */
export interface DmaCalls {
  /** Open a window; returns the bus address the device must use, or DMA_ERROR. */
  map(fn: number, addr: number, len: number, dir: number): number
  /** Close a window. E_INVAL when it is not open (a double unmap), which is also reported. */
  unmap(fn: number, iova: number, len: number): number
  /** Address bits the device can drive, 1 to 64. */
  set_mask(fn: number, bits: number): number
}

/** Interrupt lines and messages granted to the domain. */
export interface IrqCalls {
  /** Deliver this interrupt from now on, by irq.take. Starts unmasked. */
  attach(irq: number): number
  /** Stop delivery. */
  detach(irq: number): number
  /** Hold delivery back. Nests. */
  mask(irq: number): number
  /** Undo one mask; what was held back can be taken. */
  unmask(irq: number): number
  /** The next interrupt to be handled, or IRQ_TIMER, IRQ_REQUEST; -1 when there is nothing more. */
  take(): number
  /** An interrupt that was taken has been handled: what is still asserted comes again. */
  done(irq: number): void
}

/** Virtual time. */
export interface TimeCalls {
  /** Nanoseconds since the machine started. */
  now(out: number): void
  /** Nanoseconds since 1970 by the machine's own (virtual) clock. */
  wall(out: number): void
  /** Arm the domain's one timer: irq.take says IRQ_TIMER at or after the deadline. Replaces the earlier deadline. */
  set_timer(deadline_lo: number, deadline_hi: number): void
  /** Busy wait, for one turn at most, until something is to be delivered and interrupts are on, or others may want the processor. Returns the ns left. */
  pass(ns: number): number
}

/** Tasks as fibers, each with a C stack of its own. The program says which of them runs; the machine, whether the program does. */
export interface SchedCalls {
  /** The current fiber, 1 and up; 0 in an atomic entry that no fiber was interrupted by. */
  self(): number
  /** A busy-wait loop turned once: a little time passes and interrupts may arrive. */
  relax(): void
  /** The work counter ran out (called by code the pipeline adds at loop back-edges). */
  preempt(): void
  /** Somebody else is to run now: called after `preempt`, by code the pipeline adds, when that left the counter below zero. */
  resched(): void | Promise<void>
  /** The C stack pointer left its region (called by code the pipeline adds). */
  stack_overflow(): never
  /** A fiber with a C stack of the program, which runs when it is switched to. Its number, or 0 when the quota is exhausted. */
  create(arg: number, base: number, top: number): number
  /** Another fiber made by `create` goes on at once, in the place of this one, which goes on when it is switched to. Then 0; 1 when the machine has given the domain up and asks where this fiber waits: it must fail there. */
  switch(fiber: number): number | Promise<number>
  /** A fiber that was switched away from, or never to, will not be switched to any more. */
  release(fiber: number): void
  /** Nobody can run: wait until there is something to deliver. */
  idle(): void | Promise<void>
  /** The program is up: from here on it takes requests. All its other fibers are parked; its memory may be kept as an image, from which others like it begin. */
  ready(): void | Promise<void>
}

/** What the machine asks of the domain: requests, announced by the interrupt IRQ_REQUEST. */
export interface CallCalls {
  /** The next request: 1, or 0 when there is none. */
  take(out: number): number
  /** What came with a request that was taken. 0, or E_INVAL. */
  data(id: number, dst: number): number
  /** A request has been carried out. */
  done(id: number, result: number, data: number): void
  /** Somebody asks for a module by its name or an alias. Bytes of the image of the one that is to be loaded next for it; 0 when all are; E_NODEV when there is none. */
  wanted(name: number, len: number): number
  /** Put that module in its place, and its image where it is wanted. 0, or E_INVAL when it is not of so many bytes any more. */
  module(name: number, len: number, dst: number, bytes: number): number
}

/** Ethernet interfaces offered by the domain to the machine's network service. */
export interface NetCalls {
  /** Offer an interface; returns its handle or an error. */
  register(desc: number): number
  /** Withdraw it. Frames in flight are dropped. */
  unregister(net: number): number
  /** Link came up (1) or went down (0). */
  carrier(net: number, up: number): void
  /** Transmit queue stopped (0) or accepting (1). */
  queue(net: number, awake: number): void
  /** Received frames; the machine has copied them when the call returns. */
  rx(net: number, vec: number, count: number): void
  /** Frames to be sent: the machine fills the transmit arena from its start. Returns how many. */
  fetch(net: number): number
  /** Address, MTU, name or features changed. */
  changed(net: number, desc: number): void
}

/** Conversations with other domains, through endpoints and notifications that the domain holds. Results below zero are IPC_*. */
export interface IpcCalls {
  /** The slot of the capability that was granted under this name, or IPC_EMPTY. */
  find(name: number, len: number): number
  /** Make an endpoint and offer it under a name: whoever the machine connects gets a capability to it. Returns the slot of the one to receive with, IPC_PROTOCOL for rules that make no sense, IPC_QUOTA. */
  offer(name: number, len: number, rules: number, rules_len: number): number
  /** Make a notification. Returns its slot, or IPC_QUOTA. */
  notification(): number
  /** End an endpoint or notification one may receive from: everybody who waits there is told, every capability to it ends. */
  close(cap: number): number
  /** Send the message and wait for its reply, which replaces it. Returns the label of the reply, or IPC_*. */
  call(cap: number, msg: number, deadline_lo: number, deadline_hi: number): number | Promise<number>
  /** Send the message; done when it is received. Returns 0 or IPC_*. */
  send(cap: number, msg: number, deadline_lo: number, deadline_hi: number): number | Promise<number>
  /** Wait for the next message. Returns its label, or IPC_*. */
  receive(cap: number, msg: number, deadline_lo: number, deadline_hi: number): number | Promise<number>
  /** Answer the latest caller not yet answered. On an error it still waits. */
  reply(msg: number): number
  /** Answer with the message, then wait for the next one in its place: what the loop of a server does. Returns its label, or IPC_*. */
  reply_receive(cap: number, msg: number, deadline_lo: number, deadline_hi: number): number | Promise<number>
  /** From now on whoever receives there hears, by a message with label IPC_GONE and the badge, that the last capability of a client has ended. */
  watch(cap: number): number
  /** Open slots for capabilities that come in messages to this fiber: without it none do. */
  window(first: number, count: number): number
  /** Answer ipc.invoke on this endpoint with the `serve` entry from now on, on the thread of the caller. */
  serve(cap: number, cookie: number): number
  /** Call the `serve` entry behind an endpoint and return its answer (31 bits), or IPC_*: IPC_DEADLOCK where the server is at work already or holds interrupts off. Never blocks: for atomic entries too. */
  invoke(cap: number, label: number, a: number, b: number, c: number): number
  /** Set bits of a notification: those of the badge where there is one. Never blocks. */
  signal(cap: number, bits: number): number
  /** Wait until bits are set; they come as the label of the message and are cleared. Returns 0 or IPC_*. */
  wait(cap: number, msg: number, deadline_lo: number, deadline_hi: number): number | Promise<number>
  /** The bits that are set (31 of them), cleared; 0 when there are none, or IPC_*. Never blocks. */
  poll(cap: number): number
  /** Of a program that switches between its tasks itself, whose calls that must wait return IPC_LATER: the next fiber that need not wait any more, announced by IRQ_MESSAGE; 0 when there is none. */
  next(out: number): number
}

/** The capability space of the domain. Rights only shrink; results below zero are IPC_*. */
export interface CapCalls {
  /** Derive a capability into an empty slot, with no more rights and with a badge if it has none. */
  mint(from: number, to: number, rights: number, badge: number): number
  /** Put it into another slot. */
  move(from: number, to: number): number
  /** Empty a slot. What was derived from it stays. */
  remove(cap: number): number
  /** End everything derived from it, wherever it lies. All of it fails from the instant this begins; others run in between. Returns how many ended. */
  revoke(cap: number): number | Promise<number>
  /** RIGHT_* of a capability that can be used, or IPC_*. */
  rights(cap: number): number
  /** The lowest empty slot, or IPC_QUOTA. */
  free(): number
}

/** Memory shared between domains. Results below zero are IPC_*. */
export interface MemCalls {
  /** Make a memory object, zeroed, and own it. Returns its slot, or IPC_QUOTA. */
  create(len: number): number
  /** Make a memory object of a piece of the domain's own memory: it can be shared and taken back, never given away. Returns its slot, IPC_RANGE, or IPC_QUOTA. */
  lend(addr: number, len: number): number
  /** Bytes of a memory object, or IPC_*. */
  size(cap: number): number
  /** Copy out of a memory object. 0, or IPC_RANGE when not all of it lies within. */
  read(cap: number, offset: number, dst: number, len: number): number
  /** Copy into a memory object. 0, or IPC_RANGE, and nothing is written. */
  write(cap: number, offset: number, src: number, len: number): number
  /** Map a piece of it beyond linear memory, for mmio.read and mmio.write. Returns the address, or 0. It ends when the capability it was made by is revoked. */
  map(cap: number, offset: number, len: number): number
  /** Undo map. */
  unmap(addr: number): number
}

/** Rings of slots in memory that one side, the owner, lends (layout: struct ring). The owner works on it in place. Results below zero are IPC_*. */
export interface RingCalls {
  /** Make a ring in the domain's own memory. Returns the owner's slot; who is given one derived from it is the peer. */
  create(addr: number, slots: number, slot_bytes: number, outward: number): number
  /** Peer: take what is there, and tell the owner if it asked for that. Returns how many slots. */
  take(cap: number, dst: number, max: number): number
  /** Peer: put slots, and tell the owner if it asked for that. Returns how many there was room for. */
  put(cap: number, src: number, count: number): number
  /** Owner: the peer asked to hear of the slot just passed (its event index in the ring). */
  tell(cap: number): number
  /** Wait until the other side went on: the peer for slots to move, the owner for what it wrote as its event index. 0, or IPC_ENDED when nobody is there. */
  wait(cap: number, deadline_lo: number, deadline_hi: number): number | Promise<number>
}

/** Every call group, by import module name. */
export interface Calls {
  log: LogCalls
  mmio: MmioCalls
  pio: PioCalls
  pci: PciCalls
  dma: DmaCalls
  irq: IrqCalls
  time: TimeCalls
  sched: SchedCalls
  call: CallCalls
  net: NetCalls
  ipc: IpcCalls
  cap: CapCalls
  mem: MemCalls
  ring: RingCalls
}

/** Shape of every call: the linker and the verifier check signatures against it. */
export const CALLS = {
  log: {
    write: { params: 3, result: false, blocking: false },
    fault: { params: 3, result: false, blocking: false },
    seed: { params: 2, result: false, blocking: false },
  },
  mmio: {
    map: { params: 3, result: true, blocking: false },
    unmap: { params: 1, result: true, blocking: false },
    read8: { params: 1, result: true, blocking: false },
    read16: { params: 1, result: true, blocking: false },
    read32: { params: 1, result: true, blocking: false },
    write8: { params: 2, result: false, blocking: false },
    write16: { params: 2, result: false, blocking: false },
    write32: { params: 2, result: false, blocking: false },
    read_rep: { params: 4, result: false, blocking: false },
    write_rep: { params: 4, result: false, blocking: false },
  },
  pio: {
    in8: { params: 1, result: true, blocking: false },
    in16: { params: 1, result: true, blocking: false },
    in32: { params: 1, result: true, blocking: false },
    out8: { params: 2, result: false, blocking: false },
    out16: { params: 2, result: false, blocking: false },
    out32: { params: 2, result: false, blocking: false },
    in_rep: { params: 4, result: false, blocking: false },
    out_rep: { params: 4, result: false, blocking: false },
  },
  pci: {
    location: { params: 1, result: true, blocking: false },
    config_read: { params: 3, result: true, blocking: false },
    config_write: { params: 4, result: true, blocking: false },
    vectors: { params: 3, result: true, blocking: false },
    vectors_free: { params: 1, result: true, blocking: false },
  },
  dma: {
    map: { params: 4, result: true, blocking: false },
    unmap: { params: 3, result: true, blocking: false },
    set_mask: { params: 2, result: true, blocking: false },
  },
  irq: {
    attach: { params: 1, result: true, blocking: false },
    detach: { params: 1, result: true, blocking: false },
    mask: { params: 1, result: true, blocking: false },
    unmask: { params: 1, result: true, blocking: false },
    take: { params: 0, result: true, blocking: false },
    done: { params: 1, result: false, blocking: false },
  },
  time: {
    now: { params: 1, result: false, blocking: false },
    wall: { params: 1, result: false, blocking: false },
    set_timer: { params: 2, result: false, blocking: false },
    pass: { params: 1, result: true, blocking: false },
  },
  sched: {
    self: { params: 0, result: true, blocking: false },
    relax: { params: 0, result: false, blocking: false },
    preempt: { params: 0, result: false, blocking: false },
    resched: { params: 0, result: false, blocking: true },
    stack_overflow: { params: 0, result: false, blocking: false },
    create: { params: 3, result: true, blocking: false },
    switch: { params: 1, result: true, blocking: true },
    release: { params: 1, result: false, blocking: false },
    idle: { params: 0, result: false, blocking: true },
    ready: { params: 0, result: false, blocking: true },
  },
  call: {
    take: { params: 1, result: true, blocking: false },
    data: { params: 2, result: true, blocking: false },
    done: { params: 3, result: false, blocking: false },
    wanted: { params: 2, result: true, blocking: false },
    module: { params: 4, result: true, blocking: false },
  },
  net: {
    register: { params: 1, result: true, blocking: false },
    unregister: { params: 1, result: true, blocking: false },
    carrier: { params: 2, result: false, blocking: false },
    queue: { params: 2, result: false, blocking: false },
    rx: { params: 3, result: false, blocking: false },
    fetch: { params: 1, result: true, blocking: false },
    changed: { params: 2, result: false, blocking: false },
  },
  ipc: {
    find: { params: 2, result: true, blocking: false },
    offer: { params: 4, result: true, blocking: false },
    notification: { params: 0, result: true, blocking: false },
    close: { params: 1, result: true, blocking: false },
    call: { params: 4, result: true, blocking: true },
    send: { params: 4, result: true, blocking: true },
    receive: { params: 4, result: true, blocking: true },
    reply: { params: 1, result: true, blocking: false },
    reply_receive: { params: 4, result: true, blocking: true },
    watch: { params: 1, result: true, blocking: false },
    window: { params: 2, result: true, blocking: false },
    serve: { params: 2, result: true, blocking: false },
    invoke: { params: 5, result: true, blocking: false },
    signal: { params: 2, result: true, blocking: false },
    wait: { params: 4, result: true, blocking: true },
    poll: { params: 1, result: true, blocking: false },
    next: { params: 1, result: true, blocking: false },
  },
  cap: {
    mint: { params: 4, result: true, blocking: false },
    move: { params: 2, result: true, blocking: false },
    remove: { params: 1, result: true, blocking: false },
    revoke: { params: 1, result: true, blocking: true },
    rights: { params: 1, result: true, blocking: false },
    free: { params: 0, result: true, blocking: false },
  },
  mem: {
    create: { params: 1, result: true, blocking: false },
    lend: { params: 2, result: true, blocking: false },
    size: { params: 1, result: true, blocking: false },
    read: { params: 4, result: true, blocking: false },
    write: { params: 4, result: true, blocking: false },
    map: { params: 3, result: true, blocking: false },
    unmap: { params: 1, result: true, blocking: false },
  },
  ring: {
    create: { params: 4, result: true, blocking: false },
    take: { params: 3, result: true, blocking: false },
    put: { params: 3, result: true, blocking: false },
    tell: { params: 1, result: true, blocking: false },
    wait: { params: 3, result: true, blocking: true },
  },
} as const

/** Who serves a call now. */
export interface Line {
  call: (...words: number[]) => unknown
}

/** Every call as a function that passes its words on, to whoever serves it at that time. */
export const FORWARD: Readonly<Record<string, Readonly<Record<string, (line: Line) => (...words: number[]) => unknown>>>> = {
  log: {
    write: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    fault: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    seed: (line: Line) => (a: number, b: number) => line.call(a, b),
  },
  mmio: {
    map: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    unmap: (line: Line) => (a: number) => line.call(a),
    read8: (line: Line) => (a: number) => line.call(a),
    read16: (line: Line) => (a: number) => line.call(a),
    read32: (line: Line) => (a: number) => line.call(a),
    write8: (line: Line) => (a: number, b: number) => line.call(a, b),
    write16: (line: Line) => (a: number, b: number) => line.call(a, b),
    write32: (line: Line) => (a: number, b: number) => line.call(a, b),
    read_rep: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    write_rep: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
  },
  pio: {
    in8: (line: Line) => (a: number) => line.call(a),
    in16: (line: Line) => (a: number) => line.call(a),
    in32: (line: Line) => (a: number) => line.call(a),
    out8: (line: Line) => (a: number, b: number) => line.call(a, b),
    out16: (line: Line) => (a: number, b: number) => line.call(a, b),
    out32: (line: Line) => (a: number, b: number) => line.call(a, b),
    in_rep: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    out_rep: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
  },
  pci: {
    location: (line: Line) => (a: number) => line.call(a),
    config_read: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    config_write: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    vectors: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    vectors_free: (line: Line) => (a: number) => line.call(a),
  },
  dma: {
    map: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    unmap: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    set_mask: (line: Line) => (a: number, b: number) => line.call(a, b),
  },
  irq: {
    attach: (line: Line) => (a: number) => line.call(a),
    detach: (line: Line) => (a: number) => line.call(a),
    mask: (line: Line) => (a: number) => line.call(a),
    unmask: (line: Line) => (a: number) => line.call(a),
    take: (line: Line) => () => line.call(),
    done: (line: Line) => (a: number) => line.call(a),
  },
  time: {
    now: (line: Line) => (a: number) => line.call(a),
    wall: (line: Line) => (a: number) => line.call(a),
    set_timer: (line: Line) => (a: number, b: number) => line.call(a, b),
    pass: (line: Line) => (a: number) => line.call(a),
  },
  sched: {
    self: (line: Line) => () => line.call(),
    relax: (line: Line) => () => line.call(),
    preempt: (line: Line) => () => line.call(),
    resched: (line: Line) => () => line.call(),
    stack_overflow: (line: Line) => () => line.call(),
    create: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    switch: (line: Line) => (a: number) => line.call(a),
    release: (line: Line) => (a: number) => line.call(a),
    idle: (line: Line) => () => line.call(),
    ready: (line: Line) => () => line.call(),
  },
  call: {
    take: (line: Line) => (a: number) => line.call(a),
    data: (line: Line) => (a: number, b: number) => line.call(a, b),
    done: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    wanted: (line: Line) => (a: number, b: number) => line.call(a, b),
    module: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
  },
  net: {
    register: (line: Line) => (a: number) => line.call(a),
    unregister: (line: Line) => (a: number) => line.call(a),
    carrier: (line: Line) => (a: number, b: number) => line.call(a, b),
    queue: (line: Line) => (a: number, b: number) => line.call(a, b),
    rx: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    fetch: (line: Line) => (a: number) => line.call(a),
    changed: (line: Line) => (a: number, b: number) => line.call(a, b),
  },
  ipc: {
    find: (line: Line) => (a: number, b: number) => line.call(a, b),
    offer: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    notification: (line: Line) => () => line.call(),
    close: (line: Line) => (a: number) => line.call(a),
    call: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    send: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    receive: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    reply: (line: Line) => (a: number) => line.call(a),
    reply_receive: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    watch: (line: Line) => (a: number) => line.call(a),
    window: (line: Line) => (a: number, b: number) => line.call(a, b),
    serve: (line: Line) => (a: number, b: number) => line.call(a, b),
    invoke: (line: Line) => (a: number, b: number, c: number, d: number, e: number) => line.call(a, b, c, d, e),
    signal: (line: Line) => (a: number, b: number) => line.call(a, b),
    wait: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    poll: (line: Line) => (a: number) => line.call(a),
    next: (line: Line) => (a: number) => line.call(a),
  },
  cap: {
    mint: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    move: (line: Line) => (a: number, b: number) => line.call(a, b),
    remove: (line: Line) => (a: number) => line.call(a),
    revoke: (line: Line) => (a: number) => line.call(a),
    rights: (line: Line) => (a: number) => line.call(a),
    free: (line: Line) => () => line.call(),
  },
  mem: {
    create: (line: Line) => (a: number) => line.call(a),
    lend: (line: Line) => (a: number, b: number) => line.call(a, b),
    size: (line: Line) => (a: number) => line.call(a),
    read: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    write: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    map: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    unmap: (line: Line) => (a: number) => line.call(a),
  },
  ring: {
    create: (line: Line) => (a: number, b: number, c: number, d: number) => line.call(a, b, c, d),
    take: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    put: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
    tell: (line: Line) => (a: number) => line.call(a),
    wait: (line: Line) => (a: number, b: number, c: number) => line.call(a, b, c),
  },
}

/** A call as a module makes it: words. */
export type Words = (...words: number[]) => unknown

/** What bounds ask of a domain. */
export interface Bounder {
  /** Its hold on the group, where that has one capability behind it. Ends the domain that has none. */
  readonly grip: { need(call: string): void } | undefined
  /** Ends the domain whose memory that is not. */
  within(call: string, at: number, bytes: number): void
  /** 1, 2 or 4; 0 for anything else. */
  width(width: number): number
  /** Whether it may have so much more of each. */
  readonly may: Readonly<Record<'capabilities' | 'dma' | 'files' | 'memory' | 'services' | 'units' | 'windows', (more: number) => boolean>>
  /** Work for the capabilities it holds. */
  looks(): number
  charge(units: number): void
}

/** Every call within its bounds, by `group.call`: each written out, so that the engine learns of each by itself. */
export const BOUNDS: Readonly<Record<string, (by: Bounder, call: Words) => Words>> = {
  'log.write': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('write')
    by.within('log.write', b >>> 0, 1 * (c >>> 0))
    by.charge(Math.min((c >>> 0) + 16, 4112))
    return call(a, b, Math.min(c >>> 0, 4096))
  },
  'log.fault': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('fault')
    by.within('log.fault', b >>> 0, 1 * (c >>> 0))
    by.charge(Math.min(4096, 8192))
    return call(a, b, Math.min(c >>> 0, 4096))
  },
  'log.seed': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('seed')
    by.within('log.seed', a >>> 0, 1 * (b >>> 0))
    by.charge(Math.min(64, 128))
    return call(a, Math.min(b >>> 0, 64))
  },
  'mmio.map': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('map')
    if (!by.may.capabilities(1)) { by.charge(32); return 0 }
    by.charge(32 + by.looks())
    return call(a, b, c)
  },
  'mmio.unmap': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('unmap')
    by.charge(32)
    return call(a)
  },
  'mmio.read8': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('read8')
    return call(a)
  },
  'mmio.read16': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('read16')
    return call(a)
  },
  'mmio.read32': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('read32')
    return call(a)
  },
  'mmio.write8': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('write8')
    return call(a, b)
  },
  'mmio.write16': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('write16')
    return call(a, b)
  },
  'mmio.write32': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('write32')
    return call(a, b)
  },
  'mmio.read_rep': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('read_rep')
    by.within('mmio.read_rep', c >>> 0, by.width(b >>> 0) * (d >>> 0))
    by.charge(4)
    return call(a, b, c, d)
  },
  'mmio.write_rep': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('write_rep')
    by.within('mmio.write_rep', c >>> 0, by.width(b >>> 0) * (d >>> 0))
    by.charge(4)
    return call(a, b, c, d)
  },
  'pio.in8': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('in8')
    return call(a)
  },
  'pio.in16': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('in16')
    return call(a)
  },
  'pio.in32': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('in32')
    return call(a)
  },
  'pio.out8': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('out8')
    return call(a, b)
  },
  'pio.out16': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('out16')
    return call(a, b)
  },
  'pio.out32': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('out32')
    return call(a, b)
  },
  'pio.in_rep': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('in_rep')
    by.within('pio.in_rep', c >>> 0, by.width(b >>> 0) * (d >>> 0))
    by.charge(4)
    return call(a, b, c, d)
  },
  'pio.out_rep': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('out_rep')
    by.within('pio.out_rep', c >>> 0, by.width(b >>> 0) * (d >>> 0))
    by.charge(4)
    return call(a, b, c, d)
  },
  'pci.location': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('location')
    by.charge(4)
    return call(a)
  },
  'pci.config_read': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('config_read')
    return call(a, b, c)
  },
  'pci.config_write': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('config_write')
    by.charge(32)
    return call(a, b, c, d)
  },
  'pci.vectors': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('vectors')
    if (!by.may.capabilities((c >>> 0) + 1)) { by.charge(64); return -28 }
    by.charge((c >>> 0) + 64)
    return call(a, b, c)
  },
  'pci.vectors_free': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('vectors_free')
    by.charge(128 + by.looks())
    return call(a)
  },
  'dma.map': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('map')
    if (!by.may.windows(1)) return -1
    if (!by.may.dma((c >>> 0))) return -1
    by.charge((c >>> 16))
    return call(a, b, c, d)
  },
  'dma.unmap': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('unmap')
    by.charge((c >>> 16))
    return call(a, b, c)
  },
  'dma.set_mask': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('set_mask')
    by.charge(32)
    return call(a, b)
  },
  'irq.attach': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('attach')
    by.charge(64 + by.looks())
    return call(a)
  },
  'irq.detach': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('detach')
    by.charge(64)
    return call(a)
  },
  'irq.mask': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('mask')
    by.charge(8)
    return call(a)
  },
  'irq.unmask': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('unmask')
    by.charge(8)
    return call(a)
  },
  'irq.take': (by: Bounder, call: Words) => () => {
    by.grip?.need('take')
    by.charge(16)
    return call()
  },
  'irq.done': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('done')
    by.charge(16)
    return call(a)
  },
  'time.now': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('now')
    return call(a)
  },
  'time.wall': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('wall')
    by.charge(4)
    return call(a)
  },
  'time.set_timer': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('set_timer')
    by.charge(16)
    return call(a, b)
  },
  'time.pass': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('pass')
    by.charge(2)
    return call(a)
  },
  'sched.self': (by: Bounder, call: Words) => () => {
    by.grip?.need('self')
    by.charge(2)
    return call()
  },
  'sched.relax': (by: Bounder, call: Words) => () => {
    by.grip?.need('relax')
    return call()
  },
  'sched.preempt': (by: Bounder, call: Words) => call,
  'sched.resched': (by: Bounder, call: Words) => call,
  'sched.stack_overflow': (by: Bounder, call: Words) => call,
  'sched.create': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('create')
    by.charge(400)
    return call(a, b, c)
  },
  'sched.switch': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('switch')
    return call(a)
  },
  'sched.release': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('release')
    by.charge(64)
    return call(a)
  },
  'sched.idle': (by: Bounder, call: Words) => () => {
    by.grip?.need('idle')
    return call()
  },
  'sched.ready': (by: Bounder, call: Words) => () => {
    by.grip?.need('ready')
    by.charge(8)
    return call()
  },
  'call.take': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('take')
    by.within('call.take', a >>> 0, 28)
    by.charge(64)
    return call(a)
  },
  'call.data': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('data')
    by.charge(64)
    return call(a, b)
  },
  'call.done': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('done')
    by.charge(64)
    return call(a, b, c)
  },
  'call.wanted': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('wanted')
    by.within('call.wanted', a >>> 0, 1 * (b >>> 0))
    if ((b >>> 0) > 128) { by.charge(64); return -19 }
    by.charge(64)
    return call(a, b)
  },
  'call.module': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('module')
    by.within('call.module', a >>> 0, 1 * (b >>> 0))
    by.within('call.module', c >>> 0, 1 * (d >>> 0))
    if ((b >>> 0) > 128) { by.charge(4000); return -22 }
    by.charge(4000)
    return call(a, b, c, d)
  },
  'net.register': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('register')
    by.within('net.register', a >>> 0, 56)
    if (!by.may.capabilities(1)) { by.charge(400); return -28 }
    if (!by.may.units(1)) { by.charge(400); return -28 }
    by.charge(400 + by.looks())
    return call(a)
  },
  'net.unregister': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('unregister')
    by.charge(64 + by.looks())
    return call(a)
  },
  'net.carrier': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('carrier')
    by.charge(32)
    return call(a, b)
  },
  'net.queue': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('queue')
    by.charge(16)
    return call(a, b)
  },
  'net.rx': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('rx')
    by.within('net.rx', b >>> 0, 20 * (c >>> 0))
    by.charge((c >>> 0))
    return call(a, b, c)
  },
  'net.fetch': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('fetch')
    by.charge(64)
    return call(a)
  },
  'net.changed': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('changed')
    by.within('net.changed', b >>> 0, 56)
    by.charge(64)
    return call(a, b)
  },
  'ipc.find': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('find')
    by.within('ipc.find', a >>> 0, 1 * (b >>> 0))
    if ((b >>> 0) > 128) { by.charge(32); return -3 }
    by.charge(32)
    return call(a, b)
  },
  'ipc.offer': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('offer')
    by.within('ipc.offer', a >>> 0, 1 * (b >>> 0))
    by.within('ipc.offer', c >>> 0, 1 * (d >>> 0))
    if ((b >>> 0) > 128) { by.charge(600); return -13 }
    if ((d >>> 0) > 4096) { by.charge(600); return -13 }
    if (!by.may.capabilities(1)) { by.charge(600); return -12 }
    if (!by.may.services(1)) { by.charge(600); return -12 }
    by.charge((d >>> 0) * 8 + 600)
    return call(a, b, c, d)
  },
  'ipc.notification': (by: Bounder, call: Words) => () => {
    by.grip?.need('notification')
    if (!by.may.capabilities(1)) { by.charge(100); return -12 }
    by.charge(100)
    return call()
  },
  'ipc.close': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('close')
    by.charge(64)
    return call(a)
  },
  'ipc.call': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('call')
    return call(a, b, c, d)
  },
  'ipc.send': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('send')
    return call(a, b, c, d)
  },
  'ipc.receive': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('receive')
    return call(a, b, c, d)
  },
  'ipc.reply': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('reply')
    return call(a)
  },
  'ipc.reply_receive': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('reply_receive')
    return call(a, b, c, d)
  },
  'ipc.watch': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('watch')
    by.charge(8)
    return call(a)
  },
  'ipc.window': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('window')
    by.charge(8)
    return call(a, b)
  },
  'ipc.serve': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('serve')
    by.charge(16)
    return call(a, b)
  },
  'ipc.invoke': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number, e: number) => {
    by.grip?.need('invoke')
    by.charge(4)
    return call(a, b, c, d, e)
  },
  'ipc.signal': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('signal')
    return call(a, b)
  },
  'ipc.wait': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('wait')
    return call(a, b, c, d)
  },
  'ipc.poll': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('poll')
    return call(a)
  },
  'ipc.next': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('next')
    by.charge(8)
    return call(a)
  },
  'cap.mint': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('mint')
    if (!by.may.capabilities(1)) { by.charge(16); return -12 }
    by.charge(16)
    return call(a, b, c, d)
  },
  'cap.move': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('move')
    by.charge(16)
    return call(a, b)
  },
  'cap.remove': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('remove')
    by.charge(16)
    return call(a)
  },
  'cap.revoke': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('revoke')
    return call(a)
  },
  'cap.rights': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('rights')
    return call(a)
  },
  'cap.free': (by: Bounder, call: Words) => () => {
    by.grip?.need('free')
    return call()
  },
  'mem.create': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('create')
    if (!by.may.capabilities(1)) { by.charge(4000); return -12 }
    if (!by.may.memory((a >>> 0))) { by.charge(4000); return -12 }
    by.charge((a >>> 6) + 4000 + by.looks())
    return call(a)
  },
  'mem.lend': (by: Bounder, call: Words) => (a: number, b: number) => {
    by.grip?.need('lend')
    by.within('mem.lend', a >>> 0, 1 * (b >>> 0))
    if (!by.may.capabilities(1)) { by.charge(100); return -12 }
    by.charge(100)
    return call(a, b)
  },
  'mem.size': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('size')
    by.charge(8)
    return call(a)
  },
  'mem.read': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('read')
    by.within('mem.read', c >>> 0, 1 * (d >>> 0))
    by.charge(4)
    return call(a, b, c, d)
  },
  'mem.write': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('write')
    by.within('mem.write', c >>> 0, 1 * (d >>> 0))
    by.charge(4)
    return call(a, b, c, d)
  },
  'mem.map': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('map')
    if (!by.may.capabilities(1)) { by.charge(64); return 0 }
    by.charge((c >>> 12) + 64)
    return call(a, b, c)
  },
  'mem.unmap': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('unmap')
    by.charge(32)
    return call(a)
  },
  'ring.create': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number) => {
    by.grip?.need('create')
    if (!by.may.capabilities(1)) { by.charge(2400); return -12 }
    by.charge(2400)
    return call(a, b, c, d)
  },
  'ring.take': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('take')
    by.charge(8)
    return call(a, b, c)
  },
  'ring.put': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('put')
    by.charge(8)
    return call(a, b, c)
  },
  'ring.tell': (by: Bounder, call: Words) => (a: number) => {
    by.grip?.need('tell')
    by.charge(8)
    return call(a)
  },
  'ring.wait': (by: Bounder, call: Words) => (a: number, b: number, c: number) => {
    by.grip?.need('wait')
    by.charge(8)
    return call(a, b, c)
  },
  'wasi.fd_close': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number, e: number, f: number) => {
    by.grip?.need('fd_close')
    by.charge(2000)
    return call(a, b, c, d, e, f)
  },
  'wasi.fd_pread': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number, e: number, f: number) => {
    by.grip?.need('fd_pread')
    by.within('wasi.fd_pread', b >>> 0, 8 * (c >>> 0))
    if ((c >>> 0) > 64) { by.charge(9000); return 28 }
    by.charge(9000)
    return call(a, b, c, d, e, f)
  },
  'wasi.fd_prestat_get': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number, e: number, f: number) => {
    by.grip?.need('fd_prestat_get')
    by.within('wasi.fd_prestat_get', b >>> 0, 8)
    by.charge(1000)
    return call(a, b, c, d, e, f)
  },
  'wasi.path_filestat_get': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number, e: number, f: number) => {
    by.grip?.need('path_filestat_get')
    by.within('wasi.path_filestat_get', c >>> 0, 1 * (d >>> 0))
    if ((d >>> 0) > 1024) { by.charge(4000); return 37 }
    by.charge(4000)
    return call(a, b, c, d, e, f)
  },
  'wasi.path_open': (by: Bounder, call: Words) => (a: number, b: number, c: number, d: number, e: number, f: number) => {
    by.grip?.need('path_open')
    by.within('wasi.path_open', c >>> 0, 1 * (d >>> 0))
    if ((d >>> 0) > 1024) { by.charge(4000); return 37 }
    if (!by.may.files(1)) { by.charge(4000); return 33 }
    by.charge(4000)
    return call(a, b, c, d, e, f)
  },
}

/** What a core exports. */
export interface Entries {
  /** process: Bring the kernel up. Does not return: the fiber becomes the one that idles. */
  start(bytes: number, fiber: number): void
  /** process: Body of a fiber made by sched.create. */
  task(arg: number): void
  /** process: Body of a fiber of a domain that began from an image: it goes on with what it was given when it was created. */
  resume(arg: number): void
  /** atomic: Take what there is, if interrupts are on. Called where the work of a module bound to the core is counted, and never by the machine. */
  look(): void
  /** atomic: ipc.invoke by another domain, on its thread. Returns the answer, 31 bits; the upper one says that a task can go on. */
  serve(cookie: number, badge: number, label: number, a: number, b: number, c: number): number
}

export const SHARED = ['drvport_irqs_off', 'drvport_pending'] as const
export const GLOBALS = ['__stack_pointer', 'drvport_fuel', 'drvport_stack_limit', 'drvport_room'] as const
