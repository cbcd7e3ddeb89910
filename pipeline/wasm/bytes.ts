/**
 * Reading and writing the primitives of the wasm binary format: bytes, LEB128 numbers, names, vectors.
 *
 * Knows nothing of sections or instructions. Every read is bounds-checked and every failure is a WasmError that names
 * the offset, so that a corrupt file can never crash, hang or exhaust memory here: a count is refused when the bytes
 * left could not hold that many items.
 */

/** The input is not what the wasm binary format allows. `offset` is the file offset where that showed. */
export class WasmError extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(`${message} (at 0x${offset.toString(16)})`)
    this.name = 'WasmError'
    this.offset = offset
  }
}

/** Well-formed, perhaps, but it uses a wasm feature that driver modules may not use. */
export class FeatureError extends WasmError {
  constructor(message: string, offset: number) {
    super(message, offset)
    this.name = 'FeatureError'
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** A read position in `bytes`; it never passes `end`. */
export class Cursor {
  readonly bytes: Uint8Array
  pos: number
  readonly end: number

  constructor(bytes: Uint8Array, pos = 0, end = bytes.length) {
    if (pos > end || end > bytes.length) throw new WasmError('range is outside the file', Math.min(pos, bytes.length))
    this.bytes = bytes
    this.pos = pos
    this.end = end
  }

  get left(): number {
    return this.end - this.pos
  }

  u8(): number {
    if (this.pos >= this.end) throw new WasmError('unexpected end', this.pos)
    return this.bytes[this.pos++] as number
  }

  /** Little-endian, fixed width. */
  u16(): number {
    return this.u8() | (this.u8() << 8)
  }

  u32le(): number {
    return (this.u16() | (this.u16() << 16)) >>> 0
  }

  u64le(): bigint {
    return BigInt(this.u32le()) | (BigInt(this.u32le()) << 32n)
  }

  /** Unsigned LEB128 of at most 32 bits, padded encodings allowed (the linker writes them). */
  u32(): number {
    const start = this.pos
    // Most are one byte long.
    if (start < this.end && this.bytes[start]! < 0x80) return this.bytes[this.pos++]!
    let result = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8()
      if (shift === 28 && byte > 0x0f) throw new WasmError('number does not fit 32 bits', start)
      result = (result | ((byte & 0x7f) << shift)) >>> 0
      if (byte < 0x80) return result
    }
    throw new WasmError('number is too long', start)
  }

  /** Signed LEB128 of at most 32 bits. */
  s32(): number {
    const start = this.pos
    if (start < this.end && this.bytes[start]! < 0x80) return (this.bytes[this.pos++]! << 25) >> 25
    let result = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8()
      if (shift === 28) {
        // Bits 4 to 6 repeat the sign, or the value is not a 32-bit number.
        const top = byte & 0x78
        if (byte > 0x7f || (top !== 0 && top !== 0x78)) throw new WasmError('number does not fit 32 bits', start)
      }
      result |= (byte & 0x7f) << shift
      if (byte < 0x80) return shift < 25 && byte & 0x40 ? result | (-1 << (shift + 7)) : result
    }
    throw new WasmError('number is too long', start)
  }

  /** Pass over a signed LEB128 of at most `bits` bits; the value is left to the engine's own validation. */
  skipSigned(bits: number): void {
    const start = this.pos
    for (let i = Math.ceil(bits / 7); i > 0; i--) if (this.u8() < 0x80) return
    throw new WasmError('number is too long', start)
  }

  /** Unsigned LEB128 of any length up to 64 bits (DWARF); exact up to 2^53, larger values lose low bits. */
  uleb(): number {
    const start = this.pos
    let result = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const byte = this.u8()
      result += (byte & 0x7f) * scale
      if (byte < 0x80) return result
      scale *= 128
    }
    throw new WasmError('number is too long', start)
  }

  /** Signed LEB128 of any length up to 64 bits (DWARF); exact within +-2^53. */
  sleb(): number {
    const start = this.pos
    let result = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const byte = this.u8()
      result += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 0x80) return byte & 0x40 ? result - scale : result
    }
    throw new WasmError('number is too long', start)
  }

  skip(count: number): void {
    if (count > this.left) throw new WasmError(`unexpected end: ${count} bytes wanted, ${this.left} left`, this.pos)
    this.pos += count
  }

  /** A view, not a copy. */
  take(count: number): Uint8Array {
    const start = this.pos
    this.skip(count)
    return this.bytes.subarray(start, start + count)
  }

  /** A vector's length; each item takes at least `itemBytes`. */
  count(itemBytes = 1): number {
    const start = this.pos
    const count = this.u32()
    if (count * itemBytes > this.left) throw new WasmError(`count ${count} is more than the section can hold`, start)
    return count
  }

  name(): string {
    const start = this.pos
    const bytes = this.take(this.u32())
    const plain = ascii(bytes)
    if (plain !== undefined) return plain
    try {
      return utf8.decode(bytes)
    } catch {
      throw new WasmError('name is not UTF-8', start)
    }
  }

  /** NUL-terminated string (DWARF). Invalid UTF-8 is replaced, not refused: it is only shown to people. */
  cstring(): string {
    const start = this.pos
    const nul = this.bytes.indexOf(0, start)
    if (nul < 0 || nul >= this.end) throw new WasmError('string has no end', start)
    this.pos = nul + 1
    return lossy.decode(this.bytes.subarray(start, nul))
  }
}

const lossy = new TextDecoder('utf-8', { ignoreBOM: true })

/** Longer names are left to the decoder. */
const PLAIN_MAX = 96
const codes: number[] = []

/** A short name of ASCII characters, several times faster than the decoder has it; undefined when it is not one. */
function ascii(bytes: Uint8Array): string | undefined {
  const { length } = bytes
  if (length > PLAIN_MAX) return undefined
  codes.length = length
  for (let i = 0; i < length; i++) {
    const code = bytes[i] as number
    if (code >= 0x80) return undefined
    codes[i] = code
  }
  return String.fromCharCode.apply(undefined, codes)
}

/** A growing output buffer. */
export class Writer {
  #bytes: Uint8Array
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#length + count, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  u8(value: number): this {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
    return this
  }

  u32le(value: number): this {
    return this.u8(value)
      .u8(value >>> 8)
      .u8(value >>> 16)
      .u8(value >>> 24)
  }

  /** Shortest unsigned LEB128. */
  u32(value: number): this {
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.u8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    return this.u8(rest)
  }

  /** Shortest signed LEB128. */
  s32(value: number): this {
    let rest = value | 0
    while (rest < -0x40 || rest > 0x3f) {
      this.u8((rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return this.u8(rest & 0x7f)
  }

  bytes(source: Uint8Array): this {
    this.#reserve(source.length)
    this.#bytes.set(source, this.#length)
    this.#length += source.length
    return this
  }

  /** `source[start, end)` */
  range(source: Uint8Array, start: number, end: number): this {
    return this.bytes(source.subarray(start, end))
  }

  name(text: string): this {
    const bytes = encoder.encode(text)
    return this.u32(bytes.length).bytes(bytes)
  }

  /** The bytes written; a view that later writes may overwrite or leave behind. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A copy of the bytes written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  clear(): this {
    this.#length = 0
    return this
  }
}
