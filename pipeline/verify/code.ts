/**
 * The code itself: every function is walked, and at every place where the machine must keep control the check that
 * pipeline/wasm inserts has to be there, byte for byte. A module made by hand without them is refused.
 *
 * Why this suffices: a run that never ends passes a loop head or enters a function again and again; loop heads are all
 * checked, and so is the entry of every function that calls another one of the module or calls indirectly. Nothing but
 * the checks may write the fuel counter, and nothing at all the stack limit. What works on a range of memory is charged by
 * its length; memory and table keep their sizes (growing, even by nothing, takes the memory from under the host's views), and
 * the table its functions.
 */
import { WasmError } from '../wasm/bytes.ts'
import {
  CHECK_MODULE,
  FUEL_GLOBAL,
  LIMIT_GLOBAL,
  PREEMPT,
  RESCHED,
  STACK_GLOBAL,
  STACK_OVERFLOW,
  bulkFunction,
  exhaustedBody,
  fuelCheck,
  fuelWriteOffset,
  hasPattern,
  isBulk,
  isFree,
  stackCheck,
} from '../wasm/checks.ts'
import { CodeWalker, readLocals } from '../wasm/code.ts'
import { functionNamer, valueTypeName, type Body, type WasmModule } from '../wasm/module.ts'
import { BLOCK_VOID, OP, isNumberType, opcodeName } from '../wasm/opcodes.ts'
import { at, type Problem } from './problem.ts'
import { Room } from './room.ts'

interface Expected {
  readonly module: WasmModule
  readonly fuel: number
  readonly limit: number
  readonly stack: number
  /** The function that is called when the counter has run out: it calls imports only. */
  readonly exhausted: number
  /** The function that charges for ranges of memory. */
  readonly bulk: number
  readonly fuelBytes: Uint8Array
  readonly stackBytes: Uint8Array
  /** Where in the fuel check the counter is written. */
  readonly fuelWrite: number
  readonly report: (problem: Problem) => void
  readonly room: Room
}

/** Problems found in the code. Throws WasmError when a body is malformed. */
export function checkCode(module: WasmModule, report: (problem: Problem) => void): void {
  const global = (name: string): number =>
    module.exports.find((e) => e.kind === 'global' && e.name === name)?.index ?? -1
  const call = (name: string): number =>
    module.importedFunctions.findIndex((f) => f.module === CHECK_MODULE && f.name === name)
  const fuel = global(FUEL_GLOBAL)
  const limit = global(LIMIT_GLOBAL)
  const stack = global(STACK_GLOBAL)
  const exhausted = exhaustedFunction(module, fuel, call(PREEMPT), call(RESCHED))
  const overflow = call(STACK_OVERFLOW)
  const nothing = new Uint8Array([0xff])
  const fuelBytes = fuel < 0 || exhausted < 0 ? nothing : fuelCheck(fuel, exhausted)
  const stackBytes = stack < 0 || limit < 0 || overflow < 0 ? nothing : stackCheck(stack, limit, overflow)
  const fuelWrite = fuelWriteOffset(Math.max(0, fuel))
  const bulk = exhausted < 0 ? -1 : bulkFunction(module)
  const name = functionNamer(module)
  const room = new Room(module, overflow, (code, index, offset, message) =>
    report({ code, where: at(name(module.importedFunctions.length + index), offset), message }),
  )
  const expected: Expected = {
    room,
    module,
    fuel,
    limit,
    stack,
    exhausted,
    bulk,
    fuelBytes,
    stackBytes,
    fuelWrite,
    report,
  }
  module.bodies.forEach((body, i) => {
    // Its bytes are known, the write of the counter among them.
    if (module.importedFunctions.length + i === bulk) return
    const title = (): string => name(module.importedFunctions.length + i)
    try {
      room.begin(i, body)
      checkBody(expected, body, title)
    } catch (error) {
      if (!(error instanceof WasmError)) throw error
      const code = error.name === 'FeatureError' ? 'feature' : 'malformed'
      report({ code, where: at(title(), error.offset), message: error.message })
    }
  })
  room.end()
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

function checkBody(expected: Expected, body: Body, title: () => string): void {
  const { module, fuelBytes, report } = expected
  const { bytes } = module
  const { codeStart } = readLocals(bytes, body.start, body.end, ({ type, offset }) => {
    if (!isNumberType(type)) report(notANumber(type, title(), offset, 'a local'))
  })
  /** File offset of the one write of the fuel counter that belongs to the check seen last. */
  let fuelWrite = -1
  const wantFuel = (offset: number, what: string): void => {
    if (hasPattern(bytes, offset, body.end, fuelBytes)) fuelWrite = offset + expected.fuelWrite
    else report({ code: 'no-fuel-check', where: at(title(), offset), message: `${what} does not count its work` })
  }
  const counted = hasPattern(bytes, codeStart, body.end, fuelBytes)
  if (counted) fuelWrite = codeStart + expected.fuelWrite
  const imported = module.importedFunctions.length
  let recurses = false
  /** What the instruction before left on the stack is a length that is charged, or one that nobody counts. */
  let charged = false
  const walker = new CodeWalker(bytes, codeStart, body.end)
  while (walker.next()) {
    const { opcode } = walker
    expected.room.see(walker)
    checkValueType(module, walker, (type, what) => report(notANumber(type, title(), walker.start, what)))
    if (opcode === OP.loop) wantFuel(walker.end, 'a loop')
    else if (opcode === OP.globalSet) checkWrite(expected, walker, body, fuelWrite, title)
    else if (
      opcode === OP.callIndirect ||
      (opcode === OP.call && walker.a >= imported && walker.a !== expected.exhausted && walker.a !== expected.bulk)
    )
      recurses = true
    else if (isBulk(opcode) && !charged) {
      const message = `${opcodeName(opcode)} does not count its work`
      report({ code: 'no-fuel-check', where: at(title(), walker.start), message })
    } else if (resizes(opcode)) {
      const message = `${opcodeName(opcode)} is not allowed: memory and table stay as they are loaded`
      report({ code: 'feature', where: at(title(), walker.start), message })
    }
    charged = (opcode === OP.call && walker.a === expected.bulk) || isFree(opcode, walker.a)
  }
  // As mayRecurse has it, without a walk of its own.
  if (recurses && !counted) wantFuel(codeStart, 'a function that calls others')
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
  if (walker.a === e.stack && !hasPattern(e.module.bytes, walker.end, body.end, e.stackBytes))
    e.report({ code: 'no-stack-check', where: where(), message: 'a write of the stack pointer is not checked' })
  else if (walker.a === e.fuel && walker.start !== fuelWrite)
    e.report({ code: 'tampering', where: where(), message: `only the check may write ${FUEL_GLOBAL}` })
  else if (walker.a === e.limit)
    e.report({ code: 'tampering', where: where(), message: `only the machine may write ${LIMIT_GLOBAL}` })
}
