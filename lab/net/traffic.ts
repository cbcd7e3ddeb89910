/**
 * Seeded traffic: frames of every size whose contents follow from (seed, stream, sequence), sent between two endpoints
 * in both directions and checked byte for byte where they arrive, with an account of loss, duplicates and reordering.
 *
 * A window bounds what is under way, because a fast sender would drown a slow receiver at the switch; frames not heard
 * of for a while are given up as lost. Knows endpoints only, not what they are.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import { createRandom } from '../../base/random.ts'
import type { ClockEvent } from '../../kernel/time.ts'
import { copyBytes, equalBytes } from '../../hw/bytes.ts'
import type { FramePort, FrameSink, FrameSource } from '../../machine/class/net/frame-port.ts'

/** IEEE 802 local experimental ethertype 1. */
const ETHERTYPE = 0x88b5
/** Stream, sequence, seed. */
const STREAM_AT = 14
const SEQUENCE_AT = 16
const SEED_AT = 20
const BODY_AT = 24
export const SHORTEST = 60
export const LONGEST = 1514
/** Random bytes that bodies are cut out of; a power of two, plus the longest body. */
const POOL = 1 << 16
/** Without an arrival for so long, what is under way is lost. */
const GIVE_UP_NS = 100e6

export interface FlowOptions {
  readonly frames: number
  /** Frames under way at most. */
  readonly window: number
  readonly shortest: number
  readonly longest: number
}

export interface FlowReport {
  readonly from: string
  readonly to: string
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly duplicates: number
  readonly reordered: number
  /** Wrong length or content. */
  readonly corrupt: number
  readonly bytes: number
  /** Virtual time from first to last arrival. */
  readonly tookNs: number
}

/** One direction. */
class Flow implements FrameSource {
  readonly from: FramePort
  readonly to: FramePort
  readonly stream: number
  readonly options: FlowOptions
  sent = 0
  received = 0
  duplicates = 0
  reordered = 0
  corrupt = 0
  bytes = 0
  firstNs = -1
  lastNs = 0
  #lost = 0
  /** What was sent before this one and has not arrived has been given up. */
  #givenUp = 0
  #highest = -1
  readonly #seen: Uint8Array
  readonly #seed: number
  readonly #pool: Uint8Array
  readonly #now: () => number
  readonly #giveUp: ClockEvent
  readonly #header = new Uint8Array(BODY_AT)
  readonly #fields = new DataView(this.#header.buffer)

  constructor(
    kernel: Kernel,
    from: FramePort,
    to: FramePort,
    stream: number,
    seed: number,
    pool: Uint8Array,
    options: FlowOptions,
  ) {
    this.from = from
    this.to = to
    this.stream = stream
    this.options = options
    this.#seen = new Uint8Array(options.frames)
    this.#seed = seed >>> 0
    this.#pool = pool
    this.#now = () => kernel.clock.now()
    this.#giveUp = kernel.clock.event(`traffic ${from.name} to ${to.name}: give up`, () => this.#abandon())
    this.#fields.setUint16(12, ETHERTYPE)
    this.#fields.setUint16(STREAM_AT, stream)
    this.#fields.setUint32(SEED_AT, this.#seed)
  }

  /** Frames sent and neither arrived nor given up. */
  get underWay(): number {
    return this.sent - this.received - this.#lost
  }

  get done(): boolean {
    return this.sent === this.options.frames && this.underWay <= 0
  }

