/**
 * The optimiser: hot calls are replaced by the bodies they call, as a profile says which are hot.
 *
 * A call costs the engine a frame and a stack check, and the module a count of its work; the code around it cannot be
 * optimised across it. V8 inlines some calls itself, late and within a small budget; other engines do not. Inlined code
 * keeps its loops' checks and its stack checks; the check at the callee's entry goes with the entry, and the caller's
 * charges for its code instead. The verifier accepts the result or it is not used.
 *
 * Decisions follow from module and profile alone, so the same two give the same bytes.
 */
import { CodeWalker, readLocals } from '../wasm/code.ts'
import { Cursor } from '../wasm/bytes.ts'
import {
  CHECK_MODULE,
  STACK_OVERFLOW,
  bulkFunction,
  handlesOf,
  hasPattern,
  roomTaken,
  type FuelCheck,
} from '../wasm/checks.ts'
import { behindCheck, fuelCheckOf, isOfCheck } from './count.ts'
import { functionType, readModule, type Body, type ValueType, type WasmModule } from '../wasm/module.ts'
import { BLOCK_VOID, OP } from '../wasm/opcodes.ts'
import { recharge } from './recharge.ts'
import { rewriteBodies, TYPE_BYTES, type BodyWriter, type InlinedCall, type Rewritten } from './bodies.ts'

/** Counts of one function, by its index among those the module defines. */
export interface FunctionCounts {
  readonly entries: number
  /** Of its calls, in order, those of checks left out. */
  readonly calls: readonly number[]
}

export type Counts = ReadonlyMap<number, FunctionCounts>

/** Goes into the key of what it made: another version may make something else. */
export const OPTIMISER = 'inline/2'

/** The calls that together make this share of all calls are hot. */
const HOT_SHARE = 0.995
/** Bytes of a callee, and bytes one function may grow by. */
const CALLEE_BYTES_MAX = 1000
const GROWTH_BYTES_MAX = 10_000
const DEPTH_MAX = 8

export interface Inlining {
  readonly rewritten: Rewritten
  /** Calls replaced, in all functions. */
  readonly inlined: number
}

interface Work {
  readonly module: WasmModule
  readonly counts: Counts
  readonly hot: number
  readonly check: FuelCheck | undefined
  /** The function that charges for ranges: the verifier looks for calls of it. */
  readonly bulk: number
  /** What stands before a call that takes room of the engine's stack: such a call stays one. */
  readonly taken: Uint8Array | undefined
  readonly calls: InlinedCall[]
  inlined: number
}

/** Inline what the profile says is hot. Throws WasmError when the module is malformed. */
export function inlineHot(bytes: Uint8Array, counts: Counts): Inlining {
  const module = readModule(bytes)
  const all = [...counts.values()].flatMap(({ calls }) => calls).toSorted((a, b) => b - a)
  const callsAll = all.reduce((sum, count) => sum + count, 0)
  const work: Work = {
    module,
    counts,
    hot: hotCount(all, callsAll),
    check: fuelCheckOf(module),
    bulk: bulkFunction(module),
    taken: takenOf(module),
    calls: [{ from: 0, within: 0 }],
    inlined: 0,
  }
  const rewritten = rewriteBodies(module, {
    calls: work.calls,
    body: (body, index, out) => new Inliner(work, out, index).write(body),
  })
  recharge(rewritten.bytes)
  return { rewritten, inlined: work.inlined }
}

function takenOf(module: WasmModule): Uint8Array | undefined {
  const { room } = handlesOf(module)
  const overflow = module.importedFunctions.findIndex((f) => f.module === CHECK_MODULE && f.name === STACK_OVERFLOW)
  return room < 0 || overflow < 0 ? undefined : roomTaken(room, overflow)
}

/** The least count of a hot call. */
function hotCount(sorted: readonly number[], all: number): number {
  let sum = 0
  for (const count of sorted) {
    sum += count
    if (sum >= all * HOT_SHARE) return Math.max(count, 1)
  }
  return Infinity
}

/** Writes one function. */
class Inliner {
  readonly #work: Work
  readonly #out: BodyWriter
  readonly #index: number
  readonly #own: number
  /** Locals added that no inlined code uses at this point, by type. */
  readonly #free = new Map<ValueType, number[]>()
  #grown = 0

  constructor(work: Work, out: BodyWriter, index: number) {
    this.#work = work
    this.#out = out
    this.#index = index
    const body = work.module.bodies[index]!
    const type = functionType(work.module, work.module.importedFunctions.length + index)!
    this.#own = type.params.length + readLocals(work.module.bytes, body.start, body.end).count
  }

