/**
 * A copy of a finished module that counts how often each function is entered and each call is made: what a profile is.
 *
 * Counters are globals, so the copy reads and writes no memory it did not before, counts no work of its own, and runs as
 * the module itself does, event by event. The checks stay where the verifier looks for them.
 */
import { CodeWalker, readLocals } from '../wasm/code.ts'
import { bulkFunction, fuelCheck, handlesOf, unitsAt, type FuelCheck } from '../wasm/checks.ts'
import { functionNamer, readModule, type WasmModule } from '../wasm/module.ts'
import { OP } from '../wasm/opcodes.ts'
import { rewriteBodies, type BodyWriter, type Rewritten } from './bodies.ts'
import { Writer } from '../wasm/bytes.ts'

/** Prefix of the exported counters; a number follows. */
export const COUNTER = 'drvport_count_'

/** Which counter is what. */
export interface CounterPlan {
  readonly functions: readonly {
    /** Among the functions the module defines. */
    readonly index: number
    readonly name: string
    readonly entries: number
    /** Counters of its calls, direct and indirect, in order. */
    readonly calls: readonly number[]
  }[]
  readonly counters: number
}

const I64_ADD = 0x7c

const increment = (global: number): Uint8Array =>
  new Writer(16).u8(OP.globalGet).u32(global).u8(OP.i64Const).u8(1).u8(I64_ADD).u8(OP.globalSet).u32(global).finish()

/** The check that counts work in a finished module; undefined when it has none. */
export function fuelCheckOf(module: WasmModule): FuelCheck | undefined {
  const { fuel } = handlesOf(module)
  return fuel < 0 ? undefined : fuelCheck(fuel, module.importedFunctions.length + module.bodies.length - 1)
}

/** Where the code behind a check at the entry begins; where that would be, when there is none. */
export function behindCheck(check: FuelCheck | undefined, bytes: Uint8Array, codeStart: number, end: number): number {
  return unitsAt(check, bytes, codeStart, end) > 0 ? codeStart + check!.bytes.length : codeStart
}

/** Make the counting copy. Throws WasmError when the module is malformed. */
export function countCalls(bytes: Uint8Array): { rewritten: Rewritten; plan: CounterPlan } {
  const module = readModule(bytes)
  const check = fuelCheckOf(module)
  const bulk = bulkFunction(module)
  const name = functionNamer(module)
  const base = module.importedGlobals.length + module.globals.length
  const functions: CounterPlan['functions'][number][] = []
  const names: string[] = []
  const counter = (out: BodyWriter): number => {
    const id = names.push(`${COUNTER}${names.length}`) - 1
    out.code.bytes(increment(base + id))
    return id
  }
  const rewritten = rewriteBodies(module, {
    calls: [{ from: 0, within: 0 }],
    counters: names,
    body(body, index, out) {
      const { codeStart } = readLocals(bytes, body.start, body.end)
      const start = behindCheck(check, bytes, codeStart, body.end)
      out.copy(codeStart, start)
      // The last functions are the checks' own: they are found by their bytes.
      const isCheck = index === module.bodies.length - 1 || module.importedFunctions.length + index === bulk
      const entries = isCheck ? -1 : counter(out)
      const calls: number[] = []
      let copied = start
      const walker = new CodeWalker(bytes, start, body.end)
      while (walker.next()) {
        const isCall = walker.opcode === OP.call || walker.opcode === OP.callIndirect
        if (!isCall || isCheck || isOfCheck(module, walker, bulk)) continue
        out.copy(copied, walker.start)
        copied = walker.start
        calls.push(counter(out))
      }
      out.copy(copied, body.end)
      if (!isCheck) functions.push({ index, name: name(module.importedFunctions.length + index), entries, calls })
    },
  })
  return { rewritten, plan: { functions, counters: names.length } }
}

/** A call that a check makes: it stays as it is. `bulk` is the function that charges for ranges. */
export function isOfCheck(module: WasmModule, walker: CodeWalker, bulk: number): boolean {
  if (walker.opcode !== OP.call) return false
  const last = module.importedFunctions.length + module.bodies.length - 1
  if (walker.a === last || walker.a === bulk) return true
  const imported = module.importedFunctions[walker.a]
  return imported?.module === 'sched' && imported.name === 'stack_overflow'
}
