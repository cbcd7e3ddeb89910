/**
 * The checks every drvport module carries, as byte sequences: the instrumenter inserts them, the verifier looks for
 * them. They leave the operand stack as it was.
 *
 * Counting is in line, at every loop head and at function entries, by how much code lies behind it (work.ts); what to do
 * when the counter has run out is one function, so that the counted path has no byte for it. That function first calls a plain import, which may be called
 * from anywhere, and only if that leaves the counter below zero one that suspends, which an atomic entry must not reach:
 * the engine refuses a suspending import where no fiber is, even one that would not suspend.
 *
 * What works on a range of memory by itself (memory.copy, fill, init) is charged by its length before it begins, in a
 * function that hands the length on; short constant lengths are as cheap as any instruction and are not.
 *
 * The engine's own stack is watched by what calls may use of it: a call that could lead back to where it is made, an indirect
 * one, and one behind which the way down is too long, takes a share of the room that is left and gives it back when it returns.
 * The share is the same in all modules, since nobody knows whose function an indirect call finds.
 */
import { Cursor, WasmError, Writer } from './bytes.ts'
import type { WasmModule } from './module.ts'
import { BLOCK_VOID, OP } from './opcodes.ts'
import { CHARGING } from './work.ts'

export const FUEL_GLOBAL = 'drvport_fuel'
export const LIMIT_GLOBAL = 'drvport_stack_limit'
/** Bytes of the engine's stack that are left; as loaded, what one counted call takes of them. */
export const ROOM_GLOBAL = 'drvport_room'
export const STACK_GLOBAL = '__stack_pointer'
/** The machine's handles in a module: mutable i32 globals. */
export const HANDLE_NAMES: readonly string[] = [STACK_GLOBAL, FUEL_GLOBAL, LIMIT_GLOBAL, ROOM_GLOBAL]
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

/** What one counted call takes of the engine's stack, bytes. */
export const ROOM_SHARE = 16 << 10

/** The machine's handles in a module, by index among its globals; -1 for one that it lacks. */
export interface Handles {
  readonly stack: number
  readonly fuel: number
  readonly limit: number
  readonly room: number
}

/**
 * Instructions that the checks add, as work.ts weighs them: of a fuel check, a stack check, room taken and given back, and the call
 * that charges for a range with what the function called does.
 */
export const CHECK_WEIGHT = { fuel: 10, stack: 6, room: 14, bulk: 1 + CHARGING } as const

/** Where a bound module imports what its core exports. */
export const CORE_HANDLES = 'env'

/** The handles a module exports or, if it is bound to a core, imports from there. */
export function handlesOf({ exports, importedGlobals }: WasmModule): Handles {
  const index = (name: string): number =>
    exports.find((e) => e.kind === 'global' && e.name === name)?.index ??
    importedGlobals.findIndex((item) => item.module === CORE_HANDLES && item.name === name)
  return {
    stack: index(STACK_GLOBAL),
    fuel: index(FUEL_GLOBAL),
    limit: index(LIMIT_GLOBAL),
    room: index(ROOM_GLOBAL),
  }
}

/** The check that counts work: its bytes, and where in them its units are and the instruction that writes the counter. */
export interface FuelCheck {
  readonly bytes: Uint8Array
  readonly unitsAt: number
  readonly writeAt: number
}

/** Units are written in as many bytes, so that they can be changed in place. */
const UNITS_BYTES = 3
/** The most that one check charges. */
export const UNITS_MAX = (1 << 20) - 1

/** `if ((fuel -= units) < 0) exhausted()`, the units yet to be filled in (`withUnits`). */
export function fuelCheck(fuelGlobal: number, exhaustedFunction: number): FuelCheck {
  const out = new Writer(32).u8(OP.globalGet).u32(fuelGlobal).u8(OP.i32Const)
  const unitsAt = out.length
  for (let i = 0; i < UNITS_BYTES; i++) out.u8(0)
  out.u8(OP.i32Sub)
  const writeAt = out.length
  out.u8(OP.globalSet).u32(fuelGlobal)
  out.u8(OP.globalGet).u32(fuelGlobal).u8(OP.i32Const).s32(0).u8(OP.i32LtS)
  out.u8(OP.if).u8(BLOCK_VOID).u8(OP.call).u32(exhaustedFunction).u8(OP.end)
  return { bytes: out.finish(), unitsAt, writeAt }
}

