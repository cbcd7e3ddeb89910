/**
 * Sums over frames: the FCS (IEEE 802.3 clause 3.2.9) and the Internet checksum's sum (RFC 1071), in WebAssembly made here.
 *
 * A controller that stores a frame has both made of every byte, and nothing else takes as long. The engine's own
 * instructions load eight bytes at once and check no bounds. For a frame outside of the frames' memory the same is done in
 * JavaScript (ethernet.ts), to the same results.
 *
 * It must not know what the sums are for.
 */
import { CRC_SLICES, CRC_TABLE, fcs } from './ethernet.ts'
import { type Frame, frameMemory, TABLE_ADDRESS } from './frame.ts'

// Opcodes: WebAssembly Core Specification 2.0, section 5.4. Locals: address, bytes left; then each function's own.
const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
const i32 = (value: number): number[] => [0x41, ...signed(value)]
const i64 = (value: number): number[] => [0x42, ...signed(value)]
const END = [0x0b]
const AGAIN_IF = [0x0d, 0]
const LEAVE_IF = [0x0d, 1]
const LOAD32 = (offset: number): number[] => [0x28, 0, ...unsigned(offset)]
const LOAD64 = [0x29, 0, 0]
const LOAD8 = [0x2d, 0, 0]
const LOAD16 = [0x2f, 0, 0]
const I32 = { zero: 0x45, below: 0x49, add: 0x6a, sub: 0x6b, and: 0x71, or: 0x72, xor: 0x73, left: 0x74, right: 0x76 }
const I64 = { add: 0x7c, and: 0x83, xor: 0x85, right: 0x88 }
const NARROW = 0xa7
const WIDEN = 0xad
const [TYPE_I32, TYPE_I64, VOID] = [0x7f, 0x7e, 0x40]

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  const low = value & 0x7f
  const rest = Math.floor(value / 128)
  const last = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)
  return last ? [low] : [low | 0x80, ...signed(rest)]
}

const [AT, LEFT, ACC, FIRST, SECOND] = [0, 1, 2, 3, 4]

/** While at least `bytes` are left: `body`, and on by so many. */
const steps = (bytes: number, body: readonly number[]): number[] => [
  0x02,
  VOID,
  0x03,
  VOID,
  ...get(LEFT),
  ...i32(bytes),
  I32.below,
  ...LEAVE_IF,
  ...body,
  ...get(AT),
  ...i32(bytes),
  I32.add,
  ...set(AT),
  ...get(LEFT),
  ...i32(bytes),
  I32.sub,
  ...set(LEFT),
  ...i32(1),
  ...AGAIN_IF,
  ...END,
  ...END,
]

const load64 = (offset: number): number[] => [...get(AT), ...i32(offset), I32.add, ...LOAD64]

/** Entry of a slice of the table for byte `byte` of a word of eight: its place is that byte, times four. */
const entry = (slice: number, word: number, byte: number): number[] => [
  ...get(word),
  ...(byte === 0 ? [NARROW, ...i32(2), I32.left] : [...i64(8 * byte - 2), I64.right, NARROW]),
  ...i32(0x3fc),
  I32.and,
  ...LOAD32(TABLE_ADDRESS + 1024 * slice),
]

/** All of them, each with its neighbour, and so on. */
function tree(terms: readonly (readonly number[])[]): readonly number[] {
  if (terms.length === 1) return terms[0]!
  const middle = terms.length >> 1
  return [...tree(terms.slice(0, middle)), ...tree(terms.slice(middle)), I32.xor]
}

/** crc(address, length): the CRC-32 of so many bytes, inverted. */
const crc: readonly number[] = [
  ...i32(-1),
  ...set(ACC),
  ...steps(CRC_SLICES, [
    ...load64(0),
    ...get(ACC),
    WIDEN,
    I64.xor,
    ...set(FIRST),
    ...load64(8),
    ...set(SECOND),
    // The second word's first, which wait for nobody; all of them in pairs, so that few wait for one another.
    ...tree(Array.from({ length: 8 }, (_, i) => entry(CRC_SLICES - 9 - i, SECOND, i))),
    ...tree(Array.from({ length: 8 }, (_, i) => entry(CRC_SLICES - 1 - i, FIRST, i))),
    I32.xor,
    ...set(ACC),
  ]),
  ...steps(1, [
    ...get(ACC),
    ...get(AT),
    ...LOAD8,
    I32.xor,
    ...i32(0xff),
    I32.and,
    ...i32(2),
    I32.left,
    ...LOAD32(TABLE_ADDRESS),
    ...get(ACC),
    ...i32(8),
    I32.right,
    I32.xor,
    ...set(ACC),
  ]),
  ...get(ACC),
  ...i32(-1),
  I32.xor,
]

