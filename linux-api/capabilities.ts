/**
 * The driver ABI, defined once.
 *
 * What a core and modules bound to it may import (calls), what a core must export (entries), the structures both sides
 * read in the domain's linear memory, and the constants. `linux-api/generate.ts` turns this table into the C header the shim
 * includes, the TypeScript types the machine implements, and docs/abi.md.
 *
 * Rules: 32-bit integers only; pointer and length for bytes; a 64-bit value is two words or eight bytes in memory;
 * only a call marked `blocking` may suspend the calling fiber. Nothing here may name a Linux type.
 *
 * Terms: a *call* goes from the driver to the machine, an *entry* from the machine to the driver. An *atomic* entry is
 * a plain call that must not block; a *process* entry runs on a fiber with its own C stack.
 */

import { bounds, type Bounds } from './bounds.ts'

export type Word = 'u32' | 'i32' | 'ptr'

export interface Param {
  readonly name: string
  readonly type: Word
  readonly doc?: string
}

export interface Call {
  readonly name: string
  readonly params: readonly Param[]
  readonly result: Word | 'void'
  readonly blocking?: true
  readonly noreturn?: true
  /** The overlay's headers call it, so that every object of a tree may: declared where each of them reads it. */
  readonly inline?: true
  /** A function of the core: what calls it is bound to that, and no module may import it from the machine. */
  readonly core?: true
  readonly doc: string
  /** What it may cost and keep. */
  readonly bounds: Bounds
}

/** A call as it is written down here: its bounds are a row in bounds.ts. */
type Written = Omit<Call, 'bounds'>

export interface Group {
  readonly name: string
  readonly doc: string
  /** Who may ask for it: `all`, or drivers of a bus or device class, by name; `layered`: who serves others or is served by them. */
  readonly grantedTo: readonly string[]
  /** Every call of it is `inline`. */
  readonly inline?: true
  readonly calls: readonly Call[]
}

export interface Entry {
  readonly name: string
  readonly context: 'atomic' | 'process'
  readonly params: readonly Param[]
  readonly result: Word | 'void'
  readonly doc: string
}

export interface Field {
  readonly name: string
  readonly type: 'u8' | 'u16' | 'u32' | 'i32' | 'u64'
  readonly count?: number
  readonly doc?: string
}

export interface Struct {
  readonly name: string
  readonly doc: string
  readonly fields: readonly Field[]
}

export interface ConstantSet {
  readonly name: string
  readonly doc: string
  readonly values: readonly (readonly [name: string, value: number, doc: string])[]
}

const p = (name: string, type: Word, doc?: string): Param => (doc === undefined ? { name, type } : { name, type, doc })

const fn = p('fn', 'u32', 'PCI function handle: index among the functions this domain was granted')
const port = p('port', 'u32', 'x86-style I/O port number, 0 to 0xffff')
const mmioAddr = p('addr', 'u32', 'address returned by mmio.map, plus an offset')
const iface = p('net', 'u32', 'interface handle returned by net.register')
const slot = p(
  'cap',
  'u32',
  "slot of the domain's capability space, or slot + (inner slot + 1) << 16 in a CNode held there",
)
const message = p('msg', 'ptr', 'struct message: what is said, and where the answer goes')
const deadline = [
  p('deadline_lo', 'u32', 'absolute virtual time in ns, low word'),
  p('deadline_hi', 'u32', 'high word; both words all ones: no deadline'),
] as const

export const ABI_VERSION = 2

