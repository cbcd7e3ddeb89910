/**
 * Rings: bulk data between two domains, in memory that one of them lends (virtio's and io_uring's idea).
 *
 * The *owner* has the ring in its own linear memory and works on it in place, without any crossing. The *peer* moves a
 * batch of slots with one call. Either is told of the other's progress only when it asked to be: each side keeps, in the
 * ring, the index from which on it wants to hear (virtio's event index), and while it has work it does not. So the busier
 * both are, the fewer crossings a packet costs.
 *
 * Nothing trusted is kept where the owner can write: geometry and the peer's own index are the kernel's, the owner's index
 * is fetched once a call and checked.
 *
 * Layout, words of 32 bits: owner's index, peer's index, index at which the owner wants to hear of the peer, index at which
 * the peer wants to hear of the owner, four unused; then the slots. Indices count slots since the start and wrap at 2^32.
 */
import type { Capability, CapabilityObject } from './capability.ts'
import { Notification } from './ipc.ts'
import { copy } from './memory-object.ts'

export const RING_HEADER = 32
const OWNER = 0
const PEER = 1
const OWNER_WANTS = 2
const PEER_WANTS = 3

/** The owner's memory makes no sense as a ring. */
export const BROKEN = -1

/** Whether going from index `old` to `now` passes the one at which the other side wants to hear. */
export const passes = (wants: number, old: number, now: number): boolean => (now - wants - 1) >>> 0 < (now - old) >>> 0

export class Ring implements CapabilityObject {
  readonly type = 'ring'
  readonly label: string
  /** A power of two, so that indices may wrap. */
  readonly slots: number
  readonly slotBytes: number
  /** Slots go from the owner to the peer; otherwise to the owner. */
  readonly outward: boolean
  /** What crossed: calls by either side, slots moved, notifications sent, notifications nobody wanted. */
  readonly counts = { crossings: 0, slots: 0, signals: 0, suppressed: 0 }
  /** Where owner and peer wait for each other. */
  readonly ownerBell: Notification
  readonly peerBell: Notification
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  /** The owner has ended: its memory is not to be touched any more. */
  closed = false
  /** The owner's capability. */
  root: Capability | undefined
  /** The last peer has gone. */
  abandoned: (() => void) | undefined
  #peer = 0
  #peers = 0

  /** Over `bytes`, header first, 4-byte aligned. Throws RangeError for a geometry that does not fit. */
  constructor(label: string, bytes: Uint8Array, slots: number, slotBytes: number, outward: boolean) {
    if (!(slots > 0 && slots <= 65536 && (slots & (slots - 1)) === 0))
      throw new RangeError(`a ring of ${slots} slots: expected a power of two up to 65536`)
    if (!(slotBytes > 0) || RING_HEADER + slots * slotBytes > bytes.length || (bytes.byteOffset & 3) !== 0)
      throw new RangeError(`${slots} slots of ${slotBytes} bytes do not fit ${bytes.length} bytes`)
    this.label = label
    this.ownerBell = new Notification(`${label}: owner`)
    this.peerBell = new Notification(`${label}: peer`)
    this.slots = slots
    this.slotBytes = slotBytes
    this.outward = outward
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, RING_HEADER >> 2)
    this.#bytes = bytes.subarray(RING_HEADER, RING_HEADER + slots * slotBytes)
    // Both sides want to hear of the first slot.
    this.#words.fill(0)
  }

  /** Slots the peer may move now; BROKEN when the owner's index cannot be. */
  get ready(): number {
    const ahead = ((this.#words[OWNER]! >>> 0) - this.#peer) >>> 0
    // Outward the owner leads by what it has produced; inward the peer leads, and the owner's index is what it consumed.
    if (this.outward) return ahead > this.slots ? BROKEN : ahead
    const behind = (this.#peer - (this.#words[OWNER]! >>> 0)) >>> 0
    return behind > this.slots ? BROKEN : this.slots - behind
  }

  /** The peer takes at most `max` slots into `into`. Returns how many, or BROKEN. */
  take(into: Uint8Array, max: number): number {
    return this.#move(into, max, true)
  }

  /** The peer puts `count` slots; fewer fit when the ring is full. Returns how many, or BROKEN. */
  put(from: Uint8Array, count: number): number {
    return this.#move(from, count, false)
  }

  #move(other: Uint8Array, max: number, out: boolean): number {
    const { ready, slots, slotBytes } = this
    if (ready === BROKEN) return BROKEN
    const count = Math.min(ready, max)
    for (let done = 0; done < count;) {
      const slot = (this.#peer + done) & (slots - 1)
      const run = Math.min(count - done, slots - slot)
      if (out) copy(this.#bytes, slot * slotBytes, other, done * slotBytes, run * slotBytes)
      else copy(other, done * slotBytes, this.#bytes, slot * slotBytes, run * slotBytes)
      done += run
    }
    this.#peer = (this.#peer + count) >>> 0
    this.#words[PEER] = this.#peer
    this.counts.slots += count
    return count
  }

  /** After a move of `count` slots: whether the owner asked to hear of it. */
  ownerWants(count: number): boolean {
    if (count === 0) return false
    const wanted = passes(this.#words[OWNER_WANTS]!, (this.#peer - count) >>> 0, this.#peer)
    if (wanted) this.counts.signals++
    else this.counts.suppressed++
    return wanted
  }

  /** The peer is about to wait: from here on it wants to hear of the owner. False when it has something to do already. */
  peerMayWait(): boolean {
    this.#words[PEER_WANTS] = this.#words[OWNER]!
    return this.ready === 0
  }

  /** The owner is about to wait, having said in the ring for what. False when that has come already. */
  ownerMayWait(): boolean {
    return ((this.#peer - this.#words[OWNER_WANTS]!) | 0) <= 0
  }

  /** The owner's capability is derived from none; all others are peers'. */
  gained(capability: Capability): void {
    if (capability.parent === undefined) this.root = capability
    else this.#peers++
  }

  /** When nobody is left to be the peer, the owner need not wait for one. */
  lost(capability: Capability): void {
    if (capability !== this.root && --this.#peers === 0) this.abandoned?.()
  }
}
