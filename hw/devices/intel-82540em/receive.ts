/**
 * The 82540EM's receive unit: address and VLAN filters, FIFO, descriptor ring, checksum status, tag stripping and
 * write-back (SDM sections 3.2 and 13.4.22 to 13.4.47, filters in 13.5).
 *
 * A frame that passes the filters goes to memory at once when a descriptor is free, and else waits in the FIFO until
 * RDT moves; only a full FIFO loses frames (RXO, MPC). Frames carry no FCS here, so every one is good: its FCS is
 * computed when the driver has it stored (RCTL.SECRC clear).
 */
import type { Timeline, TimelineEvent } from '../../../base/timeline.ts'
import type { DmaPort } from '../../types.ts'
import { FCS_BYTES, isBroadcast } from '../../net/ethernet.ts'
import { type Frame, release, retain } from '../../net/frame.ts'
import { FrameQueue } from '../../net/frames.ts'
import { seal, sumOf } from '../../net/sums.ts'
import { fold } from './checksum.ts'
import type { DelayTimer, Interrupts } from './interrupts.ts'
import {
  FCAH,
  FCAL,
  FCT,
  ICR_RXDMT0,
  ICR_RXO,
  ICR_SRPD,
  MTA,
  RA,
  RAH_ASEL_MASK,
  RAH_AV,
  RCTL_BAM,
  RCTL_BSEX,
  RCTL_BSIZE_SHIFT,
  RCTL_CFI,
  RCTL_CFIEN,
  RCTL_DPF,
  RCTL_EN,
  RCTL_LPE,
  RCTL_MO_SHIFT,
  RCTL_MPE,
  RCTL_PMCF,
  RCTL_RDMTS_SHIFT,
  RCTL_SBP,
  RCTL_SECRC,
  RCTL_UPE,
  RCTL_VFE,
  RSRPD,
  RXCSUM_IPOFL,
  RXCSUM_PCSS_MASK,
  RXCSUM_TUOFL,
  VFTA,
} from './registers.ts'
import { Ring } from './ring.ts'
import { MPC, RNBC, ROC, RUC, RXERRC, type Statistics, XOFFRXC, XONRXC } from './statistics.ts'

// Descriptor status (offset 12), 3.2.3.1
const STATUS_DD = 0x01
const STATUS_EOP = 0x02
const STATUS_IXSM = 0x04
const STATUS_VP = 0x08
const STATUS_TCPCS = 0x20
const STATUS_IPCS = 0x40
const STATUS_PIF = 0x80
// Descriptor errors (offset 13), 3.2.3.2
const ERROR_TCPE = 0x20
const ERROR_IPE = 0x40
const ERROR_RXE = 0x80

/** Shortest and longest good frame with FCS; the longest is with RCTL.LPE clear and set. */
const MIN_BYTES = 64
const MAX_BYTES = 1522
const MAX_LONG_BYTES = 16384
const ADDRESSES = 16

/** A tag's place in a frame. */
const TAG_AT = 12
const TAG_BYTES = 4
const TYPE_IPV4 = 0x0800
const PROTOCOL_TCP = 6
const PROTOCOL_UDP = 17
const PAUSE_OPCODE = 1

/** From the tail write to the first descriptor's arrival, ns. */
const FETCH_NS = 500
/** Frames the FIFO can tell apart. */
const FIFO_FRAMES = 1024
const FIFO_HEADER_BYTES = 16

export interface ReceiveParts {
  readonly name: string
  readonly timeline: Timeline
  readonly dma: DmaPort
  readonly interrupts: Interrupts
  readonly delay: DelayTimer
  readonly statistics: Statistics
  /** The register file: filter tables and flow-control addresses are read where they lie. */
  readonly registers: Uint32Array
  /** A PAUSE frame for us: the transmitter is to stop for so many 512-bit times. */
  pause(quanta: number): void
  trace(text: string): void
}

/** Frames waiting for descriptors, oldest first. */
class Fifo {
  /** With each frame whether it matched exactly, in the place of its time. */
  readonly #frames = new FrameQueue(FIFO_FRAMES)
  #used = 0
  /** PBA's receive share, bytes. */
  capacity = 0

  get count(): number {
    return this.#frames.length
  }

  get first(): Frame {
    return this.#frames.first
  }

  get exact(): boolean {
    return this.#frames.time === 1
  }

  clear(): void {
    this.#frames.clear()
    this.#used = 0
  }