const written: readonly (Omit<Group, 'calls'> & { readonly calls: readonly Written[] })[] = [
  {
    name: 'log',
    doc: 'Log records and self-reported failure. Every domain holds it, within a volume quota.',
    grantedTo: ['all'],
    calls: [
      {
        name: 'write',
        params: [p('level', 'u32', 'LOG_*'), p('text', 'ptr'), p('len', 'u32')],
        result: 'void',
        doc: 'One log record, UTF-8, without a trailing newline.',
      },
      {
        name: 'fault',
        params: [p('kind', 'u32', 'FAULT_*'), p('text', 'ptr', 'what happened'), p('len', 'u32')],
        result: 'void',
        noreturn: true,
        doc: 'The driver has failed and says how. The domain ends here; the call never returns.',
      },
      {
        name: 'seed',
        params: [p('out', 'ptr'), p('len', 'u32', 'bytes, at most 64')],
        result: 'void',
        doc: "Bytes of the machine's one seeded source, for the domain's own.",
      },
    ],
  },
  {
    name: 'mmio',
    doc: 'Device memory. A mapping is a range of addresses beyond linear memory, so a plain dereference of it traps.',
    grantedTo: ['pci', 'platform', 'layered'],
    inline: true,
    calls: [
      {
        name: 'map',
        params: [p('phys_lo', 'u32', 'bus address'), p('phys_hi', 'u32'), p('len', 'u32', 'bytes')],
        result: 'u32',
        doc: 'Map part of a granted memory BAR. Returns the address, or 0 when no capability covers the range.',
      },
      { name: 'unmap', params: [mmioAddr], result: 'i32', doc: 'Undo map. 0, or E_INVAL.' },
      { name: 'read8', params: [mmioAddr], result: 'u32', doc: 'Read a byte.' },
      { name: 'read16', params: [mmioAddr], result: 'u32', doc: 'Read two bytes, little-endian.' },
      { name: 'read32', params: [mmioAddr], result: 'u32', doc: 'Read four bytes, little-endian.' },
      { name: 'write8', params: [mmioAddr, p('value', 'u32')], result: 'void', doc: 'Write a byte.' },
      { name: 'write16', params: [mmioAddr, p('value', 'u32')], result: 'void', doc: 'Write two bytes.' },
      { name: 'write32', params: [mmioAddr, p('value', 'u32')], result: 'void', doc: 'Write four bytes.' },
      {
        name: 'read_rep',
        params: [mmioAddr, p('width', 'u32', '1, 2 or 4'), p('dst', 'ptr'), p('count', 'u32', 'units')],
        result: 'void',
        doc: 'Read one register repeatedly into memory.',
      },
      {
        name: 'write_rep',
        params: [mmioAddr, p('width', 'u32', '1, 2 or 4'), p('src', 'ptr'), p('count', 'u32', 'units')],
        result: 'void',
        doc: 'Write memory to one register repeatedly.',
      },
    ],
  },
  {
    name: 'pio',
    doc: 'I/O ports. A port is usable when it lies in a granted I/O BAR or a granted fixed range.',
    grantedTo: ['pci', 'platform'],
    inline: true,
    calls: [
      { name: 'in8', params: [port], result: 'u32', doc: 'Read a byte.' },
      { name: 'in16', params: [port], result: 'u32', doc: 'Read two bytes.' },
      { name: 'in32', params: [port], result: 'u32', doc: 'Read four bytes.' },
      { name: 'out8', params: [port, p('value', 'u32')], result: 'void', doc: 'Write a byte.' },
      { name: 'out16', params: [port, p('value', 'u32')], result: 'void', doc: 'Write two bytes.' },
      { name: 'out32', params: [port, p('value', 'u32')], result: 'void', doc: 'Write four bytes.' },
      {
        name: 'in_rep',
        params: [port, p('width', 'u32', '1, 2 or 4'), p('dst', 'ptr'), p('count', 'u32', 'units')],
        result: 'void',
        doc: 'Read one port repeatedly into memory.',
      },
      {
        name: 'out_rep',
        params: [port, p('width', 'u32', '1, 2 or 4'), p('src', 'ptr'), p('count', 'u32', 'units')],
        result: 'void',
        doc: 'Write memory to one port repeatedly.',
      },
    ],
  },
  {
    name: 'pci',
    doc: 'PCI functions granted to the domain: configuration space, BARs, interrupt vectors, reset.',
    grantedTo: ['pci'],
    calls: [
      { name: 'location', params: [fn], result: 'i32', doc: 'bus << 8 | device << 3 | function, or E_NODEV.' },
      {
        name: 'config_read',
        params: [fn, p('offset', 'u32'), p('width', 'u32', '1, 2 or 4')],
        result: 'u32',
        doc: 'Read configuration space; all ones where nothing answers.',
      },
      {
        name: 'config_write',
        params: [fn, p('offset', 'u32'), p('width', 'u32'), p('value', 'u32')],
        result: 'i32',
        doc: 'Write configuration space. BARs and MSI address/data registers belong to the host: E_PERM.',
      },
      {
        name: 'vectors',
        params: [fn, p('kind', 'u32', 'VECTOR_*'), p('count', 'u32', 'wanted')],
        result: 'i32',
        doc: 'Allocate interrupt vectors; returns the first interrupt number (they are consecutive) or E_NOSPC / E_INVAL. VECTOR_INTX returns the line.',
      },
      { name: 'vectors_free', params: [fn], result: 'i32', doc: 'Give MSI or MSI-X vectors back and return to INTx.' },
    ],
  },
  {
    name: 'dma',
    doc: 'Windows of linear memory that a device may reach. Anything outside them is an IOMMU fault.',
    grantedTo: ['pci', 'platform'],
    calls: [
      {
        name: 'map',
        params: [fn, p('addr', 'ptr'), p('len', 'u32'), p('dir', 'u32', 'DMA_*')],
        result: 'u32',
        doc: 'Open a window; returns the bus address the device must use, or DMA_ERROR.',
      },
      {
        name: 'unmap',
        params: [fn, p('iova', 'u32'), p('len', 'u32')],
        result: 'i32',
        doc: 'Close a window. E_INVAL when it is not open (a double unmap), which is also reported.',
      },
      {
        name: 'set_mask',
        params: [fn, p('bits', 'u32')],
        result: 'i32',
        doc: 'Address bits the device can drive, 1 to 64.',
      },
    ],
  },
  {
    name: 'irq',
    doc: 'Interrupt lines and messages granted to the domain.',
    grantedTo: ['pci', 'platform', 'layered'],
    calls: [
      {
        name: 'attach',
        params: [p('irq', 'u32')],
        result: 'i32',
        doc: 'Deliver this interrupt from now on, by irq.take. Starts unmasked.',
      },
      { name: 'detach', params: [p('irq', 'u32')], result: 'i32', doc: 'Stop delivery.' },
      { name: 'mask', params: [p('irq', 'u32')], result: 'i32', doc: 'Hold delivery back. Nests.' },
      {
        name: 'unmask',
        params: [p('irq', 'u32')],
        result: 'i32',
        doc: 'Undo one mask; what was held back can be taken.',
      },
      {
        name: 'deliver',
        inline: true,
        core: true,
        params: [],
        result: 'void',
        doc: 'Interrupts were turned on while `pending` was set: deliver now.',
      },
      {
        name: 'take',
        params: [],
        result: 'i32',
        doc: 'The next interrupt to be handled, or IRQ_TIMER, IRQ_REQUEST; -1 when there is nothing more.',
      },
      {
        name: 'done',
        params: [p('irq', 'u32')],
        result: 'void',
        doc: 'An interrupt that was taken has been handled: what is still asserted comes again.',
      },
    ],
  },
  {
    name: 'time',
    doc: 'Virtual time.',
    grantedTo: ['all'],
    calls: [
      { name: 'now', params: [p('out', 'ptr', 'u64')], result: 'void', doc: 'Nanoseconds since the machine started.' },
      {
        name: 'wall',
        params: [p('out', 'ptr', 'u64')],
        result: 'void',
        doc: "Nanoseconds since 1970 by the machine's own (virtual) clock.",
      },
      {
        name: 'set_timer',
        params: deadline,
        result: 'void',
        doc: "Arm the domain's one timer: irq.take says IRQ_TIMER at or after the deadline. Replaces the earlier deadline.",
      },
      {
        name: 'delay',
        inline: true,
        core: true,
        params: [p('ns', 'u32')],
        result: 'void',
        doc: 'Busy wait. Time passes; devices work; interrupts arrive if they are on.',
      },
      {
        name: 'pass',
        params: [p('ns', 'u32')],
        result: 'u32',
        doc: 'Busy wait, for one turn at most, until something is to be delivered and interrupts are on, or others may want the processor. Returns the ns left.',
      },
    ],
  },
  {
    name: 'sched',
    doc: 'Tasks as fibers, each with a C stack of its own. The program says which of them runs; the machine, whether the program does.',
    grantedTo: ['all'],
    calls: [
      {
        name: 'self',
        params: [],
        result: 'u32',
        doc: 'The current fiber, 1 and up; 0 in an atomic entry that no fiber was interrupted by.',
      },
      {
        name: 'relax',
        inline: true,
        params: [],
        result: 'void',
        doc: 'A busy-wait loop turned once: a little time passes and interrupts may arrive.',
      },
      {
        name: 'preempt',
        params: [],
        result: 'void',
        doc: 'The work counter ran out (called by code the pipeline adds at loop back-edges).',
      },
      {
        name: 'resched',
        params: [],
        result: 'void',
        blocking: true,
        doc: 'Somebody else is to run now: called after `preempt`, by code the pipeline adds, when that left the counter below zero.',
      },
      {
        name: 'stack_overflow',
        params: [],
        result: 'void',
        noreturn: true,
        doc: 'The C stack pointer left its region (called by code the pipeline adds).',
      },
      {
        name: 'create',
        params: [
          p('arg', 'u32', 'what the `task` entry is told'),
          p('base', 'ptr', 'lowest byte of its C stack'),
          p('top', 'ptr', 'where the stack begins, growing down'),
        ],
        result: 'u32',
        doc: 'A fiber with a C stack of the program, which runs when it is switched to. Its number, or 0 when the quota is exhausted.',
      },
      {
        name: 'switch',
        params: [p('fiber', 'u32')],
        result: 'u32',
        blocking: true,
        doc: 'Another fiber made by `create` goes on at once, in the place of this one, which goes on when it is switched to. Then 0; 1 when the machine has given the domain up and asks where this fiber waits: it must fail there.',
      },
      {
        name: 'release',
        params: [p('fiber', 'u32')],
        result: 'void',
        doc: 'A fiber that was switched away from, or never to, will not be switched to any more.',
      },
      {
        name: 'idle',
        params: [],
        result: 'void',
        blocking: true,
        doc: 'Nobody can run: wait until there is something to deliver.',
      },
      {
        name: 'ready',
        params: [],
        result: 'void',
        blocking: true,
        doc: 'The program is up: from here on it takes requests. All its other fibers are parked; its memory may be kept as an image, from which others like it begin.',
      },
    ],
  },
  {
    name: 'call',
    doc: 'What the machine asks of the domain: requests, announced by the interrupt IRQ_REQUEST.',
    grantedTo: ['all'],
    calls: [
      {
        name: 'take',
        params: [p('out', 'ptr', 'struct request')],
        result: 'i32',
        doc: 'The next request: 1, or 0 when there is none.',
      },
      {
        name: 'data',
        params: [p('id', 'u32', 'of the request'), p('dst', 'ptr', 'as many bytes as the request says')],
        result: 'i32',
        doc: 'What came with a request that was taken. 0, or E_INVAL.',
      },
      {
        name: 'done',
        params: [p('id', 'u32'), p('result', 'i32'), p('data', 'ptr', 'its data as it is now, or 0')],
        result: 'void',
        doc: 'A request has been carried out.',
      },
      {
        name: 'wanted',
        params: [p('name', 'ptr'), p('len', 'u32')],
        result: 'i32',
        doc: 'Somebody asks for a module by its name or an alias. Bytes of the image of the one that is to be loaded next for it; 0 when all are; E_NODEV when there is none.',
      },
      {
        name: 'module',
        params: [p('name', 'ptr'), p('len', 'u32'), p('dst', 'ptr', 'struct module_image'), p('bytes', 'u32')],
        result: 'i32',
        doc: 'Put that module in its place, and its image where it is wanted. 0, or E_INVAL when it is not of so many bytes any more.',
      },
    ] satisfies readonly Written[],
  },
  {
    name: 'net',
    doc: "Ethernet interfaces offered by the domain to the machine's network service.",
    grantedTo: ['net'],
    calls: [
      {
        name: 'register',
        params: [p('desc', 'ptr', 'struct net_desc')],
        result: 'i32',
        doc: 'Offer an interface; returns its handle or an error.',
      },
      { name: 'unregister', params: [iface], result: 'i32', doc: 'Withdraw it. Frames in flight are dropped.' },
      { name: 'carrier', params: [iface, p('up', 'u32')], result: 'void', doc: 'Link came up (1) or went down (0).' },
      {
        name: 'queue',
        params: [iface, p('awake', 'u32')],
        result: 'void',
        doc: 'Transmit queue stopped (0) or accepting (1).',
      },
      {
        name: 'rx',
        params: [iface, p('vec', 'ptr', 'struct net_frame[]'), p('count', 'u32')],
        result: 'void',
        doc: 'Received frames; the machine has copied them when the call returns.',
      },
      {
        name: 'fetch',
        params: [iface],
        result: 'u32',
        doc: 'Frames to be sent: the machine fills the transmit arena from its start. Returns how many.',
      },
      {
        name: 'changed',
        params: [iface, p('desc', 'ptr', 'struct net_desc')],
        result: 'void',
        doc: 'Address, MTU, name or features changed.',
      },
    ],
  },
  {
    name: 'ipc',
    doc: 'Conversations with other domains, through endpoints and notifications that the domain holds. Results below zero are IPC_*.',
    grantedTo: ['layered'],
    calls: [
      {
        name: 'find',
        params: [p('name', 'ptr'), p('len', 'u32')],
        result: 'i32',
        doc: 'The slot of the capability that was granted under this name, or IPC_EMPTY.',
      },
      {
        name: 'offer',
        params: [p('name', 'ptr'), p('len', 'u32'), p('rules', 'ptr', 'contract, or nothing'), p('rules_len', 'u32')],
        result: 'i32',
        doc: 'Make an endpoint and offer it under a name: whoever the machine connects gets a capability to it. Returns the slot of the one to receive with, IPC_PROTOCOL for rules that make no sense, IPC_QUOTA.',
      },
      {
        name: 'notification',
        params: [],
        result: 'i32',
        doc: 'Make a notification. Returns its slot, or IPC_QUOTA.',
      },
      {
        name: 'close',
        params: [slot],
        result: 'i32',
        doc: 'End an endpoint or notification one may receive from: everybody who waits there is told, every capability to it ends.',
      },
      {
        name: 'call',
        params: [slot, message, ...deadline],
        result: 'i32',
        blocking: true,
        doc: 'Send the message and wait for its reply, which replaces it. Returns the label of the reply, or IPC_*.',
      },
      {
        name: 'send',
        params: [slot, message, ...deadline],
        result: 'i32',
        blocking: true,
        doc: 'Send the message; done when it is received. Returns 0 or IPC_*.',
      },
      {
        name: 'receive',
        params: [slot, message, ...deadline],
        result: 'i32',
        blocking: true,
        doc: 'Wait for the next message. Returns its label, or IPC_*.',
      },
      {
        name: 'reply',
        params: [message],
        result: 'i32',
        doc: 'Answer the latest caller not yet answered. On an error it still waits.',
      },
      {
        name: 'reply_receive',
        params: [slot, message, ...deadline],
        result: 'i32',
        blocking: true,
        doc: 'Answer with the message, then wait for the next one in its place: what the loop of a server does. Returns its label, or IPC_*.',
      },
      {
        name: 'watch',
        params: [slot],
        result: 'i32',
        doc: 'From now on whoever receives there hears, by a message with label IPC_GONE and the badge, that the last capability of a client has ended.',
      },
      {
        name: 'window',
        params: [p('first', 'u32', 'slot'), p('count', 'u32', '0 to 3')],
        result: 'i32',
        doc: 'Open slots for capabilities that come in messages to this fiber: without it none do.',
      },
      {
        name: 'serve',
        params: [slot, p('cookie', 'u32', 'what the entry is told of the endpoint')],
        result: 'i32',
        doc: 'Answer ipc.invoke on this endpoint with the `serve` entry from now on, on the thread of the caller.',
      },
      {
        name: 'invoke',
        params: [slot, p('label', 'u32'), p('a', 'u32'), p('b', 'u32'), p('c', 'u32')],
        result: 'i32',
        doc: 'Call the `serve` entry behind an endpoint and return its answer (31 bits), or IPC_*: IPC_DEADLOCK where the server is at work already or holds interrupts off. Never blocks: for atomic entries too.',
      },
      {
        name: 'signal',
        params: [slot, p('bits', 'u32')],
        result: 'i32',
        doc: 'Set bits of a notification: those of the badge where there is one. Never blocks.',
      },
      {
        name: 'wait',
        params: [slot, message, ...deadline],
        result: 'i32',
        blocking: true,
        doc: 'Wait until bits are set; they come as the label of the message and are cleared. Returns 0 or IPC_*.',
      },
      {
        name: 'poll',
        params: [slot],
        result: 'i32',
        doc: 'The bits that are set (31 of them), cleared; 0 when there are none, or IPC_*. Never blocks.',
      },
      {
        name: 'next',
        params: [p('out', 'ptr', 'i32: what its call comes to')],
        result: 'u32',
        doc: 'Of a program that switches between its tasks itself, whose calls that must wait return IPC_LATER: the next fiber that need not wait any more, announced by IRQ_MESSAGE; 0 when there is none.',
      },
    ] satisfies readonly Written[],
  },
  {
    name: 'cap',
    doc: 'The capability space of the domain. Rights only shrink; results below zero are IPC_*.',
    grantedTo: ['layered'],
    calls: [
      {
        name: 'mint',
        params: [p('from', 'u32'), p('to', 'u32'), p('rights', 'u32', 'RIGHT_*'), p('badge', 'u32', '0: as it is')],
        result: 'i32',
        doc: 'Derive a capability into an empty slot, with no more rights and with a badge if it has none.',
      },
      { name: 'move', params: [p('from', 'u32'), p('to', 'u32')], result: 'i32', doc: 'Put it into another slot.' },
      {
        name: 'remove',
        params: [slot],
        result: 'i32',
        doc: 'Empty a slot. What was derived from it stays.',
      },
      {
        name: 'revoke',
        params: [slot],
        result: 'i32',
        blocking: true,
        doc: 'End everything derived from it, wherever it lies. All of it fails from the instant this begins; others run in between. Returns how many ended.',
      },
      { name: 'rights', params: [slot], result: 'i32', doc: 'RIGHT_* of a capability that can be used, or IPC_*.' },
      { name: 'free', params: [], result: 'i32', doc: 'The lowest empty slot, or IPC_QUOTA.' },
    ] satisfies readonly Written[],
  },
  {
    name: 'mem',
    doc: 'Memory shared between domains. Results below zero are IPC_*.',
    grantedTo: ['layered'],
    calls: [
      {
        name: 'create',
        params: [p('len', 'u32', 'bytes')],
        result: 'i32',
        doc: 'Make a memory object, zeroed, and own it. Returns its slot, or IPC_QUOTA.',
      },
      {
        name: 'lend',
        params: [p('addr', 'ptr'), p('len', 'u32', 'bytes')],
        result: 'i32',
        doc: "Make a memory object of a piece of the domain's own memory: it can be shared and taken back, never given away. Returns its slot, IPC_RANGE, or IPC_QUOTA.",
      },
      { name: 'size', params: [slot], result: 'i32', doc: 'Bytes of a memory object, or IPC_*.' },
      {
        name: 'read',
        params: [slot, p('offset', 'u32'), p('dst', 'ptr'), p('len', 'u32')],
        result: 'i32',
        doc: 'Copy out of a memory object. 0, or IPC_RANGE when not all of it lies within.',
      },
      {
        name: 'write',
        params: [slot, p('offset', 'u32'), p('src', 'ptr'), p('len', 'u32')],
        result: 'i32',
        doc: 'Copy into a memory object. 0, or IPC_RANGE, and nothing is written.',
      },
      {
        name: 'map',
        params: [slot, p('offset', 'u32'), p('len', 'u32')],
        result: 'u32',
        doc: 'Map a piece of it beyond linear memory, for mmio.read and mmio.write. Returns the address, or 0. It ends when the capability it was made by is revoked.',
      },
      { name: 'unmap', params: [p('addr', 'u32', 'address returned by mem.map')], result: 'i32', doc: 'Undo map.' },
    ] satisfies readonly Written[],
  },
  {
    name: 'ring',
    doc: 'Rings of slots in memory that one side, the owner, lends (layout: struct ring). The owner works on it in place. Results below zero are IPC_*.',
    grantedTo: ['layered'],
    calls: [
      {
        name: 'create',
        params: [
          p('addr', 'ptr', 'struct ring and the slots after it, 4-byte aligned'),
          p('slots', 'u32', 'a power of two'),
          p('slot_bytes', 'u32'),
          p('outward', 'u32', '1: from the owner to the peer, 0: to the owner'),
        ],
        result: 'i32',
        doc: "Make a ring in the domain's own memory. Returns the owner's slot; who is given one derived from it is the peer.",
      },
      {
        name: 'take',
        params: [slot, p('dst', 'ptr'), p('max', 'u32', 'slots')],
        result: 'i32',
        doc: 'Peer: take what is there, and tell the owner if it asked for that. Returns how many slots.',
      },
      {
        name: 'put',
        params: [slot, p('src', 'ptr'), p('count', 'u32', 'slots')],
        result: 'i32',
        doc: 'Peer: put slots, and tell the owner if it asked for that. Returns how many there was room for.',
      },
      {
        name: 'tell',
        params: [slot],
        result: 'i32',
        doc: 'Owner: the peer asked to hear of the slot just passed (its event index in the ring).',
      },
      {
        name: 'wait',
        params: [slot, ...deadline],
        result: 'i32',
        blocking: true,
        doc: 'Wait until the other side went on: the peer for slots to move, the owner for what it wrote as its event index. 0, or IPC_ENDED when nobody is there.',
      },
    ] satisfies readonly Written[],
  },
]

