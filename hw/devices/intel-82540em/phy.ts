/**
 * The 82540EM's internal PHY, a Marvell 88E1011 (SDM section 13.4.7.1 and IEEE 802.3 clause 22): registers, reset,
 * power-down, auto-negotiation, forced modes, loopback and link.
 *
 * The link partner is whatever is on the other end of the wire: it negotiates, can do every speed up to the medium's at
 * either duplex, and offers no pause. `carrier` says whether a cable with a partner is there.
 */
import type { Timeline, TimelineEvent } from '../../../base/timeline.ts'

// IEEE 802.3 registers
export const PHY_CONTROL = 0
export const PHY_STATUS = 1
export const PHY_ID1 = 2
export const PHY_ID2 = 3
export const PHY_ADVERTISE = 4
export const PHY_PARTNER = 5
export const PHY_EXPANSION = 6
export const PHY_NEXT_PAGE = 7
export const PHY_PARTNER_NEXT_PAGE = 8
export const PHY_1000T_CONTROL = 9
export const PHY_1000T_STATUS = 10
export const PHY_EXTENDED_STATUS = 15
// Marvell registers
export const PHY_SPECIFIC_CONTROL = 16
export const PHY_SPECIFIC_STATUS = 17
export const PHY_INTERRUPT_ENABLE = 18
export const PHY_INTERRUPT_STATUS = 19
export const PHY_EXTENDED_CONTROL = 20
export const PHY_RECEIVE_ERRORS = 21
export const PHY_PAGE_SELECT = 29
export const PHY_PAGED = 30

export const CONTROL_SPEED_MSB = 0x0040
export const CONTROL_FULL_DUPLEX = 0x0100
export const CONTROL_RESTART = 0x0200
export const CONTROL_ISOLATE = 0x0400
export const CONTROL_POWER_DOWN = 0x0800
export const CONTROL_AUTONEG = 0x1000
export const CONTROL_SPEED_LSB = 0x2000
export const CONTROL_LOOPBACK = 0x4000
export const CONTROL_RESET = 0x8000

export const STATUS_LINK = 0x0004
export const STATUS_AUTONEG_COMPLETE = 0x0020
/** 10 and 100 full and half, extended status in 15, preamble suppression, auto-negotiation, extended registers. */
const STATUS_ABILITIES = 0x7949

const ADVERTISE_10_HALF = 0x0020
const ADVERTISE_10_FULL = 0x0040
const ADVERTISE_100_HALF = 0x0080
const ADVERTISE_100_FULL = 0x0100
const CONTROL_1000_FULL = 0x0200

/** Partner: acknowledge and IEEE 802.3 selector; the abilities are added by speed. */
const PARTNER_BASE = 0x4001
const ADVERTISE_10 = ADVERTISE_10_HALF | ADVERTISE_10_FULL
const ADVERTISE_100 = ADVERTISE_100_HALF | ADVERTISE_100_FULL
/** Partner auto-negotiates and sends next pages; a page was received. */
const EXPANSION_PARTNER = 0x000f
/** Master, both receivers good, partner can do 1000BASE-T full and half duplex. */
const STATUS_1000T_UP = 0x7c00

const SPECIFIC_RESOLVED = 0x0800
const SPECIFIC_LINK = 0x0400
const SPECIFIC_PAGE_RECEIVED = 0x1000
const SPECIFIC_FULL_DUPLEX = 0x2000
const SPECIFIC_MDIX = 0x0040
const SPECIFIC_SPEED_SHIFT = 14
const SPECIFIC_CONTROL_CROSSOVER = 0x0060

const INTERRUPT_LINK_CHANGED = 0x0400
const INTERRUPT_AUTONEG_DONE = 0x0800

/** TX_CLK in the extended control register falls back to 2.5 MHz on every reset. */
const EXTENDED_TX_CLK = 0x0070
const EXTENDED_TX_CLK_2_5 = 0x0060

/** Idle detection in a forced mode. */
const FORCED_LINK_NS = 5_000_000

/** Speed codes as in CTRL.SPEED and STATUS.SPEED. */
export const SPEED_10 = 0
export const SPEED_100 = 1
export const SPEED_1000 = 2

/** Reset values of those registers that are stored; 88E1011 data sheet. */
const RESET_VALUES: readonly (readonly [register: number, value: number])[] = [
  [PHY_CONTROL, CONTROL_AUTONEG | CONTROL_FULL_DUPLEX | CONTROL_SPEED_MSB],
  [PHY_ADVERTISE, 0x0de1],
  [PHY_NEXT_PAGE, 0x2001],
  [PHY_1000T_CONTROL, 0x0300],
  [PHY_SPECIFIC_CONTROL, 0x0068],
  [PHY_EXTENDED_CONTROL, 0x0d60],
  [26, 0x000a],
]

