/**
 * A bus that flips bits: a DmaPort that damages some of what its device writes.
 *
 * For fault injection. While armed, a short write (a descriptor or a status word, not a frame) has one aligned 16-bit
 * lane forced to ones, which lane being left to the seeded random source. Addresses, rights and bounds stay the
 * IOMMU's: damage is to content only. Knows no device.
 */
import type { Random } from '../base/random.ts'
import type { Frame } from './net/frame.ts'
import type { DmaPort } from './types.ts'

/** Longest write that is taken for a descriptor, bytes. */
const DESCRIPTOR_BYTES = 16

export class FaultyDma implements DmaPort {
  readonly #port: DmaPort
  readonly #random: Random
  readonly #scratch = new Uint8Array(DESCRIPTOR_BYTES)
  /** Writes still to be damaged. */
  armed = 0
  /** Writes damaged so far. */
  damaged = 0

  constructor(port: DmaPort, random: Random) {
    this.#port = port
    this.#random = random
  }

  get failed(): boolean {
    return this.#port.failed
  }

  write(iova: number, from: Uint8Array, at: number, length: number): boolean {
    if (this.armed === 0 || length > DESCRIPTOR_BYTES || length < 2) return this.#port.write(iova, from, at, length)
    this.armed--
    this.damaged++
    const lane = 2 * this.#random.below(length >>> 1)
    this.#scratch.set(from.subarray(at, at + length))
    this.#scratch.fill(0xff, lane, lane + 2)
    return this.#port.write(iova, this.#scratch, 0, length)
  }

  read(iova: number, into: Uint8Array, at: number, length: number): boolean {
    return this.#port.read(iova, into, at, length)
  }
  readFrame(iova: number, into: Frame, at: number, length: number): boolean {
    return this.#port.readFrame(iova, into, at, length)
  }
  writeFrame(iova: number, from: Frame, at: number, length: number): boolean {
    return this.#port.writeFrame(iova, from, at, length)
  }
  read8(iova: number): number {
    return this.#port.read8(iova)
  }
  read16(iova: number): number {
    return this.#port.read16(iova)
  }
  read32(iova: number): number {
    return this.#port.read32(iova)
  }
  write8(iova: number, value: number): boolean {
    return this.#port.write8(iova, value)
  }
  write16(iova: number, value: number): boolean {
    return this.#port.write16(iova, value)
  }
  write32(iova: number, value: number): boolean {
    return this.#port.write32(iova, value)
  }
}