/** Fold a sum of 64 bits once more: its upper part and its lower 16 bits. */
const fold = [...get(FIRST), ...i64(0xffff), I64.and, ...get(FIRST), ...i64(16), I64.right, I64.add, ...set(FIRST)]
const add = (what: readonly number[]): number[] => [...get(FIRST), ...what, I64.add, ...set(FIRST)]

/** sum(address, length): words are added as they lie, and the result is turned round: RFC 1071, section 2(B). */
const sum: readonly number[] = [
  ...steps(8, [
    ...load64(0),
    ...set(SECOND),
    ...add([...get(SECOND), ...i64(0xffffffff), I64.and]),
    ...add([...get(SECOND), ...i64(32), I64.right]),
  ]),
  ...steps(2, add([...get(AT), ...LOAD16, WIDEN])),
  ...steps(1, add([...get(AT), ...LOAD8, WIDEN])),
  ...fold,
  ...fold,
  ...fold,
  ...fold,
  ...get(FIRST),
  NARROW,
  ...i32(0xff),
  I32.and,
  ...i32(8),
  I32.left,
  ...get(FIRST),
  NARROW,
  ...i32(8),
  I32.right,
  I32.or,
]

const vector = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()]
const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes]
const section = (id: number, content: readonly number[]): number[] => [id, ...sized(content)]
const name = (text: string): number[] => sized([...new TextEncoder().encode(text)])
const code = (body: readonly number[]): number[] => sized([2, 1, TYPE_I32, 2, TYPE_I64, ...body, ...END])

const MODULE = Uint8Array.from([
  0,
  0x61,
  0x73,
  0x6d,
  1,
  0,
  0,
  0,
  ...section(1, vector([[0x60, 2, TYPE_I32, TYPE_I32, 1, TYPE_I32]])),
  ...section(2, vector([[...name('frames'), ...name('memory'), 2, 0, 1]])),
  ...section(3, vector([[0], [0]])),
  ...section(
    7,
    vector([
      [...name('crc'), 0, 0],
      [...name('sum'), 0, 1],
    ]),
  ),
  ...section(10, vector([code(crc), code(sum)])),
])

interface Sums {
  crc(address: number, length: number): number
  sum(address: number, length: number): number
}

new Int32Array(frameMemory.buffer, TABLE_ADDRESS, CRC_TABLE.length).set(CRC_TABLE)
const made = new WebAssembly.Instance(new WebAssembly.Module(MODULE), { frames: { memory: frameMemory } })
const sums = made.exports as unknown as Sums

/** The FCS of a frame's first `length` bytes, unsigned; sent least significant byte first. */
export const fcsOf = (frame: Frame, length = frame.length): number =>
  frame.address < 0 ? fcs(frame.bytes, 0, length) : sums.crc(frame.address, within(frame, 0, length)) >>> 0

/** Folded sum of the big-endian 16-bit words of a frame's bytes [from, to), an odd last byte padded with zero. */
export const sumOf = (frame: Frame, from: number, to: number): number =>
  frame.address < 0 ? slowSum(frame.bytes, from, to) : sums.sum(frame.address + from, within(frame, from, to - from))

const within = ({ bytes }: Frame, from: number, length: number): number => {
  if (from < 0 || length < 0 || from + length > bytes.length)
    throw new RangeError(`${length} bytes at ${from} of a frame's buffer of ${bytes.length}`)
  return length
}

const slowSum = (bytes: Uint8Array, from: number, to: number): number => {
  let total = 0
  for (let i = from; i < to; i += 2) total += (bytes[i]! << 8) | (i + 1 < to ? bytes[i + 1]! : 0)
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000)
  return total
}
