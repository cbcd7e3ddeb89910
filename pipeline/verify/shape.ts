/**
 * The module's shape: memory, tables, globals, exports, no start function.
 */
import { entries, globals, shared } from '../../linux-api/capabilities.ts'
import { ROOM_GLOBAL, ROOM_SHARE } from '../wasm/checks.ts'
import { describeType, functionType, type Export, type Kind, type ValueType, type WasmModule } from '../wasm/module.ts'
import type { ManifestClaims, Allowance } from './allowance.ts'
import { at, type Problem } from './problem.ts'

export type Exports = ReadonlyMap<string, Export>

export function checkShape(
  module: WasmModule,
  manifest: ManifestClaims,
  allowance: Allowance,
  problems: Problem[],
): void {
  const exports: Exports = new Map(module.exports.map((e) => [e.name, e]))
  checkMemory(module, manifest, allowance, exports, problems)
  checkTables(module, allowance, problems)
  checkTypes(module, problems)
  checkStart(module, problems)
  for (const entry of entries) checkEntry(module, entry, exports, problems)
  checkGlobals(module, exports, problems)
}

export function checkStart(module: WasmModule, problems: Problem[]): void {
  if (module.start === undefined) return
  const section = module.sections.find((s) => s.id === 8)
  const message = `function ${module.start} would run before the machine is ready; none is allowed`
  problems.push({ code: 'start-function', where: at('start section', section?.headerStart ?? 0), message })
}

function checkMemory(
  module: WasmModule,
  manifest: ManifestClaims,
  allowance: Allowance,
  exports: Exports,
  out: Problem[],
): void {
  const problem = (message: string): void => void out.push({ code: 'memory', where: 'memory', message })
  const memory = module.memories[0]
  if (memory === undefined || module.memories.length > 1 || module.imports.some((i) => i.kind === 'memory'))
    return problem('exactly one memory, defined by the module, is expected')
  if (memory.shared || memory.is64) problem('a 32-bit memory that is not shared is expected')
  if (memory.max !== memory.min)
    problem(`minimum and maximum must be equal; found ${memory.min} and ${memory.max ?? 'no maximum'}`)
  if (memory.min > allowance.memoryPagesMax) problem(`${memory.min} pages; policy allows ${allowance.memoryPagesMax}`)
  if (memory.min !== manifest.memory.pages) problem(`${memory.min} pages; the manifest says ${manifest.memory.pages}`)
  if (exports.get('memory')?.kind !== 'memory') problem('it must be exported as "memory"')
}

function checkTables(module: WasmModule, allowance: Allowance, problems: Problem[]): void {
  const problem = (message: string): void => void problems.push({ code: 'table', where: 'table', message })
  if (module.imports.some((i) => i.kind === 'table')) problem('tables must be defined by the module, not imported')
  if (module.tables.length > 1) problem(`at most one table is expected, found ${module.tables.length}`)
  for (const table of module.tables) {
    if (table.element !== 'funcref') problem(`a table of functions is expected, found ${table.element}`)
    if (table.max === undefined) problem('a maximum size is expected')
    const entriesMax = Math.max(table.min, table.max ?? 0)
    if (entriesMax > allowance.tableEntriesMax)
      problem(`${entriesMax} entries; policy allows ${allowance.tableEntriesMax}`)
  }
}

/** Value types outside the accepted set, wherever the module declares them. */
export function checkTypes(module: WasmModule, problems: Problem[]): void {
  const refuse = (type: ValueType, where: string): void => {
    if (type === 'i32' || type === 'i64' || type === 'f32' || type === 'f64') return
    problems.push({ code: 'feature', where, message: `value type ${type} is not allowed: only numbers are` })
  }
  module.types.forEach((type, i) => [...type.params, ...type.results].forEach((t) => refuse(t, `type ${i}`)))
  module.globals.forEach((g, i) => refuse(g.type, `global ${i}`))
}

/** An entry that is exported has its type; one that is `required` is exported. */
export function checkEntry(
  module: WasmModule,
  entry: (typeof entries)[number],
  exports: Exports,
  problems: Problem[],
  required = entry.required === true,
): void {
  const found = exports.get(entry.name)
  const params: ValueType[] = entry.params.map(() => 'i32')
  const expected = describeType({ params, results: entry.result === 'void' ? [] : ['i32'] })
  if (found === undefined) {
    if (required)
      problems.push({ code: 'missing-entry', where: `export ${entry.name}`, message: `${expected} expected` })
    return
  }
  const type = found.kind === 'func' ? functionType(module, found.index) : undefined
  const actual = type === undefined ? `a ${found.kind}` : describeType(type)
  if (actual !== expected) {
    const where = at(`export ${entry.name}`, found.offset)
    problems.push({ code: 'entry-type', where, message: `${expected} expected, ${actual} found` })
  }
}

/** The machine's handles on the module: mutable i32 globals, and constants that are addresses in its memory. */
function checkGlobals(module: WasmModule, exports: Exports, problems: Problem[]): void {
  if (module.importedGlobals.length > 0)
    problems.push({ code: 'unknown-import', where: 'import section', message: 'globals may not be imported' })
  checkHandles(module, exports, problems)
  const bytes = (module.memories[0]?.min ?? 0) * 65_536
  for (const word of shared) checkWord(module, word, exports, bytes, word.required, problems)
}

/** The mutable globals that the machine works with are exported. */
export function checkHandles(module: WasmModule, exports: Exports, problems: Problem[]): void {
  for (const { name } of globals) {
    const global = exportedGlobal(module, exports, name)
    if (global?.type !== 'i32' || !global.mutable)
      problems.push({ code: 'missing-global', where: `export ${name}`, message: 'a mutable i32 global is expected' })
    else if (name === ROOM_GLOBAL && global.init.i32 !== ROOM_SHARE) {
      const message = `it must begin with what a counted call takes: ${ROOM_SHARE}; found ${global.init.i32}`
      problems.push({ code: 'missing-global', where: `export ${name}`, message })
    }
  }
}

/** A word that both sides share lies in memory, of so many bytes. */
export function checkWord(
  module: WasmModule,
  word: (typeof shared)[number],
  exports: Exports,
  memoryBytes: number,
  required: boolean,
  problems: Problem[],
): void {
  const global = exportedGlobal(module, exports, word.name)
  const address = global?.init.i32
  const bytes = word.type === 'u64' ? 8 : 4
  const found = global !== undefined && !global.mutable && address !== undefined
  if (!found && !required && !exports.has(word.name)) return
  if (!found || address >>> 0 === 0 || (address >>> 0) + bytes > memoryBytes || address % bytes !== 0) {
    const message = `a constant i32 global with an aligned address in memory is expected${found ? `, found ${address >>> 0}` : ''}`
    problems.push({ code: 'missing-shared', where: `export ${word.name}`, message })
  }
}

function exportedGlobal(module: WasmModule, exports: Exports, name: string): WasmModule['globals'][number] | undefined {
  const found = exports.get(name)
  const kind: Kind = 'global'
  return found?.kind === kind ? module.globals[found.index - module.importedGlobals.length] : undefined
}
