/**
 * Walking the instructions of one function body (or constant expression).
 *
 * The walker checks what it needs to stay in step with the bytes: known opcodes, complete immediates, balanced blocks.
 * Types are the engine's business. One CodeWalker object is reused for all instructions: no allocation per instruction.
 */
import { Cursor, FeatureError, WasmError } from './bytes.ts'
import { IMM, OP, immediatesOf, opcodeName, proposalOf } from './opcodes.ts'

/** Most locals one function may declare; the limit the engines share. */
const LOCALS_MAX = 50_000

export class CodeWalker {
  /** Opcode of the current instruction; 0xfc00 + n behind the prefix. */
  opcode = 0
  /** File offset of the current instruction, and of what follows it. */
  start = 0
  end = 0
  /** First and second immediate, where they are indexes, offsets (memarg: a = alignment, b = offset) or i32 values. */
  a = 0
  b = 0
  /** Open blocks, the body itself included. 0 after the final `end`. */
  depth = 1
  readonly #cursor: Cursor

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#cursor = new Cursor(bytes, start, end)
  }

  /** Step to the next instruction; false after the `end` that closes the body. */
  next(): boolean {
    const cursor = this.#cursor
    if (this.depth === 0) {
      if (cursor.left !== 0) throw new WasmError('code after the end of the body', cursor.pos)
      return false
    }
    this.start = cursor.pos
    let opcode = cursor.u8()
    if (opcode === 0xfc) {
      const sub = cursor.u32()
      opcode = 0xfc00 + Math.min(sub, 0xff)
    }
    this.opcode = opcode
    const imm = immediatesOf(opcode)
    if (imm === undefined) throw unknown(opcode, this.start)
    if (imm !== IMM.none) this.#immediates(imm)
    if (opcode === OP.block || opcode === OP.loop || opcode === OP.if) this.depth++
    else if (opcode === OP.end) this.depth--
    this.end = cursor.pos
    return true
  }

  #immediates(imm: number): void {
    const cursor = this.#cursor
    switch (imm) {
      case IMM.index:
      case IMM.indexZero:
        this.a = cursor.u32()
        if (imm === IMM.indexZero) cursor.skip(1)
        break
      case IMM.memarg:
      case IMM.index2:
        this.a = cursor.u32()
        this.b = cursor.u32()
        if (imm === IMM.memarg && this.a > 3) throw new WasmError('alignment out of range', this.start)
        break
      case IMM.i32:
        this.a = cursor.s32()
        break
      case IMM.i64:
        cursor.skipSigned(64)
        break
      case IMM.f32:
        cursor.skip(4)
        break
      case IMM.f64:
        cursor.skip(8)
        break
      case IMM.block:
      case IMM.refType:
        // One byte for a value type or "empty", else a type index as a signed 33-bit number.
        cursor.skipSigned(33)
        break
      case IMM.brTable:
        for (let labels = cursor.count() + 1; labels > 0; labels--) cursor.u32()
        break
      case IMM.types:
        cursor.skip(cursor.count())
        break
      case IMM.zero:
        cursor.skip(1)
        break
      case IMM.zero2:
        cursor.skip(2)
        break
    }
  }
}

function unknown(opcode: number, at: number): WasmError {
  const proposal = proposalOf(opcode)
  if (proposal === undefined) return new WasmError(`unknown instruction ${opcodeName(opcode)}`, at)
  return new FeatureError(`${opcodeName(opcode)} belongs to a feature that is not allowed: ${proposal}`, at)
}

/** Locals that a body declares in a row. */
export interface LocalGroup {
  readonly count: number
  /** As the binary format has it, 0x7f for i32. */
  readonly type: number
  readonly offset: number
}

/** Declared locals of a body that starts at `start` (after its size): their number, and where the code begins. */
export function readLocals(
  bytes: Uint8Array,
  start: number,
  end: number,
  each?: (group: LocalGroup) => void,
): { count: number; codeStart: number } {
  const cursor = new Cursor(bytes, start, end)
  let all = 0
  for (let groups = cursor.count(2); groups > 0; groups--) {
    const offset = cursor.pos
    const count = cursor.u32()
    all += count
    if (all > LOCALS_MAX) throw new WasmError(`more than ${LOCALS_MAX} locals`, offset)
    const type = cursor.u8()
    each?.({ count, type, offset })
  }
  return { count: all, codeStart: cursor.pos }
}
