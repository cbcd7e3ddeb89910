/** The smallest module that is a core: every entry, one loop, one stack frame; and what is said of it. */
import { createHash } from 'node:crypto'
import { entries, shared } from '../../../linux-api/capabilities.ts'
import { instrument } from '../../../pipeline/wasm/instrument.ts'
import type { CoreClaims } from '../../../pipeline/verify/index.ts'
import { I32, assemble, type Parts } from '../wasm/_build.ts'

const TRAP = [0x00, 0x0b]
export const PAGES = 2

/** Parts of the core before instrumentation. Types: one per parameter count and result, () -> () first. */
export function coreParts(): Parts & {
  types: NonNullable<Parts['types']>
  functions: NonNullable<Parts['functions']>
  shared: NonNullable<Parts['shared']>
} {
  const types: [number[], number[]][] = []
  const typeOf = (params: number, result: boolean): number => {
    const type: [number[], number[]] = [Array<number>(params).fill(I32), result ? [I32] : []]
    const found = types.findIndex((t) => JSON.stringify(t) === JSON.stringify(type))
    return found >= 0 ? found : types.push(type) - 1
  }
  typeOf(0, false)
  const imports: NonNullable<Parts['imports']> = [
    ['log', 'write', typeOf(3, false)],
    ['mmio', 'read8', typeOf(1, true)],
  ]
  const exports: NonNullable<Parts['exports']> = [
    ['__stack_pointer', 3, 0],
    ...shared.map((word, i): [string, number, number] => [word.name, 3, i + 1]),
  ]
  // A function that is no entry, `look`, and the other entries.
  const functions: NonNullable<Parts['functions']> = [{ type: typeOf(0, true), code: TRAP }]
  for (const entry of entries.toSorted((a, b) => Number(b.name === 'look') - Number(a.name === 'look'))) {
    exports.push([entry.name, 0, imports.length + functions.length])
    functions.push({ type: typeOf(entry.params.length, entry.result !== 'void'), code: TRAP })
  }
  // A loop that never ends, a stack frame, a call.
  functions.push({ type: 0, code: [0x03, 0x40, 0x0c, 0, 0x0b, 0x0b] })
  functions.push({ type: 0, code: [0x23, 0, 0x41, 16, 0x6b, 0x24, 0, 0x10, imports.length, 0x1a, 0x0b] })
  const globals = [0x8000, ...shared.map((_, i) => 1024 + 8 * i)]
  return {
    types,
    imports,
    exports,
    functions,
    shared: { memory: [0, PAGES], table: 3 },
    globals,
    constants: shared.map((_, i) => i + 1),
    elements: [2, 3],
    elementBase: 1,
  }
}

/** Assemble and instrument. */
export function core(change: (parts: ReturnType<typeof coreParts>) => void = () => {}): Uint8Array {
  const parts = coreParts()
  change(parts)
  return instrument(assemble(parts)).bytes
}

/** What is said of it: that it offers nothing to modules. */
export const claimsOf = (bytes: Uint8Array): CoreClaims => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  area: { start: 0x10000, end: 0x18000 },
  tableEnd: 3,
  functions: new Map(),
  data: new Map(),
  entries: entries.map(({ name }) => name),
  words: shared.map(({ name }) => name),
})
