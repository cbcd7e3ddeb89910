/**
 * The DMA space of a device held against the slow way: every window in a list. Where a window comes to lie is told beforehand, and how
 * much is looked at for that, for both are what others rely on: an address is not used again soon, and a search costs what it takes.
 * Whatever is said must keep the rules besides: a free page behind each window, addresses that the device can drive, the order that
 * whole pages are aligned to.
 */
import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import fc from 'fast-check'
import { createDmaSpace, memoryBank } from '../../hw/iommu.ts'
import type { DmaFault, MemoryBank } from '../../hw/iommu.ts'
import { release, takeFrame } from '../../hw/net/frame.ts'

const PAGE = 4096
const BANK_BYTES = 1 << 18
const BANKS = 3
const WINDOWS = 12
const BASE = 0x1000_0000
const LOW_BASE = 0x1000
const SPACE_PAGES = 0x10000
/** Its constants, by what they are and not by what it says. */
const READS = 1
const WRITES = 2
const FAILED = 0xffffffff
const FAULTS_KEPT = 64
const DEFAULT_WINDOWS = 16384
const BANKS_MAX = 256
/** A frame's buffer that lies beside the frames' memory. */
const LONG_FRAME = 4000
/** One that lies in it: all that there is for one, but for an FCS. */
const SHORT_FRAME = 2108

interface Window {
  readonly iova: number
  readonly length: number
  readonly bank: number
  readonly address: number
  readonly rights: number
}

type Step =
  | { readonly op: 'map'; readonly bank: number; readonly at: number; readonly length: number; readonly rights: number }
  | { readonly op: 'unmap'; readonly pick: number; readonly how: 'right' | 'longer' | 'inside' }
  | {
      readonly op: 'access'
      readonly pick: number
      readonly offset: number
      readonly length: number
      /** To the last byte of the window, or so many beyond it. */
      readonly end: number
      readonly write: boolean
    }
  | {
      readonly op: 'frame'
      readonly pick: number
      readonly offset: number
      readonly at: number
      readonly length: number
      readonly long: boolean
      readonly write: boolean
    }
  | {
      readonly op: 'word'
      readonly pick: number
      readonly offset: number
      readonly width: 1 | 2 | 4
      readonly write: boolean
    }
  | { readonly op: 'mask'; readonly bits: number }
  | { readonly op: 'enable'; readonly on: boolean }
  | { readonly op: 'clear' }

const length = fc.oneof(
  fc.integer({ min: 0, max: 9000 }),
  fc.integer({ min: 1, max: 40 }).map((pages) => pages * PAGE),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('map' as const),
      bank: fc.nat(BANKS - 1),
      at: fc.oneof(
        fc.integer({ min: -1, max: BANK_BYTES }),
        fc.constant(0),
        fc.nat(BANK_BYTES / PAGE).map((page) => page * PAGE),
      ),
      length,
      rights: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('unmap' as const),
      pick: fc.nat(),
      how: fc.constantFrom('right' as const, 'right' as const, 'longer' as const, 'inside' as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('access' as const),
      pick: fc.nat(),
      offset: fc.oneof(fc.integer({ min: -8, max: 9008 }), fc.constant(0)),
      length: fc.oneof(fc.integer({ min: -1, max: 3000 }), fc.integer({ min: -1, max: 1 })),
      end: fc.constantFrom(-1, -1, -1, 0, 1),
      write: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('frame' as const),
      pick: fc.nat(),
      offset: fc.oneof(fc.integer({ min: -8, max: 3000 }), fc.constant(0)),
      at: fc.oneof(fc.integer({ min: -2, max: SHORT_FRAME }), fc.constant(0)),
      length: fc.oneof(fc.integer({ min: 0, max: SHORT_FRAME + 1 }), fc.constant(SHORT_FRAME)),
      long: fc.boolean(),
      write: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('word' as const),
      pick: fc.nat(),
      offset: fc.oneof(fc.integer({ min: -4, max: 64 }), fc.constant(0)),
      width: fc.constantFrom(1 as const, 2 as const, 4 as const),
      write: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('mask' as const),
      bits: fc.constantFrom(12, 13, 14, 15, 16, 20, 24, 28, 29, 30, 32, 33, 64),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('enable' as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('clear' as const) }) },
)