/** Registers a write does not change. */
const READ_ONLY: ReadonlySet<number> = new Set([
  PHY_STATUS,
  PHY_ID1,
  PHY_ID2,
  PHY_PARTNER,
  PHY_EXPANSION,
  PHY_PARTNER_NEXT_PAGE,
  PHY_1000T_STATUS,
  PHY_EXTENDED_STATUS,
  PHY_SPECIFIC_STATUS,
  PHY_INTERRUPT_STATUS,
  PHY_RECEIVE_ERRORS,
])

export interface PhyOptions {
  readonly timeline: Timeline
  readonly name: string
  /** Fastest speed the medium and the partner can do, Mb/s. */
  readonly mbps: number
  /** From cable in, or restart, to link, ns. */
  readonly negotiationNs: number
  readonly linkChanged: () => void
}

export class Phy {
  /** The MAC may use the link: it is up, or looped back. */
  link = false
  /** Frames come back instead of going out: control bit 14. */
  loopback = false
  speed = SPEED_1000
  fullDuplex = true

  readonly #registers = new Uint16Array(32)
  /** What register 30 is, for each page in register 29. */
  readonly #paged = new Uint16Array(256)
  readonly #linkChanged: () => void
  readonly #event: TimelineEvent
  readonly #negotiationNs: number
  /** Fastest speed code of the partner, and what it offers in its base page. */
  readonly #fastest: number
  readonly #offered: number
  #carrier = false
  #heldInReset = false
  #autonegComplete = false
  /** Link status latches low until read: IEEE 802.3, 22.2.4.2.13. */
  #linkLatch = false
  #interruptStatus = 0

  constructor(options: PhyOptions) {
    this.#linkChanged = options.linkChanged
    this.#negotiationNs = options.negotiationNs
    this.#fastest = options.mbps >= 1000 ? SPEED_1000 : options.mbps >= 100 ? SPEED_100 : SPEED_10
    this.#offered = PARTNER_BASE | ADVERTISE_10 | (this.#fastest >= SPEED_100 ? ADVERTISE_100 : 0)
    this.#event = options.timeline.event(`${options.name} PHY link`, () => this.#established())
  }

  /** A partner appeared on the wire, or went. */
  set carrier(present: boolean) {
    if (this.#carrier === present) return
    this.#carrier = present
    this.#restart()
  }

  /** CTRL.PHY_RST, or power-on: everything to reset values. The line is held while `asserted`. */
  hardwareReset(asserted: boolean): void {
    this.#heldInReset = asserted
    this.#registers.fill(0)
    this.#paged.fill(0)
    for (const [register, value] of RESET_VALUES) this.#registers[register] = value
    this.#interruptStatus = 0
    this.#restart()
  }

  read(register: number): number {
    switch (register) {
      case PHY_STATUS:
        return this.#readStatus()
      case PHY_ID1:
        return 0x0141
      case PHY_ID2:
        return 0x0c20
      case PHY_PARTNER:
        return this.#autonegComplete ? this.#offered : 0
      case PHY_EXPANSION:
        return this.#autonegComplete ? EXPANSION_PARTNER : 0x0004
      case PHY_1000T_STATUS:
        return this.link && this.#autonegComplete && this.speed === SPEED_1000 ? STATUS_1000T_UP : 0
      case PHY_EXTENDED_STATUS:
        return 0x3000
      case PHY_SPECIFIC_STATUS:
        return this.#readSpecificStatus()
      case PHY_INTERRUPT_STATUS:
        return this.#readInterruptStatus()
      case PHY_PAGED:
        return this.#paged[this.#registers[PHY_PAGE_SELECT]! & 0xff]!
      default:
        return this.#registers[register]!
    }
  }

  write(register: number, value: number): void {
    if (register === PHY_CONTROL) this.#writeControl(value)
    else if (register === PHY_PAGED) this.#paged[this.#registers[PHY_PAGE_SELECT]! & 0xff] = value
    else if (!READ_ONLY.has(register)) this.#registers[register] = value
  }

  #readStatus(): number {
    const link = this.#linkLatch
    this.#linkLatch = this.link
    return STATUS_ABILITIES | (link ? STATUS_LINK : 0) | (this.#autonegComplete ? STATUS_AUTONEG_COMPLETE : 0)
  }

  /** Speed and duplex, resolved only with a link or without negotiation; cable shorter than 50 m, straight polarity. */
  #readSpecificStatus(): number {
    const resolved = this.link || (this.#registers[PHY_CONTROL]! & CONTROL_AUTONEG) === 0
    const crossover = (this.#registers[PHY_SPECIFIC_CONTROL]! & SPECIFIC_CONTROL_CROSSOVER) !== 0
    let status = crossover ? SPECIFIC_MDIX : 0
    if (this.link) status |= SPECIFIC_LINK
    if (this.#autonegComplete) status |= SPECIFIC_PAGE_RECEIVED
    if (resolved) status |= SPECIFIC_RESOLVED | (this.speed << SPECIFIC_SPEED_SHIFT)
    if (resolved && this.fullDuplex) status |= SPECIFIC_FULL_DUPLEX
    return status
  }

  #readInterruptStatus(): number {
    const status = this.#interruptStatus
    this.#interruptStatus = 0
    return status
  }

  /** Control: reset and restart clear themselves; every other change takes effect at once. */
  #writeControl(value: number): void {
    const before = this.#registers[PHY_CONTROL]!
    const control = value & ~(CONTROL_RESET | CONTROL_RESTART) & 0xffc0
    this.#registers[PHY_CONTROL] = control
    if ((value & CONTROL_RESET) !== 0) this.#softwareReset()
    const restart = (value & CONTROL_RESTART) !== 0 && (control & CONTROL_AUTONEG) !== 0
    if (restart || (value & CONTROL_RESET) !== 0 || control !== before) this.#restart()
  }

  /** Control bit 15 keeps the settings, so that they take effect: 88E1011 data sheet, register 0. */
  #softwareReset(): void {
    const extended = this.#registers[PHY_EXTENDED_CONTROL]!
    this.#registers[PHY_EXTENDED_CONTROL] = (extended & ~EXTENDED_TX_CLK) | EXTENDED_TX_CLK_2_5
    this.#interruptStatus = 0
  }

