/**
 * A descriptor ring as both of the 82540EM's DMA engines see it (SDM sections 3.2.6 and 3.4): base, length, head, tail,
 * and the on-chip cache that descriptors are prefetched into.
 *
 * A descriptor is 16 bytes, little-endian, and is fetched exactly once: everything read of it comes from the cache, so a
 * driver that rewrites one it has handed over changes nothing. A failed fetch stops the ring until it is set up anew.
 */
import type { DmaPort } from '../../types.ts'

export const DESCRIPTOR_BYTES = 16
/** Descriptors the cache holds; the part has 64, and fewer keep a prefetch short. */
const CACHED = 32

export class Ring {
  head = 0
  tail = 0
  /** Descriptors in the ring. */
  count = 0
  /** A fetch failed; nothing more is done. */
  stopped = false
  /** The cached descriptors' bytes, for `field8` and its kind. */
  readonly cache = new Uint8Array(CACHED * DESCRIPTOR_BYTES)
  readonly #view = new DataView(this.cache.buffer)

  readonly #dma: DmaPort
  #base = 0
  /** Ring index of the first cached descriptor, and how many from there. */
  #first = 0
  #cached = 0

  constructor(dma: DmaPort) {
    this.#dma = dma
  }

  /** Base address from its two registers, and length in bytes. */
  place(low: number, high: number, bytes: number): void {
    this.#base = high * 0x1_0000_0000 + low
    this.count = Math.floor(bytes / DESCRIPTOR_BYTES)
    this.#cached = 0
    this.stopped = false
  }

  setHead(head: number): void {
    this.head = head
    this.#cached = 0
    this.stopped = false
  }

  setTail(tail: number): void {
    this.tail = tail
  }

  reset(): void {
    this.place(0, 0, 0)
    this.head = 0
    this.tail = 0
  }

  /**
   * Descriptors that belong to the device: head up to, not including, tail. With either outside of the ring there are
   * none: head would never meet tail.
   */
  get owned(): number {
    const { head, tail, count } = this
    if (this.stopped || head >= count || tail >= count) return 0
    return tail >= head ? tail - head : count - head + tail
  }

  /** I/O address of the descriptor at head. */
  get address(): number {
    return this.#base + this.head * DESCRIPTOR_BYTES
  }

  /** Offset in `cache` of the descriptor at head, fetched if need be; -1 when memory did not answer. Call only when `owned`. */
  fetch(): number {
    const at = this.head - this.#first
    if (at >= 0 && at < this.#cached) return at * DESCRIPTOR_BYTES
    return this.#prefetch() ? 0 : -1
  }

  /** Past the descriptor at head. */
  advance(): void {
    this.head = this.head + 1 === this.count ? 0 : this.head + 1
    if (this.head === 0) this.#cached = 0
  }

  #prefetch(): boolean {
    const end = this.tail > this.head ? this.tail : this.count
    const wanted = Math.min(end - this.head, CACHED)
    this.#first = this.head
    this.#cached = 0
    if (!this.#dma.read(this.address, this.cache, 0, wanted * DESCRIPTOR_BYTES)) {
      this.stopped = true
      return false
    }
    this.#cached = wanted
    return true
  }

  field8(at: number): number {
    return this.cache[at]!
  }

  field16(at: number): number {
    return this.#view.getUint16(at, true)
  }

  field32(at: number): number {
    return this.#view.getUint32(at, true)
  }

  /** A 64-bit address field; exact below 2^53, beyond which nothing is mapped anyway. */
  addressField(at: number): number {
    return this.field32(at) + this.field32(at + 4) * 0x1_0000_0000
  }
}
