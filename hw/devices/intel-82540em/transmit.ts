/**
 * The 82540EM's transmit unit: descriptor ring, packet assembly, checksum insertion, TCP segmentation, VLAN insertion,
 * write-back and the line (SDM sections 3.3 to 3.5 and 13.4.33 to 13.4.45).
 *
 * A write of TDT arms one event, a descriptor fetch later. Each time it fires it takes frames until the FIFO's lead over
 * the line is used up, then arms itself for when the line has caught up: so frames go at line rate and a busy queue
 * costs one event for many frames. A frame is handed to the wire when it enters the FIFO, up to that lead early.
 */
import type { Timeline, TimelineEvent } from '../../../base/timeline.ts'
import type { DmaPort } from '../../types.ts'
import { copyBytes } from '../../bytes.ts'
import { fcs, isBroadcast } from '../../net/ethernet.ts'
import { type Frame, frameOf, release, takeFrame } from '../../net/frame.ts'
import { fold, sumWords } from './checksum.ts'
import type { DelayTimer, Interrupts } from './interrupts.ts'
import { ICR_TXDW, ICR_TXD_LOW, ICR_TXQE, TCTL_EN, TCTL_PSP } from './registers.ts'
import { Ring } from './ring.ts'
import { type Statistics, TSCTC, TSCTFC } from './statistics.ts'

// Descriptor command byte (offset 11), 3.3.3.1 and 3.3.7.1
const CMD_EOP = 0x01
const CMD_IFCS = 0x02
const CMD_IC = 0x04
const CMD_TSE = 0x04
const CMD_RS = 0x08
const CMD_RPS = 0x10
const CMD_DEXT = 0x20
const CMD_VLE = 0x40
const CMD_IDE = 0x80
/** Context descriptor's TUCMD, 3.3.6.1: same byte. */
const TUCMD_TCP = 0x01
const TUCMD_IP = 0x02
/** Data descriptor's options (offset 13), 3.3.7.2. */
const POPTS_IXSM = 0x01
const POPTS_TXSM = 0x02
/** Descriptor type in an extended descriptor's offset 10, upper four bits. */
const DTYP_DATA = 0x10
const STATUS_DD = 0x01

/** From the tail write to the first descriptor's arrival, ns. */
const FETCH_NS = 500
/** How far the FIFO runs ahead of the line, ns: 4 KiB at 1 Gb/s. */
const LEAD_NS = 32_000
/** Preamble, start of frame, FCS and inter-packet gap around a frame, bytes. */
const OVERHEAD_BYTES = 24
/** Without FCS. */
const MIN_FRAME_BYTES = 60
/** The largest packet the part can assemble: SDM section 3.3.1. */
const MAX_PACKET_BYTES = 16288
const TAG_BYTES = 4
/** Largest segment a context can ask for: 255 bytes of header and 65535 of payload. */
const BUFFER_BYTES = 0x10100

/** Offload context, 3.3.6: one for checksums, one for segmentation, each kept until replaced. */
class Context {
  ipStart = 0
  ipChecksum = 0
  ipEnd = 0
  start = 0
  checksum = 0
  end = 0
  headerBytes = 0
  mss = 0
  payloadBytes = 0
  tcp = false
  ipv4 = false

  load(ring: Ring, at: number): void {
    this.ipStart = ring.field8(at)
    this.ipChecksum = ring.field8(at + 1)
    this.ipEnd = ring.field16(at + 2)
    this.start = ring.field8(at + 4)
    this.checksum = ring.field8(at + 5)
    this.end = ring.field16(at + 6)
    const command = ring.field32(at + 8)
    this.payloadBytes = command & 0xfffff
    this.tcp = ((command >>> 24) & TUCMD_TCP) !== 0
    this.ipv4 = ((command >>> 24) & TUCMD_IP) !== 0
    this.headerBytes = ring.field8(at + 13)
    this.mss = ring.field16(at + 14)
  }
}

/** What the unit hands frames to, for good. */
export interface TransmitLine {
  /** Frame without FCS. */
  transmit(frame: Frame): void
}

export interface TransmitParts {
  readonly name: string
  readonly timeline: Timeline
  readonly dma: DmaPort
  readonly interrupts: Interrupts
  readonly delay: DelayTimer
  readonly statistics: Statistics
  readonly line: TransmitLine
  trace(text: string): void
}