  /** Begin again with the present settings: no link, then whatever they lead to. */
  #restart(): void {
    const control = this.#registers[PHY_CONTROL]!
    this.#event.disarm()
    this.#autonegComplete = false
    this.loopback = (control & CONTROL_LOOPBACK) !== 0
    this.#setLink(false)
    if (this.#heldInReset || (control & (CONTROL_POWER_DOWN | CONTROL_ISOLATE)) !== 0) {
      this.loopback = false
    } else if (this.loopback) {
      this.#force(control)
      this.#setLink(true)
    } else if (this.#carrier) {
      this.#event.armIn((control & CONTROL_AUTONEG) !== 0 ? this.#negotiationNs : FORCED_LINK_NS)
    }
  }

  #established(): void {
    const control = this.#registers[PHY_CONTROL]!
    if ((control & CONTROL_AUTONEG) === 0) {
      this.#force(control)
      if (this.speed > this.#fastest) return
    } else {
      if (!this.#resolve()) return
      this.#autonegComplete = true
      this.#interruptStatus |= INTERRUPT_AUTONEG_DONE
    }
    this.#setLink(true)
  }

  #force(control: number): void {
    this.fullDuplex = (control & CONTROL_FULL_DUPLEX) !== 0
    if ((control & CONTROL_SPEED_MSB) !== 0) this.speed = SPEED_1000
    else this.speed = (control & CONTROL_SPEED_LSB) !== 0 ? SPEED_100 : SPEED_10
  }

  /** Highest common mode: IEEE 802.3 annex 28B.3. False when there is none. */
  #resolve(): boolean {
    const advertised = this.#registers[PHY_ADVERTISE]! & this.#offered
    const gigabit = this.#fastest === SPEED_1000 && (this.#registers[PHY_1000T_CONTROL]! & CONTROL_1000_FULL) !== 0
    this.fullDuplex = true
    if (gigabit) {
      this.speed = SPEED_1000
    } else if ((advertised & ADVERTISE_100) !== 0) {
      this.speed = SPEED_100
      this.fullDuplex = (advertised & ADVERTISE_100_FULL) !== 0
    } else if ((advertised & ADVERTISE_10) !== 0) {
      this.speed = SPEED_10
      this.fullDuplex = (advertised & ADVERTISE_10_FULL) !== 0
    } else {
      return false
    }
    return true
  }

  #setLink(up: boolean): void {
    if (!up) this.#linkLatch = false
    if (this.link === up) return
    this.link = up
    this.#interruptStatus |= INTERRUPT_LINK_CHANGED
    this.#linkChanged()
  }
}
