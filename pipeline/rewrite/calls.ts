/**
 * A copy of a module that tells of its C calls: `enter` when a function begins, with its arguments, `leave` when it
 * returns, with its result. A function that ends by a trap or by the end of its fiber leaves nothing behind it.
 */
import { functionNamer, readModule, type ValueType, type WasmModule } from '../wasm/module.ts'
import { readLines, symbolize } from '../wasm/lines.ts'
import { Code, insertCalls, type Copy, type FunctionView, type Hook, type Insertion } from './insert.ts'

export interface CFunction {
  readonly index: number
  readonly name: string
  /** Where its code begins; empty when the line table does not know. */
  readonly file: string
}

/** Import module of what the copy calls: `i32`, `i64`, `f32`, `f64` for each value in turn, then `enter` or `leave`. */
export const CALLS_MODULE = 'drvport_calls'

const VALUE_TYPES: readonly ValueType[] = ['i32', 'i64', 'f32', 'f64']
const HOOKS: readonly Hook[] = [
  ...VALUE_TYPES.map((type) => ({ module: CALLS_MODULE, name: type, params: [type] })),
  { module: CALLS_MODULE, name: 'enter', params: ['i32'] },
  { module: CALLS_MODULE, name: 'leave', params: ['i32'] },
]
const ENTER = VALUE_TYPES.length
const LEAVE = ENTER + 1

/** The functions a module defines. */
export function functionsOf(wasm: Uint8Array, lines: Uint8Array | undefined): CFunction[] {
  const module = readModule(wasm)
  const name = functionNamer(module)
  const table = lines === undefined ? undefined : readLines(lines)
  return module.bodies.map(({ end }, i) => {
    const index = module.importedFunctions.length + i
    const outermost = table === undefined ? undefined : symbolize(table, end - 1).at(-1)
    return { index, name: name(index), file: outermost?.file ?? '' }
  })
}

/** Copy a module so that the functions of these numbers tell. */
export const withCalls = (wasm: Uint8Array, told: ReadonlySet<number>): Copy =>
  insertCalls(wasm, HOOKS, (view, module) => (told.has(view.index) ? telling(view, module) : undefined))

function telling({ index, type, firstLocal }: FunctionView, module: WasmModule): Insertion {
  const entry = new Code(module)
  type.params.forEach((param, i) => entry.get(i).call(VALUE_TYPES.indexOf(param)))
  entry.constant(index).call(ENTER)
  const exit = new Code(module)
  const [result] = type.results
  if (result !== undefined) exit.tee(firstLocal).get(firstLocal).call(VALUE_TYPES.indexOf(result))
  exit.constant(index).call(LEAVE)
  return { locals: type.results, entry: entry.done(), exit: exit.done() }
}
