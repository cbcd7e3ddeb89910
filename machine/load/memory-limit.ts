/**
 * A module's memory, made smaller: the limits in its memory section are rewritten, in as many bytes as they had, so that
 * no offset in the file changes and its line table still fits. Reads no more of the format than that.
 */

const PAGE = 65536
const MEMORY_SECTION = 5
const HEADER_BYTES = 8
const HAS_MAXIMUM = 1

/** Pages of 64 KiB that fit into a quota of bytes, at most those the module asks for. */
export const pagesWithin = (asked: number, quotaBytes: number): number => Math.min(asked, Math.floor(quotaBytes / PAGE))

/** The module with `pages` of memory, which must not be more than it has. The original is not changed. */
export function withMemory(wasm: Uint8Array<ArrayBuffer>, pages: number): Uint8Array<ArrayBuffer> {
  const copy = wasm.slice()
  for (let at = HEADER_BYTES; at < copy.length;) {
    const id = copy[at]!
    const size = read(copy, at + 1)
    if (id === MEMORY_SECTION) {
      const count = read(copy, size.end)
      const flags = copy[count.end]!
      const initial = replace(copy, count.end + 1, pages)
      if (flags & HAS_MAXIMUM) replace(copy, initial, pages)
      return copy
    }
    at = size.end + size.value
  }
  return copy
}

/** An unsigned LEB128 number, and where it ends. */
function read(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0
  for (let shift = 0, end = at; ; shift += 7) {
    const byte = bytes[end++]!
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value, end }
  }
}

/** Put another number in its place, padded to the same length. Returns where it ends. */
function replace(bytes: Uint8Array, at: number, value: number): number {
  const { end } = read(bytes, at)
  let left = value
  for (let i = at; i < end; i++) {
    bytes[i] = (left & 0x7f) | (i < end - 1 ? 0x80 : 0)
    left = Math.floor(left / 128)
  }
  if (left !== 0) throw new RangeError(`${value} pages do not fit where the module states its memory`)
  return end
}