  /** Every size in turn, in an order that mixes short and long. */
  #length(sequence: number): number {
    const { shortest, longest } = this.options
    return shortest + ((sequence * 7919) % (longest - shortest + 1))
  }

  #body(sequence: number): number {
    return (Math.imul(sequence + this.stream * 977, 0x9e3779b1) ^ this.#seed) & (POOL - 1)
  }

  fill(into: Uint8Array, at: number, room: number): number {
    if (this.sent === this.options.frames || this.underWay >= this.options.window) return 0
    const sequence = this.sent
    const length = this.#length(sequence)
    if (length > room) return 0
    const header = this.#header
    const { mac: to } = this.to
    const { mac: from } = this.from
    for (let i = 0; i < 6; i++) {
      header[i] = to[i]!
      header[6 + i] = from[i]!
    }
    this.#fields.setUint32(SEQUENCE_AT, sequence)
    copyBytes(header, 0, into, at, BODY_AT)
    const body = this.#body(sequence)
    copyBytes(this.#pool, body, into, at + BODY_AT, length - BODY_AT)
    this.sent++
    if (!this.#giveUp.armed) this.#giveUp.armIn(GIVE_UP_NS)
    return length
  }

  /** A frame of this stream arrived. */
  arrived(bytes: Uint8Array, at: number, length: number, sequence: number): void {
    const now = this.#now()
    if (sequence >= this.sent || length !== this.#length(sequence) || !this.#intact(bytes, at, length, sequence)) {
      this.corrupt++
      return
    }
    if (this.#seen[sequence] === 1) {
      this.duplicates++
      return
    }
    this.#seen[sequence] = 1
    // Late, not lost: somebody on the way had kept it.
    if (sequence < this.#givenUp) this.#lost--
    if (sequence < this.#highest) this.reordered++
    else this.#highest = sequence
    if (this.firstNs < 0) this.firstNs = now
    this.lastNs = now
    this.bytes += length
    this.received++
    // Half a window at once, so that frames go out in batches.
    if (this.underWay * 2 <= this.options.window && this.sent < this.options.frames) this.from.kick()
    if (this.underWay > 0) this.#giveUp.armIn(GIVE_UP_NS)
    else this.#giveUp.disarm()
  }

  #intact(bytes: Uint8Array, at: number, length: number, sequence: number): boolean {
    for (let i = 0; i < 6; i++) if (bytes[at + 6 + i] !== this.from.mac[i]) return false
    const body = this.#body(sequence)
    return equalBytes(bytes, at + BODY_AT, this.#pool, body, length - BODY_AT)
  }

  #abandon(): void {
    this.#lost += Math.max(0, this.underWay)
    this.#givenUp = this.sent
    this.from.kick()
    if (this.sent < this.options.frames) this.#giveUp.armIn(GIVE_UP_NS)
  }

  stop(): void {
    this.#giveUp.disarm()
    this.from.source = undefined
  }

  report(): FlowReport {
    return {
      from: this.from.name,
      to: this.to.name,
      sent: this.sent,
      received: this.received,
      lost: this.sent - this.received,
      duplicates: this.duplicates,
      reordered: this.reordered,
      corrupt: this.corrupt,
      bytes: this.bytes,
      tookNs: this.firstNs < 0 ? 0 : this.lastNs - this.firstNs,
    }
  }
}

/** Hands frames of our ethertype to their flow and counts the rest. */
class Sink implements FrameSink {
  readonly flows: readonly Flow[]
  readonly name: string
  strangers = 0

  constructor(name: string, flows: readonly Flow[]) {
    this.name = name
    this.flows = flows
  }

  receive(bytes: Uint8Array, at: number, length: number): void {
    const flow = this.#flow(bytes, at, length)
    if (flow === undefined) {
      this.strangers++
      return
    }
    const s = at + SEQUENCE_AT
    const sequence = ((bytes[s]! << 24) | (bytes[s + 1]! << 16) | (bytes[s + 2]! << 8) | bytes[s + 3]!) >>> 0
    flow.arrived(bytes, at, length, sequence)
  }

  #flow(bytes: Uint8Array, at: number, length: number): Flow | undefined {
    if (length < SHORTEST) return undefined
    if (((bytes[at + 12]! << 8) | bytes[at + 13]!) !== ETHERTYPE) return undefined
    const stream = (bytes[at + STREAM_AT]! << 8) | bytes[at + STREAM_AT + 1]!
    const flow = this.flows[stream]
    return flow?.to.name === this.name ? flow : undefined
  }
}

export interface Traffic {
  /** Every frame has arrived or been given up. */
  readonly done: boolean
  readonly reports: readonly FlowReport[]
  /** Frames that arrived and belong to no flow. */
  readonly strangers: number
  /** Frames arrived so far, all flows. */
  readonly received: number
  stop(): void
}

export const DEFAULT_FLOW: FlowOptions = { frames: 1000, window: 48, shortest: SHORTEST, longest: LONGEST }

/** Start traffic both ways between two endpoints. Run the machine until `done`. */
export function startTraffic(
  kernel: Kernel,
  a: FramePort,
  b: FramePort,
  seed: number,
  options: Partial<FlowOptions> = {},
): Traffic {
  const wanted = { ...DEFAULT_FLOW, ...options }
  const random = createRandom(seed)
  const pool = new Uint8Array(POOL + LONGEST * 8)
  const words = new DataView(pool.buffer)
  for (let i = 0; i < pool.length; i += 4) words.setUint32(i, random.next(), true)
  const flows = [new Flow(kernel, a, b, 0, seed, pool, wanted), new Flow(kernel, b, a, 1, seed, pool, wanted)]
  const sinks = [a, b].map((endpoint) => {
    const sink = new Sink(endpoint.name, flows)
    endpoint.sink = sink
    return sink
  })
  for (const flow of flows) {
    flow.from.source = flow
    flow.from.kick()
  }
  return {
    get done() {
      return flows.every((flow) => flow.done)
    },
    get reports() {
      return flows.map((flow) => flow.report())
    },
    get strangers() {
      return sinks.reduce((sum, sink) => sum + sink.strangers, 0)
    },
    get received() {
      return flows.reduce((sum, flow) => sum + flow.received, 0)
    },
    stop: () => {
      for (const flow of flows) flow.stop()
      a.sink = undefined
      b.sink = undefined
    },
  }
}