export class Transmitter {
  readonly ring: Ring
  /** Link is up, the bus may be mastered: DMA runs only then. */
  running = false
  /** VLAN tag's Ethertype: VET. */
  vlanType = 0x8100
  /** CTRL.VME: VLE counts only then. */
  vlanMode = false
  /** Bits take this long on the line, ns. */
  bitNs = 1
  /** TXDCTL.LWTHRESH in descriptors; 0 for none. */
  lowThreshold = 0
  readonly #parts: TransmitParts
  readonly #event: TimelineEvent
  readonly #checksumContext = new Context()
  readonly #segmentContext = new Context()
  /** The packet under assembly: a frame's bytes, or what segments are cut of. */
  readonly #segment = takeFrame(BUFFER_BYTES)
  #frame: Frame | undefined
  #packet = this.#segment.bytes
  readonly #header = new Uint8Array(256)
  #length = 0
  /** Nothing of the packet has been fetched yet. */
  #fresh = true
  #segmenting = false
  #options = 0
  #dropping = false
  /** Segmentation: payload bytes still to come, segments sent. */
  #payloadLeft = 0
  #segments = 0
  #control = 0
  /** The line is busy with what was sent until then, and a received PAUSE holds it until then. */
  #lineFreeNs = 0
  #pausedUntilNs = 0

  constructor(parts: TransmitParts) {
    this.#parts = parts
    this.ring = new Ring(parts.dma)
    this.#event = parts.timeline.event(`${parts.name} transmit`, () => this.#run())
  }

  set control(value: number) {
    this.#control = value
    this.kick()
  }

  reset(): void {
    this.#event.disarm()
    this.ring.reset()
    this.#control = 0
    this.#lineFreeNs = 0
    this.#pausedUntilNs = 0
    this.vlanMode = false
    this.#begin()
  }

