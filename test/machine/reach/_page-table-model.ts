/** The page table of a domain held against the slow way: every mapping in a list. */
import { equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import { MMIO } from '../../../linux-api/generated/abi.ts'
import type { Capability } from '../../../kernel/capability.ts'
import { PageTable, type Mapping, type Window } from '../../../machine/reach/page-table.ts'

const PAGE = 4096
/** Pages that a mapping may have: a few of the largest fill the space. */
const SMALL = 5
const LARGE = (MMIO.END - MMIO.BASE) / PAGE / 3

type Step =
  | {
      readonly op: 'map'
      readonly start: number
      readonly offset: number
      readonly bytes: number
      readonly large: number
    }
  | { readonly op: 'unmap'; readonly pick: number }
  | { readonly op: 'revoke'; readonly pick: number }
  | { readonly op: 'find'; readonly pick: number; readonly offset: number; readonly width: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('map' as const),
      start: fc.nat(3 * PAGE),
      offset: fc.nat(2 * PAGE),
      bytes: fc.integer({ min: 1, max: SMALL * PAGE }),
      large: fc.constantFrom(...Array<number>(80).fill(0), 1, 2, 3),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('unmap' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('revoke' as const), pick: fc.nat() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('find' as const),
      pick: fc.nat(),
      offset: fc.oneof(fc.integer({ min: -8, max: 8 }), fc.integer({ min: -PAGE, max: (SMALL + 1) * PAGE })),
      width: fc.constantFrom(1, 2, 4),
    }),
  },
)

const lastPage = ({ address, length }: Mapping): number => Math.floor((address + length - 1) / PAGE)

class Pair {
  readonly #table = new PageTable()
  #open: Mapping[] = []
  readonly #known: Mapping[] = []
  readonly #revoked = new Set<Mapping>()

  perform(step: Step): void {
    if (step.op === 'map') {
      const bytes = step.large === 0 ? step.bytes : Math.floor(LARGE * PAGE * step.large) - 4 * PAGE
      this.#map({ start: step.start, bytes: 1 << 30, read: () => 0, write: () => undefined }, step.offset, bytes)
    } else if (this.#known.length > 0) this.#with(step, this.#known[step.pick % this.#known.length]!)
    equal(this.#table.count, this.#open.length)
  }

  #with(step: Exclude<Step, { readonly op: 'map' }>, mapping: Mapping): void {
    const open = this.#open.includes(mapping)
    if (step.op === 'find') return this.#find(mapping.address + step.offset, step.width)
    if (step.op === 'revoke') {
      mapping.capability = { alive: false } as Capability
      this.#revoked.add(mapping)
      return
    }
    if (open) equal(this.#table.at(mapping.address), mapping)
    equal(
      this.#table.at(mapping.address + 1),
      this.#open.find(({ address }) => address === mapping.address + 1),
    )
    this.#table.unmap(mapping)
    this.#open = this.#open.filter((one) => one !== mapping)
    ok(this.#table.at(mapping.address) !== mapping)
  }

  #map(bar: Window, offset: number, length: number): void {
    const mapping = this.#table.map(bar, offset, length)
    const inPage = (bar.start + offset) % PAGE
    const pages = Math.ceil((inPage + length) / PAGE)
    if (mapping === undefined) return void ok(this.#widest() < pages + 1, 'refused, and there is room')
    equal(mapping.address % PAGE, inPage, 'the offset in its page is kept')
    ok(mapping.address >= MMIO.BASE && mapping.address + length <= MMIO.END - PAGE)
    const first = Math.floor(mapping.address / PAGE)
    for (const one of this.#open)
      ok(first > lastPage(one) + 1 || first + pages < Math.floor(one.address / PAGE), 'a page is free between mappings')
    this.#open.push(mapping)
    this.#known.push(mapping)
    equal(this.#table.at(mapping.address), mapping)
  }

  /** Free pages in the widest gap, less one behind each mapping. */
  #widest(): number {
    const order = this.#open.toSorted((a, b) => a.address - b.address)
    let [from, widest] = [MMIO.BASE / PAGE, 0]
    for (const one of order) {
      widest = Math.max(widest, Math.floor(one.address / PAGE) - from)
      from = lastPage(one) + 2
    }
    return Math.max(widest, Math.floor(MMIO.END / PAGE) - from)
  }

  #find(address: number, width: number): void {
    const mapping = this.#open.find((one) => address >= one.address && address + width <= one.address + one.length)
    const wanted = mapping !== undefined && !this.#revoked.has(mapping)
    equal(this.#table.find(address, width), wanted, `${width} bytes at 0x${address.toString(16)}`)
    if (!wanted) return
    equal(this.#table.bar, mapping.bar)
    equal(this.#table.offset, mapping.offset + address - mapping.address)
  }
}

/** Throws when table and model differ in one of `runs` runs of up to `length` steps. */
export function holdPageTableToModel(runs: number, length: number, seed: number): void {
  fc.assert(
    fc.property(fc.array(step, { maxLength: length, size: 'max' }), (steps) => {
      const pair = new Pair()
      for (const one of steps) pair.perform(one)
    }),
    { numRuns: runs, seed },
  )
}
