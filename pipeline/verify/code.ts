/**
 * The code itself: every function is walked, and at every place where the machine must keep control the check that
 * pipeline/wasm inserts has to be there, byte for byte. A module made by hand without them is refused.
 *
 * Why this suffices: a run that never ends passes a loop head or enters a function again and again; loop heads are all
 * checked, and so is the entry of every function that calls another one of the module, or of its core or peers, or calls
 * indirectly. Each check charges for the instructions that may run before the next one does (wasm/work.ts), so a unit of work is never
 * more than a bounded time. Nothing but the checks may write the fuel counter, and nothing at all the stack limit. What works on a
 * range of memory is charged by its length; memory and table keep their sizes (growing, even by nothing, takes the memory
 * from under the host's views), and the table its functions.
 */
import { WasmError } from '../wasm/bytes.ts'
import {
  CHECK_MODULE,
  FUEL_GLOBAL,
  LIMIT_GLOBAL,
  PREEMPT,
  RESCHED,
  STACK_OVERFLOW,
  bulkFunction,
  exhaustedBody,
  fuelCheck,
  handlesOf,
  hasPattern,
  isBulk,
  isFree,
  stackCheck,
  unitsAt,
  type FuelCheck,
  type Handles,
} from '../wasm/checks.ts'
import { CodeWalker, readLocals } from '../wasm/code.ts'
import type { Descent } from '../wasm/descent.ts'
import { functionNamer, valueTypeName, type Body, type WasmModule } from '../wasm/module.ts'
import { BLOCK_VOID, OP, isNumberType, opcodeName } from '../wasm/opcodes.ts'
import type { Foreign } from '../wasm/survey.ts'
import { CHARGING, LEAF, weightOf } from '../wasm/work.ts'
import { at, type Problem } from './problem.ts'
import { Room } from './room.ts'
import { CountedWork } from './work.ts'

interface Expected {
  readonly module: WasmModule
  readonly handles: Handles
  /** The function that is called when the counter has run out: it calls imports only. */
  readonly exhausted: number
  /** The function that charges for ranges of memory. */
  readonly bulk: number
  readonly fuel: FuelCheck | undefined
  readonly stackBytes: Uint8Array
  /** By index among the defined functions: units that the check at its entry charges, 0 when it has none. */
  readonly entryUnits: readonly number[]
  readonly foreign: Foreign
  readonly report: (problem: Problem) => void
  readonly room: Room
}

const HOST_ONLY: Foreign = () => undefined

/**
 * Problems found in the code, and what it needs of the engine's stack. `foreign` tells imported functions that are another module's.
 * Throws WasmError when a body is malformed.
 */
export function checkCode(
  module: WasmModule,
  report: (problem: Problem) => void,
  foreign: Foreign = HOST_ONLY,
): Descent {
  const call = (name: string): number =>
    module.importedFunctions.findIndex((f) => f.module === CHECK_MODULE && f.name === name)
  const handles = handlesOf(module)
  const { fuel, limit, stack } = handles
  const exhausted = exhaustedFunction(module, fuel, call(PREEMPT), call(RESCHED))
  const overflow = call(STACK_OVERFLOW)
  const check = fuel < 0 || exhausted < 0 ? undefined : fuelCheck(fuel, exhausted)
  const stackBytes = stack < 0 || limit < 0 || overflow < 0 ? Uint8Array.of(0xff) : stackCheck(stack, limit, overflow)
  const bulk = exhausted < 0 ? -1 : bulkFunction(module)
  const name = functionNamer(module)
  const room = new Room(module, handles.room, overflow, foreign, (code, index, offset, message) =>
    report({ code, where: at(name(module.importedFunctions.length + index), offset), message }),
  )
  const entryUnits = module.bodies.map((body) => entryUnitsOf(module, body, check))
  const expected: Expected = {
    room,
    module,
    handles,
    exhausted,
    bulk,
    fuel: check,
    stackBytes,
    entryUnits,
    foreign,
    report,
  }
  module.bodies.forEach((_, i) => {
    // Its bytes are known, the write of the counter among them.
    if (module.importedFunctions.length + i === bulk) return
    const title = (): string => name(module.importedFunctions.length + i)
    try {
      checkBody(expected, i, title)
    } catch (error) {
      if (!(error instanceof WasmError)) throw error
      const code = error.name === 'FeatureError' ? 'feature' : 'malformed'
      report({ code, where: at(title(), error.offset), message: error.message })
    }
  })
  return room.end()
}

/** A body that cannot be read has none; it is reported when its turn comes. */
function entryUnitsOf({ bytes }: WasmModule, { start, end }: Body, check: FuelCheck | undefined): number {
  try {
    return unitsAt(check, bytes, readLocals(bytes, start, end).codeStart, end)
  } catch (error) {
    if (error instanceof WasmError) return 0
    throw error
  }
}

