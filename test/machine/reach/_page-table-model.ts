/**
 * The page table of a domain held against the slow way: every mapping in a list, every range of ports in another. Where a mapping comes
 * to lie is told beforehand, and how many of the others were looked at for that, for both are what a driver may rely on: an address is
 * not used again soon, and a search costs what it takes.
 */
import { equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import { MMIO } from '../../../linux-api/generated/abi.ts'
import type { Ports } from '../../../hw/legacy.ts'
import type { Capability } from '../../../kernel/capability.ts'
import { PageTable, PortTable, type Mapping, type Window } from '../../../machine/reach/page-table.ts'

const PAGE = 4096
const PAGES = (MMIO.END - MMIO.BASE) / PAGE
/** Pages that a mapping may have: a few of the largest fill the space. */
const SMALL = 5
const LARGE = PAGES / 3
/** More mappings, one after the other, than there are numbers for those that are open. */
const MANY = 70_000

type Step =
  | {
      readonly op: 'map'
      readonly start: number
      readonly offset: number
      readonly bytes: number
      readonly large: number
      readonly snug: number
    }
  | { readonly op: 'unmap'; readonly pick: number }
  | { readonly op: 'revoke'; readonly pick: number }
  | { readonly op: 'find'; readonly pick: number; readonly offset: number; readonly width: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('map' as const),
      start: fc.oneof(fc.nat(3 * PAGE), fc.constant(0)),
      offset: fc.oneof(fc.nat(2 * PAGE), fc.constant(0)),
      bytes: fc.integer({ min: 1, max: SMALL * PAGE }),
      large: fc.constantFrom(...Array<number>(40).fill(0), 1, 2, 3, 4),
      // Lengths that end where a page does, or a byte before or behind that.
      snug: fc.constantFrom(0, 0, 1, 2, 3),
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

/** How long a mapping of a step is. */
function lengthOf({ start, offset, bytes, large, snug }: Extract<Step, { readonly op: 'map' }>): number {
  // The fourth is the whole space but for the free page behind it.
  if (large === 4) return (PAGES - 1) * PAGE - ((start + offset) % PAGE)
  const length = large === 0 ? bytes : Math.floor(LARGE * PAGE * large) - 4 * PAGE
  return snug === 0 ? length : Math.max(1, length - ((start + offset + length) % PAGE) + snug - 2)
}

class Pair {
  readonly #table = new PageTable()
  #open: Mapping[] = []
  readonly #known: Mapping[] = []
  readonly #revoked = new Set<Mapping>()
  /** Page behind the last mapping made and the free one after it. */
  #next = 0
  /** So many pages were not found, and nothing was unmapped since. */
  #none = Infinity

  perform(step: Step): void {
    if (step.op === 'map')
      this.#map(
        { start: step.start, bytes: 1 << 30, read: () => 0, write: () => undefined },
        step.offset,
        lengthOf(step),
      )
    else if (this.#known.length > 0) this.#with(step, this.#known[step.pick % this.#known.length]!)
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
    if (open) this.#none = Infinity
    this.#open = this.#open.filter((one) => one !== mapping)
    ok(this.#table.at(mapping.address) !== mapping)
  }

  #map(bar: Window, offset: number, length: number): void {
    const mapping = this.#table.map(bar, offset, length)
    const inPage = (bar.start + offset) % PAGE
    const pages = Math.ceil((inPage + length) / PAGE)
    const [first, looked] = this.#place(pages + 1)
    equal(this.#table.searched, looked, 'mappings that were looked at')
    if (first < 0) return equal(mapping, undefined, 'there is no room')
    ok(mapping !== undefined, 'refused, and there is room')
    equal(mapping.address, MMIO.BASE + first * PAGE + inPage)
    ok(mapping.address + length <= MMIO.END - PAGE)
    this.#next = first + pages + 1
    this.#open.push(mapping)
    this.#known.push(mapping)
    equal(this.#table.at(mapping.address), mapping)
  }

  /** First of so many free pages, and how many mappings are looked at for that: behind the last one, then from the start. */
  #place(pages: number): [first: number, looked: number] {
    if (pages >= this.#none) return [-1, 0]
    let looked = 0
    for (const from of this.#next + pages > PAGES ? [0] : [this.#next, 0]) {
      const later = this.#open.filter(({ first }) => first >= from).toSorted((a, b) => a.first - b.first)
      let at = from
      for (const end of [...later.map(({ first }) => first), PAGES]) {
        const one = later.find(({ first }) => first === end)
        looked++
        if (end - at >= pages) return [at, looked]
        if (one !== undefined) at = Math.floor((one.address + one.length - 1 - MMIO.BASE) / PAGE) + 2
      }
    }
    this.#none = pages
    return [-1, looked]
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

type PortStep =
  | { readonly op: 'grant'; readonly start: number; readonly bytes: number }
  | { readonly op: 'revoke' | 'end'; readonly pick: number }
  | { readonly op: 'find'; readonly port: number; readonly width: number }

const PORTS = 40
const portStep: fc.Arbitrary<PortStep> = fc.oneof(
  fc.record({ op: fc.constant('grant' as const), start: fc.nat(PORTS), bytes: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ op: fc.constantFrom('revoke' as const, 'end' as const), pick: fc.nat() }),
  fc.record({
    op: fc.constant('find' as const),
    port: fc.integer({ min: -2, max: PORTS + 10 }),
    width: fc.constantFrom(1, 2, 4),
  }),
)

/** Ranges as they were granted: the first one that has all the ports answers for them. */
class PortPair {
  readonly #table = new PortTable()
  #granted: { readonly ports: Ports; alive: boolean }[] = []
  readonly #known: Ports[] = []

  perform(step: PortStep): void {
    if (step.op === 'grant') return this.#grant(step.start, step.bytes)
    if (step.op === 'find') {
      const { port, width } = step
      const found = this.#granted
        .filter(({ ports: { start, bytes } }) => port >= start && port + width <= start + bytes)
        .toSorted((a, b) => a.ports.bytes - b.ports.bytes)[0]
      return equal(this.#table.find(port, width), found?.alive === true ? found.ports : undefined)
    }
    if (this.#known.length === 0) return
    const ports = this.#known[step.pick % this.#known.length]!
    const granted = this.#granted.find((one) => one.ports === ports)
    if (step.op === 'end') {
      if (granted !== undefined) granted.alive = false
    } else {
      this.#table.revoke(ports)
      this.#granted = this.#granted.filter((one) => one !== granted)
    }
  }

  #grant(start: number, bytes: number): void {
    const ports: Ports = { name: '', start, bytes, read: () => 0, write: () => undefined }
    const granted = { ports, alive: true }
    this.#granted.push(granted)
    this.#known.push(ports)
    this.#table.grant(ports, granted as unknown as Capability)
  }
}

/** Numbers of mappings that ended are used again: there are fewer than a driver makes in its life. */
function manyInTurn(): void {
  const table = new PageTable()
  const bar: Window = { start: 0, bytes: PAGE, read: () => 0, write: () => undefined }
  const kept = table.map(bar, 0, PAGE)!
  for (let n = 0; n < MANY; n++) table.unmap(table.map(bar, 0, PAGE)!)
  equal(table.at(kept.address), kept)
  ok(table.find(table.map(bar, 0, PAGE)!.address, 4))
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
  fc.assert(
    fc.property(fc.array(portStep, { maxLength: length, size: 'max' }), (steps) => {
      const pair = new PortPair()
      for (const one of steps) pair.perform(one)
    }),
    { numRuns: runs, seed },
  )
  manyInTurn()
}