  /** False when there is no room. */
  push(frame: Frame, exact: boolean): boolean {
    const needed = frame.length + FIFO_HEADER_BYTES
    if (this.#used + needed > this.capacity || this.#frames.length === FIFO_FRAMES) return false
    this.#frames.push(retain(frame), exact ? 1 : 0)
    this.#used += needed
    return true
  }

  shift(): void {
    const frame = this.#frames.shift()
    this.#used -= frame.length + FIFO_HEADER_BYTES
    release(frame)
  }
}

export class Receiver {
  readonly ring: Ring
  /** Bus mastering is possible: power state D0. */
  running = true
  /** CTRL.VME: strip tags. */
  vlanMode = false
  vlanType = 0x8100
  /** CTRL.RFCE: obey PAUSE frames. */
  flowControl = false
  /** RXCSUM. */
  checksums = 0

  readonly #parts: ReceiveParts
  readonly #registers: Uint32Array
  readonly #event: TimelineEvent
  readonly #fifo = new Fifo()
  readonly #writeBack = new Uint8Array(8)
  #control = 0
  #bufferBytes = 2048
  #minimumThreshold = 0
  /** The exact match of the last `#accepts`. */
  #exact = false
  /** Checksum status and errors of the frame being stored. */
  #status = 0
  #errors = 0
  #packetChecksum = 0

  constructor(parts: ReceiveParts) {
    this.#parts = parts
    this.#registers = parts.registers
    this.ring = new Ring(parts.dma)
    this.#event = parts.timeline.event(`${parts.name} receive`, () => this.#drain())
  }

  /** RCTL. */
  set control(value: number) {
    this.#control = value
    const shift = (value >>> RCTL_BSIZE_SHIFT) & 3
    this.#bufferBytes = (value & RCTL_BSEX) !== 0 && shift > 0 ? 32768 >> shift : 2048 >> shift
    this.#minimumThreshold = ((value >>> RCTL_RDMTS_SHIFT) & 3) + 1
    if ((value & RCTL_EN) === 0) this.#fifo.clear()
  }

  /** PBA's receive share, KiB. */
  set fifoKib(value: number) {
    this.#fifo.capacity = Math.min(value, 64) * 1024
  }

  /** Frames in the FIFO: RDFPC. */
  get waiting(): number {
    return this.#fifo.count
  }

  reset(): void {
    this.#event.disarm()
    this.ring.reset()
    this.#fifo.clear()
    this.control = 0
    this.checksums = 0
    this.vlanMode = false
    this.flowControl = false
  }

