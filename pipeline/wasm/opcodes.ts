/**
 * The instruction set drvport modules may use, as one table: opcode, name, immediates.
 *
 * That is what clang emits for C at `generic` CPU: WebAssembly 1.0 plus sign extension, saturating conversions, bulk
 * memory, multi-value and reference types. Opcodes of proposals outside that set are listed by proposal only, so that
 * a refusal can say what the module wanted.
 * Source: WebAssembly Core Specification 2.0, section 5.4.
 */

/** Shape of an instruction's immediates. */
export const IMM = {
  none: 0,
  /** block type */
  block: 1,
  /** one u32: label, local, global, function, table, data or element index */
  index: 2,
  /** alignment and offset */
  memarg: 3,
  i32: 4,
  i64: 5,
  f32: 6,
  f64: 7,
  /** vector of labels and a default */
  brTable: 8,
  /** two u32: type and table, or segment and memory/table */
  index2: 9,
  /** vector of value types */
  types: 10,
  /** one heap type */
  refType: 11,
  /** one zero byte: a memory index */
  zero: 12,
  /** two zero bytes */
  zero2: 13,
  /** data segment index and a zero byte */
  indexZero: 14,
} as const

export type Imm = (typeof IMM)[keyof typeof IMM]

/** Opcodes that code elsewhere names. Prefixed opcodes are `0xfc00 + sub-opcode`. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memoryGrow: 0x40,
  selectOf: 0x1c,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32ShrU: 0x76,
  refNull: 0xd0,
  refFunc: 0xd2,
  memoryInit: 0xfc08,
  memoryCopy: 0xfc0a,
  memoryFill: 0xfc0b,
  tableSet: 0x26,
  tableInit: 0xfc0c,
  tableCopy: 0xfc0e,
  tableGrow: 0xfc0f,
  tableSize: 0xfc10,
  tableFill: 0xfc11,
} as const

/** No value: the block type 0x40. */
export const BLOCK_VOID = 0x40

/** i32, i64, f32 or f64, as the binary format has them. */
export const isNumberType = (byte: number): boolean => byte >= 0x7c && byte <= 0x7f

const immediates = new Uint8Array(0x100).fill(0xff)
const names: string[] = []

function define(first: number, imm: Imm, list: string): void {
  list.split(' ').forEach((name, i) => {
    immediates[first + i] = imm
    names[first + i] = name
  })
}

define(0x00, IMM.none, 'unreachable nop')
define(0x02, IMM.block, 'block loop if')
define(0x05, IMM.none, 'else')
define(0x0b, IMM.none, 'end')
define(0x0c, IMM.index, 'br br_if')
define(0x0e, IMM.brTable, 'br_table')
define(0x0f, IMM.none, 'return')
define(0x10, IMM.index, 'call')
define(0x11, IMM.index2, 'call_indirect')
define(0x1a, IMM.none, 'drop select')
define(0x1c, IMM.types, 'select')
define(0x20, IMM.index, 'local.get local.set local.tee global.get global.set table.get table.set')
define(
  0x28,
  IMM.memarg,
  'i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u i64.load8_s i64.load8_u ' +
    'i64.load16_s i64.load16_u i64.load32_s i64.load32_u i32.store i64.store f32.store f64.store i32.store8 ' +
    'i32.store16 i64.store8 i64.store16 i64.store32',
)
define(0x3f, IMM.zero, 'memory.size memory.grow')
define(0x41, IMM.i32, 'i32.const')
define(0x42, IMM.i64, 'i64.const')
define(0x43, IMM.f32, 'f32.const')
define(0x44, IMM.f64, 'f64.const')
const comparisons = (type: string): string => ['eqz', ...integerCompare].map((op) => `${type}.${op}`).join(' ')
const integerCompare = ['eq', 'ne', 'lt_s', 'lt_u', 'gt_s', 'gt_u', 'le_s', 'le_u', 'ge_s', 'ge_u']
const floatCompare = (type: string): string =>
  ['eq', 'ne', 'lt', 'gt', 'le', 'ge'].map((op) => `${type}.${op}`).join(' ')