  /** Something may have become possible: tail, enable, link, end of pause. */
  kick(): void {
    if (!this.#enabled() || this.#event.armed || this.ring.owned === 0) return
    const now = this.#parts.timeline.now()
    this.#event.armAt(Math.max(now + FETCH_NS, this.#lineFreeNs - LEAD_NS, this.#pausedUntilNs))
  }

  /** A PAUSE frame: send nothing for this long; 0 to go on. IEEE 802.3 annex 31B. */
  pause(ns: number): void {
    this.#pausedUntilNs = this.#parts.timeline.now() + ns
    this.#event.disarm()
    this.kick()
  }

  /** A PAUSE holds the line: STATUS.TXOFF. */
  get paused(): boolean {
    return this.#pausedUntilNs !== 0 && this.#parts.timeline.now() < this.#pausedUntilNs
  }

  #enabled(): boolean {
    return this.running && (this.#control & TCTL_EN) !== 0
  }

  #begin(): void {
    if (this.#frame !== undefined) release(this.#frame)
    this.#frame = undefined
    this.#length = 0
    this.#fresh = true
    this.#dropping = false
    this.#segments = 0
  }

  #run(): void {
    if (!this.#enabled()) return
    const now = this.#parts.timeline.now()
    if (now < this.#pausedUntilNs) return this.#event.armAt(this.#pausedUntilNs)
    if (this.#lineFreeNs < now) this.#lineFreeNs = now
    const limitNs = now + LEAD_NS
    while (this.#lineFreeNs < limitNs && this.ring.owned > 0) {
      if (!this.#descriptor()) return
    }
    if (this.ring.owned > 0) this.#event.armAt(Math.max(now + 1, this.#lineFreeNs - LEAD_NS / 2))
    else this.#parts.interrupts.raise(ICR_TXQE)
  }

  /** Carry out the descriptor at head; false when memory did not answer. */
  #descriptor(): boolean {
    const { ring } = this
    const at = ring.fetch()
    if (at < 0) return this.#fail('descriptor', ring.address)
    const command = ring.field8(at + 11)
    const extended = (command & CMD_DEXT) !== 0
    if (extended && (ring.field8(at + 10) & 0xf0) !== DTYP_DATA) this.#context(at, command)
    else if (!this.#data(at, command, extended)) return false
    this.#writeBack(command)
    ring.advance()
    return true
  }

  #context(at: number, command: number): void {
    const segmenting = (command & CMD_TSE) !== 0
    const context = segmenting ? this.#segmentContext : this.#checksumContext
    context.load(this.ring, at)
    if (segmenting) this.#parts.statistics.count(context.mss === 0 ? TSCTFC : TSCTC)
  }

  #data(at: number, command: number, extended: boolean): boolean {
    const { ring } = this
    const address = ring.addressField(at)
    const bytes = ring.field32(at + 8) & (extended ? 0xfffff : 0xffff)
    if (this.#fresh) {
      this.#fresh = false
      this.#options = extended ? ring.field8(at + 13) : 0
      this.#segmenting = extended && (command & CMD_TSE) !== 0 && this.#segmentContext.mss > 0
      this.#payloadLeft = this.#segmentContext.payloadBytes
      if (this.#segmenting) this.#packet = this.#segment.bytes
    }
    const tag = (command & CMD_VLE) !== 0 && this.vlanMode ? ring.field16(at + 14) : -1
    if (this.#segmenting) {
      if (!this.#gatherSegments(address, bytes, tag)) return false
    } else if (!this.#gather(address, bytes)) {
      return false
    }
    if ((command & CMD_EOP) === 0) return true
    if (!extended && (command & CMD_IC) !== 0) this.#legacyChecksum(ring.field8(at + 13), ring.field8(at + 10))
    this.#finish(command, tag)
    return true
  }

  /** Append a buffer to the packet. */
  #gather(address: number, bytes: number): boolean {
    if (this.#length + bytes > MAX_PACKET_BYTES) this.#dropping = true
    if (this.#dropping || bytes === 0) return true
    const frame = this.#room(this.#length + bytes)
    if (!this.#parts.dma.readFrame(address, frame, this.#length, bytes)) return this.#fail('buffer', address)
    this.#length += bytes
    return true
  }

  /** The frame under assembly, with room for so many bytes and a tag. */
  #room(bytes: number): Frame {
    const before = this.#frame
    if (before !== undefined && before.bytes.length >= bytes + TAG_BYTES) return before
    const frame = takeFrame(bytes + TAG_BYTES)
    if (before !== undefined) {
      copyBytes(before.bytes, 0, frame.bytes, 0, this.#length)
      release(before)
    }
    this.#frame = frame
    this.#packet = frame.bytes
    return frame
  }

  /** End of packet: sums, tag, line. */
  #finish(command: number, tag: number): void {
    if (this.#segmenting) {
      if (this.#length > this.#segmentContext.headerBytes) this.#sendSegment(tag, true)
    } else if (this.#dropping) {
      this.#parts.trace(`transmit: a packet of more than ${MAX_PACKET_BYTES} bytes is dropped`)
    } else if (this.#length > 0) {
      if (this.#options !== 0) this.#insertChecksums(this.#checksumContext, 0)
      if ((command & CMD_IFCS) !== 0 || this.#takeSoftwareFcs()) this.#send(this.#length, tag)
    }
    this.#begin()
  }

  /** IFCS is clear, so the packet ends with an FCS: a wrong one reaches nobody. */
  #takeSoftwareFcs(): boolean {
    const end = this.#length - 4
    if (end < 0) return false
    const packet = this.#packet
    const found = (packet[end]! | (packet[end + 1]! << 8) | (packet[end + 2]! << 16) | (packet[end + 3]! << 24)) >>> 0
    this.#length = end
    if (found === fcs(packet, 0, end)) return true
    this.#parts.trace('transmit: a frame with a wrong software FCS is lost on the wire')
    return false
  }

  /** Legacy descriptor's IC: the sum from `start` to the end goes to `offset`, 3.3.3. */
  #legacyChecksum(start: number, offset: number): void {
    if (offset + 2 > this.#length) return
    this.#storeChecksum(offset, sumWords(this.#packet, start, this.#length))
  }

  /** Data descriptor's IXSM and TXSM; `extra` is what the pseudo-header's seed lacks, 3.3.5 and 3.5.9. */
  #insertChecksums(context: Context, extra: number): void {
    const length = this.#length
    if ((this.#options & POPTS_TXSM) !== 0 && context.checksum + 2 <= length) {
      const end = context.end === 0 ? length : Math.min(context.end + 1, length)
      this.#storeChecksum(context.checksum, sumWords(this.#packet, context.start, end) + extra)
    }
    if ((this.#options & POPTS_IXSM) !== 0 && context.ipChecksum + 2 <= length) {
      const end = context.ipEnd === 0 ? length : Math.min(context.ipEnd + 1, length)
      this.#store16(context.ipChecksum, 0)
      this.#storeChecksum(context.ipChecksum, sumWords(this.#packet, context.ipStart, end))
    }
  }

  #storeChecksum(offset: number, sum: number): void {
    this.#store16(offset, ~fold(sum) & 0xffff)
  }

  #store16(offset: number, value: number): void {
    this.#packet[offset] = value >>> 8
    this.#packet[offset + 1] = value & 0xff
  }

  #load16(offset: number): number {
    return (this.#packet[offset]! << 8) | this.#packet[offset + 1]!
  }

  /** Append a buffer to a segmented packet, sending each segment as it fills: 3.5.2. */
  #gatherSegments(address: number, bytes: number, tag: number): boolean {
    const { headerBytes, mss } = this.#segmentContext
    let from = address
    let left = bytes
    while (left > 0) {
      const header = this.#segments === 0 && this.#length < headerBytes
      const room = (header ? headerBytes : headerBytes + mss) - this.#length
      const take = Math.min(left, room)
      if (!this.#parts.dma.readFrame(from, this.#segment, this.#length, take)) return this.#fail('buffer', from)
      this.#length += take
      from += take
      left -= take
      if (header) this.#keepHeader(headerBytes)
      else if (this.#length === headerBytes + mss) this.#sendSegment(tag, this.#payloadLeft <= mss)
    }
    return true
  }

  /** The header as the driver wrote it, once it is complete. */
  #keepHeader(headerBytes: number): void {
    if (this.#length < headerBytes) return
    copyBytes(this.#packet, 0, this.#header, 0, headerBytes)
  }

  /** Fix up this segment's headers, send it, and put the header in place for the next: 3.5.8. */
  #sendSegment(tag: number, last: boolean): void {
    const context = this.#segmentContext
    const sent = this.#segments * context.mss
    const l4Bytes = this.#length - context.start
    if (context.ipv4) {
      this.#store16(context.ipStart + 2, this.#length - context.ipStart)
      this.#store16(context.ipStart + 4, (this.#load16(context.ipStart + 4) + this.#segments) & 0xffff)
    } else {
      this.#store16(context.ipStart + 4, this.#length - context.ipStart - 40)
    }
    if (context.tcp) this.#segmentTcp(context.start, sent, last)
    else this.#store16(context.start + 4, l4Bytes)
    this.#insertChecksums(context, l4Bytes)
    this.#frame = frameOf(this.#packet, this.#length)
    this.#send(this.#length, tag)
    this.#segments++
    this.#payloadLeft -= context.mss
    copyBytes(this.#header, 0, this.#packet, 0, context.headerBytes)
    this.#length = context.headerBytes
  }

  /** Sequence number moves on; FIN and PSH stay for the last segment. */
  #segmentTcp(tcp: number, sent: number, last: boolean): void {
    const sequence = (this.#load16(tcp + 4) * 0x10000 + this.#load16(tcp + 6) + sent) >>> 0
    this.#store16(tcp + 4, sequence >>> 16)
    this.#store16(tcp + 6, sequence & 0xffff)
    if (!last) this.#packet[tcp + 13]! &= ~0x09
  }

  /** Put the assembled frame on the line, tagged when `tag` is not negative. */
  #send(length: number, tag: number): void {
    const frame = this.#frame!
    this.#frame = undefined
    frame.length = length
    if (tag >= 0) this.#insertTag(frame, tag)
    if (frame.length < MIN_FRAME_BYTES && (this.#control & TCTL_PSP) !== 0) {
      frame.bytes.fill(0, frame.length, MIN_FRAME_BYTES)
      frame.length = MIN_FRAME_BYTES
    }
    this.#parts.statistics.transmitted(frame.length + 4, frame.bytes[0]!, isBroadcast(frame.bytes))
    this.#lineFreeNs += (frame.length + OVERHEAD_BYTES) * 8 * this.bitNs
    this.#parts.line.transmit(frame)
  }

  #insertTag(frame: Frame, tag: number): void {
    const { bytes } = frame
    bytes.copyWithin(12 + TAG_BYTES, 12, frame.length)
    bytes[12] = this.vlanType >>> 8
    bytes[13] = this.vlanType & 0xff
    bytes[14] = tag >>> 8
    bytes[15] = tag & 0xff
    frame.length += TAG_BYTES
  }

  /** RS: report the descriptor done, and interrupt now or after the delay timers (IDE). */
  #writeBack(command: number): void {
    if ((command & (CMD_RS | CMD_RPS)) !== 0) {
      this.#parts.dma.write8(this.ring.address + 12, STATUS_DD)
      if ((command & CMD_IDE) !== 0) this.#parts.delay.packet()
      else this.#done()
    }
    if (this.lowThreshold > 0 && this.ring.owned - 1 === this.lowThreshold) {
      this.#parts.interrupts.raise(ICR_TXD_LOW)
    }
  }

  #done(): void {
    this.#parts.delay.flush()
    this.#parts.interrupts.raise(ICR_TXDW)
  }

  #fail(what: string, address: number): boolean {
    this.ring.stopped = true
    this.#parts.trace(`transmit: no answer from memory for the ${what} at 0x${address.toString(16)}; transmit stops`)
    return false
  }
}
