/**
 * One network interface as its clients see it, whichever generation of a driver is behind it.
 *
 * Frames are pulled from a source straight into the driver's transmit arena, a batch a call, when the driver fetches them; received
 * frames are handed to a sink in place.
 */
import { IRQ, net_desc, net_frame } from '../../../linux-api/generated/abi.ts'
import { Failure } from '../../../kernel/fault.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { FramePort, FrameSink, FrameSource } from './frame-port.ts'
import type { Host } from '../../abi/host.ts'
import type { Clocked, DriverEntries, Tally, Unit } from '../device-class.ts'
import { NetDevice, type Statistics } from './linux.ts'
import { drain, replay } from './control.ts'

export type NetCounters = {
  txFrames: number
  txBytes: number
  rxFrames: number
  rxBytes: number
  /** Transmit calls; frames per call is what batching brought. */
  txCalls: number
  rxCalls: number
}

export interface NetConfig {
  up: boolean
  mtu: number | undefined
  mac: Uint8Array | undefined
  filter: number
  multicast: readonly Uint8Array[]
}

const decoder = new TextDecoder()
const text = (bytes: Uint8Array): string => decoder.decode(bytes.subarray(0, bytes.indexOf(0) >>> 0))
const FRAME_WORDS = net_frame.size / 4
/** No frame is longer, whatever segments were merged: more would be the host's time spent on copying. */
const FRAME_BYTES_MAX = 0x20000
/** Bytes of a frame that are looked at in a unit of work, as a power of two. */
const LOOK_SHIFT = 4

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
  /** As its driver's kernel has it. */
  device: NetDevice | undefined
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
  }
  /** Told when the carrier comes or goes. */
  onCarrier: ((up: boolean) => void) | undefined
  readonly #kernel: Kernel
  /** What earlier generations counted, as far as they could be asked before they went; see control.ts. */
  carried: Statistics | undefined
  /** Frames have been waiting for the driver to take one since then, though it says that it can; else Infinity. */
  waitingSinceNs = Infinity
  /** Nothing is taken from the source; see hold. */
  #held = false
  #awake = false
  /** The driver knows that there may be frames, and will ask for them. */
  #told = false
  #arena = 0
  #slotBytes = 0
  #batch = 0

  constructor(kernel: Kernel, id: number, place: string) {
    this.#kernel = kernel
    this.id = id
    this.name = `eth${id}`
    this.place = place
  }

  get ready(): boolean {
    return this.driver !== undefined && this.#awake && this.carrier
  }

  /** A driver offers it: first time, or its next generation. */
  adopt(driver: DriverEntries, words: Int32Array, desc: number): void {
    this.driver = driver
    this.device = new NetDevice(driver.system, '')
    this.generation++
    this.describe(words, desc)
  }

  /** Read its description from the driver's memory. */
  describe(words: Int32Array, desc: number): void {
    const field = (offset: number): number => words[(desc + offset) >> 2]! >>> 0
    const bytes = new Uint8Array(words.buffer, desc, net_desc.size)
    if (this.device !== undefined) this.device.name = text(bytes.subarray(net_desc.name.offset, net_desc.name.count))
    this.mac = bytes.slice(net_desc.mac.offset, net_desc.mac.offset + 6)
    this.mtu = field(net_desc.mtu.offset)
    this.minMtu = field(net_desc.min_mtu.offset)
    this.maxMtu = field(net_desc.max_mtu.offset)
    this.features = field(net_desc.features.offset)
    const arena = field(net_desc.arena.offset)
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
    this.device = undefined
    this.#awake = false
    this.#told = false
    this.waitingSinceNs = Infinity
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

  /** Take no more from the source: what the driver has not fetched stays there. */
  hold(): void {
    this.#held = true
    this.waitingSinceNs = Infinity
  }

  release(): Tally {
    this.#held = false
    this.kick()
    return {}
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

  kick(): void {
    if (this.#held || this.source === undefined || !this.ready) return
    if (this.waitingSinceNs === Infinity) this.waitingSinceNs = this.#kernel.clock.now()
    // It fetches them when its queue has room, and goes on until there are none.
    if (this.#told) return
    this.#told = true
    this.driver!.domain.raise(IRQ.FRAMES)
  }

  /** The driver has room: fill its arena with what the source has, up to a batch. Returns how many frames lie in it. */
  fetch(): number {
    this.waitingSinceNs = Infinity
    const count = this.#held || !this.ready ? 0 : this.#fill()
    this.#told = count > 0
    if (count > 0) this.counters.txCalls++
    this.counters.txFrames += count
    return count
  }

  #fill(): number {
    const { bank, words } = this.driver!.host
    let count = 0
    for (; count < this.#batch; count++) {
      const at = this.#arena + (count + 1) * this.#slotBytes
      const length = this.source?.fill(bank.bytes, at, this.#slotBytes) ?? 0
      if (length === 0) break
      const entry = (this.#arena >> 2) + count * FRAME_WORDS
      words[entry] = at
      words[entry + 1] = length
      words[entry + 2] = 0
      words[entry + 3] = 0
      words[entry + 4] = 0
      this.counters.txBytes += length
    }
    return count
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