  /** RDT moved: frames may be waiting. */
  kick(): void {
    if (this.#fifo.count > 0 && this.ring.owned > 0 && !this.#event.armed) this.#event.armIn(FETCH_NS)
  }

  /** A frame from the line, without FCS. */
  receive(frame: Frame): void {
    if ((this.#control & RCTL_EN) === 0 || !this.running) return
    const { bytes, length } = frame
    const whole = length + FCS_BYTES
    this.#parts.statistics.seen(whole)
    const accepted = this.#accepts(bytes)
    if (this.flowControl && this.#isPause(bytes) && !this.#obeyPause(bytes)) return
    if (!accepted || !this.#legalLength(whole)) return
    if (this.#fifo.count === 0 && this.#hasRoom(length)) {
      this.#count(bytes, whole)
      this.#store(frame, this.#exact)
    } else {
      this.#queue(frame)
    }
  }

  /** The free descriptors' buffers hold a whole frame of this length. */
  #hasRoom(length: number): boolean {
    return this.ring.owned * this.#bufferBytes >= length + FCS_BYTES
  }

  #count(frame: Uint8Array, bytes: number): void {
    this.#parts.statistics.received(bytes, frame[0]!, isBroadcast(frame))
    if (bytes <= this.#registers[RSRPD >>> 2]!) this.#parts.interrupts.raise(ICR_SRPD)
  }

  #queue(frame: Frame): void {
    const { statistics, interrupts } = this.#parts
    if (this.#fifo.push(frame, this.#exact)) {
      statistics.count(RNBC)
      this.#count(frame.bytes, frame.length + FCS_BYTES)
      this.kick()
    } else {
      statistics.count(MPC)
      interrupts.raise(ICR_RXO)
    }
  }

  #drain(): void {
    const fifo = this.#fifo
    while (fifo.count > 0 && this.#hasRoom(fifo.first.length)) {
      this.#store(fifo.first, fifo.exact)
      fifo.shift()
    }
  }

  /** 13.7: too short is RUC, too long ROC; SBP stores them all the same. */
  #legalLength(bytes: number): boolean {
    const longest = (this.#control & RCTL_LPE) !== 0 ? MAX_LONG_BYTES : MAX_BYTES
    if (bytes >= MIN_BYTES && bytes <= longest) return true
    this.#parts.statistics.count(bytes < MIN_BYTES ? RUC : ROC)
    return (this.#control & RCTL_SBP) !== 0 && bytes <= MAX_LONG_BYTES
  }

  // ---- filters, 3.2.1 and 13.5

  #accepts(frame: Uint8Array): boolean {
    return this.#acceptsAddress(frame) && this.#acceptsVlan(frame)
  }

  #acceptsAddress(frame: Uint8Array): boolean {
    const control = this.#control
    this.#exact = this.#matchesExactly(frame)
    if (this.#exact) return true
    if ((frame[0]! & 1) === 0) return (control & RCTL_UPE) !== 0
    if ((control & RCTL_MPE) !== 0) return true
    if (isBroadcast(frame)) return (control & RCTL_BAM) !== 0
    return this.#matchesHash(frame)
  }

  /** RAL and RAH: the sixteen exact addresses, matched against the destination. */
  #matchesExactly(frame: Uint8Array): boolean {
    const registers = this.#registers
    const low = (frame[0]! | (frame[1]! << 8) | (frame[2]! << 16) | (frame[3]! << 24)) >>> 0
    const high = frame[4]! | (frame[5]! << 8)
    for (let i = 0; i < ADDRESSES; i++) {
      const entry = registers[(RA >>> 2) + 2 * i + 1]!
      if (registers[(RA >>> 2) + 2 * i] !== low || (entry & 0xffff) !== high) continue
      if ((entry & RAH_AV) !== 0 && (entry & RAH_ASEL_MASK) === 0) return true
    }
    return false
  }

  /** MTA: twelve bits of the last two address bytes, which twelve by RCTL.MO. */
  #matchesHash(frame: Uint8Array): boolean {
    const offset = (this.#control >>> RCTL_MO_SHIFT) & 3
    const shift = offset === 3 ? 0 : 4 - offset
    const hash = ((frame[4]! | (frame[5]! << 8)) >>> shift) & 0xfff
    return ((this.#registers[(MTA >>> 2) + (hash >>> 5)]! >>> (hash & 31)) & 1) === 1
  }

  #isTagged(frame: Uint8Array): boolean {
    return load16(frame, 12) === this.vlanType
  }

  #acceptsVlan(frame: Uint8Array): boolean {
    const control = this.#control
    if ((control & (RCTL_VFE | RCTL_CFIEN)) === 0 || !this.#isTagged(frame)) return true
    const tag = load16(frame, 14)
    if ((control & RCTL_CFIEN) !== 0 && ((tag >>> 12) & 1) !== ((control & RCTL_CFI) !== 0 ? 1 : 0)) return false
    if ((control & RCTL_VFE) === 0) return true
    const id = tag & 0xfff
    return ((this.#registers[(VFTA >>> 2) + (id >>> 5)]! >>> (id & 31)) & 1) === 1
  }

  // ---- flow control, 3.8

  #isPause(frame: Uint8Array): boolean {
    const registers = this.#registers
    const type = load16(frame, 12)
    if (type !== registers[FCT >>> 2]) return false
    const opcode = load16(frame, 14)
    if (opcode !== PAUSE_OPCODE) return false
    const low = (frame[0]! | (frame[1]! << 8) | (frame[2]! << 16) | (frame[3]! << 24)) >>> 0
    const multicast = low === registers[FCAL >>> 2] && (frame[4]! | (frame[5]! << 8)) === registers[FCAH >>> 2]
    return multicast || this.#exact
  }

  /** Hold or release the transmitter; true when the frame is also for the host. */
  #obeyPause(frame: Uint8Array): boolean {
    const quanta = load16(frame, 16)
    this.#parts.statistics.count(quanta === 0 ? XONRXC : XOFFRXC)
    this.#parts.pause(quanta)
    return (this.#control & RCTL_PMCF) !== 0 && (this.#control & RCTL_DPF) === 0
  }

  // ---- to memory, 3.2.4 to 3.2.9

  #store(frame: Frame, exact: boolean): void {
    const { bytes: content, length } = frame
    this.#checksum(frame)
    let status = this.#status | (exact ? 0 : STATUS_PIF)
    let special = 0
    let cut = 0
    if (this.vlanMode && this.#isTagged(content)) {
      status |= STATUS_VP
      special = load16(content, TAG_AT + 2)
      cut = TAG_BYTES
    }
    let bytes = length - cut
    if ((this.#control & RCTL_SECRC) === 0) {
      seal(frame)
      bytes += FCS_BYTES
    }
    let stored = 0
    while (stored < bytes) {
      const at = this.ring.fetch()
      if (at < 0) return this.#fail('descriptor', this.ring.address)
      const address = this.ring.addressField(at)
      const take = Math.min(bytes - stored, this.#bufferBytes)
      const good = this.#copy(address, stored, take, frame, cut)
      if (!good) this.#fault(address)
      const last = stored + take === bytes
      this.#complete(take, status, good ? this.#errors : this.#errors | ERROR_RXE, special, last)
      stored += take
    }
    this.#parts.delay.packet()
  }

  /** Write bytes [from, from + count) of what is stored to memory: the frame, without `cut` bytes where its tag is. */
  #copy(address: number, from: number, count: number, frame: Frame, cut: number): boolean {
    const { dma } = this.#parts
    const before = cut === 0 ? count : Math.max(0, Math.min(TAG_AT - from, count))
    const good = before === 0 || dma.writeFrame(address, frame, from, before)
    if (before === count) return good
    return dma.writeFrame(address + before, frame, from + before + cut, count - before) && good
  }

  /** Write the descriptor at head back and move on. */
  #complete(bytes: number, status: number, errors: number, special: number, last: boolean): void {
    const out = this.#writeBack
    out[0] = bytes & 0xff
    out[1] = bytes >>> 8
    out[2] = this.#packetChecksum & 0xff
    out[3] = this.#packetChecksum >>> 8
    out[4] = status | STATUS_DD | (last ? STATUS_EOP : 0)
    out[5] = last ? errors : 0
    out[6] = special & 0xff
    out[7] = special >>> 8
    this.#parts.dma.write(this.ring.address + 8, out, 0, 8)
    this.ring.advance()
    if (this.ring.owned === this.ring.count >>> this.#minimumThreshold) this.#parts.interrupts.raise(ICR_RXDMT0)
  }

  #fail(what: string, address: number): void {
    this.#parts.trace(`receive: no answer from memory for the ${what} at 0x${address.toString(16)}; receive stops`)
  }

  #fault(address: number): void {
    this.#parts.statistics.count(RXERRC)
    this.#parts.trace(`receive: no answer from memory for the buffer at 0x${address.toString(16)}`)
  }

  // ---- checksums, 3.2.9 and 13.4.47

  /** Packet checksum, and TCP, UDP and IPv4 status as RXCSUM asks for. */
  #checksum(frame: Frame): void {
    const { bytes, length } = frame
    const checksums = this.checksums
    const from = checksums & RXCSUM_PCSS_MASK
    const sum = from < length ? sumOf(frame, from, length) : 0
    this.#packetChecksum = sum
    this.#errors = 0
    this.#status = STATUS_IXSM
    const ip = this.#isTagged(bytes) ? 18 : 14
    const type = load16(bytes, ip - 2)
    if (type !== TYPE_IPV4 || (checksums & (RXCSUM_IPOFL | RXCSUM_TUOFL)) === 0) return
    if (bytes[ip]! >>> 4 !== 4 || length < ip + 20) return
    this.#status = 0
    if ((checksums & RXCSUM_IPOFL) !== 0) this.#checkIp(frame, ip)
    if ((checksums & RXCSUM_TUOFL) !== 0) this.#checkTransport(frame, ip, from, sum)
  }

