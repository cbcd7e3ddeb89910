/**
 * Of a module's shape: value types, entries, the machine's handles and words, no start function.
 */
import { globals, type entries, type shared } from '../../linux-api/capabilities.ts'
import { ROOM_GLOBAL, ROOM_SHARE } from '../wasm/checks.ts'
import { describeType, functionType, type Export, type Kind, type ValueType, type WasmModule } from '../wasm/module.ts'
import { at, type Problem } from './problem.ts'

export type Exports = ReadonlyMap<string, Export>

export function checkStart(module: WasmModule, problems: Problem[]): void {
  if (module.start === undefined) return
  const section = module.sections.find((s) => s.id === 8)
  const message = `function ${module.start} would run before the machine is ready; none is allowed`
  problems.push({ code: 'start-function', where: at('start section', section?.headerStart ?? 0), message })
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

/** An entry that is exported has its type; one that is required is exported. */
export function checkEntry(
  module: WasmModule,
  entry: (typeof entries)[number],
  exports: Exports,
  problems: Problem[],
  required: boolean,
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
