/**
 * Room on the engine's own stack. Atomic entries of all domains lie on it on top of one another, with the kernel and the
 * devices between and above them, which must never run out of it: half of what they do would be left undone.
 *
 * A program counts what its calls may still take, in a global of its own; here is what it begins an entry with. A fiber
 * has a stack to itself, whose end is the engine's to find; what it calls in the host runs on the host's.
 */
import type { Word } from './program.ts'

/** For all atomic entries together, bytes. Engines give 984 KiB by default; the rest is for the host's own code. */
const ALL = 640 << 10
/** What the host's code takes between two entries. */
const HOST = 8 << 10
/** For a fiber: more than it can use, and far from where the counter would turn over. */
const FIBER = 1 << 30
/** Nothing was interrupted: it stays as it is until a fiber runs. */
const KEPT = 2 ** 31 - 1

export class RoomLeft {
  readonly #global: Word | undefined
  /** What is taken on the way to the first call that counts. */
  readonly #share: number
  /** What a program that does not count has. */
  #uncounted = FIBER
  /** What its fibers have, while it has what the last atomic entry had; else below zero. */
  #fibers = -1
  /** What that entry began with, and so left behind: calls give back what they take. */
  #begun = 0

  constructor(global: Word | undefined) {
    this.#global = global
    this.#share = global === undefined ? 0 : global.value
    this.#set(FIBER)
  }

  get #left(): number {
    return this.#global === undefined ? this.#uncounted : this.#global.value
  }

  #set(bytes: number): void {
    if (this.#global === undefined) this.#uncounted = bytes
    else this.#global.value = bytes
  }

  /** The program found none left. */
  get exhausted(): boolean {
    return this.#left < 0
  }

  /** An atomic entry begins, on top of that of `below`. Returns what `leave` needs; below zero when there is not enough. */
  enter(below: RoomLeft | undefined, interrupts: boolean): number {
    const left = (below === undefined ? ALL : below.#left - HOST) - this.#share
    if (left < 0) return -1
    if (interrupts) {
      const before = this.#left
      this.#set(left)
      return before
    }
    if (this.#fibers < 0) this.#fibers = this.#left
    else if (this.#begun === left) return KEPT
    this.#begun = left
    this.#set(left)
    return KEPT
  }

  /** It has returned. */
  leave(before: number): void {
    if (before !== KEPT) this.#set(before)
  }

  /** A fiber runs. */
  resume(): void {
    if (this.#fibers < 0) return
    this.#set(this.#fibers)
    this.#fibers = -1
  }

  /** A fiber has ended, perhaps in the midst of calls that took room: what they took is its own stack's. */
  fiberEnded(): void {
    this.#set(FIBER)
  }
}
