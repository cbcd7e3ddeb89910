/**
 * Where a module's data lies: tables that Linux walks first, each contiguous, then constants, data, and what starts as zero.
 *
 * A table is what the source puts into a section of its own name (`__param`, `.kunit_test_suites`, `__tracepoints`); whoever loads
 * the module is told its bounds, since there is no linker script to name them.
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

/** Lay out what is reached from `base` on. */
export function layOut(objects: readonly LinkableObject[], reached: Reached, base: number): Layout {
  const groups = inGroups(objects, reached)
  const addresses = objects.map(({ module }) => new Uint32Array(module.data.length))
  const order: Placed[] = []
  const sections = new Map<string, Bounds>()
  let align = 0
  for (const group of groups) for (const segment of group) align = Math.max(align, segment.align)
  const start = alignUp(base, 1 << align)
  let at = start
  let dataEnd = start
  for (const group of groups) {
    const from = order.length
    for (const { object, segment, align, bytes } of group) {
      at = alignUp(at, 1 << align)
      addresses[object]![segment] = at
      order.push({ object, segment, address: at })
      at += bytes
    }
    const [first] = group
    if (first?.rank === TABLE) sections.set(first.name, { start: order[from]!.address, end: at })
    if (first !== undefined && first.rank !== ZERO) dataEnd = at
  }
  return { addresses, order, sections, start, dataEnd, end: at }
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
