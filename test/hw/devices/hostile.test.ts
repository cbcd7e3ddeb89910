/**
 * Device models against drivers that mean harm: rings that loop, end at 2^32, overlap, point into themselves, change while they
 * are read or lead from transmit back to receive. The mistakes that other emulators made there are cases by name; around each,
 * a seed writes registers and descriptors at random.
 *
 * No model may do unbounded work for one register access or one event, call itself, throw, or touch memory outside of its window.
 */
import test from 'ava'
import { intel82540em } from '../../../hw/devices/intel-82540em.ts'
import { rtl8139 } from '../../../hw/devices/rtl8139.ts'
import { DEVICE_READS, DEVICE_WRITES } from '../../../hw/iommu.ts'
import { type Frame, frameOf, framesHeld, release, takeFrame } from '../../../hw/net/frame.ts'
import type { PciFunction } from '../../../hw/pci/function.ts'
import type { DeviceContext, DmaPort, EthernetPort, PciDevice } from '../../../hw/types.ts'
import { testBoard, testRandom, type TestBoard } from '../support.ts'

const MAC = '52:54:00:12:34:56'
/** The window: 64 KiB of memory that is full of a pattern elsewhere. */
const [BASE, BYTES, PATTERN] = [0x10000, 0x10000, 0xa5]
/** Accesses of memory in one step of the model's: a whole ring of 4096 descriptors with a frame each is fewer. */
const ACCESSES_MAX = 100_000
/** Events in a millisecond: a gigabit link carries 1500 frames in it. */
const EVENTS_MAX = 20_000

const SEEDS = Number(process.env['DRVPORT_HOSTILE_SEEDS'] ?? 8)

type Random = ReturnType<typeof testRandom>

/** Counts accesses, and when told to changes what it reads between two looks at it. */
class Watched implements DmaPort {
  accesses = 0
  restless = false
  readonly #port: DmaPort
  readonly #random: Random

  constructor(port: DmaPort, random: Random) {
    this.#port = port
    this.#random = random
  }

  get failed(): boolean {
    return this.#port.failed
  }