/** The bytes of the check that charges so many units. Throws WasmError for more than a check can charge. */
export function withUnits({ bytes, unitsAt }: FuelCheck, units: number): Uint8Array {
  const check = bytes.slice()
  putUnits(check, unitsAt, units)
  return check
}

function putUnits(bytes: Uint8Array, at: number, units: number): void {
  if (units > UNITS_MAX) throw new WasmError(`${units} units of work behind one check; ${UNITS_MAX} are possible`, 0)
  bytes[at] = units | 0x80
  bytes[at + 1] = (units >>> 7) | 0x80
  bytes[at + 2] = (units >>> 14) & 0x7f
}

/** Units that the check at `at` charges; 0 when there is none. */
export function unitsAt(check: FuelCheck | undefined, bytes: Uint8Array, at: number, end: number): number {
  if (check === undefined || at + check.bytes.length > end) return 0
  for (let i = 0; i < check.bytes.length; i++)
    if (check.bytes[i] !== bytes[at + i] && (i < check.unitsAt || i >= check.unitsAt + UNITS_BYTES)) return 0
  const cursor = new Cursor(bytes, at + check.unitsAt, end)
  const units = readUnits(cursor)
  return cursor.pos === at + check.unitsAt + UNITS_BYTES && units > 0 ? units : 0
}

function readUnits(cursor: Cursor): number {
  const [low, middle, high] = [cursor.u8(), cursor.u8(), cursor.u8()]
  if (low < 0x80 || middle < 0x80 || high >= 0x40) return 0
  return (low & 0x7f) | ((middle & 0x7f) << 7) | (high << 14)
}

/** Have the check at `at`, which is there, charge so many units. */
export function setUnits(check: FuelCheck, bytes: Uint8Array, at: number, units: number): void {
  putUnits(bytes, at + check.unitsAt, units)
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
  const { fuel } = handlesOf(module)
  const body = module.bodies.at(-2)
  if (fuel < 0 || body === undefined) return -1
  const last = module.importedFunctions.length + module.bodies.length - 1
  const wanted = bulkBody(fuel, last)
  const type = module.types[module.functions.at(-2)!]
  const typed = type?.params.join() === 'i32' && type.results.join() === 'i32'
  const same = body.end - body.start === wanted.length && hasPattern(module.bytes, body.start, body.end, wanted)
  return typed && same ? last - 1 : -1
}

/** `if (stack_pointer < limit) stack_overflow()`, unsigned */
export function stackCheck(stackGlobal: number, limitGlobal: number, overflowFunction: number): Uint8Array {
  const out = new Writer(32)
  out.u8(OP.globalGet).u32(stackGlobal).u8(OP.globalGet).u32(limitGlobal).u8(OP.i32LtU)
  return out.u8(OP.if).u8(BLOCK_VOID).u8(OP.call).u32(overflowFunction).u8(OP.end).finish()
}

/** Before a counted call: `room -= share; if (room < 0) stack_overflow()` */
export function roomTaken(roomGlobal: number, overflowFunction: number): Uint8Array {
  const out = new Writer(32)
  out.u8(OP.globalGet).u32(roomGlobal).u8(OP.i32Const).s32(ROOM_SHARE).u8(OP.i32Sub).u8(OP.globalSet).u32(roomGlobal)
  out.u8(OP.globalGet).u32(roomGlobal).u8(OP.i32Const).s32(0).u8(OP.i32LtS)
  return out.u8(OP.if).u8(BLOCK_VOID).u8(OP.call).u32(overflowFunction).u8(OP.end).finish()
}

/** Behind it: `room += share` */
export function roomGiven(roomGlobal: number): Uint8Array {
  const out = new Writer(16).u8(OP.globalGet).u32(roomGlobal).u8(OP.i32Const).s32(ROOM_SHARE).u8(OP.i32Add)
  return out.u8(OP.globalSet).u32(roomGlobal).finish()
}

/** Offset, in both, of the instruction that writes the room. */
export function roomWriteOffset(roomGlobal: number): number {
  return new Writer().u8(OP.globalGet).u32(roomGlobal).u8(OP.i32Const).s32(ROOM_SHARE).u8(OP.i32Sub).length
}

/** Whether `bytes` has `pattern` at `at`, before `end`. */
export function hasPattern(bytes: Uint8Array, at: number, end: number, pattern: Uint8Array): boolean {
  if (at + pattern.length > end) return false
  for (let i = 0; i < pattern.length; i++) if (bytes[at + i] !== pattern[i]) return false
  return true
}
