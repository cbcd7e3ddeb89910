/**
 * A CRC of many bytes made that of some 300: each byte goes into four later ones, until only the last are left.
 *
 * A multiple of the polynomial with few terms says that a bit may be left out if it is added to those that follow it at the distances
 * of the other terms. Over GF(2) a square is that of each term, so the same holds eight times as far, for whole bytes, and for sixteen
 * at once. What a byte has become with all that went into it is kept for those behind it to read.
 *
 * Here are the instructions. It must not know what is before the message, nor what is done with the rest.
 */
import { get, i32, I32, set, V128 } from './encode.ts'

const VECTOR_BYTES = 16
/**
 * How far behind a byte those are that it goes into: x^300 + x^155 + x^117 + x^89 + 1 is the multiple of least degree that has
 * five terms, and with fewer there is none below x^3000.
 */
const DISTANCES = [300, 211, 183, 145]
const [FURTHEST, NEAREST] = [300, 145]
/** Of a rest there is less than this. */
const REST_BYTES = FURTHEST + VECTOR_BYTES
/** It pays from here on. */
export const SPARSE_LEAST = 2 * REST_BYTES

/** Vectors of the rest, and those of them that are read for others of it: nothing of the rest goes into the rest. */
const REST_VECTORS = Math.ceil(REST_BYTES / VECTOR_BYTES)
const ZERO_VECTORS = Math.ceil((REST_BYTES - NEAREST) / VECTOR_BYTES)
const ZERO = V128.constant(Array.from({ length: VECTOR_BYTES }, () => 0))

const times = (count: number, make: (i: number) => readonly number[]): number[] =>
  Array.from({ length: count }, (_, i) => make(i)).flat()

/** Room for messages of at most `bytes`: what is before the first byte, what bytes become, and the rest. */
export const sparseRoom = (bytes: number): number => FURTHEST + 2 * madeBytes(bytes)
const madeBytes = (bytes: number): number => bytes + 2 * VECTOR_BYTES

/** The first four bytes inverted, as all ones before them do. */
const ONES = Array.from({ length: VECTOR_BYTES }, (_, i) => (i < 4 ? 255 : 0))
/** What is before a message's first byte: its first four find the ones at the furthest distance. */
export const SPARSE_BEFORE = Uint8Array.from(ONES)

/**
 * A message of SPARSE_LEAST to `most` bytes made its rest, which has the same CRC: the local `at` is where it is, afterwards where the
 * rest is. `room` is where there is room, SPARSE_BEFORE and zeros at first; `before` is a local for here alone. `loop(least, body)`
 * repeats while so much is left, `pass(bytes, along)` goes on by so many.
 */
export function sparse(
  at: number,
  before: number,
  room: number,
  most: number,
  loop: (least: number, body: readonly number[]) => readonly number[],
  pass: (bytes: number, along: number) => readonly number[],
): readonly number[] {
  const rest = FURTHEST + madeBytes(most)
  const vector = (by: number, to: number): readonly number[] => [
    ...get(before),
    ...get(at),
    ...V128.load(by),
    ...DISTANCES.flatMap((distance) => [...get(before), ...V128.load(FURTHEST - distance + by), ...V128.xor]),
    ...V128.store(to + by),
  ]
  return [
    ...i32(room),
    ...set(before),
    ...loop(REST_BYTES, [...vector(0, FURTHEST), ...pass(VECTOR_BYTES, before)]),
    ...times(ZERO_VECTORS, (i) => [...get(before), ...ZERO, ...V128.store(FURTHEST + i * VECTOR_BYTES)]),
    ...times(REST_VECTORS, (i) => vector(i * VECTOR_BYTES, rest)),
    ...get(before),
    ...i32(rest),
    I32.add,
    ...set(at),
    ...get(at),
    ...get(at),
    ...V128.load(0),
    ...V128.constant(ONES),
    ...V128.xor,
    ...V128.store(0),
  ]
}
