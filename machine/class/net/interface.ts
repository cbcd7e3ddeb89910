/**
 * One network interface as its clients see it, whichever generation of a driver is behind it.
 *
 * Frames are pulled from a source straight into the driver's transmit arena, a batch a call, and stop when the driver stops its
 * queue; received frames are handed to a sink in place.
 */
import { IRQ, net_desc, net_frame } from '../../../linux-api/generated/abi.ts'
import { Failure } from '../../../kernel/fault.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { ClockEvent } from '../../../kernel/time.ts'
import type { FramePort, FrameSink, FrameSource } from './frame-port.ts'
import type { Host } from '../../abi/host.ts'
import type { Clocked, DriverEntries, Tally, Unit } from '../device-class.ts'
import { drain, type NetStats, replay } from './control.ts'

export type NetCounters = {
  txFrames: number
  txBytes: number
  rxFrames: number
  rxBytes: number
  /** Transmit calls; frames per call is what batching brought. */
  txCalls: number
  rxCalls: number
  /** Times the driver took only part of a batch. */
  txStopped: number
}

export interface NetConfig {
  up: boolean
  mtu: number | undefined
  mac: Uint8Array | undefined
  filter: number
  multicast: readonly Uint8Array[]
}

const FRAME_WORDS = net_frame.size / 4
/** No frame is longer, whatever segments were merged: more would be the host's time spent on copying. */
const FRAME_BYTES_MAX = 0x20000
/** Bytes of a frame that are looked at in a unit of work, as a power of two. */
const LOOK_SHIFT = 4
/** Transmit calls before others get a turn. */
const ROUNDS = 4
/** A batch refused for no reason the driver will tell of is offered again after this. */
const RETRY_NS = 100_000

export class NetInterface implements FramePort, Unit {
  readonly id: number
  readonly name: string
  /** Of the device behind it: how its next generation is recognised. */
  readonly place: string
  mac = new Uint8Array(6)
  mtu = 0
  minMtu = 0
  maxMtu = 0
  features = 0
  carrier = false
  /** Registrations so far. */
  generation = 0
  driver: DriverEntries | undefined
  source: FrameSource | undefined
  sink: FrameSink | undefined
  readonly config: NetConfig = { up: false, mtu: undefined, mac: undefined, filter: 0, multicast: [] }
  readonly counters: NetCounters = {
    txFrames: 0,
    txBytes: 0,
    rxFrames: 0,
    rxBytes: 0,
    txCalls: 0,
    rxCalls: 0,
    txStopped: 0,
  }
  /** Told when the carrier comes or goes. */
  onCarrier: ((up: boolean) => void) | undefined
  readonly #kernel: Kernel
  readonly #retry: ClockEvent
  /** What earlier generations counted, as far as they could be asked before they went; see control.ts. */
  carried: NetStats | undefined
  /** Frames have been waiting for the driver to take one since then, though it says that it can; else Infinity. */
  waitingSinceNs = Infinity
  /** Nothing is taken from the source; see hold. */
  #held = false
  readonly #kept: Uint8Array[] = []
  #awake = false
  /** The driver knows that there may be frames, and will ask for them. */
  #told = false
  #posted = false
  #arena = 0
  #slotBytes = 0
  #batch = 0
  /** Frames of the arena: [head, filled) are still to be taken. */
  #head = 0
  #filled = 0
  #transmit: ((a: number, b: number, c: number) => number) | undefined
  readonly #pumpTask = (): void => this.#pump()

  constructor(kernel: Kernel, id: number, place: string) {
    this.#kernel = kernel
    this.id = id
    this.name = `eth${id}`
    this.place = place
    this.#retry = kernel.clock.event(`${this.name}: retry`, () => this.kick())
  }

  get ready(): boolean {
    return this.driver !== undefined && this.#awake && this.carrier
  }

  /** A driver offers it: first time, or its next generation. */
  adopt(driver: DriverEntries, words: Int32Array, desc: number): void {
    this.driver = driver
    this.generation++
    this.#transmit = driver.atomic('net_tx')
    this.describe(words, desc)
  }

