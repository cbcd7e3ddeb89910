/**
 * A full-duplex Ethernet cable between two ports: each direction takes a frame's bits at the link's speed, delays them
 * by the propagation time and a seeded jitter, and delivers in order. Pulling the cable loses what is in flight.
 *
 * When each frame arrives is exact, and told with it. Frames that follow each other closely are handed over together when
 * the last of them has arrived, or BURST_NS after the first: one event for many. A frame by itself comes when it arrives.
 * A wire may be without pace, as a virtual machine's network is: then a frame is at the other end at once, without an event.
 * It must not know what is at its ends.
 */

import type { Timeline, TimelineEvent } from '../../base/timeline.ts'
import type { Random } from '../../base/random.ts'
import type { EthernetPort } from '../types.ts'
import { frameSlotNs, frameTimeNs, MIN_FRAME } from './ethernet.ts'
import { type Frame, frameOf, release } from './frame.ts'
import { FrameQueue } from './frames.ts'

export interface WireOptions {
  readonly timeline: Timeline
  readonly random: Random
  readonly name?: string
  /** Speed in Mb/s. Infinity: nothing takes time on it, and the next two do not count. */
  readonly mbps?: number
  /** Time of flight. */
  readonly propagationNs?: number
  /** Up to so much more, by chance, frame by frame; order is kept. */
  readonly jitterNs?: number
  /** Frames in flight or waiting for the wire, each direction; more are dropped. */
  readonly queueFrames?: number
  /** Plugged in from the start. */
  readonly up?: boolean
}

/** Sees every frame that arrives at its far end, and when it did; must copy what it keeps. */
export type WireTap = (frame: Uint8Array, length: number, fromA: boolean, timeNs: number) => void

export interface WireCounts {
  /** Delivered. */
  readonly frames: number
  readonly bytes: number
  /** Of the frames, those to a group of stations; to all of them is none. */
  readonly groups: number
  /** Offered while the link was down, or in flight when it went down. */
  readonly lost: number
  /** Offered faster than the link carries, beyond the queue. */
  readonly dropped: number
}

export interface Wire {
  readonly name: string
  readonly a: EthernetPort
  readonly b: EthernetPort
  readonly up: boolean
  /** Plug or pull the cable. */
  setUp(up: boolean): void
  /** Listen in; undefined to stop. */
  tap: WireTap | undefined
  /** What went from a to b, and from b to a. */
  counts(fromA: boolean): WireCounts
}

const QUEUE_FRAMES = 512
/** How long the first of several frames waits for the others: as far as a fast controller's FIFO runs ahead of the line. */
const BURST_NS = 32_000
/** 100 m of copper. */
const PROPAGATION_NS = 500

const ignore = (): void => {}

/** What the two directions share. */
class Cable implements Wire {
  readonly name: string
  readonly a: End
  readonly b: End
  up: boolean
  tap: WireTap | undefined

  constructor(options: WireOptions) {
    this.name = options.name ?? 'wire'
    this.up = options.up ?? true
    this.a = new End(this, options, true)
    this.b = new End(this, options, false)
    this.a.peer = this.b
    this.b.peer = this.a
  }

  setUp(up: boolean): void {
    if (up === this.up) return
    if (!up) {
      this.a.handOver()
      this.b.handOver()
    }
    this.up = up
    if (!up) {
      this.a.cut()
      this.b.cut()
    }
    this.a.onLink(up)
    this.b.onLink(up)
  }

  counts(fromA: boolean): WireCounts {
    const { frames, bytes, groups, lost, dropped } = fromA ? this.a : this.b
    return { frames, bytes, groups, lost, dropped }
  }
}

