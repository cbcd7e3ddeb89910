/**
 * The RTL8139's receiver: address filter and the receive ring (data sheet sections 5.6, 6.5, 6.8).
 *
 * Each frame lies in the ring as a 16-bit status, a 16-bit length, the frame and its FCS, and starts at a multiple of
 * four. CBR is where the chip writes next, CAPR + 16 is where the driver reads next.
 */

import { addressHash, FCS_BYTES, isBroadcast, isFor, isMulticast, MIN_FRAME } from '../../net/ethernet.ts'
import type { Frame } from '../../net/frame.ts'
import { fcsOf } from '../../net/sums.ts'
import type { DmaPort } from '../../types.ts'
import * as B from './bits.ts'

const HEADER_BYTES = 4
/** CAPR lags the read pointer by so much. */
const CAPR_LAG = 16
const LONG_BYTES = 4096
const MPC_MASK = 0xffffff

const align4 = (bytes: number): number => (bytes + 3) & ~3

export class Receiver {
  /** IDR0-5: station address. */
  readonly address = new Uint8Array(6)
  /** MAR0-7: multicast hash table. */
  readonly hash = new Uint8Array(8)
  enabled = false
  /** RCR. */
  config = 0
  /** RBSTART. */
  start = 0
  /** CBR. */
  written = 0
  /** MPC: frames lost because the ring was full. */
  missed = 0
  /** ERBCR and ERSR. */
  earlyCount = 0
  earlyStatus = 0
  /** CAPR + 16. */
  #read = 0
  readonly #dma: DmaPort
  readonly #raise: (bits: number) => void

  constructor(dma: DmaPort, raise: (bits: number) => void) {
    this.#dma = dma
    this.#raise = raise
  }

  /** Registers a reset clears; the station address and the hash table stay. */
  reset(): void {
    this.enabled = false
    this.config = 0
    this.start = 0
    this.missed = 0
    this.earlyCount = 0
    this.earlyStatus = 0
    this.#rewind()
  }

  #rewind(): void {
    this.written = 0
    this.#read = 0
  }

  /** CR.RE. Turning the receiver on starts the ring over. */
  enable(on: boolean): void {
    if (on && !this.enabled) this.#rewind()
    this.enabled = on
  }

  /** Write RCR. A smaller ring may end before CBR. */
  configure(value: number): void {
    this.config = (value & B.RCR_WRITABLE) >>> 0
    this.written %= this.ringBytes
  }

  get ringBytes(): number {
    return 8192 << ((this.config >>> B.RCR_RBLEN_SHIFT) & 3)
  }

  /** CR.BUFE. */
  get empty(): boolean {
    return this.#read % this.ringBytes === this.written
  }

  get capr(): number {
    return (this.#read - CAPR_LAG) & 0xffff
  }

  set capr(value: number) {
    this.#read = (value + CAPR_LAG) & 0xffff
  }

  clearMissed(): void {
    this.missed = 0
  }

  /** Status bits for a frame the filter takes; -1 for one it does not. */
  #filter(frame: Uint8Array): number {
    const config = this.config
    if (!isMulticast(frame)) {
      if (isFor(frame, this.address)) return config & (B.RCR_APM | B.RCR_AAP) ? B.RX_PAM : -1
      return config & B.RCR_AAP ? 0 : -1
    }
    if (isBroadcast(frame)) return config & B.RCR_AB ? B.RX_BAR : -1
    if ((config & B.RCR_AM) === 0) return -1
    const index = addressHash(frame) >>> 26
    return this.hash[index >> 3]! & (1 << (index & 7)) ? B.RX_MAR : -1
  }

  /** A frame (without FCS) from the wire or the loopback. */
  receive(frame: Frame): void {
    const { length } = frame
    if (!this.enabled || length < 6) return
    const matched = this.#filter(frame.bytes)
    if (matched < 0) return
    if (length < MIN_FRAME) {
      if (this.config & B.RCR_AR) this.#store(frame, length, matched | B.RX_RUNT)
    } else if (length + FCS_BYTES > LONG_BYTES) {
      if (this.config & B.RCR_AER) this.#store(frame, LONG_BYTES - FCS_BYTES, matched | B.RX_LONG)
    } else this.#store(frame, length, matched | B.RX_ROK)
  }

  #store(frame: Frame, length: number, status: number): void {
    const size = this.ringBytes
    const used = (this.written - (this.#read % size) + size) % size
    const total = length + FCS_BYTES
    const room = align4(HEADER_BYTES + total)
    // A ring filled to the brim would look empty.
    if (used + room >= size) {
      this.missed = (this.missed + 1) & MPC_MASK
      this.#raise(B.INT_RXOVW)
      return
    }
    if (!this.#transfer(frame, length, status, size)) {
      this.#raise(B.INT_SERR)
      return
    }
    this.written = (this.written + room) % size
    const good = (status & B.RX_ROK) !== 0
    this.earlyCount = total
    this.earlyStatus |= good ? B.ERSR_GOOD : B.ERSR_BAD
    this.#raise(good ? B.INT_ROK : B.INT_ROK | B.INT_RER)
  }

  /** Header, frame and FCS into the ring; across its end only when told to, or when there is nothing behind it (64 KiB). */
  #transfer(frame: Frame, length: number, status: number, size: number): boolean {
    const at = this.start + this.written
    const left = size - this.written
    const total = length + FCS_BYTES
    const linear = HEADER_BYTES + total <= left || ((this.config & B.RCR_WRAP) !== 0 && size !== 65536)
    const check = fcsOf(frame, length)
    const dma = this.#dma
    // A record starts at a multiple of four, so a header is never cut.
    if (!dma.write32(at, (total << 16) | status)) return false
    if (linear)
      return dma.writeFrame(at + HEADER_BYTES, frame, 0, length) && dma.write32(at + HEADER_BYTES + length, check)
    return this.#wrap(frame, length, check, at + HEADER_BYTES, left - HEADER_BYTES)
  }

  /** The same for frame and FCS when only `left` bytes of them fit before the ring's end. */
  #wrap(frame: Frame, length: number, check: number, at: number, left: number): boolean {
    const dma = this.#dma
    const first = Math.min(left, length)
    if (!dma.writeFrame(at, frame, 0, first) || !dma.writeFrame(this.start, frame, first, length - first)) return false
    for (let i = 0; i < FCS_BYTES; i++) {
      const to = length + i < left ? at + length + i : this.start + length + i - left
      if (!dma.write8(to, (check >>> (8 * i)) & 0xff)) return false
    }
    return true
  }
}
