/** A bounded first-in first-out queue of frames with a time each. Nothing is copied, and nothing allocated once it is made. */
import { type Frame, release } from './frame.ts'

export class FrameQueue {
  readonly capacity: number
  length = 0
  readonly #frames: (Frame | undefined)[]
  readonly #times: Float64Array
  readonly #mask: number
  #head = 0

  constructor(capacity: number) {
    this.capacity = capacity
    const slots = 2 ** Math.ceil(Math.log2(capacity))
    this.#mask = slots - 1
    this.#frames = Array.from({ length: slots })
    this.#times = new Float64Array(slots)
  }

  /** Keep a frame; false when the queue is full. */
  push(frame: Frame, time: number): boolean {
    if (this.length === this.capacity) return false
    const slot = (this.#head + this.length++) & this.#mask
    this.#frames[slot] = frame
    this.#times[slot] = time
    return true
  }

  /** When the oldest arrives, only while length is not 0. */
  get time(): number {
    return this.#times[this.#head]!
  }

  /** The oldest, only while length is not 0. */
  get first(): Frame {
    return this.#frames[this.#head]!
  }

  /** Take the oldest out, only while length is not 0. */
  shift(): Frame {
    const frame = this.#frames[this.#head]!
    this.#frames[this.#head] = undefined
    this.#head = (this.#head + 1) & this.#mask
    this.length--
    return frame
  }

  clear(): void {
    while (this.length > 0) release(this.shift())
  }
}