/** One end, and the direction that leads away from it. */
class End implements EthernetPort {
  onFrame: EthernetPort['onFrame'] = ignore
  onLink: EthernetPort['onLink'] = ignore
  readonly mbps: number
  peer!: End
  frames = 0
  bytes = 0
  groups = 0
  lost = 0
  dropped = 0
  readonly #cable: Cable
  readonly #isA: boolean
  readonly #timeline: Timeline
  readonly #random: Random
  readonly #propagationNs: number
  readonly #jitterNs: number
  readonly #queue: FrameQueue
  readonly #arrival: TimelineEvent
  /** The sender's side of the cable is occupied until then. */
  #busyUntil = 0
  /** Nothing may overtake the frame before it. */
  #lastArrival = 0
  /** Length of the last frame, and what one of it takes of the wire without and with the gap. */
  #measured = -1
  #frameNs = 0
  #slotNs = 0

  constructor(cable: Cable, options: WireOptions, isA: boolean) {
    this.#cable = cable
    this.#isA = isA
    this.#timeline = options.timeline
    this.#random = options.random
    this.mbps = options.mbps ?? 100
    this.#propagationNs = options.propagationNs ?? PROPAGATION_NS
    this.#jitterNs = options.jitterNs ?? 0
    this.#queue = new FrameQueue(options.queueFrames ?? QUEUE_FRAMES)
    this.#arrival = options.timeline.event(`${cable.name} ${isA ? 'a to b' : 'b to a'}`, () => this.#deliver())
  }

  get up(): boolean {
    return this.#cable.up
  }

  send(frame: Uint8Array, length: number): boolean {
    const copy = frameOf(frame, length)
    copy.atNs = this.#timeline.now()
    return this.pass(copy)
  }

  pass(frame: Frame): boolean {
    if (!this.#cable.up) {
      this.lost++
      release(frame)
      return false
    }
    if (this.mbps === Infinity) {
      this.#hand(frame, frame.atNs)
      return true
    }
    if (frame.length !== this.#measured) this.#measure(frame.length)
    const start = Math.max(frame.atNs, this.#busyUntil)
    const jitter = this.#jitterNs === 0 ? 0 : this.#random.below(this.#jitterNs + 1)
    const arrival = Math.max(start + this.#frameNs + this.#propagationNs + jitter, this.#lastArrival)
    if (!this.#queue.push(frame, arrival)) {
      this.dropped++
      release(frame)
      return true
    }
    this.#busyUntil = start + this.#slotNs
    this.#lastArrival = arrival
    if (this.#queue.length === 1) this.#arrival.armAt(arrival)
    return true
  }

  /** How long a frame of this length takes: mostly many of one length follow each other. */
  #measure(length: number): void {
    this.#measured = length
    this.#frameNs = frameTimeNs(Math.max(length, MIN_FRAME), this.mbps)
    this.#slotNs = frameSlotNs(Math.max(length, MIN_FRAME), this.mbps)
  }

  /** When the frames that are under way are to be handed over: with the last, unless that keeps the first for too long. */
  #due(): number {
    return Math.min(this.#lastArrival, this.#queue.time + BURST_NS)
  }

  #deliver(): void {
    // The event was armed for the first; others have followed.
    if (this.#due() > this.#timeline.now()) this.#arrival.armAt(this.#due())
    else this.handOver()
  }

  /** Hand over what has arrived. */
  handOver(): void {
    const queue = this.#queue
    const now = this.#timeline.now()
    while (queue.length !== 0 && queue.time <= now) {
      const { time } = queue
      const frame = queue.shift()
      frame.atNs = time
      this.#hand(frame, time)
    }
    if (queue.length !== 0) this.#arrival.armAt(this.#due())
  }

  #hand(frame: Frame, timeNs: number): void {
    this.frames++
    this.bytes += frame.length
    // IEEE 802.3: the first bit on the wire says so, and no group begins as the address of all does.
    if ((frame.bytes[0]! & 1) !== 0 && frame.bytes[0] !== 0xff) this.groups++
    this.#cable.tap?.(frame.bytes, frame.length, this.#isA, timeNs)
    this.peer.onFrame(frame)
    release(frame)
  }

  /** The cable was pulled. */
  cut(): void {
    this.lost += this.#queue.length
    this.#queue.clear()
    this.#arrival.disarm()
    this.#busyUntil = 0
    this.#lastArrival = 0
  }
}

export const createWire = (options: WireOptions): Wire => new Cable(options)