define(0x45, IMM.none, comparisons('i32'))
define(0x50, IMM.none, comparisons('i64'))
define(0x5b, IMM.none, floatCompare('f32'))
define(0x61, IMM.none, floatCompare('f64'))
const integerArithmetic = (type: string): string =>
  'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr'
    .split(' ')
    .map((op) => `${type}.${op}`)
    .join(' ')
const floatArithmetic = (type: string): string =>
  'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign'
    .split(' ')
    .map((op) => `${type}.${op}`)
    .join(' ')
define(0x67, IMM.none, integerArithmetic('i32'))
define(0x79, IMM.none, integerArithmetic('i64'))
define(0x8b, IMM.none, floatArithmetic('f32'))
define(0x99, IMM.none, floatArithmetic('f64'))
define(
  0xa7,
  IMM.none,
  'i32.wrap_i64 i32.trunc_f32_s i32.trunc_f32_u i32.trunc_f64_s i32.trunc_f64_u i64.extend_i32_s i64.extend_i32_u ' +
    'i64.trunc_f32_s i64.trunc_f32_u i64.trunc_f64_s i64.trunc_f64_u f32.convert_i32_s f32.convert_i32_u ' +
    'f32.convert_i64_s f32.convert_i64_u f32.demote_f64 f64.convert_i32_s f64.convert_i32_u f64.convert_i64_s ' +
    'f64.convert_i64_u f64.promote_f32 i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 ' +
    'f64.reinterpret_i64 i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s',
)
define(0xd0, IMM.refType, 'ref.null')
define(0xd1, IMM.none, 'ref.is_null')
define(0xd2, IMM.index, 'ref.func')

/** Instructions behind the 0xfc prefix, by sub-opcode. */
const prefixed: readonly (readonly [string, Imm])[] = [
  ['i32.trunc_sat_f32_s', IMM.none],
  ['i32.trunc_sat_f32_u', IMM.none],
  ['i32.trunc_sat_f64_s', IMM.none],
  ['i32.trunc_sat_f64_u', IMM.none],
  ['i64.trunc_sat_f32_s', IMM.none],
  ['i64.trunc_sat_f32_u', IMM.none],
  ['i64.trunc_sat_f64_s', IMM.none],
  ['i64.trunc_sat_f64_u', IMM.none],
  ['memory.init', IMM.indexZero],
  ['data.drop', IMM.index],
  ['memory.copy', IMM.zero2],
  ['memory.fill', IMM.zero],
  ['table.init', IMM.index2],
  ['elem.drop', IMM.index],
  ['table.copy', IMM.index2],
  ['table.grow', IMM.index],
  ['table.size', IMM.index],
  ['table.fill', IMM.index],
]

/** Immediates of an opcode (0xfc00 + n behind the prefix); undefined when it is outside the accepted set. */
export function immediatesOf(opcode: number): Imm | undefined {
  if (opcode >= 0xfc00) return prefixed[opcode - 0xfc00]?.[1]
  const imm = immediates[opcode]
  return imm === undefined || imm === 0xff ? undefined : (imm as Imm)
}

/** Spec name of an opcode, or a number when there is none. */
export function opcodeName(opcode: number): string {
  const name = opcode >= 0xfc00 ? prefixed[opcode - 0xfc00]?.[0] : names[opcode]
  return name ?? `opcode 0x${opcode.toString(16)}`
}

/** The proposal a refused opcode belongs to, for messages. */
export function proposalOf(opcode: number): string | undefined {
  if (opcode === 0x12 || opcode === 0x13) return 'tail calls'
  if ((opcode >= 0x06 && opcode <= 0x0a) || opcode === 0x18 || opcode === 0x19 || opcode === 0x1f) return 'exceptions'
  if (opcode === 0x14 || opcode === 0x15 || (opcode >= 0xd3 && opcode <= 0xd6)) return 'typed function references'
  if (opcode === 0xfb) return 'garbage collection'
  if (opcode === 0xfd) return 'SIMD'
  if (opcode === 0xfe) return 'threads and atomics'
  return undefined
}
