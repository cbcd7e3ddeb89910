/**
 * WebAssembly by hand: the encodings that sums over frames are made of. Opcodes: WebAssembly Core Specification 2.0, section
 * 5.4, and the relaxed SIMD proposal's swizzle. Knows nothing of what is computed.
 */

export function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

export function signed(value: number): number[] {
  const low = value & 0x7f
  const rest = Math.floor(value / 128)
  const last = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)
  return last ? [low] : [low | 0x80, ...signed(rest)]
}

/** What a binary begins with: its magic number, and version 1. */
export const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
export const get = (local: number): number[] => [0x20, local]
export const set = (local: number): number[] => [0x21, local]
export const i32 = (value: number): number[] => [0x41, ...signed(value)]
export const i64 = (value: number): number[] => [0x42, ...signed(value)]
export const END = [0x0b]
export const BLOCK = [0x02, 0x40]
export const LOOP = [0x03, 0x40]
export const IF = [0x04, 0x40]
export const AGAIN_IF = [0x0d, 0]
export const LEAVE_IF = [0x0d, 1]
export const LOAD32 = (offset: number): number[] => [0x28, 0, ...unsigned(offset)]
export const LOAD64 = (offset: number): number[] => [0x29, 0, ...unsigned(offset)]
export const LOAD8 = [0x2d, 0, 0]
export const LOAD16 = [0x2f, 0, 0]
export const I32 = { below: 0x49, add: 0x6a, sub: 0x6b, and: 0x71, or: 0x72, xor: 0x73, left: 0x74, right: 0x76 }
export const I64 = { add: 0x7c, and: 0x83, xor: 0x85, right: 0x88 }
export const NARROW = 0xa7
export const WIDEN = 0xad
export const [TYPE_I32, TYPE_I64, TYPE_V128] = [0x7f, 0x7e, 0x7b]

const simd = (opcode: number): number[] => [0xfd, ...unsigned(opcode)]
/** Instructions on vectors of 16 bytes. */
export const V128 = {
  load: (offset: number): number[] => [...simd(0x00), 0, ...unsigned(offset)],
  store: (offset: number): number[] => [...simd(0x0b), 0, ...unsigned(offset)],
  constant: (bytes: readonly number[]): number[] => [...simd(0x0c), ...bytes],
  and: simd(0x4e),
  xor: simd(0x51),
  /** Of sixteen bytes, those whose numbers the other vector holds. */
  swizzle: simd(0x0e),
  /** The same where no number is above 15, which is one instruction of a processor's. */
  relaxedSwizzle: simd(0x100),
  /** Each half word to the right. */
  right16: simd(0x8d),
  /** Neighbouring half words added to words. */
  addPairs16: simd(0x7f),
  add32: simd(0xae),
  lane32: (lane: number): number[] => [...simd(0x1b), lane],
}

export const vector = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()]
export const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes]
export const section = (id: number, content: readonly number[]): number[] => [id, ...sized(content)]
export const name = (text: string): number[] => sized([...new TextEncoder().encode(text)])
/** A function's body, with so many locals of each type. */
export const code = (locals: readonly (readonly [count: number, type: number])[], body: readonly number[]): number[] =>
  sized([...vector(locals.map(([count, type]) => [...unsigned(count), type])), ...body, ...END])
