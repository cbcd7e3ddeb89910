/** Byte helpers that every part of the machine uses on its hot paths. */

/** Below this a loop is cheaper than making a view of the source. */
const LOOP_BYTES = 64

/** Copy `length` bytes between two arrays. */
export const copyBytes = (from: Uint8Array, at: number, into: Uint8Array, to: number, length: number): void => {
  if (length > LOOP_BYTES) {
    into.set(from.subarray(at, at + length), to)
    return
  }
  for (let i = 0; i < length; i++) into[to + i] = from[at + i]!
}

type Compare = (this: Uint8Array, to: Uint8Array, toStart: number, toEnd: number, start: number, end: number) => number

/** Node's comparison goes by words and makes no views; other engines have none. */
const compare = (globalThis as { Buffer?: { prototype?: { compare?: Compare } } }).Buffer?.prototype?.compare

/** Whether `length` bytes of two arrays are the same. */
export const equalBytes = (a: Uint8Array, at: number, b: Uint8Array, from: number, length: number): boolean => {
  if (compare !== undefined) return compare.call(a, b, from, from + length, at, at + length) === 0
  for (let i = 0; i < length; i++) if (a[at + i] !== b[from + i]) return false
  return true
}

/** '52:54:00:12:34:56' to six bytes. Throws RangeError for anything else. */
export const parseMac = (text: string): Uint8Array => {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text))
    throw new RangeError(`not a MAC address: ${JSON.stringify(text)}; expected six hex bytes, as 52:54:00:12:34:56`)
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16))
}
