/**
 * A domain's view of device memory: which register an address beyond its linear memory means.
 *
 * One look-up turns an address into mapping and offset; addresses are handed out upwards with a page free between
 * mappings, so that running off the end of one does not hit the next. Knows BARs, not capabilities: who may map what
 * was decided before.
 */
import type { Ports } from '../../hw/legacy.ts'
import type { Capability } from '../../kernel/capability.ts'
import { MMIO } from '../../linux-api/generated/abi.ts'
import type { PciBar } from '../../hw/pci/function.ts'

/** What a mapping leads to: a BAR, or memory that another domain shares. */
export type Window = Pick<PciBar, 'start' | 'bytes' | 'read' | 'write'>

const SHIFT = 12
const PAGE = 1 << SHIFT
const FIRST = MMIO.BASE >>> SHIFT
const PAGES = (MMIO.END >>> SHIFT) - FIRST

export interface Mapping {
  /** Address the driver uses. */
  readonly address: number
  readonly bar: Window
  /** Part of the BAR that is mapped, bytes. */
  readonly offset: number
  readonly length: number
  /** First page of the table, and how many: not the free one after them. */
  readonly first: number
  readonly pages: number
  /** Behind it; undefined until it is derived. */
  capability: Capability | undefined
}

export class PageTable {
  /** Page -> mapping slot + 1; 0 where nothing is mapped. Grows with what is mapped. */
  #slots = new Uint16Array(64)
  /** Page -> offset in the BAR of the page's first byte; may be negative for the first page of a mapping. */
  #offsets = new Int32Array(64)
  readonly #mappings: (Mapping | undefined)[] = []
  #next = 0
  /** Result of the last `find`. */
  bar!: Window
  offset = 0
  count = 0
  /** Mappings that the last `map` looked at. */
  searched = 0
  /** Places of mappings that ended. */
  readonly #holes: number[] = []
  /** All there are, by their first page. */
  readonly #sorted: Mapping[] = []
  /** No run of so many free pages was found, and nothing was unmapped since. */
  #none = Infinity

  /** Map part of a window. Undefined when no addresses are left. */
  map(bar: Window, offset: number, length: number): Mapping | undefined {
    const inPage = (bar.start + offset) & (PAGE - 1)
    const pages = (inPage + length + PAGE - 1) >>> SHIFT
    const first = this.#reserve(pages + 1)
    if (first < 0) return undefined
    const address = MMIO.BASE + first * PAGE + inPage
    const mapping: Mapping = { address, bar, offset, length, first, pages, capability: undefined }
    const slot = this.#holes.pop() ?? this.#mappings.length
    this.#mappings[slot] = mapping
    this.#sorted.splice(this.#place(first), 0, mapping)
    this.count++
    for (let page = 0; page < pages; page++) {
      this.#slots[first + page] = slot + 1
      this.#offsets[first + page] = offset - inPage + page * PAGE
    }
    return mapping
  }

  unmap(mapping: Mapping): void {
    const place = this.#place(mapping.first)
    if (this.#sorted[place] !== mapping) return
    this.#sorted.splice(place, 1)
    const slot = this.#slots[mapping.first]! - 1
    this.#mappings[slot] = undefined
    this.#holes.push(slot)
    this.#none = Infinity
    this.count--
    this.#slots.fill(0, mapping.first, mapping.first + mapping.pages)
  }

  /** The mapping that starts at an address. */
  at(address: number): Mapping | undefined {
    const mapping = this.#mappings[(this.#slots[(address >>> SHIFT) - FIRST] ?? 0) - 1]
    return mapping?.address === address ? mapping : undefined
  }

  /** Where an access of `width` bytes goes: sets `bar` and `offset`. False when nothing is mapped there. */
  find(address: number, width: number): boolean {
    const page = (address >>> SHIFT) - FIRST
    if (page < 0 || page >= this.#slots.length) return false
    const slot = this.#slots[page]!
    if (slot === 0) return false
    const mapping = this.#mappings[slot - 1]!
    // A revocation in steps may not have come here yet.
    if (mapping.capability?.alive === false) return false
    const offset = this.#offsets[page]! + (address & (PAGE - 1))
    if (offset < mapping.offset || offset + width > mapping.offset + mapping.length) return false
    // Mostly it is that of the access before, and a reference that is kept again costs the collector's bookkeeping.
    if (this.bar !== mapping.bar) this.bar = mapping.bar
    this.offset = offset
    return true
  }

  /** First of `pages` pages never or no longer used; -1 when there is no room. */
  #reserve(pages: number): number {
    this.searched = 0
    if (pages >= this.#none) return -1
    let first = this.#next + pages > PAGES ? -1 : this.#search(this.#next, pages)
    if (first < 0) first = this.#search(0, pages)
    if (first < 0) {
      this.#none = pages
      return -1
    }
    this.#grow(first + pages)
    this.#next = first + pages
    return first
  }

  /** The first gap from a page on that is wide enough; a page stays free after each mapping. */
  #search(from: number, pages: number): number {
    const sorted = this.#sorted
    let place = this.#place(from)
    let at = from
    for (; place <= sorted.length; place++) {
      const next = sorted[place]
      this.searched++
      if ((next?.first ?? PAGES) - at >= pages) return at
      if (next !== undefined) at = next.first + next.pages + 1
    }
    return -1
  }

  /** Where in the order a mapping from this page on is, or would be. */
  #place(page: number): number {
    const sorted = this.#sorted
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sorted[middle]!.first < page) low = middle + 1
      else high = middle
    }
    return low
  }

  #grow(pages: number): void {
    if (pages <= this.#slots.length) return
    const size = Math.min(PAGES, Math.max(pages, this.#slots.length * 2))
    const slots = new Uint16Array(size)
    slots.set(this.#slots)
    this.#slots = slots
    const offsets = new Int32Array(size)
    offsets.set(this.#offsets)
    this.#offsets = offsets
  }
}

/** A domain's I/O ports: the ranges it was granted. There are a few at most, so that going through them is the look-up. */
export class PortTable {
  readonly #ranges: Ports[] = []
  readonly #capabilities: Capability[] = []

  /** Of two ranges that a port is in, the smaller one has it: a function's, and not the bus's that it would be on otherwise. */
  grant(ports: Ports, capability: Capability): void {
    const larger = this.#ranges.findIndex(({ bytes }) => bytes > ports.bytes)
    const at = larger < 0 ? this.#ranges.length : larger
    this.#ranges.splice(at, 0, ports)
    this.#capabilities.splice(at, 0, capability)
  }

  revoke(ports: Ports): void {
    const at = this.#ranges.indexOf(ports)
    if (at < 0) return
    this.#ranges.splice(at, 1)
    this.#capabilities.splice(at, 1)
  }

  /** The range that all `width` ports from `port` on belong to, unless its revocation has begun. */
  find(port: number, width: number): Ports | undefined {
    const first = port >>> 0
    for (let i = 0; i < this.#ranges.length; i++) {
      const ports = this.#ranges[i]!
      if (first < ports.start || first + width > ports.start + ports.bytes) continue
      return this.#capabilities[i]!.alive ? ports : undefined
    }
    return undefined
  }
}
