/**
 * How much of the engine's own stack code may use: what a function's frame takes, and the longest way down through calls
 * that nobody counts.
 *
 * Direct calls that lead back up, indirect ones, and those behind which the way would become too long are counted by the checks;
 * what is left is a graph without circles, so its longest path bounds what is used between two counted calls.
 *
 * A frame's size is an engine's choice, and this an estimate with a margin, not a proof: locals and operands, each twice as
 * wide as it is. `test/pipeline/wasm/frames.test.ts` holds it against V8, and shows what it leaves out: an optimising compiler may
 * keep over a call what the code computes before and again behind it. A program made to take more than it counts meets the engine's own
 * guard instead; what it then calls in the host while it is on the host's stack may find less room than it was promised.
 *
 * Must not know: what the checks look like.
 */
import { Cursor } from './bytes.ts'
import type { CodeWalker } from './code.ts'
import { functionType, type WasmModule } from './module.ts'
import { BLOCK_VOID, OP } from './opcodes.ts'

/** What an engine needs for a frame: return address, instance, spilled registers; and for each value in it, twice. */
const FRAME_BYTES = 160
const VALUE_BYTES = 16

/** Finds what the frame of a function takes while its body is walked. Of code the engine would refuse it may say anything. */
export class Frame {
  readonly #module: WasmModule
  readonly #values: number
  /** Of each open block: height of the operand stack below it, and its results. */
  readonly #bases: number[] = []
  readonly #results: number[] = []
  #height = 0
  #max = 0

  /** `index` is one among the functions the module defines; `locals` without its parameters. */
  constructor(module: WasmModule, index: number, locals: number) {
    this.#module = module
    this.#values = (module.types[module.functions[index]!]?.params.length ?? 0) + locals
  }