/** Every call, those that the core answers among them: what C is written against. */
export const declared: readonly (Omit<Group, 'calls'> & { readonly calls: readonly Written[] })[] = written

/** Calls of the machine. */
export const groups: readonly Group[] = written.map((group) => ({
  ...group,
  calls: group.calls
    .filter(({ core }) => core === undefined)
    .map((call) => ({ ...call, bounds: boundsOf(group.name, call) })),
}))

function boundsOf(group: string, { name }: Written): Bounds {
  const found = bounds[group]?.[name]
  if (found === undefined) throw new Error(`${group}.${name} has no row in linux-api/bounds.ts`)
  return found
}

export const entries: readonly Entry[] = [
  {
    name: 'start',
    context: 'process',
    params: [p('bytes', 'u32', 'of linear memory'), p('fiber', 'u32', 'the one it is called on')],
    result: 'void',
    doc: 'Bring the kernel up. Does not return: the fiber becomes the one that idles.',
  },
  {
    name: 'task',
    context: 'process',
    params: [p('arg', 'u32')],
    result: 'void',
    doc: 'Body of a fiber made by sched.create.',
  },
  {
    name: 'resume',
    context: 'process',
    params: [p('arg', 'u32')],
    result: 'void',
    doc: 'Body of a fiber of a domain that began from an image: it goes on with what it was given when it was created.',
  },
  {
    name: 'look',
    context: 'atomic',
    params: [],
    result: 'void',
    doc: 'Take what there is, if interrupts are on. Called where the work of a module bound to the core is counted, and never by the machine.',
  },
  {
    name: 'serve',
    context: 'atomic',
    params: [
      p('cookie', 'u32', 'of the endpoint'),
      p('badge', 'u32', 'who asks'),
      p('label', 'u32'),
      p('a', 'u32'),
      p('b', 'u32'),
      p('c', 'u32'),
    ],
    result: 'i32',
    doc: 'ipc.invoke by another domain, on its thread. Returns the answer, 31 bits; the upper one says that a task can go on.',
  },
]

