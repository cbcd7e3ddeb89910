/**
 * How much of the engine's own stack code may use: what a function's frame takes at most, and the longest way down
 * through calls that nobody counts.
 *
 * Direct calls that lead back up, and indirect ones, are counted by the checks; what is left is a graph without circles, so
 * its longest path bounds what is used between two counted calls.
 *
 * Must not know: what the checks look like, or what an engine does with a frame beyond the estimate here.
 */
import { Cursor } from './bytes.ts'
import { CodeWalker, readLocals } from './code.ts'
import { functionType, type Body, type WasmModule } from './module.ts'
import { BLOCK_VOID, OP } from './opcodes.ts'

/** What an engine needs for a frame: return address, instance, spilled registers; and for each value in it, twice. */
const FRAME_BYTES = 160
const VALUE_BYTES = 16

/** Bytes of the engine's stack that one call of a function takes at most, what it calls not included. */
export function frameBytes(module: WasmModule, index: number): number {
  const body = module.bodies[index]!
  const { count, codeStart } = readLocals(module.bytes, body.start, body.end)
  const type = module.types[module.functions[index]!]
  return FRAME_BYTES + VALUE_BYTES * ((type?.params.length ?? 0) + count + highest(module, body, codeStart))
}

/** Values on the operand stack at most. Of code the engine would refuse it may say anything. */
function highest(module: WasmModule, body: Body, codeStart: number): number {
  const walker = new CodeWalker(module.bytes, codeStart, body.end)
  /** Of each open block: height below it, and its results. */
  const bases: number[] = []
  const results: number[] = []
  let height = 0
  let max = 0
  while (walker.next()) {
    const { opcode } = walker
    if (opcode === OP.block || opcode === OP.loop || opcode === OP.if) {
      const [params, after] = blockType(module, walker)
      if (opcode === OP.if) height--
      bases.push(height - params)
      results.push(after)
    } else if (opcode === OP.else) height = bases.at(-1) ?? 0
    else if (opcode === OP.end) height = (bases.pop() ?? 0) + (results.pop() ?? 0)
    else if (opcode === OP.call || opcode === OP.callIndirect) {
      const indirect = opcode === OP.callIndirect
      const type = indirect ? module.types[walker.a] : functionType(module, walker.a)
      height += (type?.results.length ?? 0) - (type?.params.length ?? 0) - (indirect ? 1 : 0)
    } else height += effect(opcode)
    // Behind a branch that is always taken heights may be anything; nothing lies there but what the next `end` resets.
    if (height < 0) height = 0
    if (height > max) max = height
  }
  return max
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

/** A direct call of a function the module defines. */
export interface DirectCall {
  /** Index among the defined functions. */
  readonly callee: number
  /** File offset of the instruction. */
  readonly at: number
}

/** Direct calls of one function that `counts` says nobody counts, in order. */
export function directCalls(module: WasmModule, index: number, counted?: (at: number) => boolean): DirectCall[] {
  const body = module.bodies[index]!
  const imported = module.importedFunctions.length
  const { codeStart } = readLocals(module.bytes, body.start, body.end)
  const walker = new CodeWalker(module.bytes, codeStart, body.end)
  const calls: DirectCall[] = []
  while (walker.next()) {
    if (walker.opcode !== OP.call || walker.a < imported || walker.a >= imported + module.bodies.length) continue
    if (counted?.(walker.start) !== true) calls.push({ callee: walker.a - imported, at: walker.start })
  }
  return calls
}

export interface Descent {
  /** The longest way down, in bytes of the engine's stack. */
  readonly bytes: number
  /** Calls that lead back up, by the function they are in: without them there are no circles. */
  readonly back: readonly { readonly caller: number; readonly at: number }[]
}

/** Follow all calls from all functions. `frames` and `calls` by index among the defined functions. */
export function descend(frames: readonly number[], calls: readonly (readonly DirectCall[])[]): Descent {
  const NEW = 0
  const OPEN = 1
  const DONE = 2
  const state = new Uint8Array(frames.length)
  const longest = Float64Array.from(frames)
  const back: { caller: number; at: number }[] = []
  let bytes = 0
  for (let root = 0; root < frames.length; root++) {
    if (state[root] !== NEW) continue
    state[root] = OPEN
    const path = [{ index: root, next: 0 }]
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const call = calls[top.index]![top.next++]
      if (call === undefined) {
        state[top.index] = DONE
        bytes = Math.max(bytes, longest[top.index]!)
        path.pop()
        const caller = path.at(-1)
        if (caller !== undefined) deepen(longest, frames, caller.index, top.index)
      } else if (state[call.callee] === OPEN) back.push({ caller: top.index, at: call.at })
      else if (state[call.callee] === DONE) deepen(longest, frames, top.index, call.callee)
      else {
        state[call.callee] = OPEN
        path.push({ index: call.callee, next: 0 })
      }
    }
  }
  return { bytes, back }
}

function deepen(longest: Float64Array, frames: readonly number[], caller: number, callee: number): void {
  longest[caller] = Math.max(longest[caller]!, frames[caller]! + longest[callee]!)
}
