/**
 * The 82540EM's statistics registers (SDM section 13.7): 32-bit counters that stick at all ones and are cleared by
 * reading them; octet counts are pairs, cleared when the high half is read.
 *
 * Lengths that the counters see include the FCS, as on the wire.
 */
import type { RegisterSpec } from './registers.ts'

export const CRCERRS = 0x04000
export const RXERRC = 0x0400c
export const MPC = 0x04010
export const RLEC = 0x04040
export const XONRXC = 0x04048
export const XONTXC = 0x0404c
export const XOFFRXC = 0x04050
export const XOFFTXC = 0x04054
export const FCRUC = 0x04058
export const PRC64 = 0x0405c
export const GPRC = 0x04074
export const BPRC = 0x04078
export const MPRC = 0x0407c
export const GPTC = 0x04080
export const GORCL = 0x04088
export const GORCH = 0x0408c
export const GOTCL = 0x04090
export const GOTCH = 0x04094
export const RNBC = 0x040a0
export const RUC = 0x040a4
export const ROC = 0x040ac
export const TORL = 0x040c0
export const TORH = 0x040c4
export const TOTL = 0x040c8
export const TOTH = 0x040cc
export const TPR = 0x040d0
export const TPT = 0x040d4
export const PTC64 = 0x040d8
export const MPTC = 0x040f0
export const BPTC = 0x040f4
export const TSCTC = 0x040f8
export const TSCTFC = 0x040fc

/** First and one past the last statistics register. */
export const STATISTICS_START = 0x04000
export const STATISTICS_END = 0x04100

/** Every offset in the block that is a counter, by name. Those never counted here are zero on a perfect full-duplex wire. */
const NAMES: Readonly<Record<string, number>> = {
  CRCERRS,
  ALGNERRC: 0x04004,
  SYMERRS: 0x04008,
  RXERRC,
  MPC,
  SCC: 0x04014,
  ECOL: 0x04018,
  MCC: 0x0401c,
  LATECOL: 0x04020,
  COLC: 0x04028,
  DC: 0x04030,
  TNCRS: 0x04034,
  SEC: 0x04038,
  CEXTERR: 0x0403c,
  RLEC,
  XONRXC,
  XONTXC,
  XOFFRXC,
  XOFFTXC,
  FCRUC,
  PRC64,
  PRC127: 0x04060,
  PRC255: 0x04064,
  PRC511: 0x04068,
  PRC1023: 0x0406c,
  PRC1522: 0x04070,
  GPRC,
  BPRC,
  MPRC,
  GPTC,
  GORCL,
  GORCH,
  GOTCL,
  GOTCH,
  RNBC,
  RUC,
  RFC: 0x040a8,
  ROC,
  RJC: 0x040b0,
  MGTPRC: 0x040b4,
  MGTPDC: 0x040b8,
  MGTPTC: 0x040bc,
  TORL,
  TORH,
  TOTL,
  TOTH,
  TPR,
  TPT,
  PTC64,
  PTC127: 0x040dc,
  PTC255: 0x040e0,
  PTC511: 0x040e4,
  PTC1023: 0x040e8,
  PTC1522: 0x040ec,
  MPTC,
  BPTC,
  TSCTC,
  TSCTFC,
}

export const STATISTICS: readonly RegisterSpec[] = Object.entries(NAMES).map(([name, offset]) => ({
  name,
  offset,
  access: 'rc',
  writable: 0,
  reset: 0,
  section: '13.7',
}))

/** Octet pairs keep their halves until the high half is read: 13.7.28 and following. */
const LOW_HALVES: ReadonlySet<number> = new Set([GORCL, GOTCL, TORL, TOTL])

/** Offset from the 64-byte bucket (PRC64, PTC64) of the bucket for a frame of this length with FCS. */
function bucket(length: number): number {
  if (length <= 64) return 0
  if (length <= 127) return 4
  if (length <= 255) return 8
  if (length <= 511) return 12
  if (length <= 1023) return 16
  return 20
}

export class Statistics {
  readonly #registers: Uint32Array

  /** Counts into the register file itself, so that a plain read sees the counter. */
  constructor(registers: Uint32Array) {
    this.#registers = registers
  }

  /** Read a counter, with its clearing. */
  read(offset: number): number {
    const index = offset >>> 2
    const value = this.#registers[index]!
    if (LOW_HALVES.has(offset)) return value
    this.#registers[index] = 0
    if (LOW_HALVES.has(offset - 4)) this.#registers[index - 1] = 0
    return value
  }

  /** One more; sticks at all ones. */
  count(offset: number): void {
    const index = offset >>> 2
    if (this.#registers[index] !== 0xffffffff) this.#registers[index]!++
  }

  #octets(low: number, length: number): void {
    const index = low >>> 2
    const sum = this.#registers[index]! + length
    this.#registers[index] = sum
    if (sum > 0xffffffff) this.#registers[index + 1]!++
  }

  /** A frame on the wire that the receiver saw, whether it takes it or not. */
  seen(length: number): void {
    this.count(TPR)
    this.#octets(TORL, length)
  }

  /** A good frame taken into the receive FIFO. `first` is the destination address's first byte. */
  received(length: number, first: number, broadcast: boolean): void {
    this.count(GPRC)
    this.#octets(GORCL, length)
    this.count(PRC64 + bucket(length))
    if (broadcast) this.count(BPRC)
    else if ((first & 1) !== 0) this.count(MPRC)
  }

  /** A good frame put on the wire. */
  transmitted(length: number, first: number, broadcast: boolean): void {
    this.count(TPT)
    this.#octets(TOTL, length)
    this.count(GPTC)
    this.#octets(GOTCL, length)
    this.count(PTC64 + bucket(length))
    if (broadcast) this.count(BPTC)
    else if ((first & 1) !== 0) this.count(MPTC)
  }
}
