/**
 * Sums over frames: the FCS (IEEE 802.3 clause 3.2.9) and the Internet checksum's sum (RFC 1071), in WebAssembly made here.
 *
 * A controller that stores a frame has both made of every byte, and nothing else takes as long. The engine's own
 * instructions load eight or sixteen bytes at once and check no bounds. For a frame outside of the frames' memory the same is done in
 * JavaScript (ethernet.ts), to the same results.
 *
 * It must not know what the sums are for.
 */
import { sparse, SPARSE_BEFORE, SPARSE_LEAST, sparseRoom } from './crc-sparse.ts'
import { FOLD_BLOCK, FOLD_TABLE_BYTES, FOLD_VECTORS, foldBlock, foldTables, loadBlock, storeBlock } from './crc-fold.ts'
import {
  AGAIN_IF,
  BLOCK,
  code,
  END,
  get,
  I32,
  I64,
  i32,
  i64,
  IF,
  LEAVE_IF,
  LOAD16,
  LOAD32,
  LOAD64,
  LOAD8,
  LOOP,
  MAGIC,
  name,
  NARROW,
  section,
  set,
  TYPE_I32,
  TYPE_I64,
  TYPE_V128,
  V128,
  vector,
  WIDEN,
} from './encode.ts'
import { CRC_SLICES, CRC_TABLE, fcs } from './ethernet.ts'
import { type Frame, frameMemory, SLOT_BYTES, TABLE_ADDRESS, TABLE_BYTES } from './frame.ts'

// Locals: address, bytes left; then each function's own.
const [AT, LEFT, ACC, FIRST, SECOND] = [0, 1, 2, 3, 4]
/** The first of the vectors. */
const VECTORS = 5
/** Behind the table of slices: those of the fold, and room for a block. */
const FOLD_ADDRESS = TABLE_ADDRESS + CRC_TABLE.byteLength
const SCRATCH_ADDRESS = FOLD_ADDRESS + FOLD_TABLE_BYTES
const SPARSE_ADDRESS = SCRATCH_ADDRESS + FOLD_BLOCK
if (SPARSE_ADDRESS + sparseRoom(SLOT_BYTES) > TABLE_ADDRESS + TABLE_BYTES)
  throw new Error('the frames leave too little room for the tables of sums')

/** On by so many bytes; so do the addresses in other locals. */
const pass = (bytes: number, ...along: readonly number[]): number[] => [
  ...[AT, ...along].flatMap((local) => [...get(local), ...i32(bytes), I32.add, ...set(local)]),
  ...get(LEFT),
  ...i32(bytes),
  I32.sub,
  ...set(LEFT),
]

/** While at least so many bytes are left. */
const loop = (least: number, body: readonly number[]): number[] => [
  ...BLOCK,
  ...LOOP,
  ...get(LEFT),
  ...i32(least),
  I32.below,
  ...LEAVE_IF,
  ...body,
  ...i32(1),
  ...AGAIN_IF,
  ...END,
  ...END,
]

/** While at least `bytes` are left: `body`, and on by so many. */
const steps = (bytes: number, body: readonly number[]): number[] => loop(bytes, [...body, ...pass(bytes)])

const load64 = (offset: number): number[] => [...get(AT), ...LOAD64(offset)]

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

/** The register in ACC over what is left, a word of eight bytes and its neighbour at once. */
const slices: readonly number[] = steps(CRC_SLICES, [
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
])

// What the register is over a block in memory instead of what is left; both kept meanwhile where nobody needs them.
const KEPT_AT = VECTORS + FOLD_VECTORS
const KEPT_LEFT = KEPT_AT + 1
const sliceBlock = (address: number): readonly number[] => [
  ...get(AT),
  ...set(KEPT_AT),
  ...get(LEFT),
  ...set(KEPT_LEFT),
  ...i32(address),
  ...set(AT),
  ...i32(FOLD_BLOCK),
  ...set(LEFT),
  ...slices,
  ...get(KEPT_AT),
  ...set(AT),
  ...get(KEPT_LEFT),
  ...set(LEFT),
]

/** For `sparse` alone. */
const BEFORE = KEPT_LEFT + 1

/** What is done with at least so many bytes. */
const fromLeast = (least: number, body: readonly number[]): readonly number[] => [
  ...i32(least - 1),
  ...get(LEFT),
  I32.below,
  ...IF,
  ...body,
  ...END,
]