  write(body: Body): void {
    const { codeStart } = readLocals(this.#work.module.bytes, body.start, body.end)
    this.#code(body, this.#index, codeStart, undefined, 1, [this.#index])
  }

  /** Copy code, with locals renamed when it is a callee's, and its hot calls replaced. */
  #code(
    body: Body,
    index: number,
    start: number,
    locals: readonly number[] | undefined,
    scale: number,
    chain: readonly number[],
  ): void {
    const { module, counts, bulk, taken } = this.#work
    const out = this.#out
    const made = counts.get(index)?.calls
    const walker = new CodeWalker(module.bytes, start, body.end)
    let copied = start
    let site = 0
    const upTo = (end: number): void => {
      out.copy(copied, walker.start)
      copied = end
    }
    while (walker.next()) {
      const { opcode } = walker
      if (opcode === OP.call || opcode === OP.callIndirect) {
        if (isOfCheck(module, walker, bulk)) continue
        const count = (made?.[site++] ?? 0) * scale
        const counted = taken !== undefined && hasPattern(module.bytes, walker.start - taken.length, body.end, taken)
        const callee = opcode === OP.call && !counted ? this.#inlinable(walker.a, count, chain) : undefined
        if (callee === undefined) continue
        upTo(walker.end)
        this.#inline(callee, walker.start, count, chain)
      } else if (locals !== undefined && isLocal(opcode)) {
        upTo(walker.end)
        out.mark(walker.start)
        out.code.u8(opcode).u32(locals[walker.a]!)
      } else if (locals !== undefined && opcode === OP.return) {
        upTo(walker.end)
        out.mark(walker.start)
        out.code.u8(OP.br).u32(walker.depth - 1)
      }
    }
    out.copy(copied, body.end)
  }

  /** Index among the defined functions, when a call of it is to be replaced. */
  #inlinable(called: number, count: number, chain: readonly number[]): number | undefined {
    const { module, hot } = this.#work
    const index = called - module.importedFunctions.length
    const body = module.bodies[index]
    if (body === undefined || count < hot || chain.includes(index) || chain.length > DEPTH_MAX) return undefined
    const size = body.end - body.start
    if (size > CALLEE_BYTES_MAX || this.#grown + size > GROWTH_BYTES_MAX) return undefined
    if ((functionType(module, called)?.results.length ?? 2) > 1) return undefined
    return index
  }

  #inline(index: number, callAt: number, count: number, chain: readonly number[]): void {
    const work = this.#work
    const { module, calls } = work
    const { bytes } = module
    const out = this.#out
    const body = module.bodies[index]!
    this.#grown += body.end - body.start
    work.inlined++
    const type = functionType(module, module.importedFunctions.length + index)!
    const declared = localTypes(bytes, body)
    const locals = [...type.params, ...declared].map((t) => this.#take(t))
    out.mark(callAt)
    for (let i = type.params.length - 1; i >= 0; i--) out.code.u8(OP.localSet).u32(locals[i]!)
    declared.forEach((t, i) => zero(out, t, locals[type.params.length + i]!))
    out.code.u8(OP.block).u8(type.results.length === 0 ? BLOCK_VOID : TYPE_BYTES[type.results[0]!])
    const outer = out.call
    out.call = calls.push({ from: callAt - module.code!.start, within: outer }) - 1
    const { codeStart } = readLocals(bytes, body.start, body.end)
    const entries = work.counts.get(index)?.entries ?? 0
    const start = behindCheck(work.check, bytes, codeStart, body.end)
    this.#code(body, index, start, locals, entries === 0 ? 0 : count / entries, [...chain, index])
    out.call = outer
    ;[...type.params, ...declared].forEach((t, i) => this.#free.get(t)!.push(locals[i]!))
  }

  /** A local of a type that nobody uses now. */
  #take(type: ValueType): number {
    let free = this.#free.get(type)
    if (free === undefined) this.#free.set(type, (free = []))
    return free.pop() ?? this.#own + this.#out.locals.push(type) - 1
  }
}

const isLocal = (opcode: number): boolean => opcode === OP.localGet || opcode === OP.localSet || opcode === OP.localTee

/** A callee finds its locals zero, each time. */
function zero(out: BodyWriter, type: ValueType, local: number): void {
  const { code } = out
  if (type === 'i32') code.u8(OP.i32Const).u8(0)
  else if (type === 'i64') code.u8(OP.i64Const).u8(0)
  else if (type === 'f32') code.u8(OP.f32Const).u32le(0)
  else if (type === 'f64') code.u8(OP.f64Const).u32le(0).u32le(0)
  else code.u8(OP.refNull).u8(TYPE_BYTES[type])
  code.u8(OP.localSet).u32(local)
}

function localTypes(bytes: Uint8Array, body: Body): ValueType[] {
  const byByte = new Map(Object.entries(TYPE_BYTES).map(([type, byte]) => [byte, type as ValueType]))
  const cursor = new Cursor(bytes, body.start, body.end)
  const types: ValueType[] = []
  for (let groups = cursor.count(2); groups > 0; groups--) {
    const count = cursor.u32()
    const type = byByte.get(cursor.u8())!
    for (let i = 0; i < count; i++) types.push(type)
  }
  return types
}
