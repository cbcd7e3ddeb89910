/**
 * Breakpoints in a finished module: from a line of C or a function's name to places in its code, and a copy of the
 * module that calls `hit` at each of them, with the arguments that the function was called with.
 *
 * Knows modules and line tables. What happens at a breakpoint is the caller's.
 */
import { functionNamer, readModule, type ValueType, type WasmModule } from '../wasm/module.ts'
import { CodeWalker } from '../wasm/code.ts'
import { readLines, type LineTable } from '../wasm/lines.ts'
import { Code, insertCalls, type Copy, type FunctionView, type Hook, type Insertion } from './insert.ts'

/** What the user asks for. */
export type BreakSpec =
  | { readonly by: 'line'; readonly file: string; readonly line: number }
  | { readonly by: 'function'; readonly file: string | undefined; readonly name: string }

/** A place in the code where the program is to be looked at. */
export interface BreakPlace {
  /** From the code section's payload. */
  readonly offset: number
  readonly file: string
  readonly line: number
  /** The C function, which may be inlined into another. */
  readonly function: string
}

/** `e1000_main.c:1234`, `e1000_probe`, `e1000_main.c:e1000_probe`; undefined when it is none of these. */
export function parseBreak(text: string): BreakSpec | undefined {
  const [, file, line] = /^([^:\s]+):([1-9]\d*)$/.exec(text) ?? []
  if (file !== undefined) return { by: 'line', file, line: Number(line) }
  const [, where, name] = /^(?:([^:\s]+):)?([A-Za-z_]\w*)$/.exec(text) ?? []
  return name === undefined ? undefined : { by: 'function', file: where, name }
}

const isFile = (path: string, wanted: string): boolean => path === wanted || path.endsWith(`/${wanted}`)

/** Lines a compiler may skip from the one asked for to the next that has code. */
const REACH = 50

/**
 * Where to stop for a specification: each place where control comes to the line or into the function, inlined copies
 * included. A line without code stands for the next one that has some. Empty when there is none.
 */
export function findPlaces(lines: Uint8Array, spec: BreakSpec): BreakPlace[] {
  const table = readLines(lines)
  return spec.by === 'line' ? placesOfLine(table, spec.file, spec.line) : placesOfFunction(table, spec)
}

function placesOfLine(table: LineTable, wanted: string, line: number): BreakPlace[] {
  const files = new Set(table.files.flatMap((path, i) => (isFile(path, wanted) ? [i] : [])))
  const rows = [...table.offsets.keys()].filter((row) => files.has(table.rowFile[row]!))
  const at = Math.min(...rows.map((row) => table.rowLine[row]!).filter((n) => n >= line && n <= line + REACH))
  const isThere = (row: number): boolean => files.has(table.rowFile[row] ?? -1) && table.rowLine[row] === at
  // Code of one line lies in several places; control comes to each of them for itself.
  return rows.filter((row) => isThere(row) && !isThere(row - 1)).map((row) => placeOf(table, row))
}

function placesOfFunction(table: LineTable, spec: { name: string; file: string | undefined }): BreakPlace[] {
  const scopes = table.scopes()
  const named = (scope: number): boolean => scopes[scope]?.name === spec.name
  /** The row's code is in the function, or in something inlined into it. */
  const inside = (row: number): boolean => {
    for (let scope = table.rowScope[row] ?? 0; scope !== 0; scope = scopes[scope]!.parent) if (named(scope)) return true
    return false
  }
  return [...table.offsets.keys()]
    .filter((row) => inside(row) && !inside(row - 1))
    .map((row) => placeOf(table, row))
    .filter(({ file }) => spec.file === undefined || isFile(file, spec.file))
}

const placeOf = (table: LineTable, row: number): BreakPlace => ({
  offset: table.offsets[row]!,
  file: table.files[table.rowFile[row]!]!,
  line: table.rowLine[row]!,
  function: table.scope(table.rowScope[row]!).name,
})

/** Import module of what the copy calls: `i32`, `i64`, `f32`, `f64` for each argument in turn, then `hit`. */
export const BREAK_MODULE = 'drvport_break'

const ARGUMENT_TYPES: readonly ValueType[] = ['i32', 'i64', 'f32', 'f64']
const HOOKS: readonly Hook[] = [
  ...ARGUMENT_TYPES.map((type) => ({ module: BREAK_MODULE, name: type, params: [type] })),
  { module: BREAK_MODULE, name: 'hit', params: ['i32', 'i32'] },
]
const HIT = HOOKS.length - 1

/** A copy of `wasm` that calls `hit(place, function)` right before each place; names of functions by that number. */
export function withBreaks(
  wasm: Uint8Array,
  places: readonly BreakPlace[],
): Copy & { name: (index: number) => string } {
  const name = functionNamer(readModule(wasm))
  const copy = insertCalls(wasm, HOOKS, (view, module) => breaksIn(view, module, places))
  return { ...copy, name }
}

function breaksIn(view: FunctionView, module: WasmModule, places: readonly BreakPlace[]): Insertion | undefined {
  const base = module.code!.start
  // A place in the function's head (its locals) is its first instruction.
  const here = places
    .map((place, id) => ({ id, at: Math.max(place.offset + base, view.codeStart) }))
    .filter(({ id, at }) => at < view.end && places[id]!.offset + base >= headOf(view, module))
  if (here.length === 0) return undefined
  const { params } = view.type
  // The compiler uses parameters again for other things: copies are taken while they still are what was passed.
  const entry = new Code(module)
  params.forEach((_, i) => entry.get(i).set(view.firstLocal + i))
  const before = here.flatMap(({ id, at }) => {
    const start = instructionAt(view, module, at)
    if (start === undefined) return []
    const code = new Code(module)
    params.forEach((type, i) => code.get(view.firstLocal + i).call(ARGUMENT_TYPES.indexOf(type)))
    return [{ at: start, code: code.constant(id).constant(view.index).call(HIT).done() }]
  })
  return { locals: params, entry: entry.done(), before: before.toSorted((a, b) => a.at - b.at) }
}

const headOf = (view: FunctionView, module: WasmModule): number =>
  module.bodies[view.index - module.importedFunctions.length]!.start

/** The first instruction at or after a file offset. */
function instructionAt(view: FunctionView, module: WasmModule, at: number): number | undefined {
  const walker = new CodeWalker(module.bytes, view.codeStart, view.end)
  while (walker.next()) if (walker.start >= at) return walker.start
  return undefined
}
