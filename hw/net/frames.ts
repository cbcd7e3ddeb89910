/**
 * A bounded first-in first-out queue of frames with a time each, in buffers that are kept and reused: nothing is
 * allocated once every buffer has been used.
 */

import { copyBytes } from '../bytes.ts'

/** Big enough for an ordinary frame with tags; a slot grows when a longer one comes. */
const SLOT_BYTES = 2048

export class FrameQueue {
  readonly capacity: number
  length = 0
  /** One slot more than frames, so that the one just taken out is not the next to be filled. */
  readonly #slots: number
  #head = 0
  readonly #frames: Uint8Array[] = []
  readonly #lengths: Uint32Array
  readonly #times: Float64Array

  constructor(capacity: number) {
    this.capacity = capacity
    this.#slots = capacity + 1
    this.#lengths = new Uint32Array(this.#slots)
    this.#times = new Float64Array(this.#slots)
  }

  /** Copy a frame in; false when the queue is full. */
  push(frame: Uint8Array, length: number, time: number): boolean {
    if (this.length === this.capacity) return false
    const slot = (this.#head + this.length) % this.#slots
    let buffer = this.#frames[slot]
    if (buffer === undefined || buffer.length < length) {
      buffer = new Uint8Array(Math.max(SLOT_BYTES, length))
      this.#frames[slot] = buffer
    }
    copyBytes(frame, 0, buffer, 0, length)
    this.#lengths[slot] = length
    this.#times[slot] = time
    this.length++
    return true
  }

  /** The oldest frame, only while length is not 0. Its buffer stays valid until the next frame is shifted. */
  get frame(): Uint8Array {
    return this.#frames[this.#head]!
  }

  get frameLength(): number {
    return this.#lengths[this.#head]!
  }

  get time(): number {
    return this.#times[this.#head]!
  }

  /** Drop the oldest. */
  shift(): void {
    this.#head = (this.#head + 1) % this.#slots
    this.length--
  }

  clear(): void {
    this.length = 0
  }
}
