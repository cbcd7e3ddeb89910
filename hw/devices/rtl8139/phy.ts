/**
 * The RTL8139's internal PHY: link, auto-negotiation and the MII registers the MAC maps at 62h to 6Ch
 * (data sheet section 6.13 on; IEEE 802.3 clause 22).
 *
 * The link comes up a negotiation time after the cable is in and negotiation has been started; it goes down at once.
 */

import type { Timeline, TimelineEvent } from '../../../base/timeline.ts'
import type { EthernetPort } from '../../types.ts'
import * as B from './bits.ts'

export interface PhyOptions {
  readonly timeline: Timeline
  readonly port: EthernetPort | undefined
  readonly negotiationNs: number
  /** The link came up or went down. */
  readonly onChange: () => void
}

export class Phy {
  up = false
  mbps = 100
  fullDuplex = true
  /** Disconnect counter, DIS: cleared by reading. */
  #disconnects = 0
  /** BMSR.Link reads 0 once after the link was lost, even if it is back. */
  #lostSinceRead = false
  #control = B.BMCR_ANE
  #advertised = B.ANAR_RESET
  #partner = 0
  readonly #port: EthernetPort | undefined
  readonly #negotiationNs: number
  readonly #onChange: () => void
  readonly #negotiated: TimelineEvent

  constructor(options: PhyOptions) {
    this.#port = options.port
    this.#negotiationNs = options.negotiationNs
    this.#onChange = options.onChange
    this.#negotiated = options.timeline.event('rtl8139 link', () => this.#linkUp())
    if (this.#port) this.#port.onLink = (up) => (up ? this.#restart() : this.#linkDown())
    this.reset()
  }

  /** Power-on state; negotiates anew. */
  reset(): void {
    this.#control = B.BMCR_ANE
    this.#advertised = B.ANAR_RESET
    this.#disconnects = 0
    this.#lostSinceRead = false
    this.up = false
    this.#restart()
  }

  #restart(): void {
    if (this.up) this.#linkDown()
    this.#partner = 0
    if (this.#port?.up) this.#negotiated.armIn(this.#negotiationNs)
    else this.#negotiated.disarm()
  }

  /** What the far end offers. */
  #offered(): number {
    const mbps = this.#port?.mbps ?? 100
    const slow = B.AN_10_FULL | B.AN_10_HALF
    return mbps >= 100 ? slow | B.AN_100_FULL | B.AN_100_HALF : slow
  }

  #linkUp(): void {
    const offered = this.#offered()
    if (this.#control & B.BMCR_ANE) {
      this.#partner = offered | B.AN_ACK | B.AN_802_3
      if (!this.#resolve(offered & this.#advertised)) return
    } else {
      this.mbps = this.#control & B.BMCR_SPEED_100 ? 100 : 10
      this.fullDuplex = (this.#control & B.BMCR_FULL_DUPLEX) !== 0
      if (this.mbps === 100 && (offered & B.AN_100_HALF) === 0) return
    }
    this.up = true
    this.#onChange()
  }

  /** The best common ability; false when there is none. IEEE 802.3 annex 28B.3. */
  #resolve(common: number): boolean {
    const best = [B.AN_100_FULL, B.AN_100_HALF, B.AN_10_FULL, B.AN_10_HALF].find((bit) => common & bit)
    if (best === undefined) return false
    this.mbps = best === B.AN_100_FULL || best === B.AN_100_HALF ? 100 : 10
    this.fullDuplex = best === B.AN_100_FULL || best === B.AN_10_FULL
    return true
  }

  #linkDown(): void {
    this.#negotiated.disarm()
    this.#partner = 0
    if (!this.up) return
    this.up = false
    this.#lostSinceRead = true
    this.#disconnects = (this.#disconnects + 1) & 0xffff
    this.#onChange()
  }

  /** BMCR: with negotiation on, speed and duplex show what it settled on. */
  get control(): number {
    if ((this.#control & B.BMCR_ANE) === 0 || !this.up) return this.#control
    const speed = this.mbps === 100 ? B.BMCR_SPEED_100 : 0
    return (
      (this.#control & ~(B.BMCR_SPEED_100 | B.BMCR_FULL_DUPLEX)) | speed | (this.fullDuplex ? B.BMCR_FULL_DUPLEX : 0)
    )
  }

  /** `unlocked`: configuration write mode, which the speed, duplex and negotiation bits need. */
  writeControl(value: number, unlocked: boolean): void {
    if (value & B.BMCR_RESET) {
      this.#control = B.BMCR_ANE
      this.#advertised = B.ANAR_RESET
      this.#restart()
      return
    }
    const before = this.#control
    // With negotiation on, the speed and duplex bits only report.
    if (unlocked) this.#control = value & B.BMCR_ANE ? B.BMCR_ANE : value & B.BMCR_LOCKED
    const restart = (value & B.BMCR_RESTART) !== 0 && (this.#control & B.BMCR_ANE) !== 0
    if (restart || before !== this.#control) this.#restart()
  }

  /** BMSR. */
  readStatus(): number {
    const { status } = this
    this.#lostSinceRead = false
    return status
  }

  /** What reading the status would say. */
  get status(): number {
    const link = this.up && !this.#lostSinceRead
    const complete = this.#partner !== 0 ? B.BMSR_AN_COMPLETE : 0
    return B.BMSR_ABLE | complete | (link ? B.BMSR_LINK : 0)
  }

  get advertised(): number {
    return this.#advertised
  }

  set advertised(value: number) {
    this.#advertised = value & B.ANAR_WRITABLE
  }

  /** ANLPAR; 0 until negotiation completed. */
  get partner(): number {
    return this.#partner
  }

  /** ANER. */
  get expansion(): number {
    return this.#partner !== 0 ? B.ANER_PARTNER_ABLE : 0
  }

  readDisconnects(): number {
    const count = this.#disconnects
    this.#disconnects = 0
    return count
  }

  get disconnects(): number {
    return this.#disconnects
  }
}