  /** Read its description from the driver's memory. */
  describe(words: Int32Array, desc: number): void {
    const field = (offset: number): number => words[(desc + offset) >> 2]! >>> 0
    const bytes = new Uint8Array(words.buffer, desc, net_desc.size)
    this.mac = bytes.slice(net_desc.mac.offset, net_desc.mac.offset + 6)
    this.mtu = field(net_desc.mtu.offset)
    this.minMtu = field(net_desc.min_mtu.offset)
    this.maxMtu = field(net_desc.max_mtu.offset)
    this.features = field(net_desc.features.offset)
    const arena = field(net_desc.arena.offset)
    // Frames filled into an arena that has moved are offered again by nobody: the source counts them lost.
    if (arena !== this.#arena) this.#filled = this.#head = 0
    this.#arena = arena
    this.#slotBytes = field(net_desc.arena_slot_bytes.offset)
    // The first slot holds the vector.
    const slots = field(net_desc.arena_slots.offset)
    this.#batch = Math.max(0, Math.min(slots - 1, Math.floor(this.#slotBytes / net_frame.size)))
    const end = arena + slots * this.#slotBytes
    if (arena === 0 || (arena & 3) !== 0 || end > words.length * 4) this.#batch = 0
  }

  /** Its driver is gone or withdrew it. */
  orphan(): void {
    this.driver = undefined
    this.#transmit = undefined
    this.#awake = false
    this.#told = false
    this.#filled = this.#head = 0
    this.waitingSinceNs = Infinity
    this.#retry.disarm()
    this.setCarrier(false)
  }

  setCarrier(up: boolean): void {
    if (this.carrier === up) return
    this.carrier = up
    this.waitingSinceNs = Infinity
    this.#told = false
    this.onCarrier?.(up)
    if (up) this.kick()
  }

  setAwake(awake: boolean): void {
    this.#awake = awake
    this.#told = false
    if (awake) this.kick()
  }

  /** Take no more from the source, and take back what the driver was offered and has not taken. */
  hold(): void {
    this.#held = true
    if (this.driver === undefined) return
    const { bytes } = this.driver.host.bank
    const { words } = this.driver.host
    for (let i = this.#head; i < this.#filled; i++) {
      const at = this.#arena + (i + 1) * this.#slotBytes
      const length = Math.min(words[(this.#arena >> 2) + i * FRAME_WORDS + 1]! >>> 0, this.#slotBytes)
      this.#kept.push(bytes.slice(at, at + length))
    }
    this.#filled = this.#head = 0
    this.waitingSinceNs = Infinity
  }

  /** Go on, with what was taken back first. */
  release(): Tally {
    this.#held = false
    this.kick()
    return { frames: this.#kept.length }
  }

  handOver(machine: Clocked): Promise<Tally> {
    return drain(this, machine)
  }

  replay(): Promise<void> {
    return replay(this)
  }

  stalled(nowNs: number, patienceNs: number): string | undefined {
    if (nowNs - this.waitingSinceNs <= patienceNs) return undefined
    return `${this.name} has taken no frame for ${patienceNs / 1e9} s`
  }

  record(): Readonly<Record<string, unknown>> {
    const { name, carrier, config, counters } = this
    return {
      name,
      mac: [...this.mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
      carrier,
      config: { up: config.up, mtu: config.mtu ?? null, filter: config.filter },
      counters: { ...counters },
    }
  }

  /** The next frame for the driver: one that was taken back, else the source's. 0 when there is none. */
  #next(into: Uint8Array, at: number, room: number): number {
    const kept = this.#kept[0]
    if (kept === undefined) return this.source?.fill(into, at, room) ?? 0
    this.#kept.shift()
    // The next driver's arena may have smaller slots: a frame that does not fit is lost, as on any link of smaller MTU.
    if (kept.length > room) return this.#next(into, at, room)
    into.set(kept, at)
    return kept.length
  }

  kick(): void {
    if (this.#posted || this.#held || (this.source === undefined && this.#kept.length === 0) || !this.ready) return
    if (this.driver!.domain.polls) {
      if (this.waitingSinceNs === Infinity) this.waitingSinceNs = this.#kernel.clock.now()
      // It fetches them when its queue has room, and goes on until there are none.
      if (this.#told) return
      this.#told = true
      return this.driver!.domain.raise(IRQ.FRAMES)
    }
    this.#posted = true
    this.#kernel.post(this.#pumpTask)
  }

  /** The driver has room: what the source has, up to a batch. Returns how many frames lie in the arena. */
  fetch(): number {
    this.waitingSinceNs = Infinity
    this.#told = !this.#held && this.ready && this.#fill()
    if (!this.#told) return 0
    const { words } = this.driver!.host
    this.counters.txCalls++
    this.counters.txFrames += this.#filled
    for (let i = 0; i < this.#filled; i++) this.counters.txBytes += words[(this.#arena >> 2) + i * FRAME_WORDS + 1]!
    const count = this.#filled
    this.#filled = 0
    return count
  }

  #pump(): void {
    this.#posted = false
    for (let round = 0; round < ROUNDS && this.ready && !this.#held; round++) {
      if (this.#head === this.#filled && !this.#fill()) return
      if (!this.#offer()) return
    }
    this.kick()
  }

  /** Fill the arena from the source. False when it has nothing. */
  #fill(): boolean {
    const { bank, words } = this.driver!.host
    this.#head = 0
    this.#filled = 0
    while (this.#filled < this.#batch) {
      const at = this.#arena + (this.#filled + 1) * this.#slotBytes
      const length = this.#next(bank.bytes, at, this.#slotBytes)
      if (length === 0) break
      const entry = (this.#arena >> 2) + this.#filled * FRAME_WORDS
      words[entry] = at
      words[entry + 1] = length
      words[entry + 2] = 0
      words[entry + 3] = 0
      words[entry + 4] = 0
      this.#filled++
    }
    return this.#filled > 0
  }

  /** Offer what is filled to the driver. False when it did not take all of it. */
  #offer(): boolean {
    const { words } = this.driver!.host
    const { domain } = this.driver!
    const vector = (this.#arena >> 2) + this.#head * FRAME_WORDS
    const offered = this.#filled - this.#head
    const taken = Math.min(domain.enter(this.#transmit!, this.id, vector * 4, offered), offered)
    if (domain.dead) return false
    this.counters.txCalls++
    for (let i = 0; i < taken; i++) this.counters.txBytes += words[vector + i * FRAME_WORDS + 1]!
    this.counters.txFrames += Math.max(0, taken)
    this.#head = taken < 0 ? this.#filled : this.#head + taken
    const all = this.#head >= this.#filled
    if (all) this.waitingSinceNs = Infinity
    else if (taken > 0 || this.waitingSinceNs === Infinity) this.waitingSinceNs = this.#kernel.clock.now()
    if (all) return true
    this.counters.txStopped++
    if (this.#awake) this.#retry.armIn(RETRY_NS)
    return false
  }

  /** Received frames: `count` records at `vector` in the driver's memory. */
  receive(host: Host, vector: number, count: number): void {
    const { words, bank } = host
    const limit = bank.bytes.length
    this.counters.rxCalls++
    for (let i = 0; i < count; i++) {
      const entry = (vector >> 2) + i * FRAME_WORDS
      const at = words[entry]! >>> 0
      const length = words[entry + 1]! >>> 0
      if (at + length > limit) host.bytes('net.rx', at, length)
      if (length > FRAME_BYTES_MAX) throw new Failure('memory-access', `net.rx: a frame of ${length} bytes`)
      // Whoever gets it looks at every byte.
      host.worked(length >>> LOOK_SHIFT)
      this.counters.rxFrames++
      this.counters.rxBytes += length
      this.sink?.receive(bank.bytes, at, length)
    }
  }
}
