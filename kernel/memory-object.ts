/**
 * Memory objects: memory that domains share by capability.
 *
 * A domain sees nothing but its own linear memory, so an object is reached in two ways, both checked to the byte: copied
 * from and to by calls, or mapped beyond linear memory, where every access is a call too. What an object is made of
 * decides what can be promised of it. One of the kernel's own bytes can be *owned*: moved exclusively, it ends every other
 * capability to it, and nobody but the receiver reaches it any more. One that is *lent*, a piece of a domain's own linear
 * memory, costs its lender no crossing at all and can be shared and taken back, but never be given away: the lender goes on
 * seeing it. So who reads lent memory must expect any byte to change at any time.
 */
import type { CapabilityObject } from './capability.ts'

export class MemoryObject implements CapabilityObject {
  readonly type = 'memory'
  readonly label: string
  /** Not lent: whoever lends a piece of its own memory reaches it without a capability. */
  readonly ownable: boolean
  #bytes: Uint8Array

  /** `lent`: the bytes it is made of; otherwise `size` bytes of its own, zero. */
  constructor(label: string, size: number, lent?: Uint8Array) {
    this.label = label
    this.ownable = lent === undefined
    this.#bytes = lent ?? new Uint8Array(size)
  }

  /** Bytes; 0 once it has ended. */
  get size(): number {
    return this.#bytes.length
  }

  /** Copy out. False when it does not all lie within. */
  read(offset: number, into: Uint8Array): boolean {
    if (offset + into.length > this.#bytes.length) return false
    copy(this.#bytes, offset, into, 0, into.length)
    return true
  }

  /** Copy in. False, and nothing is written, when it does not all lie within. */
  write(offset: number, from: Uint8Array): boolean {
    if (offset + from.length > this.#bytes.length) return false
    copy(from, 0, this.#bytes, offset, from.length)
    return true
  }

  /** A number of `width` bytes, little-endian, within the object. */
  load(offset: number, width: number): number {
    let value = 0
    for (let i = width - 1; i >= 0; i--) value = (value << 8) | this.#bytes[offset + i]!
    return value
  }

  store(offset: number, width: number, value: number): void {
    for (let i = 0; i < width; i++) this.#bytes[offset + i] = value >>> (8 * i)
  }

  /** The last capability has ended: whoever still has a hold on it finds nothing. */
  close(): void {
    this.#bytes = NOTHING
  }
}

const NOTHING = new Uint8Array(0)
/** From here on the engine's own copying is faster than a loop, in spite of the view it needs. */
const LARGE = 64

/** Copy bytes without making a view for the few. Ranges of one buffer may overlap. */
export function copy(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, length: number): void {
  if (length >= LARGE || from.buffer === to.buffer) {
    to.set(from.subarray(fromAt, fromAt + length), toAt)
    return
  }
  for (let i = 0; i < length; i++) to[toAt + i] = from[fromAt + i]!
}
