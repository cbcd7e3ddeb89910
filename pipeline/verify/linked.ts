/**
 * What a core and the modules bound to it have in common: memory and table are imported, what they put there lies in
 * ranges of their own, and nothing runs by itself.
 */
import { CORE_HANDLES } from '../wasm/checks.ts'
import { type FuncType, functionType, type Import, type WasmModule } from '../wasm/module.ts'
import type { Allowance } from './allowance.ts'
import { at, type Problem } from './problem.ts'
import { checkStart, checkTypes } from './shape.ts'

export interface Bounds {
  /** First address or slot, and one past the last. */
  readonly start: number
  readonly end: number
}

const PAGE_BYTES = 65_536
const MEMORY = 'memory'
const TABLE = '__indirect_function_table'

/** Import of memory or table, which `checkShared` looks at. */
export const isShared = (item: Import): boolean => item.kind === 'memory' || item.kind === 'table'

/** Memory and table come from outside, and nothing is there besides. */
export function checkShared(module: WasmModule, allowance: Allowance, problems: Problem[]): void {
  const imports = (kind: Import['kind'], name: string) =>
    module.imports.filter((item) => item.kind === kind && item.module === CORE_HANDLES && item.name === name)
  const memory = imports('memory', MEMORY)[0]?.memory
  const memories = module.imports.filter(({ kind }) => kind === 'memory').length + module.memories.length
  if (memory === undefined || memories !== 1)
    problems.push({
      code: 'memory',
      where: 'memory',
      message: `one memory is expected, imported as ${CORE_HANDLES}.${MEMORY}`,
    })
  else if (memory.shared || memory.is64)
    problems.push({ code: 'memory', where: 'memory', message: 'a 32-bit memory that is not shared is expected' })
  else if (memory.min > allowance.memoryPagesMax)
    problems.push({
      code: 'memory',
      where: 'memory',
      message: `${memory.min} pages; policy allows ${allowance.memoryPagesMax}`,
    })
  const table = imports('table', TABLE)[0]?.table
  const tables = module.imports.filter(({ kind }) => kind === 'table').length + module.tables.length
  if (table === undefined || tables !== 1)
    problems.push({
      code: 'table',
      where: 'table',
      message: `one table is expected, imported as ${CORE_HANDLES}.${TABLE}`,
    })
  else if (table.element !== 'funcref' || table.is64)
    problems.push({
      code: 'table',
      where: 'table',
      message: `a table of functions is expected, found ${table.element}`,
    })
  else if (table.min > allowance.tableEntriesMax)
    problems.push({
      code: 'table',
      where: 'table',
      message: `${table.min} entries; policy allows ${allowance.tableEntriesMax}`,
    })
  checkTypes(module, problems)
  checkStart(module, problems)
}

/** Bytes that the imported memory has at least. */
export const memoryBytes = (module: WasmModule): number =>
  (module.imports.find(({ kind }) => kind === 'memory')?.memory?.min ?? 0) * PAGE_BYTES

/** Every data segment is written as the module is loaded, into `range`. */
export function checkData(module: WasmModule, range: Bounds, problems: Problem[]): void {
  module.data.forEach(({ flags, address, start, end }, i) => {
    const where = at(`data segment ${i}`, start)
    const from = address?.i32 === undefined ? undefined : address.i32 >>> 0
    if (flags !== 0 || from === undefined)
      problems.push({ code: 'range', where, message: 'a segment for memory 0 at a constant address is expected' })
    else if (from < range.start || from + end - start > range.end)
      problems.push({ code: 'range', where, message: outside(from, from + end - start, range, 'memory') })
  })
}

/** Function index by slot: what the module puts into `range` of the table. */
export function checkElements(module: WasmModule, range: Bounds, problems: Problem[]): Map<number, number> {
  const slots = new Map<number, number>()
  module.elements.forEach(({ flags, address, offset, functions }, i) => {
    const where = at(`element segment ${i}`, offset)
    const from = address?.i32 === undefined ? undefined : address.i32 >>> 0
    if (flags !== 0 || from === undefined)
      problems.push({ code: 'range', where, message: 'a segment for table 0 at a constant slot is expected' })
    else if (from < range.start || from + functions.length > range.end)
      problems.push({ code: 'range', where, message: outside(from, from + functions.length, range, 'the table') })
    else functions.forEach((index, n) => slots.set(from + n, index))
  })
  return slots
}

const hex = (value: number): string => `0x${value.toString(16)}`

const outside = (start: number, end: number, range: Bounds, what: string): string =>
  `${hex(start)} to ${hex(end)} of ${what}; its own range is ${hex(range.start)} to ${hex(range.end)}`

/** A function that others may call by name. */
export interface FunctionFact {
  readonly type: FuncType
  readonly slot: number
  /** The longest way down from it, in bytes of the engine's stack (wasm/descent.ts). */
  readonly depth: number
}

/** What a symbol says of a function: its slot, and its type as text (bind/signature.ts). */
export interface ClaimedFunction {
  readonly slot: number
  readonly type: string
}

const LETTERS = { i32: 'i', i64: 'I', f32: 'f', f64: 'F', v128: '?', funcref: '?', externref: '?' } as const

const signature = ({ params, results }: FuncType): string =>
  `${params.map((type) => LETTERS[type]).join('')}>${results.map((type) => LETTERS[type]).join('')}`

/** Functions offered by name are those in the table, with those types. `longest`: of each defined function, its way down. */
export function checkOffered(
  module: WasmModule,
  offered: ReadonlyMap<string, ClaimedFunction>,
  slots: ReadonlyMap<number, number>,
  longest: Float64Array | undefined,
  problems: Problem[],
): Map<string, FunctionFact> {
  const facts = new Map<string, FunctionFact>()
  for (const [name, claimed] of offered) {
    const index = slots.get(claimed.slot)
    const type = index === undefined ? undefined : functionType(module, index)
    const found = type === undefined ? `nothing of it in slot ${claimed.slot}` : signature(type)
    if (index === undefined || type === undefined || found !== claimed.type) {
      const message = `${claimed.type} expected in slot ${claimed.slot}, found ${found}`
      problems.push({ code: 'symbols', where: `symbol ${name}`, message })
    } else facts.set(name, { type, slot: claimed.slot, depth: longest?.[index - module.importedFunctions.length] ?? 0 })
  }
  return facts
}
