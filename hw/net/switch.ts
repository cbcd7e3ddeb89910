/**
 * A learning Ethernet switch: store and forward between ports by destination address, learnt from source addresses;
 * unknown, multicast and broadcast destinations go to every other port. IEEE 802.1D clause 7, without spanning tree:
 * one switch has no loops, and a machine must not connect two of them twice.
 *
 * It must not know what its ports are connected to.
 */

import type { Timeline } from '../../base/timeline.ts'
import type { EthernetPort } from '../types.ts'
import { HEADER_BYTES, isMulticast } from './ethernet.ts'
import { type Frame, retain } from './frame.ts'

export interface SwitchOptions {
  readonly timeline: Timeline
  /** Addresses not heard from for so long are forgotten. */
  readonly ageNs?: number
  /** Addresses it can hold: a power of two. */
  readonly addresses?: number
}

export interface SwitchCounts {
  /** Sent out of exactly one port. */
  readonly forwarded: number
  /** Sent out of all the others. */
  readonly flooded: number
  /** For an address on the port it came from, link-local, or too short. */
  readonly filtered: number
}

export interface EthernetSwitch {
  /** Connect a port (usually the far end of a wire); returns its number. */
  attach(port: EthernetPort): number
  readonly ports: number
  /** Port an address was last heard on; -1 when unknown or aged. */
  lookup(mac: Uint8Array): number
  readonly counts: SwitchCounts
}

const AGE_NS = 300e9
const ADDRESSES = 1024
/** Slots an address may be in. A full set gives up its oldest. */
const WAYS = 8

/** Address -> port with a time each, in typed arrays. */
class AddressTable {
  readonly #high: Uint16Array
  readonly #low: Uint32Array
  /** Port + 1; 0 is free. */
  readonly #port: Uint16Array
  readonly #heard: Float64Array
  readonly #mask: number
  readonly #ageNs: number
  /** Slots of the last destination and of the last source. */
  #last = 0
  #learnt = 0

  constructor(addresses: number, ageNs: number) {
    this.#high = new Uint16Array(addresses)
    this.#low = new Uint32Array(addresses)
    this.#port = new Uint16Array(addresses)
    this.#heard = new Float64Array(addresses)
    this.#mask = addresses - 1
    this.#ageNs = ageNs
  }

  /** Slot of an address; -1 when it is not there. */
  #find(high: number, low: number, set: number): number {
    for (let way = 0; way < WAYS; way++) {
      const slot = (set + way) & this.#mask
      if (this.#holds(slot, high, low)) return slot
    }
    return -1
  }

  /** Port of an address, given as its upper two bytes and its lower four; -1 when it is unknown or aged. */
  lookup(high: number, low: number, now: number): number {
    const slot = this.#find(high, low, setOf(high, low))
    return this.#young(slot, now) ? this.#port[slot]! - 1 : -1
  }

  #young(slot: number, now: number): boolean {
    return slot >= 0 && now - this.#heard[slot]! <= this.#ageNs
  }

  /** Port of a frame's destination. Mostly it is that of the frame before. */
  destination({ view, atNs }: Frame): number {
    const high = view.getUint16(0)
    const low = view.getUint32(2)
    let slot = this.#last
    if (!this.#holds(slot, high, low)) slot = this.#find(high, low, setOf(high, low))
    if (!this.#young(slot, atNs)) return -1
    this.#last = slot
    return this.#port[slot]! - 1
  }

  /** A frame came from this port. Mostly its source is that of the frame before. */
  learn({ view, atNs }: Frame, port: number): void {
    const high = view.getUint16(6)
    const low = view.getUint32(8)
    let slot = this.#learnt
    if (!this.#holds(slot, high, low)) {
      const set = setOf(high, low)
      slot = this.#find(high, low, set)
      if (slot < 0) slot = this.#victim(set)
      this.#high[slot] = high
      this.#low[slot] = low
      this.#learnt = slot
    }
    this.#port[slot] = port + 1
    this.#heard[slot] = atNs
  }

  #holds(slot: number, high: number, low: number): boolean {
    return this.#low[slot] === low && this.#high[slot] === high && this.#port[slot] !== 0
  }

  /** A free slot of the set, else the one not heard from for longest. */
  #victim(set: number): number {
    let oldest = set & this.#mask
    for (let way = 0; way < WAYS; way++) {
      const slot = (set + way) & this.#mask
      if (this.#port[slot] === 0) return slot
      if (this.#heard[slot]! < this.#heard[oldest]!) oldest = slot
    }
    return oldest
  }

  forget(port: number): void {
    for (let slot = 0; slot < this.#port.length; slot++) if (this.#port[slot] === port + 1) this.#port[slot] = 0
  }
}

const highOf = (mac: Uint8Array): number => (mac[0]! << 8) | mac[1]!
const lowOf = (mac: Uint8Array): number => ((mac[2]! << 24) | (mac[3]! << 16) | (mac[4]! << 8) | mac[5]!) >>> 0
const setOf = (high: number, low: number): number => Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> 16

/** 01:80:c2:00:00:0x, which no bridge forwards. */
const isLinkLocal = (frame: Uint8Array): boolean =>
  frame[0] === 1 &&
  frame[1] === 0x80 &&
  frame[2] === 0xc2 &&
  frame[3] === 0 &&
  frame[4] === 0 &&
  (frame[5]! & 0xf0) === 0

/** A switch without ports. */
export const createSwitch = (options: SwitchOptions): EthernetSwitch => {
  const { timeline } = options
  const table = new AddressTable(options.addresses ?? ADDRESSES, options.ageNs ?? AGE_NS)
  const ports: EthernetPort[] = []
  const counts = { forwarded: 0, flooded: 0, filtered: 0 }

  const flood = (from: number, frame: Frame): void => {
    counts.flooded++
    for (let i = 0; i < ports.length; i++) if (i !== from) ports[i]!.pass(retain(frame))
  }

  const receive = (from: number, frame: Frame): void => {
    if (frame.length < HEADER_BYTES || isLinkLocal(frame.bytes)) {
      counts.filtered++
      return
    }
    // A group address cannot be a source.
    if ((frame.bytes[6]! & 1) === 0) table.learn(frame, from)
    const to = isMulticast(frame.bytes) ? -1 : table.destination(frame)
    if (to < 0) flood(from, frame)
    else if (to === from) counts.filtered++
    else {
      counts.forwarded++
      ports[to]!.pass(retain(frame))
    }
  }

  return {
    attach: (port) => {
      const number = ports.push(port) - 1
      port.onFrame = (frame) => receive(number, frame)
      port.onLink = (up) => {
        if (!up) table.forget(number)
      }
      return number
    },
    get ports() {
      return ports.length
    },
    lookup: (mac) => table.lookup(highOf(mac), lowOf(mac), timeline.now()),
    counts,
  }
}
