/**
 * The RTL8139's transmitter: four descriptors (TSD, TSAD) used in turn (data sheet sections 5.5, 6.3, 6.4, 6.7).
 *
 * Writing a TSD with OWN clear hands its buffer to the chip. When its turn comes the chip fetches the frame, gives the
 * descriptor back (OWN), sends for as long as the wire takes, and sets TOK. Where the wire takes no time, the frame is fetched
 * and sent right after the write instead of below it: who hears of it at once is not called by the driver.
 */

import { FCS_BYTES, frameSlotNs } from '../../net/ethernet.ts'
import type { Timeline, TimelineEvent } from '../../../base/timeline.ts'
import { type Frame, release, takeFrame } from '../../net/frame.ts'
import { fcsOf } from '../../net/sums.ts'
import type { DmaPort } from '../../types.ts'
import * as B from './bits.ts'

export const DESCRIPTORS = 4
/** A longer frame stops the queue. */
const LONGEST = 1792

export interface TransmitterOptions {
  readonly timeline: Timeline
  readonly dma: DmaPort
  readonly raise: (bits: number) => void
  /** Put a frame (without FCS) on the wire; false when there is no link. */
  readonly send: (frame: Frame) => boolean
  readonly loopback: (frame: Frame) => void
  /** Speed of the link, Mb/s; Infinity where a frame takes no time. */
  readonly mbps: () => number
}

export class Transmitter {
  enabled = false
  /** TCR without the version bits. */
  config = 0
  readonly status = new Uint32Array(DESCRIPTORS)
  readonly addresses = new Uint32Array(DESCRIPTORS)
  /** Descriptor whose turn it is. */
  #current = 0
  /** The current descriptor's frame is on the wire. */
  #sending = false
  /** Stopped by an abort, which CLRABT undoes, or by a bus error, which only TE or a reset does. */
  #halted: 'no' | 'abort' | 'bus' = 'no'
  readonly #timeline: Timeline
  readonly #options: TransmitterOptions
  readonly #sent: TimelineEvent

  constructor(options: TransmitterOptions) {
    this.#options = options
    this.#timeline = options.timeline
    this.#sent = this.#timeline.event('rtl8139 sent', () => this.#complete())
    this.reset()
  }

  reset(): void {
    this.enable(false)
    this.config = 0
    this.addresses.fill(0)
  }

  /** CR.TE. Turning the transmitter off drops what is queued and starts over at descriptor 0. */
  enable(on: boolean): void {
    if (on === this.enabled && on) return
    this.enabled = on
    if (on) return this.#next()
    this.#sent.disarm()
    this.#sending = false
    this.#halted = 'no'
    this.#current = 0
    this.status.fill(B.TSD_OWN)
  }

  /** Write a TSD: only OWN, size and threshold stay; the status bits start over. */
  writeStatus(descriptor: number, value: number): void {
    this.status[descriptor] = value & B.TSD_WRITABLE
    this.#next()
  }

  /** Write TCR; only with the transmitter on. */
  writeConfig(value: number): void {
    if (!this.enabled) return
    this.config = value & B.TCR_WRITABLE
    if (value & B.TCR_CLRABT && this.#halted === 'abort') this.#clearAbort()
  }

  /** TSAD, 60h: TOK, TUN, TABT and OWN of all descriptors in one word. */
  get summary(): number {
    let word = 0
    for (let i = 0; i < DESCRIPTORS; i++) {
      const status = this.status[i]!
      if (status & B.TSD_TOK) word |= 0x1000 << i
      if (status & B.TSD_TUN) word |= 0x0100 << i
      if (status & B.TSD_TABT) word |= 0x0010 << i
      if (status & B.TSD_OWN) word |= 0x0001 << i
    }
    return word
  }

  /** Start the current descriptor if it is the chip's and the transmitter is free. */
  #next(): void {
    if (!this.enabled || this.#sending || this.#halted !== 'no') return
    const status = this.status[this.#current]!
    if (status & (B.TSD_OWN | B.TSD_TOK)) return
    this.#start(status & B.TSD_SIZE)
  }

  #start(size: number): void {
    const mbps = this.#options.mbps()
    const bytes = mbps === Infinity ? 0 : this.#transfer(size)
    if (bytes < 0) return
    this.#sending = true
    this.#sent.armIn(frameSlotNs(bytes, mbps))
  }

  /** Fetch the current descriptor's frame and put it out. Its length without FCS; -1 when there is none. */
  #transfer(size: number): number {
    const at = this.#current
    if (size > LONGEST) {
      this.#abort()
      return -1
    }
    const frame = takeFrame(LONGEST)
    if (!this.#options.dma.readFrame(this.addresses[at]!, frame, 0, size)) {
      release(frame)
      this.#halted = 'bus'
      this.#options.raise(B.INT_SERR)
      return -1
    }
    this.status[at] = this.status[at]! | B.TSD_OWN
    const bytes = this.#output(frame, size)
    release(frame)
    return bytes
  }

  /** Send or loop the fetched frame; returns its length without FCS. */
  #output(frame: Frame, size: number): number {
    const own = (this.config & B.TCR_CRC) !== 0
    const length = own ? Math.max(0, size - FCS_BYTES) : size
    frame.length = length
    // With CRC off the driver supplies the FCS; a wrong one makes the frame bad for every receiver.
    if (own && !checksOut(frame)) return length
    if ((this.config & B.TCR_LBK) === B.TCR_LBK) this.#options.loopback(frame)
    else if (!this.#options.send(frame)) this.status[this.#current]! |= B.TSD_CRS
    return length
  }

  #complete(): void {
    this.#sending = false
    const status = this.status[this.#current]!
    // It was not fetched yet: see the top.
    if ((status & B.TSD_OWN) === 0 && this.#transfer(status & B.TSD_SIZE) < 0) return
    this.status[this.#current] = this.status[this.#current]! | B.TSD_TOK
    this.#current = (this.#current + 1) % DESCRIPTORS
    this.#options.raise(B.INT_TOK)
    this.#next()
  }

  #abort(): void {
    this.#halted = 'abort'
    this.status[this.#current] = this.status[this.#current]! | B.TSD_TABT | B.TSD_OWN
    this.#options.raise(B.INT_TER)
  }

  /** TCR.CLRABT: go on with the aborted descriptor if it was given again, else with the one after it. */
  #clearAbort(): void {
    this.#halted = 'no'
    if (this.status[this.#current]! & B.TSD_OWN) this.#current = (this.#current + 1) % DESCRIPTORS
    this.#next()
  }
}

/** The FCS behind a frame is that of the frame. */
const checksOut = (frame: Frame): boolean =>
  frame.length + FCS_BYTES <= frame.bytes.length && frame.view.getUint32(frame.length, true) === fcsOf(frame)
