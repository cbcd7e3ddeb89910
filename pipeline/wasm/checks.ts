/**
 * The two checks every drvport module carries, as byte sequences: the instrumenter inserts them, the verifier looks
 * for them. Both leave the operand stack as it was.
 */
import { Writer } from './bytes.ts'
import { BLOCK_VOID, OP } from './opcodes.ts'

export const FUEL_GLOBAL = 'drvport_fuel'
export const LIMIT_GLOBAL = 'drvport_stack_limit'
export const STACK_GLOBAL = '__stack_pointer'
/** Import module of the functions the checks call, and their names. */
export const CHECK_MODULE = 'sched'
export const PREEMPT = 'preempt'
export const STACK_OVERFLOW = 'stack_overflow'

/** `if (--fuel < 0) preempt()` */
export function fuelCheck(fuelGlobal: number, preemptFunction: number): Uint8Array {
  const out = new Writer(32)
  out.u8(OP.globalGet).u32(fuelGlobal).u8(OP.i32Const).s32(1).u8(OP.i32Sub).u8(OP.globalSet).u32(fuelGlobal)
  out.u8(OP.globalGet).u32(fuelGlobal).u8(OP.i32Const).s32(0).u8(OP.i32LtS)
  return out.u8(OP.if).u8(BLOCK_VOID).u8(OP.call).u32(preemptFunction).u8(OP.end).finish()
}

/** Offset, in the fuel check, of the instruction that writes the counter. */
export function fuelWriteOffset(fuelGlobal: number): number {
  return new Writer().u8(OP.globalGet).u32(fuelGlobal).u8(OP.i32Const).s32(1).u8(OP.i32Sub).length
}

/** `if (stack_pointer < limit) stack_overflow()`, unsigned */
export function stackCheck(stackGlobal: number, limitGlobal: number, overflowFunction: number): Uint8Array {
  const out = new Writer(32)
  out.u8(OP.globalGet).u32(stackGlobal).u8(OP.globalGet).u32(limitGlobal).u8(OP.i32LtU)
  return out.u8(OP.if).u8(BLOCK_VOID).u8(OP.call).u32(overflowFunction).u8(OP.end).finish()
}

/** Whether `bytes` has `pattern` at `at`, before `end`. */
export function hasPattern(bytes: Uint8Array, at: number, end: number, pattern: Uint8Array): boolean {
  if (at + pattern.length > end) return false
  for (let i = 0; i < pattern.length; i++) if (bytes[at + i] !== pattern[i]) return false
  return true
}
