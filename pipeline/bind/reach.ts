/**
 * Which functions and data segments of a module are reached from its roots: the rest is dropped, as the linker would.
 *
 * Roots are entries, exports, constructors and what the source marks as used (parameters, tables, test suites). Strings of `.modinfo`
 * are read by whoever loads, never by code, so they are no part of memory.
 */
import type { ObjectSymbol } from '../wasm/object.ts'
import { RELOCATION, RELOCATION_WORDS } from '../wasm/relocations.ts'
import type { Names, Target } from './names.ts'
import { bodyChunk, segmentChunk, type LinkableObject } from './object.ts'

/** By object: 1 for each body and each segment that is reached. */
export interface Reached {
  readonly bodies: readonly Uint8Array[]
  readonly segments: readonly Uint8Array[]
  /** The module's code uses the C stack. */
  readonly stackPointer: boolean
}

/** Sections that are for tools only. */
const isForTools = (name: string): boolean => name.startsWith('.modinfo') || name.startsWith('.discard')

const STACK_POINTER = '__stack_pointer'

/** Follow all references from `roots` and from what objects keep. */
export function reach(objects: readonly LinkableObject[], names: Names, roots: readonly Target[]): Reached {
  const bodies = objects.map(({ module }) => new Uint8Array(module.bodies.length))
  const segments = objects.map(({ module }) => new Uint8Array(module.data.length))
  /** Object, index, and 1 for a segment: three numbers an item. */
  const work: number[] = []
  let stackPointer = false
  const mark = (target: Target): void => {
    const isBody = target.kind === 'function'
    if (!isBody && target.kind !== 'data') return
    const index = isBody ? target.index : target.segment
    const marks = (isBody ? bodies : segments)[target.object]!
    if (marks[index] !== 0) return
    marks[index] = 1
    work.push(target.object, index, isBody ? 0 : 1)
  }
  const refer = (object: number, type: number, symbol: number): void => {
    if (type === RELOCATION.typeIndex || type === RELOCATION.tableNumber) return
    if (type === RELOCATION.globalIndex) {
      const { name } = objects[object]!.symbols[symbol]!
      if (name === STACK_POINTER) stackPointer = true
      else names.undefined.add(name)
    } else if (type === RELOCATION.functionIndex) {
      const callee = names.callee(object, symbol)
      if (callee.kind === 'function') mark(callee)
    } else {
      const target = names.target(object, symbol)
      if (target.kind === 'import' && target.item.slot === undefined) names.use(target)
      mark(target)
    }
  }
  roots.forEach(mark)
  objects.forEach((input, object) => markKept(input, object, names, mark))
  while (work.length > 0) {
    const isSegment = work.pop() === 1
    const index = work.pop()!
    const object = work.pop()!
    const { relocations, from, to } = (isSegment ? segmentChunk : bodyChunk)(objects[object]!, index)
    for (let i = from; i < to; i += RELOCATION_WORDS) refer(object, relocations[i]!, relocations[i + 2]!)
  }
  return { bodies, segments, stackPointer }
}

const isPlaced = ({ kind, defined }: ObjectSymbol): boolean => defined && (kind === 'function' || kind === 'data')

function markKept(input: LinkableObject, object: number, names: Names, mark: (target: Target) => void): void {
  const { symbols, segments, constructors } = input
  symbols.forEach((symbol, index) => {
    const segment = symbol.data === undefined ? undefined : segments[symbol.data.segment]
    if (symbol.kept && isPlaced(symbol) && !(segment && isForTools(segment.name))) mark(names.target(object, index))
  })
  segments.forEach((segment, index) => {
    if (segment.kept && !isForTools(segment.name)) mark({ kind: 'data', object, segment: index, offset: 0 })
  })
  for (const { symbol } of constructors) mark(names.target(object, symbol))
}