  read(iova: number, into: Uint8Array, at: number, length: number): boolean {
    this.accesses++
    const ok = this.#port.read(iova, into, at, length)
    if (this.restless && length > 0) into[at + this.#random.below(length)] = this.#random.below(256)
    return ok
  }

  write(iova: number, from: Uint8Array, at: number, length: number): boolean {
    this.accesses++
    return this.#port.write(iova, from, at, length)
  }

  readFrame(iova: number, into: Frame, at: number, length: number): boolean {
    this.accesses++
    const ok = this.#port.readFrame(iova, into, at, length)
    if (this.restless && length > 0) into.bytes[at + this.#random.below(length)] = this.#random.below(256)
    return ok
  }

  writeFrame(iova: number, from: Frame, at: number, length: number): boolean {
    this.accesses++
    return this.#port.writeFrame(iova, from, at, length)
  }

  #read(value: number, bits: number): number {
    this.accesses++
    return this.restless && this.#random.below(2) === 0 ? this.#random.below(2 ** bits) : value
  }

  read8 = (iova: number): number => this.#read(this.#port.read8(iova), 8)
  read16 = (iova: number): number => this.#read(this.#port.read16(iova), 16)
  read32 = (iova: number): number => this.#read(this.#port.read32(iova), 32)
  write8 = (iova: number, value: number): boolean => (this.accesses++, this.#port.write8(iova, value))
  write16 = (iova: number, value: number): boolean => (this.accesses++, this.#port.write16(iova, value))
  write32 = (iova: number, value: number): boolean => (this.accesses++, this.#port.write32(iova, value))
}

/** A cable whose other end sends back what comes, at once: the shortest way from transmit to receive. */
function mirror(): EthernetPort & { depth: number; deepest: number } {
  const port = {
    up: true,
    depth: 0,
    deepest: 0,
    mbps: 1000,
    onFrame: (_frame: Frame): void => undefined,
    onLink: (_up: boolean): void => undefined,
    send(bytes: Uint8Array, length: number): boolean {
      return port.pass(frameOf(bytes, length))
    },
    pass(frame: Frame): boolean {
      port.depth++
      port.deepest = Math.max(port.deepest, port.depth)
      if (port.depth < 50) port.onFrame(frame)
      port.depth--
      release(frame)
      return true
    },
  }
  return port
}

interface Bench {
  readonly board: TestBoard
  readonly fn: PciFunction
  readonly dma: Watched
  readonly port: ReturnType<typeof mirror>
  readonly random: Random
  /** Bus address of the window. */
  readonly iova: number
  write(offset: number, value: number, width?: number): void
  /** A word of the window. */
  put(offset: number, value: number): void
  pass(ns: number): void
}

type Make = (context: DeviceContext, port: EthernetPort) => PciDevice

function benchOf(make: Make, bar: number, seed: number): Bench {
  const board = testBoard(seed)
  const random = testRandom(seed)
  const port = mirror()
  let dma!: Watched
  const fn = board.host.plug((context) => {
    dma = new Watched(context.dma, random)
    return make({ ...context, dma }, port)
  })
  fn.configWrite(4, 2, 7)
  board.memory.bytes.fill(PATTERN)
  board.memory.bytes.fill(0, BASE, BASE + BYTES)
  const iova = fn.dma.map(board.memory, BASE, BYTES, DEVICE_READS | DEVICE_WRITES)
  const bounded = (what: string, work: () => void): void => {
    const before = dma.accesses
    work()
    if (dma.accesses - before > ACCESSES_MAX) throw new Error(`${what}: ${dma.accesses - before} accesses of memory`)
  }
  return {
    board,
    fn,
    dma,
    port,
    random,
    iova,
    write: (offset, value, width = 4) =>
      bounded(`write of 0x${offset.toString(16)}`, () => fn.bar(bar)!.write(offset, width, value >>> 0)),
    put: (offset, value) => board.memory.view.setUint32(BASE + (offset % BYTES), value >>> 0, true),
    pass: (ns) => {
      const fired = board.timeline.fired()
      bounded(`${ns} ns`, () => board.timeline.advance(ns))
      const events = board.timeline.fired() - fired
      if (events > EVENTS_MAX * Math.ceil(ns / 1e6)) throw new Error(`${events} events in ${ns} ns`)
    },
  }
}

/** Registers and what they are given: 82540EM manual, 13; RTL8139C data sheet, 5. */
const E = {
  CTRL: 0,
  RCTL: 0x100,
  TCTL: 0x400,
  RDBAL: 0x2800,
  RDLEN: 0x2808,
  RDH: 0x2810,
  RDT: 0x2818,
  TDBAL: 0x3800,
  TDLEN: 0x3808,
  TDH: 0x3810,
  TDT: 0x3818,
} as const
const [SLU, EN, PROMISCUOUS, LOOPBACK] = [0x40, 2, 0x18, 0xc0]
const [EOP, IFCS, TSE, RS, DEXT] = [1 << 24, 2 << 24, 4 << 24, 8 << 24, 0x20 << 24]

/** Transmit descriptor `i` of a ring at `at`: legacy, with these flags. */
const descriptor = (b: Bench, at: number, i: number, address: number, length: number, flags: number): void => {
  b.put(at + 16 * i, address)
  b.put(at + 16 * i + 4, 0)
  b.put(at + 16 * i + 8, length | flags)
  b.put(at + 16 * i + 12, 0)
}
const rings = (b: Bench, transmit: number, receive: number, bytes = 1024): void => {
  b.write(E.CTRL, SLU)
  b.write(E.TDBAL, transmit)
  b.write(E.TDLEN, bytes)
  b.write(E.RDBAL, receive)
  b.write(E.RDLEN, bytes)
  b.write(E.RDT, bytes / 16 - 1)
  b.write(E.RCTL, EN | PROMISCUOUS)
  b.write(E.TCTL, EN)
}

const INTEL: Readonly<Record<string, (b: Bench) => void>> = {
  'a ring whose tail lies beyond its end': (b) => {
    rings(b, b.iova, b.iova + 0x4000)
    for (let i = 0; i < 64; i++) descriptor(b, 0, i, b.iova, 64, EOP)
    b.write(E.TDT, 0xffff)
  },
  'a ring of the longest length over a window of less': (b) => {
    rings(b, b.iova, b.iova + 0x4000, 0xfff80)
    b.write(E.TDT, 0xfff7)
  },
  'a ring of no length': (b) => {
    rings(b, b.iova, b.iova, 0)
    b.write(E.TDT, 5)
  },
  'a ring that ends at 2^32': (b) => {
    rings(b, 0xfffffff0, 0xffffff80)
    b.write(E.TDT, 63)
  },
  'endless descriptor loop: a frame without an end, of empty pieces': (b) => {
    rings(b, b.iova, b.iova + 0x4000, 4096)
    for (let i = 0; i < 256; i++) descriptor(b, 0, i, b.iova, 0, 0)
    for (let round = 0; round < 20; round++) {
      b.write(E.TDT, 255)
      b.pass(100_000)
      b.write(E.TDT, 100)
      b.pass(100_000)
    }
  },
  'endless descriptor loop: a frame without an end, of long pieces': (b) => {
    rings(b, b.iova, b.iova + 0x4000, 4096)
    for (let i = 0; i < 256; i++) descriptor(b, 0, i, b.iova, 0xffff, 0)
    b.write(E.TDT, 255)
  },
  'endless descriptor loop: descriptors that point at themselves': (b) => {
    rings(b, b.iova, b.iova)
    for (let i = 0; i < 64; i++) descriptor(b, 0, i, b.iova + 16 * i, 16, EOP | RS)
    b.write(E.TDT, 63)
  },
  'length underflow: segments of nothing, with a header longer than the frame': (b) => {
    rings(b, b.iova, b.iova + 0x4000)
    // A context: checksums anywhere, header 255, MSS 0 or 1; then data to be segmented by it.
    for (const [i, mss] of [0, 1].entries()) {
      b.put(32 * i, 0xffff_ffff)
      b.put(32 * i + 4, 0xffff_ffff)
      b.put(32 * i + 8, 0xfffff | (DEXT | TSE))
      b.put(32 * i + 12, 0xff00 | (mss << 16))
      descriptor(b, 32 * i + 16, 0, b.iova, 0x100 | (1 << 20), DEXT | TSE | EOP | IFCS)
    }
    b.write(E.TDT, 4)
  },
  're-entrant loopback: into the ring it sends from': (b) => {
    rings(b, b.iova, b.iova)
    b.write(E.RCTL, EN | PROMISCUOUS | LOOPBACK)
    for (let i = 0; i < 64; i++) descriptor(b, 0, i, b.iova, 1000, EOP | RS)
    b.write(E.TDT, 63)
  },
  'a ring that changes while it is read': (b) => {
    b.dma.restless = true
    rings(b, b.iova, b.iova + 0x800)
    for (let i = 0; i < 64; i++) descriptor(b, 0, i, b.iova + 0x1000, 60, EOP | RS)
    b.write(E.TDT, 63)
  },
}

const L = { TSD0: 0x10, TSAD0: 0x20, RBSTART: 0x30, CR: 0x37, CAPR: 0x38, TCR: 0x40, RCR: 0x44 } as const
const start = (b: Bench, receive: number): void => {
  b.write(L.CR, 0x0c, 1)
  b.write(L.RBSTART, receive)
  b.write(L.RCR, 0xf00f)
}
const REALTEK: Readonly<Record<string, (b: Bench) => void>> = {
  'length underflow: frames of no length and of the longest': (b) => {
    start(b, b.iova)
    for (const [i, length] of [0, 1, 0x1fff, 1792].entries()) {
      b.write(L.TSAD0 + 4 * i, b.iova)
      b.write(L.TSD0 + 4 * i, length)
    }
  },
  'a buffer that ends at 2^32': (b) => {
    start(b, 0xffff_ff00)
    b.write(L.TSAD0, 0xffff_fff0)
    b.write(L.TSD0, 1500)
  },
  're-entrant loopback: into what it sends': (b) => {
    start(b, b.iova)
    b.write(L.TCR, 3 << 17)
    for (let round = 0; round < 40; round++)
      for (let i = 0; i < 4; i++) {
        b.write(L.TSAD0 + 4 * i, b.iova + 16 * i)
        b.write(L.TSD0 + 4 * i, 1500)
      }
  },
  'a read pointer that is nowhere': (b) => {
    start(b, b.iova)
    for (const at of [0xffff, 0xfff0, 0x7fff, 0]) {
      b.write(L.CAPR, at, 2)
      b.write(L.TSAD0, b.iova)
      b.write(L.TSD0, 200)
      b.pass(1e6)
    }
  },
  'a frame that changes while it is read': (b) => {
    b.dma.restless = true
    start(b, b.iova)
    b.write(L.TSAD0, b.iova)
    b.write(L.TSD0, 1500)
  },
}

const MODELS: readonly {
  readonly name: string
  readonly make: Make
  readonly bar: number
  readonly registers: number
  readonly cases: Readonly<Record<string, (b: Bench) => void>>
}[] = [
  {
    name: '82540EM',
    make: (context, port) => intel82540em(context, { mac: MAC, port, negotiationNs: 1000 }),
    bar: 0,
    registers: 0x6000,
    cases: INTEL,
  },
  {
    name: 'RTL8139',
    make: (context, port) => rtl8139(context, { mac: MAC, port, negotiationNs: 1000 }),
    bar: 1,
    registers: 0x100,
    cases: REALTEK,
  },
]

/** Registers, descriptors and time at random, a few steps. */
function noise(b: Bench, registers: number): void {
  const values = [0, 1, 0xffffffff, b.iova, b.iova + 8, 0xfffffff0, 0x80000000, b.iova + BYTES - 4]
  for (let step = 0; step < 30; step++) {
    const what = b.random.below(4)
    const value = b.random.below(3) === 0 ? b.random.below(2 ** 32) : values[b.random.below(values.length)]!
    if (what === 0) b.put(4 * b.random.below(0x1000), value)
    else if (what === 1) b.pass(1 + b.random.below(50_000))
    else b.write(4 * b.random.below(registers / 4), value)
  }
}

for (const { name, make, bar, registers, cases } of MODELS)
  for (const [what, attack] of Object.entries(cases))
    test(`${name}: ${what}`, (t) => {
      let reached = 0
      for (let seed = 1; seed <= SEEDS; seed++) {
        const held = framesHeld()
        const b = benchOf(make, bar, seed)
        b.pass(1e6)
        if (seed > 1) noise(b, registers)
        attack(b)
        b.pass(3e6)
        if (seed > SEEDS / 2) noise(b, registers)
        b.pass(1e6)
        const outside = b.board.memory.bytes.findIndex(
          (byte, at) => byte !== PATTERN && (at < BASE || at >= BASE + BYTES),
        )
        t.is(outside, -1, `seed ${seed}: memory at 0x${outside.toString(16)} was written`)
        t.true(b.port.deepest < 50, `seed ${seed}: a frame came back into the send of another, ${b.port.deepest} deep`)
        reached += b.dma.accesses
        b.fn.detach()
        const [fired, accesses] = [b.board.timeline.fired(), b.dma.accesses]
        b.board.timeline.advance(1e6)
        t.true(b.board.timeline.fired() - fired < 10, `seed ${seed}: it goes on after its reset`)
        t.is(b.dma.accesses, accesses, `seed ${seed}: it reaches for memory after its reset`)
        t.is(framesHeld(), held, `seed ${seed}: frames are still held after its reset`)
      }
      // A ring without length, or whose tail is not in it, is none: there is nothing to read.
      if (!/no length|tail lies beyond/.test(what)) t.true(reached > 0, 'nothing reached for memory at all')
    })

for (const { name, make, bar } of MODELS)
  test(`${name}: what is left over in a frame's buffer does not leave with a short frame`, (t) => {
    const b = benchOf(make, bar, 1)
    const sent: number[][] = []
    const { pass } = b.port
    b.port.pass = (frame) => {
      sent.push([...frame.bytes.subarray(0, frame.length)])
      return pass(frame)
    }
    b.pass(1e6)
    // Somebody else's secret, in every buffer that is handed out next.
    const others = Array.from({ length: 64 }, () => takeFrame(100))
    for (const frame of others) {
      frame.bytes.fill(0x5e)
      release(frame)
    }
    for (const length of [1, 14, 20, 59]) {
      if (bar === 1) {
        b.write(L.CR, 0x0c, 1)
        b.write(L.TSAD0, b.iova)
        b.write(L.TSD0, length)
      } else {
        rings(b, b.iova, b.iova + 0x4000)
        b.write(E.TCTL, EN | 8)
        b.write(E.TDH, 0)
        b.write(E.TDT, 0)
        descriptor(b, 0, 0, b.iova + 0x8000, length, EOP | IFCS)
        b.write(E.TDT, 1)
      }
      b.pass(1e6)
    }
    t.true(sent.length > 0)
    for (const bytes of sent) t.false(bytes.includes(0x5e), `${bytes.length} bytes: ${bytes.join(' ')}`)
  })