  #checkIp(frame: Frame, ip: number): void {
    const end = Math.min(ip + (frame.bytes[ip]! & 15) * 4, frame.length)
    this.#status |= STATUS_IPCS
    if (sumOf(frame, ip, end) !== 0xffff) this.#errors |= ERROR_IPE
  }

  /**
   * TCP or UDP over IPv4, unfragmented and whole. A UDP checksum of zero means there is none. `sum` is that of the frame
   * from `from` on: taking the headers from it spares a second pass over the payload.
   */
  #checkTransport(frame: Frame, ip: number, from: number, sum: number): void {
    const { bytes, length } = frame
    const protocol = bytes[ip + 9]!
    const header = (bytes[ip]! & 15) * 4
    const total = load16(bytes, ip + 2)
    const fragment = load16(bytes, ip + 6) & 0x3fff
    const segment = total - header
    if ((protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) || fragment !== 0) return
    if (header < 20 || segment < 8 || ip + total > length) return
    const l4 = ip + header
    if (protocol === PROTOCOL_UDP && load16(bytes, l4 + 6) === 0) return
    const reuse = l4 + segment === length && from <= l4 && ((l4 - from) & 1) === 0
    // Taking away is adding the complement.
    const payload = reuse ? sum + (0xffff ^ sumOf(frame, from, l4)) : sumOf(frame, l4, l4 + segment)
    this.#status |= STATUS_TCPCS
    if (fold(sumOf(frame, ip + 12, ip + 20) + protocol + segment + payload) !== 0xffff) this.#errors |= ERROR_TCPE
  }
}

function load16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}