/** Data the core exports: the symbol's value is its address in linear memory. */
export const shared: readonly { name: string; type: 'u32' | 'u64'; doc: string }[] = [
  {
    name: 'drvport_irqs_off',
    type: 'u32',
    doc: 'Non-zero while the domain holds interrupts off; the machine reads it before it stops a fiber, ends a busy wait or lets another domain in.',
  },
  {
    name: 'drvport_pending',
    type: 'u32',
    doc: 'The machine sets it when there is something for irq.take; the core looks at it when it turns interrupts on.',
  },
]

/** wasm globals the core exports, and modules bound to it import. All but the first are added by the pipeline. */
export const globals: readonly { name: string; doc: string }[] = [
  { name: '__stack_pointer', doc: 'C stack pointer, mutable; switched with the fiber.' },
  {
    name: 'drvport_fuel',
    doc: 'Work left before sched.preempt is called, mutable i32; loop turns and function entries are charged by the code behind them.',
  },
  { name: 'drvport_stack_limit', doc: 'Lowest legal value of the C stack pointer for the current fiber, mutable i32.' },
  {
    name: 'drvport_room',
    doc: "Bytes of the engine's own stack that calls may still take, mutable i32; as loaded, what one counted call takes.",
  },
]

export const structs: readonly Struct[] = [
  {
    name: 'net_desc',
    doc: 'An interface on offer.',
    fields: [
      { name: 'name', type: 'u8', count: 16, doc: 'NUL-terminated; the machine may rename (eth%d)' },
      { name: 'mac', type: 'u8', count: 6 },
      { name: 'pad', type: 'u16' },
      { name: 'slot', type: 'u32', doc: 'PCI function handle behind it, all ones if none' },
      { name: 'mtu', type: 'u32' },
      { name: 'min_mtu', type: 'u32' },
      { name: 'max_mtu', type: 'u32' },
      { name: 'features', type: 'u32', doc: 'NETF_*: what the hardware does for us' },
      { name: 'arena', type: 'u32', doc: 'transmit arena: address' },
      { name: 'arena_slots', type: 'u32', doc: 'slots in it' },
      { name: 'arena_slot_bytes', type: 'u32', doc: 'bytes a slot' },
    ],
  },
  {
    name: 'net_frame',
    doc: 'One frame in linear memory.',
    fields: [
      { name: 'addr', type: 'u32' },
      { name: 'len', type: 'u32', doc: 'bytes, without FCS' },
      { name: 'flags', type: 'u32', doc: 'FRAME_*' },
      { name: 'vlan', type: 'u16', doc: 'tag taken out by, or to be put in by, the hardware' },
      { name: 'csum_start', type: 'u16', doc: 'with FRAME_CSUM_PARTIAL: where summing starts' },
      { name: 'csum_offset', type: 'u16', doc: 'and where, after csum_start, the sum goes' },
      { name: 'gso_size', type: 'u16', doc: 'segment payload for FRAME_TSO4, else 0' },
    ],
  },
  {
    name: 'message',
    doc: 'A message. Words and capabilities beyond their counts are not read and not written.',
    fields: [
      { name: 'label', type: 'u32', doc: 'what it asks for or says, 31 bits; of a notification: its bits' },
      { name: 'badge', type: 'u32', doc: 'in: who speaks' },
      { name: 'count', type: 'u32', doc: 'words, 0 to 8' },
      { name: 'cap_count', type: 'u32', doc: 'capabilities, 0 to 3' },
      {
        name: 'moved',
        type: 'u32',
        doc: "out: bit i: capability i is moved, not copied; bit 8 + i: memory moved exclusively; in: bit i: it is the receiver's alone",
      },
      { name: 'words', type: 'u32', count: 8 },
      { name: 'caps', type: 'u32', count: 3, doc: 'out: slots; in: slots of the window' },
    ],
  },
  {
    name: 'ring',
    doc: 'Head of a ring; the slots follow. Indices count slots since the start and wrap at 2^32.',
    fields: [
      { name: 'owner', type: 'u32', doc: "the owner's index: produced or consumed so far" },
      { name: 'peer', type: 'u32', doc: "the peer's; the machine writes it and does not read it" },
      { name: 'owner_wants', type: 'u32', doc: 'the owner wants to hear when the peer passes this index' },
      { name: 'peer_wants', type: 'u32', doc: 'the peer wants to hear when the owner passes this one' },
      { name: 'pad', type: 'u32', count: 4 },
    ],
  },
  {
    name: 'nub',
    doc: "A device behind another domain's driver, as REQUEST_NUB_ADD tells of it.",
    fields: [
      { name: 'kind', type: 'u32', doc: 'NUB_*: what its endpoint understands' },
      { name: 'handle', type: 'u32', doc: 'what REQUEST_NUB_REMOVE is told' },
      { name: 'endpoint', type: 'u32', doc: 'slot of the capability to its bus, which its address is the badge of' },
      { name: 'address', type: 'u32', doc: 'on its bus' },
      { name: 'name', type: 'u8', count: 32, doc: 'of its kind, with a zero at the end' },
    ],
  },
  {
    name: 'request',
    doc: 'What the machine asks for.',
    fields: [
      { name: 'id', type: 'u32' },
      { name: 'kind', type: 'u32', doc: 'REQUEST_*' },
      { name: 'args', type: 'u32', count: 4 },
      { name: 'bytes', type: 'u32', doc: 'of data that comes with it' },
    ],
  },
  {
    name: 'waiting',
    doc: 'A task that waits and cannot be interrupted, as the answer to a heartbeat tells it.',
    fields: [
      { name: 'fiber', type: 'u32' },
      { name: 'name', type: 'u8', count: 16 },
    ],
  },
  {
    name: 'syscall',
    doc: 'A system call of the personality; memory that it is about follows.',
    fields: [
      { name: 'number', type: 'u32' },
      { name: 'pointers', type: 'u32', doc: 'bit i: args[i] is an offset into the memory that follows' },
      { name: 'args', type: 'u32', count: 6 },
      {
        name: 'within',
        type: 'u32',
        doc: 'how many words lie at the end of that memory: offsets of words in it that are such offsets too',
      },
    ],
  },
  {
    name: 'module_image',
    doc: 'A module that has been instantiated, as REQUEST_LOAD describes it; its sections follow, then its information, then its parameters.',
    fields: [
      { name: 'place', type: 'u32', doc: 'address of its struct module' },
      { name: 'place_bytes', type: 'u32', doc: 'of that and the sections after it' },
      { name: 'init', type: 'u32', doc: 'table slot, 0 for none' },
      { name: 'exit', type: 'u32', doc: 'table slot, 0 for none' },
      { name: 'sections', type: 'u32', doc: 'how many' },
      { name: 'information', type: 'u32', doc: 'bytes of .modinfo' },
      { name: 'name', type: 'u8', count: 56, doc: 'NUL-terminated' },
    ],
  },
  {
    name: 'module_section',
    doc: 'A table in the data of a module that Linux walks.',
    fields: [
      { name: 'name', type: 'u8', count: 40, doc: 'NUL-terminated' },
      { name: 'address', type: 'u32' },
      { name: 'bytes', type: 'u32' },
      { name: 'align', type: 'u32', doc: 'bytes' },
    ],
  },
]

