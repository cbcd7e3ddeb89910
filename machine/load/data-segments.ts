/**
 * A module's bytes apart from the data that its instances lay into memory. A kernel's data is in the image that domains begin
 * from, so that an instance would only write what is overwritten at once, and make pages resident that nobody uses.
 *
 * Reads no more of the format than that. Code keeps its place in the file, so line tables still fit.
 */

export interface Segment {
  readonly at: number
  readonly bytes: Uint8Array
}

export interface Apart {
  readonly wasm: Uint8Array<ArrayBuffer>
  readonly data: readonly Segment[]
  /** Instances of `wasm` lay no data by themselves. */
  readonly complete: boolean
}

const HEADER_BYTES = 8
const GLOBAL_SECTION = 6
const DATA_SECTION = 11
const DATA_COUNT_SECTION = 12
const I32_CONST = 0x41
const I64_CONST = 0x42
const END = 0x0b

/** Take a module apart. One whose data is laid otherwise than at fixed addresses keeps it. */
export function dataApart(wasm: Uint8Array<ArrayBuffer>): Apart {
  for (let at = HEADER_BYTES; at < wasm.length;) {
    const id = wasm[at]!
    const size = unsigned(wasm, at + 1)
    const end = size.end + size.value
    if (id === DATA_COUNT_SECTION) return { wasm, data: [], complete: false }
    if (id === DATA_SECTION) {
      const data = segmentsIn(wasm, size.end)
      if (data === undefined) return { wasm, data: [], complete: false }
      const rest = new Uint8Array(wasm.length - (end - at))
      rest.set(wasm.subarray(0, at))
      rest.set(wasm.subarray(end), at)
      return { wasm: rest, data, complete: true }
    }
    at = end
  }
  return { wasm, data: [], complete: true }
}

/** Active segments of memory 0 at constant addresses; undefined when there is another kind. */
function segmentsIn(wasm: Uint8Array, from: number): Segment[] | undefined {
  const count = unsigned(wasm, from)
  const segments: Segment[] = []
  let at = count.end
  for (let i = 0; i < count.value; i++) {
    if (wasm[at] !== 0 || wasm[at + 1] !== I32_CONST) return undefined
    const address = signed(wasm, at + 2)
    if (wasm[address.end] !== END) return undefined
    const length = unsigned(wasm, address.end + 1)
    at = length.end + length.value
    segments.push({ at: address.value >>> 0, bytes: wasm.subarray(length.end, at) })
  }
  return segments
}

/** Globals of a module's own that its code may write; Infinity where they begin with what is not a constant. */
export function variablesOf(wasm: Uint8Array): number {
  for (let at = HEADER_BYTES; at < wasm.length;) {
    const size = unsigned(wasm, at + 1)
    if (wasm[at] === GLOBAL_SECTION) return variablesIn(wasm, size.end)
    at = size.end + size.value
  }
  return 0
}

function variablesIn(wasm: Uint8Array, from: number): number {
  const count = unsigned(wasm, from)
  let at = count.end
  let variables = 0
  for (let i = 0; i < count.value; i++) {
    variables += wasm[at + 1]!
    // Type, mutability, and the value: i32.const or i64.const, whose numbers end alike.
    if (wasm[at + 2] !== I32_CONST && wasm[at + 2] !== I64_CONST) return Infinity
    const end = signed(wasm, at + 3).end
    if (wasm[end] !== END) return Infinity
    at = end + 1
  }
  return variables
}

interface Numbered {
  readonly value: number
  readonly end: number
}

/** LEB128 numbers, and where they end. */
function unsigned(bytes: Uint8Array, at: number): Numbered {
  let value = 0
  for (let shift = 0, end = at; ; shift += 7) {
    const byte = bytes[end++]!
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return { value, end }
  }
}

function signed(bytes: Uint8Array, at: number): Numbered {
  let value = 0
  for (let shift = 0, end = at; ; shift += 7) {
    const byte = bytes[end++]!
    value |= shift < 32 ? (byte & 0x7f) << shift : 0
    if (byte >= 0x80) continue
    const sign = shift + 7 < 32 && (byte & 0x40) !== 0 ? -1 << (shift + 7) : 0
    return { value: value | sign, end }
  }
}
