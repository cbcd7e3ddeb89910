/**
 * The checks every drvport module carries, as byte sequences: the instrumenter inserts them, the verifier looks for
 * them. They leave the operand stack as it was.
 *
 * Counting is in line, at every loop head and at function entries; what to do when the counter has run out is one
 * function, so that the counted path has no byte for it. That function first calls a plain import, which may be called
 * from anywhere, and only if that leaves the counter below zero one that suspends, which an atomic entry must not reach:
 * the engine refuses a suspending import where no fiber is, even one that would not suspend.
 *
 * What works on a range of memory by itself (memory.copy, fill, init) is charged by its length before it begins, in a
 * function that hands the length on; short constant lengths are as cheap as any instruction and are not.
 *
 * The engine's own stack is watched by what calls may use of it: a call that could lead back to where it is made, and an
 * indirect one, takes a share of the room that is left and gives it back when it returns.
 */
import { Writer } from './bytes.ts'
import type { WasmModule } from './module.ts'
import { BLOCK_VOID, OP } from './opcodes.ts'

export const FUEL_GLOBAL = 'drvport_fuel'
export const LIMIT_GLOBAL = 'drvport_stack_limit'
/** Bytes of the engine's stack that are left; as loaded, what one counted call takes of them. */
export const ROOM_GLOBAL = 'drvport_room'
export const STACK_GLOBAL = '__stack_pointer'
/** Import module of the functions the checks call, and their names. */
export const CHECK_MODULE = 'sched'
export const PREEMPT = 'preempt'
export const RESCHED = 'resched'
export const STACK_OVERFLOW = 'stack_overflow'
/** The function that is called when the counter has run out, in the name section. */
export const EXHAUSTED_NAME = 'drvport_exhausted'
/** The function that charges for a range of memory, there. */
export const BULK_NAME = 'drvport_bulk'

/** A unit of work is this many bytes of a range, as a power of two. */
export const BULK_SHIFT = 6
/** Bytes of a constant length that nobody counts. */
export const BULK_FREE = 256

/** An instruction that takes time for the length on top of its operands. */
export const isBulk = (opcode: number): boolean =>
  opcode === OP.memoryCopy || opcode === OP.memoryFill || opcode === OP.memoryInit
/** Whether the length is one that nobody counts: what the instruction before pushed. */
export const isFree = (opcode: number, a: number): boolean => opcode === OP.i32Const && a >= 0 && a <= BULK_FREE

/** `if (--fuel < 0) exhausted()` */
export function fuelCheck(fuelGlobal: number, exhaustedFunction: number): Uint8Array {
  const out = new Writer(32)
  out.u8(OP.globalGet).u32(fuelGlobal).u8(OP.i32Const).s32(1).u8(OP.i32Sub).u8(OP.globalSet).u32(fuelGlobal)
  out.u8(OP.globalGet).u32(fuelGlobal).u8(OP.i32Const).s32(0).u8(OP.i32LtS)
  return out.u8(OP.if).u8(BLOCK_VOID).u8(OP.call).u32(exhaustedFunction).u8(OP.end).finish()
}

/** Body of the function without parameters that is called then: `preempt(); if (fuel < 0) resched()` */
export function exhaustedBody(fuelGlobal: number, preemptFunction: number, reschedFunction: number): Uint8Array {
  const out = new Writer(32).u8(0)
  out.u8(OP.call).u32(preemptFunction).u8(OP.globalGet).u32(fuelGlobal).u8(OP.i32Const).s32(0).u8(OP.i32LtS)
  return out.u8(OP.if).u8(BLOCK_VOID).u8(OP.call).u32(reschedFunction).u8(OP.end).u8(OP.end).finish()
}

/** Body of the function that takes and returns a length: `fuel -= length >> 6; if (fuel < 0) exhausted()` */
export function bulkBody(fuelGlobal: number, exhaustedFunction: number): Uint8Array {
  const out = new Writer(32).u8(0)
  out.u8(OP.globalGet).u32(fuelGlobal).u8(OP.localGet).u32(0).u8(OP.i32Const).s32(BULK_SHIFT).u8(OP.i32ShrU)
  out.u8(OP.i32Sub).u8(OP.globalSet).u32(fuelGlobal)
  out.u8(OP.globalGet).u32(fuelGlobal).u8(OP.i32Const).s32(0).u8(OP.i32LtS)
  out.u8(OP.if).u8(BLOCK_VOID).u8(OP.call).u32(exhaustedFunction).u8(OP.end)
  return out.u8(OP.localGet).u32(0).u8(OP.end).finish()
}

/** Index of the function that charges for ranges, -1 when there is none: the last but one, if it does just that. */
export function bulkFunction(module: WasmModule): number {
  const fuel = module.exports.find(({ kind, name }) => kind === 'global' && name === FUEL_GLOBAL)?.index
  const body = module.bodies.at(-2)
  if (fuel === undefined || body === undefined) return -1
  const last = module.importedFunctions.length + module.bodies.length - 1
  const wanted = bulkBody(fuel, last)
  const type = module.types[module.functions.at(-2)!]
  const typed = type?.params.join() === 'i32' && type.results.join() === 'i32'
  const same = body.end - body.start === wanted.length && hasPattern(module.bytes, body.start, body.end, wanted)
  return typed && same ? last - 1 : -1
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

/** Before a counted call: `room -= share; if (room < 0) stack_overflow()` */
export function roomTaken(roomGlobal: number, share: number, overflowFunction: number): Uint8Array {
  const out = new Writer(32)
  out.u8(OP.globalGet).u32(roomGlobal).u8(OP.i32Const).s32(share).u8(OP.i32Sub).u8(OP.globalSet).u32(roomGlobal)
  out.u8(OP.globalGet).u32(roomGlobal).u8(OP.i32Const).s32(0).u8(OP.i32LtS)
  return out.u8(OP.if).u8(BLOCK_VOID).u8(OP.call).u32(overflowFunction).u8(OP.end).finish()
}

/** Behind it: `room += share` */
export function roomGiven(roomGlobal: number, share: number): Uint8Array {
  const out = new Writer(16).u8(OP.globalGet).u32(roomGlobal).u8(OP.i32Const).s32(share).u8(OP.i32Add)
  return out.u8(OP.globalSet).u32(roomGlobal).finish()
}

/** Offset, in both, of the instruction that writes the room. */
export function roomWriteOffset(roomGlobal: number, share: number): number {
  return new Writer().u8(OP.globalGet).u32(roomGlobal).u8(OP.i32Const).s32(share).u8(OP.i32Sub).length
}

/** Whether `bytes` has `pattern` at `at`, before `end`. */
export function hasPattern(bytes: Uint8Array, at: number, end: number, pattern: Uint8Array): boolean {
  if (at + pattern.length > end) return false
  for (let i = 0; i < pattern.length; i++) if (bytes[at + i] !== pattern[i]) return false
  return true
}