  /** Bytes that one call of it takes, what it calls not included. */
  get bytes(): number {
    return FRAME_BYTES + VALUE_BYTES * (this.#values + this.#max)
  }

  /** The next instruction. */
  see(walker: CodeWalker): void {
    const { opcode } = walker
    if (opcode === OP.block || opcode === OP.loop || opcode === OP.if) {
      const [params, after] = blockType(this.#module, walker)
      if (opcode === OP.if) this.#height--
      this.#bases.push(this.#height - params)
      this.#results.push(after)
    } else if (opcode === OP.else) this.#height = this.#bases.at(-1) ?? 0
    else if (opcode === OP.end) this.#height = (this.#bases.pop() ?? 0) + (this.#results.pop() ?? 0)
    else if (opcode === OP.call || opcode === OP.callIndirect) {
      const indirect = opcode === OP.callIndirect
      const type = indirect ? this.#module.types[walker.a] : functionType(this.#module, walker.a)
      this.#height += (type?.results.length ?? 0) - (type?.params.length ?? 0) - (indirect ? 1 : 0)
    } else this.#height += effect(opcode)
    // Behind a branch that is always taken heights may be anything; nothing lies there but what the next `end` resets.
    if (this.#height < 0) this.#height = 0
    if (this.#height > this.#max) this.#max = this.#height
  }
}
/** Parameters and results of a block. */
function blockType(module: WasmModule, walker: CodeWalker): readonly [number, number] {
  const byte = module.bytes[walker.start + 1]!
  if (byte === BLOCK_VOID) return [0, 0]
  if (walker.end - walker.start === 2 && byte > BLOCK_VOID) return [0, 1]
  const type = module.types[new Cursor(module.bytes, walker.start + 1, walker.end).u32()]
  return [type?.params.length ?? 0, type?.results.length ?? 0]
}

/** What an instruction leaves on the operand stack, less what it takes. Core Specification 2.0, section 5.4. */
function effect(opcode: number): number {
  if (opcode === OP.localGet || opcode === OP.globalGet || (opcode >= 0x41 && opcode <= 0x44)) return 1
  if (opcode === 0x3f || opcode === OP.refNull || opcode === OP.refFunc || opcode === OP.tableSize) return 1
  // Loads, tests, conversions, sign extension: one for one. The rest of the arithmetic takes two.
  if (opcode === OP.localTee || (opcode >= 0x28 && opcode <= 0x35)) return 0
  if (opcode >= 0x36 && opcode <= 0x3e) return -2
  if (opcode === 0x45 || opcode === 0x50) return 0
  if (opcode >= 0x46 && opcode <= 0x66) return -1
  if (isUnary(opcode)) return 0
  if (opcode >= 0x67 && opcode <= 0xa6) return -1
  if (opcode === OP.localSet || opcode === OP.globalSet || opcode === 0x1a || opcode === OP.brIf) return -1
  if (opcode === 0x1b || opcode === 0x1c || opcode === OP.tableSet) return -2
  if (opcode === OP.memoryCopy || opcode === OP.memoryFill || opcode === OP.memoryInit) return -3
  if (opcode === OP.tableInit || opcode === OP.tableCopy || opcode === OP.tableFill) return -3
  if (opcode === OP.tableGrow || opcode === OP.brTable) return -1
  return 0
}

/** clz, ctz, popcnt; abs, neg, ceil, floor, trunc, nearest, sqrt. */
const isUnary = (opcode: number): boolean =>
  (opcode >= 0x67 && opcode <= 0x69) ||
  (opcode >= 0x79 && opcode <= 0x7b) ||
  (opcode >= 0x8b && opcode <= 0x91) ||
  (opcode >= 0x99 && opcode <= 0x9f)

/** A direct call that may take more of the stack than the frame it is made in. */
export interface DirectCall {
  /** Index among the defined functions; -1 for one of another module. */
  readonly callee: number
  /** The longest way down from a function of another module, bytes. */
  readonly depth?: number
  /** File offset of the instruction. */
  readonly at: number
}

export interface Descent {
  /** The longest way down, in bytes of the engine's stack. */
  readonly bytes: number
  /** The same from each function. */
  readonly longest: Float64Array
  /** Calls that lead back up, by the function they are in: without them there are no circles. */
  readonly back: readonly Site[]
  /** Calls without which no way down is longer than the limit. */
  readonly long: readonly Site[]
}

/** A call, by the function it is in. */
export interface Site {
  readonly caller: number
  readonly at: number
}

/**
 * Follow all calls from all functions. `frames` and `calls` by index among the defined functions; ways down longer than
 * `limit` are cut, as far as calls can be.
 */
export function descend(
  frames: readonly number[],
  calls: readonly (readonly DirectCall[])[],
  limit = Infinity,
): Descent {
  const NEW = 0
  const OPEN = 1
  const DONE = 2
  const state = new Uint8Array(frames.length)
  const longest = Float64Array.from(frames)
  const back: Site[] = []
  const long: Site[] = []
  let bytes = 0
  /** A call whose callee's longest way down is known. */
  const settle = (caller: number, at: number, depth: number): void => {
    if (frames[caller]! + depth > limit) long.push({ caller, at })
    else longest[caller] = Math.max(longest[caller]!, frames[caller]! + depth)
  }
  for (let root = 0; root < frames.length; root++) {
    if (state[root] !== NEW) continue
    state[root] = OPEN
    const path = [{ index: root, next: 0, at: 0 }]
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const call = calls[top.index]![top.next++]
      if (call === undefined) {
        state[top.index] = DONE
        bytes = Math.max(bytes, longest[top.index]!)
        path.pop()
        const caller = path.at(-1)
        if (caller !== undefined) settle(caller.index, top.at, longest[top.index]!)
      } else if (call.callee < 0) settle(top.index, call.at, call.depth ?? 0)
      else if (state[call.callee] === OPEN) back.push({ caller: top.index, at: call.at })
      else if (state[call.callee] === DONE) settle(top.index, call.at, longest[call.callee]!)
      else {
        state[call.callee] = OPEN
        path.push({ index: call.callee, next: 0, at: call.at })
      }
    }
  }
  return { bytes, longest, back, long }
}
