/**
 * A CRC of many bytes made that of 80: a block moves over the message, and what it was is folded into what comes next.
 *
 * Over GF(2), a byte followed by n others has the CRC that some other bytes have which are followed by fewer: any register of 32
 * bits is that of a byte at each of four places, vectors of 16 bytes apart, which the solution of 32 equations says (`places`). So a
 * vector goes into four of the next block, the same way for each of its bytes; half a byte at once, by a table of sixteen, which is
 * one instruction for the whole vector.
 *
 * Here are the tables, and the instructions of a step. It must not know where either lies.
 */
import { get, i32, set, V128 } from './encode.ts'
import { CRC_TABLE } from './ethernet.ts'

const VECTOR_BYTES = 16
/** Vectors of a block. */
const COUNT = 5
/** Those that the block before goes into: of four in a row, the 32 equations have no solution. */
const PLACES = [0, 2, 3, 4]
export const FOLD_BLOCK = COUNT * VECTOR_BYTES
/** Local variables that a step needs: the block, the next one, and the halves of a vector's bytes. */
export const FOLD_VECTORS = 2 * COUNT + 2
/** Tables of sixteen bytes: for each vector and half, one for each place. */
export const FOLD_TABLE_BYTES = COUNT * 2 * PLACES.length * VECTOR_BYTES

/** Where a table lies among the others. */
const tableAt = (vector: number, half: number, place: number): number =>
  ((vector * 2 + half) * PLACES.length + place) * VECTOR_BYTES

/** Bytes from a vector's last to the block's last. */
const behind = (vector: number): number => (COUNT - 1 - vector) * VECTOR_BYTES

/** The register after `count` zero bytes. */
function after(register: number, count: number): number {
  let crc = register
  for (let i = 0; i < count; i++) crc = (crc >>> 8) ^ CRC_TABLE[crc & 0xff]!
  return crc
}

/** For each bit of a register, the bits that make just it (8 p + i: bit i of the byte at place p): Gauss and Jordan. */
function places(): number[] {
  const rows = Array.from({ length: 32 }, (_, bit) => {
    const register = after(CRC_TABLE[1 << (bit & 7)]!, behind(PLACES[bit >>> 3]!))
    return { register, bits: 1 << bit }
  })
  for (let bit = 0; bit < 32; bit++) {
    const pivot = rows.findIndex(({ register }, i) => i >= bit && ((register >>> bit) & 1) !== 0)
    if (pivot < 0) throw new Error(`no bytes at these places make bit ${bit} of a register`)
    ;[rows[bit], rows[pivot]] = [rows[pivot]!, rows[bit]!]
    const { register, bits } = rows[bit]!
    for (const [i, row] of rows.entries())
      if (i !== bit && ((row.register >>> bit) & 1) !== 0) {
        row.register ^= register
        row.bits ^= bits
      }
  }
  return rows.map(({ bits }) => bits)
}

/** The tables, in the order in which a step uses them. */
export function foldTables(): Uint8Array {
  const bits = places()
  const bytesOf = (register: number): number =>
    bits.reduce((sum, one, bit) => (((register >>> bit) & 1) !== 0 ? sum ^ one : sum), 0)
  const tables = new Uint8Array(FOLD_TABLE_BYTES)
  for (let vector = 0; vector < COUNT; vector++)
    for (let half = 0; half < 2; half++)
      for (let value = 0; value < 16; value++) {
        const bytes = bytesOf(after(CRC_TABLE[value << (4 * half)]!, FOLD_BLOCK + behind(vector)))
        PLACES.forEach((_, place) => (tables[tableAt(vector, half, place) + value] = bytes >>> (8 * place)))
      }
  return tables
}

const each = (make: (vector: number) => readonly number[]): number[] =>
  Array.from({ length: COUNT }, (_, vector) => make(vector)).flat()

const HALF = V128.constant(Array.from({ length: VECTOR_BYTES }, () => 15))
/** All ones before the first byte: the first four bytes inverted. */
const ONES = V128.constant(Array.from({ length: VECTOR_BYTES }, (_, i) => (i < 4 ? 255 : 0)))

/** The first block of a message, at the address in a local, into locals from `first`. */
export const loadBlock = (at: number, first: number): readonly number[] =>
  each((v) => [
    ...get(at),
    ...V128.load(v * VECTOR_BYTES),
    ...(v === 0 ? [...ONES, ...V128.xor] : []),
    ...set(first + v),
  ])

/** Fold the block in locals from `first` into the one at the address in a local; `tables` is where they lie. */
export function foldBlock(at: number, first: number, tables: number, swizzle: readonly number[]): readonly number[] {
  const next = first + COUNT
  const halves = [next + COUNT, next + COUNT + 1]
  const term = (vector: number, half: number, place: number): readonly number[] => [
    ...i32(0),
    ...V128.load(tables + tableAt(vector, half, place)),
    ...get(halves[half]!),
    ...swizzle,
  ]
  return [
    ...each((v) => [...get(at), ...V128.load(v * VECTOR_BYTES), ...set(next + v)]),
    ...each((v) => [
      ...get(first + v),
      ...HALF,
      ...V128.and,
      ...set(halves[0]!),
      ...get(first + v),
      ...i32(4),
      ...V128.right16,
      ...HALF,
      ...V128.and,
      ...set(halves[1]!),
      ...PLACES.flatMap((to, place) => [
        ...term(v, 0, place),
        ...term(v, 1, place),
        ...V128.xor,
        ...get(next + to),
        ...V128.xor,
        ...set(next + to),
      ]),
    ]),
    ...each((v) => [...get(next + v), ...set(first + v)]),
  ]
}

/** The block in locals from `first` to an address: the message's CRC is that of it, with nothing before it, and of the rest. */
export const storeBlock = (address: number, first: number): readonly number[] =>
  each((v) => [...i32(0), ...get(first + v), ...V128.store(address + v * VECTOR_BYTES)])
