/**
 * The DMA space of a device held against the slow way: every window in a list, every page in a set. What the space decides by
 * itself, where a window lies, must keep the rules: a free page behind each, addresses that the device can drive, the order that whole
 * pages are aligned to, and no refusal while there is room.
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import { createDmaSpace, DEVICE_READS, DEVICE_WRITES, MAP_FAILED, memoryBank } from '../../hw/iommu.ts'
import type { DmaFault, MemoryBank } from '../../hw/iommu.ts'

const PAGE = 4096
const BANK_BYTES = 1 << 18
const BANKS = 3
const WINDOWS = 12
const BASE = 0x1000_0000
const LOW_BASE = 0x1000
const SPACE_PAGES = 0x10000

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
      offset: fc.integer({ min: -8, max: 9008 }),
      length: fc.integer({ min: -1, max: 3000 }),
      write: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('word' as const),
      pick: fc.nat(),
      offset: fc.integer({ min: -4, max: 64 }),
      width: fc.constantFrom(1 as const, 2 as const, 4 as const),
      write: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('mask' as const),
      bits: fc.constantFrom(12, 13, 14, 16, 20, 24, 30, 32, 64),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('enable' as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('clear' as const) }) },
)

class Pair {
  readonly #faults: DmaFault[] = []
  readonly #space = createDmaSpace('dev', { windows: WINDOWS, onFault: (fault) => this.#faults.push(fault) })
  readonly #banks: MemoryBank[] = Array.from({ length: BANKS }, () => memoryBank(new ArrayBuffer(BANK_BYTES)))
  readonly #expected = this.#banks.map(() => new Uint8Array(BANK_BYTES))
  /** Of windows that are open, and of all that ever were. */
  #windows: Window[] = []
  readonly #known: number[] = [BASE, LOW_BASE, 0]
  #enabled = false
  #base = BASE
  #pages = SPACE_PAGES
  #stamp = 1

  perform(step: Step): void {
    if (step.op === 'map') this.#map(step.bank, step.at, step.length, step.rights)
    else if (step.op === 'unmap') this.#unmap(step.pick, step.how)
    else if (step.op === 'access') this.#access(step.pick, step.offset, step.length, step.write)
    else if (step.op === 'word') this.#word(step.pick, step.offset, step.width, step.write)
    else if (step.op === 'mask') this.#mask(step.bits)
    else if (step.op === 'enable') this.#space.setEnabled((this.#enabled = step.on))
    else {
      equal(this.#space.unmapAll(), this.#windows.length)
      this.#windows = []
    }
    equal(this.#space.windows, this.#windows.length)
    equal(
      this.#space.mappedBytes,
      this.#windows.reduce((sum, one) => sum + one.length, 0),
    )
    equal(this.#space.faultCount, this.#faults.length)
  }

  /** Pages of the space that are taken, the free one behind each window among them. */
  #taken(): Set<number> {
    const pages = new Set<number>()
    for (const { iova, length } of this.#windows)
      for (let page = Math.floor(iova / PAGE); page <= Math.floor((iova + length - 1) / PAGE) + 1; page++)
        pages.add(page)
    return pages
  }

  #map(bank: number, at: number, length: number, rights: number): void {
    const iova = this.#space.map(this.#banks[bank]!, at, length, rights) >>> 0
    const inside = length > 0 && at >= 0 && at + length <= BANK_BYTES && this.#windows.length < WINDOWS
    const pages = Math.ceil(((at % PAGE) + length) / PAGE)
    const align = at % PAGE === 0 ? 2 ** Math.ceil(Math.log2(pages)) : 1
    if (iova === MAP_FAILED >>> 0)
      return void ok(!inside || !this.#room(pages + 1, align), 'refused, and there is room')
    ok(inside, 'a window that may not be')
    const first = Math.floor(iova / PAGE)
    equal(iova % PAGE, at % PAGE, 'the offset in its page is kept')
    equal(first % align, 0, 'aligned to its order')
    ok(first >= this.#base / PAGE && first + pages < this.#base / PAGE + this.#pages, 'the device can drive it')
    const taken = this.#taken()
    for (let page = first; page <= first + pages; page++) ok(!taken.has(page), 'nobody else is there')
    this.#windows.push({ iova, length, bank, address: at, rights })
    this.#known.push(iova)
    equal(this.#space.windowAt(iova), length)
  }

  /** A run of so many free pages, from one that is aligned. */
  #room(count: number, align: number): boolean {
    const taken = this.#taken()
    const from = this.#base / PAGE
    // Far from all windows there is room for all of them, in a space that large.
    if (this.#pages > 4096) return true
    for (let first = from; first + count <= from + this.#pages; first++) {
      if (first % align !== 0) continue
      let page = first
      while (page < first + count && !taken.has(page)) page++
      if (page === first + count) return true
    }
    return false
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
    if (wanted === 'unmapped') this.#windows = this.#windows.filter((one) => one !== window)
  }

  /** Where an access goes; why not, when it does not. */
  #translate(iova: number, length: number, right: number): Window | DmaFault['reason'] {
    if (!this.#enabled) return 'bus-master'
    const page = Math.floor((iova >>> 0) / PAGE)
    const window = this.#windows.find(({ iova: from, length: bytes }) => {
      // The page behind a window is its own, and nothing is there.
      return page >= Math.floor(from / PAGE) && page <= Math.floor((from + bytes - 1) / PAGE) + 1
    })
    if (window === undefined) return 'unmapped'
    const offset = iova - window.iova
    if (offset < 0 || length < 0 || offset + length > window.length) return 'bounds'
    return (window.rights & right) === 0 ? 'rights' : window
  }

  #settled(iova: number, length: number, write: boolean, done: boolean): Window | undefined {
    const right = write ? DEVICE_WRITES : DEVICE_READS
    const where = this.#translate(iova, length, right)
    const refused = typeof where === 'string'
    equal(done, !refused, `${write ? 'write' : 'read'} of ${length} at ${iova.toString(16)}`)
    equal(this.#space.port.failed, refused)
    if (!refused) return where
    deepEqual(this.#faults.at(-1), { device: 'dev', iova, length, direction: write ? 'write' : 'read', reason: where })
    return undefined
  }

  #access(pick: number, offset: number, length: number, write: boolean): void {
    const iova = this.#known[pick % this.#known.length]! + offset
    const data = new Uint8Array(Math.max(length, 0)).fill(this.#stamp++ & 0xff)
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
    const last = Math.max(0, ...[...this.#taken()].map((page) => page + 1 - this.#base / PAGE))
    const moves = base !== this.#base
    const wanted = pages >= 2 && (this.#windows.length === 0 || (!moves && last <= pages))
    equal(this.#space.setMask(bits), wanted, `mask of ${bits} bits`)
    if (!wanted) return
    this.#base = base
    this.#pages = pages
  }

  finish(): void {
    this.#banks.forEach((bank, i) => ok(Buffer.from(bank.bytes).equals(this.#expected[i]!), `bank ${i}`))
    equal(this.#space.unmapAll(), this.#windows.length)
    equal(this.#space.windows, 0)
  }
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
}