/**
 * crc(address, length): the CRC-32 of so many bytes, inverted. A long frame is made one of some 300 bytes first, and all but the rest
 * of that goes into one block.
 */
const crc = (swizzle: readonly number[]): readonly number[] => [
  ...fromLeast(SPARSE_LEAST, sparse(AT, BEFORE, SPARSE_ADDRESS, SLOT_BYTES, loop, pass)),
  ...i32(-1),
  ...set(ACC),
  ...fromLeast(2 * FOLD_BLOCK, [
    ...loadBlock(AT, VECTORS),
    ...pass(FOLD_BLOCK),
    ...steps(FOLD_BLOCK, foldBlock(AT, VECTORS, FOLD_ADDRESS, swizzle)),
    ...storeBlock(SCRATCH_ADDRESS, VECTORS),
    ...i32(0),
    ...set(ACC),
    ...sliceBlock(SCRATCH_ADDRESS),
  ]),
  ...slices,
  ...steps(4, [
    ...get(ACC),
    ...get(AT),
    ...LOAD32(0),
    I32.xor,
    WIDEN,
    ...set(FIRST),
    ...tree(Array.from({ length: 4 }, (_, i) => entry(3 - i, FIRST, i))),
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

const SUM = VECTORS
const addVector = (offset: number): readonly number[] => [
  ...get(AT),
  ...V128.load(offset),
  ...V128.addPairs16,
  ...get(SUM),
  ...V128.add32,
  ...set(SUM),
]
/** sum(address, length): words are added as they lie, and the result is turned round: RFC 1071, section 2(B). */
const sum: readonly number[] = [
  // No frame of the store has so many half words that a word of four sums could turn over.
  ...steps(64, [0, 16, 32, 48].flatMap(addVector)),
  ...steps(16, addVector(0)),
  ...[0, 1, 2, 3].flatMap((lane) => add([...get(SUM), ...V128.lane32(lane), WIDEN])),
  ...steps(4, add([...get(AT), ...LOAD32(0), WIDEN])),
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

const LOCALS = [
  [1, TYPE_I32],
  [2, TYPE_I64],
  [FOLD_VECTORS, TYPE_V128],
  [3, TYPE_I32],
] as const

const moduleWith = (swizzle: readonly number[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([
    ...MAGIC,
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
    ...section(10, vector([code(LOCALS, crc(swizzle)), code(LOCALS, sum)])),
  ])

interface Sums {
  crc(address: number, length: number): number
  sum(address: number, length: number): number
}

/** Not every engine has the relaxed one; both give the same here. */
function moduleHere(): Uint8Array<ArrayBuffer> {
  const relaxed = moduleWith(V128.relaxedSwizzle)
  return WebAssembly.validate(relaxed) ? relaxed : moduleWith(V128.swizzle)
}

function make(): Sums {
  new Int32Array(frameMemory.buffer, TABLE_ADDRESS, CRC_TABLE.length).set(CRC_TABLE)
  new Uint8Array(frameMemory.buffer, FOLD_ADDRESS, FOLD_TABLE_BYTES).set(foldTables())
  new Uint8Array(frameMemory.buffer, SPARSE_ADDRESS).set(SPARSE_BEFORE)
  const made = new WebAssembly.Instance(new WebAssembly.Module(moduleHere()), { frames: { memory: frameMemory } })
  return made.exports as unknown as Sums
}

/** Made for the first frame: a driver that is only started has none. */
let sums: Sums | undefined

/** The FCS of a frame's first `length` bytes, unsigned; sent least significant byte first. */
export const fcsOf = (frame: Frame, length = frame.length): number =>
  frame.address < 0 ? fcs(frame.bytes, 0, length) : (sums ??= make()).crc(frame.address, within(frame, 0, length)) >>> 0

/** Put a frame's FCS behind its bytes, as it is on a line: the frame stays the same, and its length. */
export const seal = (frame: Frame): void => frame.view.setUint32(frame.length, fcsOf(frame), true)

/** Folded sum of the big-endian 16-bit words of a frame's bytes [from, to), an odd last byte padded with zero. */
export const sumOf = (frame: Frame, from: number, to: number): number =>
  frame.address < 0
    ? slowSum(frame.bytes, from, to)
    : (sums ??= make()).sum(frame.address + from, within(frame, from, to - from))

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