export const constants: readonly ConstantSet[] = [
  {
    name: 'MMIO',
    doc: 'Address space beyond linear memory.',
    values: [
      ['BASE', 0xc0000000, 'first address mmio.map may return'],
      ['END', 0xffff0000, 'one past the last'],
    ],
  },
  {
    name: 'E',
    doc: 'Errors, negative.',
    values: [
      ['PERM', -1, 'no capability'],
      ['IO', -5, 'device error'],
      ['NOMEM', -12, 'out of memory'],
      ['BUSY', -16, 'in use'],
      ['NODEV', -19, 'no such device'],
      ['INVAL', -22, 'bad argument'],
      ['NOSPC', -28, 'none left'],
      ['TIMEDOUT', -110, 'deadline passed'],
      ['OPNOTSUPP', -95, 'not offered'],
    ],
  },
  {
    name: 'LOG',
    doc: 'Log levels.',
    values: [
      ['EMERG', 0, ''],
      ['ALERT', 1, ''],
      ['CRIT', 2, ''],
      ['ERR', 3, ''],
      ['WARNING', 4, ''],
      ['NOTICE', 5, ''],
      ['INFO', 6, ''],
      ['DEBUG', 7, ''],
    ],
  },
  {
    name: 'VECTOR',
    doc: 'Interrupt vector kinds.',
    values: [
      ['INTX', 0, ''],
      ['MSI', 1, ''],
      ['MSIX', 2, ''],
    ],
  },
  {
    name: 'DMA',
    doc: "Direction of a window, from the device's side.",
    values: [
      ['BIDIRECTIONAL', 0, 'read and write'],
      ['TO_DEVICE', 1, 'device reads'],
      ['FROM_DEVICE', 2, 'device writes'],
      ['ERROR', 0xffffffff, 'map failed'],
    ],
  },
  {
    name: 'FRAME',
    doc: 'Frame flags.',
    values: [
      ['CSUM_OK', 1, 'rx: hardware verified the checksum'],
      ['CSUM_PARTIAL', 2, 'tx: hardware must fill the checksum in'],
      ['VLAN', 4, 'vlan field is valid'],
      ['TSO4', 8, 'tx: segment as TCP over IPv4'],
      ['BROADCAST', 16, 'rx'],
      ['MULTICAST', 32, 'rx'],
      ['OTHERHOST', 64, 'rx: not addressed to us'],
    ],
  },
  {
    name: 'NETF',
    doc: 'Interface features.',
    values: [
      ['SG', 1, ''],
      ['CSUM', 2, 'transmit checksum'],
      ['RXCSUM', 4, ''],
      ['TSO', 8, ''],
      ['VLAN_TX', 16, ''],
      ['VLAN_RX', 32, ''],
      ['VLAN_FILTER', 64, ''],
    ],
  },
  {
    name: 'FAULT',
    doc: 'Ways a driver reports its own failure.',
    values: [
      ['BUG', 1, 'BUG() or a failed assertion that stops the kernel'],
      ['NULL_DEREFERENCE', 2, "the compiler's check found a null pointer"],
      ['SLEEP_IN_ATOMIC', 3, 'blocked where blocking is forbidden'],
      ['OUT_OF_MEMORY', 4, 'an allocation that cannot fail failed'],
      ['PANIC', 5, 'panic()'],
      ['TRAP_SYMBOL', 6, 'a kernel function nobody provides was called'],
      ['HEAP_CORRUPTION', 7, 'double free, free of something never allocated, overwritten guard'],
      ['DEADLOCK', 8, 'waits for itself'],
      ['LEAK', 9, 'something was left behind'],
      ['UNDEFINED', 10, 'undefined behaviour caught by a compiler check'],
    ],
  },
  {
    name: 'IRQ',
    doc: 'Interrupts that are no line of a device.',
    values: [
      ['TIMER', 0x40000000, 'the armed deadline passed'],
      ['REQUEST', 0x40000001, 'call.take has something'],
      ['FRAMES', 0x40000002, 'net.fetch has something'],
      ['MESSAGE', 0x40000003, 'ipc.next has something'],
    ],
  },
  {
    name: 'REQUEST',
    doc: 'What the machine asks for.',
    values: [
      ['LOAD', 1, 'load a module; data: struct module_image'],
      ['UNLOAD', 2, 'unload a module; data: its name'],
      ['PCI_ADD', 3, 'a function was granted: args[0]'],
      ['PCI_REMOVE', 4, 'it goes away: args[0]'],
      ['SYSCALL', 5, 'a system call; data: struct syscall and the memory it is about'],
      ['CANCEL', 6, 'a system call that waits is to return: the request args[0]'],
      ['NUB_ADD', 7, "a device of another domain's bus was granted; data: struct nub"],
      ['NUB_REMOVE', 8, 'it goes away: the handle args[0]'],
      [
        'HEARTBEAT',
        9,
        'show that the kernel does its work; data: room for struct waiting[]; returns how many there are',
      ],
    ],
  },
  {
    name: 'NUB',
    doc: 'Devices that a driver in another domain found on its bus.',
    values: [['I2C', 1, 'an I2C or SMBus device']],
  },
  {
    name: 'IPC',
    doc: 'Why a conversation or an operation on capabilities was refused.',
    values: [
      ['ENDED', -1, 'the other side has ended, or the capability'],
      ['NO_RIGHT', -2, 'the capability lacks the right'],
      ['EMPTY', -3, 'no such capability'],
      ['DEADLINE', -4, 'it passed'],
      ['CANCELLED', -5, 'the server ended before it answered'],
      ['WINDOW', -6, 'the receiver opened too few slots'],
      ['PROTOCOL', -7, 'the contract does not allow this message now'],
      ['DEADLOCK', -8, 'everybody who could answer waits for the caller'],
      ['NOBODY', -9, 'nobody waits for an answer; nobody answers'],
      ['OCCUPIED', -10, 'the slot is taken'],
      ['BADGED', -11, 'it has another badge for good'],
      ['QUOTA', -12, 'no more capabilities may be held'],
      ['RANGE', -13, 'no such slot, word or byte'],
      ['LATER', -14, 'it must wait; ipc.next says for what'],
      ['GONE', 0x7fffffff, 'label of the message that a client has gone'],
    ],
  },
  {
    name: 'RIGHT',
    doc: 'What the holder of a capability may do.',
    values: [
      ['READ', 1, 'receive, read'],
      ['WRITE', 2, 'send, write'],
      ['GRANT', 4, 'give it to another domain'],
      ['MAP', 8, 'map it'],
      ['ALL', 15, ''],
    ],
  },
]
