/**
 * Where a module's data lies: tables that Linux walks first, each contiguous, then constants, data, and what starts as zero.
 *
 * A table is what the source puts into a section of its own name (`__param`, `.kunit_test_suites`, `__tracepoints`); whoever loads
 * the module is told its bounds, since there is no linker script to name them. A loader that takes memory by pages fills
 * all of the last one's with zeros before it puts the tables there, so tables end where a page does, and the rest follows.
 */
import { WasmError } from '../wasm/bytes.ts'
import type { LinkableObject } from './object.ts'
import type { Reached } from './reach.ts'

export interface Bounds {
  /** First address, and one past the last. */
  readonly start: number
  readonly end: number
}

export interface Layout {
  /** Address of each segment, by object and index; 0 for those that are dropped. */
  readonly addresses: readonly Uint32Array[]
  /** Segments in the order of their addresses. */
  readonly order: readonly Placed[]
  readonly sections: ReadonlyMap<string, Bounds>
  /** First byte of data, one past what has content, and one past what starts as zero. */
  readonly start: number
  readonly dataEnd: number
  readonly end: number
}

export interface Placed {
  readonly object: number
  readonly segment: number
  readonly address: number
}

const TABLE = 0
const CONSTANT = 1
const FILLED = 2
const ZERO = 3

/** Sections of the compiler's and of include/linux/init.h, cache.h and percpu-defs.h; names of variables follow a dot. */
const USUAL = /^\.(?:(rodata|init\.rodata)|(s?data|(?:init|exit|meminit|ref)\.data|ref\.rodata)|(s?bss))(?:\.|$)/

function rankOf(name: string): number {
  const match = name.startsWith('.') ? USUAL.exec(name) : null
  if (match === null) return TABLE
  return match[1] !== undefined ? CONSTANT : match[2] !== undefined ? FILLED : ZERO
}

export const alignUp = (address: number, align: number): number => Math.ceil(address / align) * align

interface Segment {
  readonly object: number
  readonly segment: number
  readonly name: string
  readonly align: number
  readonly bytes: number
  readonly rank: number
}

/** Lay out what is reached from `base` on; `page`: see above. */
export function layOut(objects: readonly LinkableObject[], reached: Reached, base: number, page: number): Layout {
  const groups = inGroups(objects, reached)
  const addresses = objects.map(({ module }) => new Uint32Array(module.data.length))
  const order: Placed[] = []
  const sections = new Map<string, Bounds>()
  const place = (group: readonly Segment[], from: number): number => {
    let at = from
    for (const { object, segment, align, bytes } of group) {
      at = alignUp(at, 1 << align)
      addresses[object]![segment] = at
      order.push({ object, segment, address: at })
      at += bytes
    }
    return at
  }
  const tables = groups.filter(([first]) => first?.rank === TABLE)
  const start = startOf(tables.flat(), base, page)
  let at = start
  for (const table of tables) {
    const { name, align } = table[0]!
    const from = alignUp(at, 1 << align)
    at = place(table, from)
    sections.set(name, { start: from, end: at })
  }
  at = alignUp(at, page)
  let dataEnd = at
  for (const group of groups) {
    const [first] = group
    if (first === undefined || first.rank === TABLE) continue
    at = place(group, at)
    if (first.rank !== ZERO) dataEnd = at
  }
  return { addresses, order, sections, start, dataEnd, end: at }
}

/** Where tables begin that end with a page, if there are any. */
function startOf(tables: readonly Segment[], base: number, page: number): number {
  const align = 1 << Math.max(0, ...tables.map((segment) => segment.align))
  const bytes = tables.reduce((at, segment) => alignUp(at, 1 << segment.align) + segment.bytes, 0)
  const end = alignUp(alignUp(base, align) + bytes, page)
  return Math.floor((end - bytes) / align) * align
}

/** Segments in groups that stay together: a table each, in the order of names; then constants, data and zeros. */
function inGroups(objects: readonly LinkableObject[], { segments }: Reached): Segment[][] {
  const tables = new Map<string, Segment[]>()
  const others: Segment[][] = [[], [], []]
  objects.forEach(({ module, segments: traits }, object) => {
    segments[object]!.forEach((isReached, segment) => {
      if (isReached === 0) return
      const { name, align } = traits[segment]!
      const { start, end } = module.data[segment]!
      if (align > 16) throw new WasmError(`segment ${name} wants an alignment of 2^${align}`, start)
      const item = { object, segment, name, align, bytes: end - start, rank: rankOf(name) }
      if (item.rank !== TABLE) others[item.rank - 1]!.push(item)
      else if (tables.has(name)) tables.get(name)!.push(item)
      else tables.set(name, [item])
    })
  })
  const names = [...tables.keys()].toSorted()
  return [...names.map((name) => tables.get(name)!), ...others]
}