/** Index of the function the checks must call, -1 when there is none: the last one, if it does just that. */
function exhaustedFunction(module: WasmModule, fuel: number, preempt: number, resched: number): number {
  const body = module.bodies.at(-1)
  if (body === undefined || fuel < 0 || preempt < 0 || resched < 0) return -1
  const wanted = exhaustedBody(fuel, preempt, resched)
  const same = body.end - body.start === wanted.length && hasPattern(module.bytes, body.start, body.end, wanted)
  const type = module.types[module.functions.at(-1)!]
  if (!same || type === undefined || type.params.length + type.results.length > 0) return -1
  return module.importedFunctions.length + module.bodies.length - 1
}

function checkBody(expected: Expected, index: number, title: () => string): void {
  const { module, report, room } = expected
  const { bytes } = module
  const body = module.bodies[index]!
  const { codeStart, count } = readLocals(bytes, body.start, body.end, ({ type, offset }) => {
    if (!isNumberType(type)) report(notANumber(type, title(), offset, 'a local'))
  })
  room.begin(index, body, count)
  const work = new CountedWork(bytes, body, codeStart, expected.fuel, (offset, message) =>
    report({ code: 'no-fuel-check', where: at(title(), offset), message }),
  )
  let isCaller = false
  /** What the instruction before left on the stack is a length that is charged, or one that nobody counts. */
  let charged = false
  const walker = new CodeWalker(bytes, codeStart, body.end)
  while (walker.next()) {
    const { opcode, a } = walker
    room.see(walker)
    checkValueType(module, walker, (type, what) => report(notANumber(type, title(), walker.start, what)))
    const called = opcode === OP.call ? calleeOf(expected, a) : opcode === OP.callIndirect ? 'unknown' : 'host'
    if (called === 'counted' || called === 'short' || called === 'unknown') isCaller = true
    work.see(walker, weightOf(opcode) + (called === 'short' ? LEAF : called === 'charging' ? CHARGING : 0))
    if (opcode === OP.globalSet) checkWrite(expected, walker, body, work.write, title)
    else if (isBulk(opcode) && !charged) {
      const message = `${opcodeName(opcode)} does not count its work`
      report({ code: 'no-fuel-check', where: at(title(), walker.start), message })
    } else if (resizes(opcode)) {
      const message = `${opcodeName(opcode)} is not allowed: memory and table stay as they are loaded`
      report({ code: 'feature', where: at(title(), walker.start), message })
    }
    charged = (opcode === OP.call && a === expected.bulk) || isFree(opcode, a)
  }
  work.end(isCaller)
}

/** Who is called: `short` may be a function that does not count its work. */
type CalleeKind = 'host' | 'check' | 'charging' | 'counted' | 'short' | 'unknown'

function calleeOf({ module, exhausted, bulk, entryUnits, foreign }: Expected, index: number): CalleeKind {
  const imported = module.importedFunctions.length
  if (index < imported) return foreign(index) === undefined ? 'host' : 'short'
  if (index === exhausted) return 'check'
  if (index === bulk) return 'charging'
  return (entryUnits[index - imported] ?? 0) > 0 ? 'counted' : 'short'
}

const notANumber = (type: number, title: string, offset: number, what: string): Problem => {
  const found = `${what} of value type ${valueTypeName(type)}`
  return { code: 'feature', where: at(title, offset), message: `${found} is not allowed: only numbers are` }
}

/** The value type that a block, or a `select` with a type, names by itself; types that it names by number are checked with all others. */
function checkValueType({ bytes }: WasmModule, walker: CodeWalker, refuse: (type: number, what: string) => void): void {
  const { opcode, start, end } = walker
  if (opcode === OP.block || opcode === OP.loop || opcode === OP.if) {
    const byte = bytes[start + 1]!
    if (end - start === 2 && byte > BLOCK_VOID && byte < 0x80 && !isNumberType(byte)) refuse(byte, 'a block')
  } else if (opcode === OP.selectOf)
    for (let i = start + 2; i < end; i++) if (!isNumberType(bytes[i]!)) refuse(bytes[i]!, 'a select')
}

/** Instructions that change what memory or table there is: no driver is compiled to any. */
const resizes = (opcode: number): boolean =>
  opcode === OP.memoryGrow ||
  opcode === OP.tableSet ||
  opcode === OP.tableInit ||
  opcode === OP.tableCopy ||
  opcode === OP.tableGrow ||
  opcode === OP.tableFill

function checkWrite(e: Expected, walker: CodeWalker, body: Body, fuelWrite: number, title: () => string): void {
  const where = (): string => at(title(), walker.start)
  if (walker.a === e.handles.stack && !hasPattern(e.module.bytes, walker.end, body.end, e.stackBytes))
    e.report({ code: 'no-stack-check', where: where(), message: 'a write of the stack pointer is not checked' })
  else if (walker.a === e.handles.fuel && walker.start !== fuelWrite)
    e.report({ code: 'tampering', where: where(), message: `only the check may write ${FUEL_GLOBAL}` })
  else if (walker.a === e.handles.limit)
    e.report({ code: 'tampering', where: where(), message: `only the machine may write ${LIMIT_GLOBAL}` })
}