class Pair {
  readonly #faults: DmaFault[] = []
  readonly #space = createDmaSpace('dev', { windows: WINDOWS, onFault: (fault) => this.#faults.push(fault) })
  /** Two that frames are moved to and from by the engine, and one that they are copied to and from. */
  readonly #banks: MemoryBank[] = Array.from({ length: BANKS }, (_, i) =>
    memoryBank(i === 0 ? new ArrayBuffer(BANK_BYTES) : new WebAssembly.Memory({ initial: 4, maximum: 4 })),
  )
  readonly #expected = this.#banks.map(() => new Uint8Array(BANK_BYTES))
  /** Of windows that are open, and of all that ever were. */
  #windows: Window[] = []
  readonly #known: number[] = [BASE, LOW_BASE, 0, BASE + SPACE_PAGES * PAGE]
  #enabled = false
  #base = BASE
  #pages = SPACE_PAGES
  /** First page behind the last window made, and its free one. */
  #cursor = 0
  /** So many pages were not found, and nothing was closed since. */
  #none = Infinity
  #stamp = 1

  perform(step: Step): void {
    if (step.op === 'map') this.#map(step.bank, step.at, step.length, step.rights)
    else if (step.op === 'unmap') this.#unmap(step.pick, step.how)
    else if (step.op === 'access') this.#access(step)
    else if (step.op === 'frame') this.#frame(step)
    else if (step.op === 'word') this.#word(step.pick, step.offset, step.width, step.write)
    else if (step.op === 'mask') this.#mask(step.bits)
    else if (step.op === 'enable') this.#space.setEnabled((this.#enabled = step.on))
    else {
      equal(this.#space.unmapAll(), this.#windows.length)
      if (this.#windows.length > 0) this.#none = Infinity
      this.#windows = []
    }
    equal(this.#space.enabled, this.#enabled)
    equal(this.#space.windows, this.#windows.length)
    equal(
      this.#space.mappedBytes,
      this.#windows.reduce((sum, one) => sum + one.length, 0),
    )
    equal(this.#space.faultCount, this.#faults.length)
  }

  #map(bank: number, at: number, length: number, rights: number): void {
    const iova = this.#space.map(this.#banks[bank]!, at, length, rights) >>> 0
    const inside = length > 0 && at >= 0 && at + length <= BANK_BYTES && this.#windows.length < WINDOWS
    const pages = Math.ceil(((at % PAGE) + length) / PAGE)
    const align = at % PAGE === 0 ? 2 ** Math.ceil(Math.log2(pages)) : 1
    const [first, looked] = inside ? this.#place(pages + 1, align) : [-1, 0]
    equal(this.#space.searched, looked, 'pages and windows that were looked at')
    if (first < 0) return equal(iova, FAILED, 'there is no room')
    equal(iova, this.#base + first * PAGE + (at % PAGE))
    equal(Math.floor(iova / PAGE) % align, 0, 'aligned to its order')
    ok(first + pages < this.#pages, 'the device can drive it')
    this.#cursor = first + pages + 1
    this.#windows.push({ iova, length, bank, address: at, rights })
    this.#known.push(iova)
    equal(this.#space.windowAt(iova), length)
  }

  /** Pages of a window, from the start of the space, and of the free one behind it. */
  #span({ iova, length }: Window): [first: number, last: number] {
    const page = (address: number): number => Math.floor((address - this.#base) / PAGE)
    return [page(iova), page(iova + length - 1) + 1]
  }

  /** First of so many free pages, and what is looked at for that: from behind the last window on, then from the start. */
  #place(count: number, align: number): [first: number, looked: number] {
    if (count >= this.#none) return [-1, 0]
    const aligned = (page: number): number => Math.ceil((page + this.#base / PAGE) / align) * align - this.#base / PAGE
    let looked = 0
    for (const [from, to] of [
      [this.#cursor, this.#pages],
      [0, Math.min(this.#cursor + count + align, this.#pages)],
    ] as const) {
      let [page, run] = [aligned(from), 0]
      for (; page < to && run < count; looked++) {
        const at = page
        const span = this.#windows.map((one) => this.#span(one)).find(([first, last]) => first <= at && at <= last)
        run = span === undefined ? run + 1 : 0
        page = span === undefined ? page + 1 : aligned(span[1] + 1)
      }
      if (run === count) return [page - count, looked]
    }
    this.#none = count
    return [-1, looked]
  }

  #at(iova: number): Window | undefined {
    return this.#windows.find((one) => one.iova === iova)
  }

  #unmap(pick: number, how: 'right' | 'longer' | 'inside'): void {
    const iova = this.#known[pick % this.#known.length]! + (how === 'inside' ? 1 : 0)
    const window = this.#at(iova)
    const length = (window?.length ?? 1) + (how === 'longer' ? 1 : 0)
    const wanted = window === undefined ? 'not-mapped' : how === 'longer' ? 'wrong-length' : 'unmapped'
    equal(this.#space.windowAt(iova), window?.length ?? -1)
    equal(this.#space.unmap(iova, length), wanted)
    if (wanted !== 'unmapped') return
    this.#windows = this.#windows.filter((one) => one !== window)
    this.#none = Infinity
  }

  /** Where an access goes; why not, when it does not. */
  #translate(iova: number, length: number, right: number): Window | DmaFault['reason'] {
    if (!this.#enabled) return 'bus-master'
    const page = Math.floor(((iova >>> 0) - this.#base) / PAGE)
    // The page behind a window is its own, and nothing is there.
    const window = this.#windows.find((one) => page >= this.#span(one)[0] && page <= this.#span(one)[1])
    if (window === undefined) return 'unmapped'
    const offset = iova - window.iova
    if (offset < 0 || length < 0 || offset + length > window.length) return 'bounds'
    return (window.rights & right) === 0 ? 'rights' : window
  }

  #settled(iova: number, length: number, write: boolean, done: boolean): Window | undefined {
    const right = write ? WRITES : READS
    const where = this.#translate(iova, length, right)
    const refused = typeof where === 'string'
    equal(done, !refused, `${write ? 'write' : 'read'} of ${length} at ${iova.toString(16)}`)
    equal(this.#space.port.failed, refused)
    if (!refused) return where
    deepEqual(this.#faults.at(-1), { device: 'dev', iova, length, direction: write ? 'write' : 'read', reason: where })
    return undefined
  }

  #access({ pick, offset, length: bytes, end, write }: Extract<Step, { readonly op: 'access' }>): void {
    const start = this.#known[pick % this.#known.length]!
    const iova = start + offset
    const rest = (this.#at(start)?.length ?? 0) - offset + end
    const length = end >= 0 && rest >= 0 ? rest : bytes
    const stamp = this.#stamp++
    const data = new Uint8Array(Math.max(length, 0)).map((_, i) => stamp + i)
    const { port } = this.#space
    const before = this.#faults.length
    const done = write ? port.write(iova, data, 0, length) : port.read(iova, data, 0, length)
    const window = this.#settled(iova, length, write, done)
    equal(this.#faults.length, before + (window === undefined ? 1 : 0))
    if (window === undefined) return
    const at = window.address + iova - window.iova
    if (write) this.#expected[window.bank]!.set(data, at)
    else deepEqual(data, this.#expected[window.bank]!.slice(at, at + length))
  }

  #frame({ pick, offset, at, length, long, write }: Extract<Step, { readonly op: 'frame' }>): void {
    const iova = this.#known[pick % this.#known.length]! + offset
    const frame = takeFrame(long ? LONG_FRAME : SHORT_FRAME)
    const room = frame.bytes.length
    const move = (): boolean =>
      write ? this.#space.port.writeFrame(iova, frame, at, length) : this.#space.port.readFrame(iova, frame, at, length)
    frame.bytes.fill(this.#stamp++ & 0xff)
    const inside = at >= 0 && at + length <= room
    const bank = this.#reached(iova, length, write)?.bank
    if (!inside && (bank === undefined || bank === 0 || long)) return release(frame)
    if (!inside) throws(move, RangeError, 'beyond the buffer of a frame')
    else {
      const window = this.#settled(iova, length, write, move())
      const bytes = window === undefined ? undefined : this.#expected[window.bank]!
      const from = window === undefined ? 0 : window.address + iova - window.iova
      if (write) bytes?.set(frame.bytes.subarray(at, at + length), from)
      else if (bytes !== undefined) deepEqual(frame.bytes.slice(at, at + length), bytes.slice(from, from + length))
    }
    release(frame)
  }

  /** The window that an access would reach. */
  #reached(iova: number, length: number, write: boolean): Window | undefined {
    const where = this.#translate(iova, length, write ? WRITES : READS)
    return typeof where === 'string' ? undefined : where
  }

  #word(pick: number, offset: number, width: 1 | 2 | 4, write: boolean): void {
    const iova = this.#known[pick % this.#known.length]! + offset
    const { port } = this.#space
    const value = (0x01020304 * this.#stamp++) >>> 0
    const name = { 1: '8', 2: '16', 4: '32' }[width] as '8' | '16' | '32'
    const ones = 2 ** (8 * width) - 1
    const given = write ? Number(port[`write${name}`](iova, value)) : port[`read${name}`](iova) >>> 0
    const window = this.#settled(iova, width, write, write ? given === 1 : !port.failed)
    if (window === undefined) return void (write || equal(given, ones, 'nobody answers'))
    const bytes = this.#expected[window.bank]!
    const at = window.address + iova - window.iova
    for (let i = 0; i < width; i++)
      if (write) bytes[at + i] = value >>> (8 * i)
      else equal((given >>> (8 * i)) & 0xff, bytes[at + i])
  }

  /** A narrower device: what is open stays where it is, or the mask is refused. */
  #mask(bits: number): void {
    const limit = bits >= 32 ? 2 ** 32 : 2 ** bits
    const base = limit >= BASE + SPACE_PAGES * PAGE ? BASE : LOW_BASE
    const pages = Math.min(SPACE_PAGES, Math.floor((limit - base) / PAGE))
    const last = Math.max(0, ...this.#windows.map((one) => this.#span(one)[1] + 1))
    const moves = base !== this.#base
    const narrows = pages < this.#pages
    const open = this.#windows.length > 0
    const wanted = pages >= 2 && (!open || (!moves && last <= pages))
    equal(this.#space.setMask(bits), wanted, `mask of ${bits} bits`)
    equal(this.#space.searched, pages >= 2 && open && !moves && narrows ? this.#pages - pages : 0)
    this.#none = Infinity
    if (!wanted) return
    if (open ? this.#cursor >= pages : moves || narrows) this.#cursor = 0
    this.#base = base
    this.#pages = pages
  }

  finish(): void {
    this.#banks.forEach((bank, i) => ok(Buffer.from(bank.bytes).equals(this.#expected[i]!), `bank ${i}`))
    equal(this.#space.unmapAll(), this.#windows.length)
    equal(this.#space.windows, 0)
    for (let n = 0; n <= FAULTS_KEPT; n++) ok(!this.#space.port.write8(0, n))
    deepEqual(this.#space.faults, this.#faults.slice(0, FAULTS_KEPT), 'the first of them are kept')
  }
}

/** So many windows and no more, unless told; so many banks at once, of however many there were. */
function limits(): void {
  const space = createDmaSpace('dev')
  const bank = memoryBank(new ArrayBuffer(PAGE))
  for (let n = 0; n < DEFAULT_WINDOWS; n++) ok(space.map(bank, 1, 1, READS) >>> 0 !== FAILED)
  equal(space.map(bank, 1, 1, READS) >>> 0, FAILED, 'a window too many')
  equal(space.unmapAll(), DEFAULT_WINDOWS)
  space.setEnabled(true)
  const banks = Array.from({ length: 2 * BANKS_MAX }, (_, i) => memoryBank(new Uint8Array([i, i >> 8]).buffer))
  for (const one of banks) equal(space.unmap(space.map(one, 0, 1, READS), 1), 'unmapped')
  const open = banks.slice(0, BANKS_MAX).map((one) => space.map(one, 0, 2, READS))
  open.forEach((iova, i) => equal(space.port.read16(iova), i))
  for (let again = 0; again < 2; again++)
    equal(space.map(banks[BANKS_MAX]!, 0, 2, READS) >>> 0, FAILED, 'a bank too many')
}

/** A bank that has a window already is no other one, however often it is mapped. */
function oneBank(): void {
  const space = createDmaSpace('dev')
  space.setEnabled(true)
  const [one, other] = [1, 2].map((byte) => memoryBank(new Uint8Array([byte]).buffer)) as [MemoryBank, MemoryBank]
  for (let n = 0; n <= BANKS_MAX; n++) equal(space.port.read8(space.map(one, 0, 1, READS)), 1)
  equal(space.port.read8(space.map(other, 0, 1, READS)), 2)
}

/** The search for a place begins at the start again where it was to go on beyond a narrower space. */
function narrowed(): void {
  const space = createDmaSpace('dev')
  const bank = memoryBank(new ArrayBuffer(100 * PAGE))
  ok(space.setMask(20))
  const [first, , third] = [1, 1, 100 * PAGE].map((length) => space.map(bank, 0, length, READS)) as [
    number,
    number,
    number,
  ]
  equal(space.unmap(first, 1), 'unmapped')
  equal(space.unmap(third, 100 * PAGE), 'unmapped')
  ok(space.setMask(16))
  equal(space.map(bank, 0, 1, READS), LOW_BASE)
}

/** Throws when space and model differ in one of `runs` runs of up to `length` steps. */
export function holdIommuToModel(runs: number, length: number, seed: number): void {
  fc.assert(
    fc.property(fc.array(step, { maxLength: length, size: 'max' }), (steps) => {
      const pair = new Pair()
      for (const one of steps) pair.perform(one)
      pair.finish()
    }),
    { numRuns: runs, seed },
  )
  limits()
  oneBank()
  narrowed()
}
