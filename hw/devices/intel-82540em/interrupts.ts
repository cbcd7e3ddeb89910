/**
 * The 82540EM's interrupt block: cause, mask and throttle (SDM sections 13.4.17 to 13.4.21, and 3.5 on moderation).
 *
 * The pin follows `cause & mask`. ITR sets the least time between two assertions, in units of 256 ns; a cause that
 * comes sooner waits. Reading ICR clears every cause, masked or not, and releases the pin.
 */
import type { Timeline, TimelineEvent } from '../../../base/timeline.ts'
import type { InterruptPort } from '../../types.ts'

/** ITR's unit, ns. */
const ITR_UNIT_NS = 256

export class Interrupts {
  readonly #timeline: Timeline
  readonly #port: InterruptPort
  readonly #throttled: TimelineEvent
  #cause = 0
  #mask = 0
  #intervalNs = 0
  #lastAssertedNs = Number.NEGATIVE_INFINITY
  #asserted = false

  constructor(timeline: Timeline, port: InterruptPort, name: string) {
    this.#timeline = timeline
    this.#port = port
    this.#throttled = timeline.event(`${name} interrupt throttle`, () => this.#evaluate())
  }

  get mask(): number {
    return this.#mask
  }

  /** Causes set and not yet read: for tests and dumps; a driver sees them by `readCause`. */
  get cause(): number {
    return this.#cause
  }

  /** Set causes, as hardware events and ICS do. */
  raise(causes: number): void {
    this.#cause |= causes
    if ((causes & this.#mask) !== 0) this.#evaluate()
  }

  /** ICR: all causes; reading clears them. */
  readCause(): number {
    const cause = this.#cause
    this.#cause = 0
    this.#evaluate()
    return cause
  }

  /** ICR write: ones clear their causes. */
  clearCause(causes: number): void {
    this.#cause &= ~causes
    this.#evaluate()
  }

  /** IMS: enable these. */
  enable(causes: number): void {
    this.#mask |= causes
    this.#evaluate()
  }

  /** IMC: disable these. */
  disable(causes: number): void {
    this.#mask &= ~causes
    this.#evaluate()
  }

  /** ITR: least time between assertions, in units of 256 ns; 0 throttles nothing. */
  setThrottle(units: number): void {
    this.#intervalNs = units * ITR_UNIT_NS
    this.#throttled.disarm()
    this.#evaluate()
  }

  reset(): void {
    this.#cause = 0
    this.#mask = 0
    this.#intervalNs = 0
    this.#lastAssertedNs = Number.NEGATIVE_INFINITY
    this.#evaluate()
  }

  #evaluate(): void {
    if ((this.#cause & this.#mask) === 0) {
      if (this.#throttled.armed) this.#throttled.disarm()
      this.#release()
    } else if (!this.#asserted) {
      this.#assertWhenAllowed()
    }
  }

  #assertWhenAllowed(): void {
    const now = this.#timeline.now()
    const allowedNs = this.#lastAssertedNs + this.#intervalNs
    if (now < allowedNs) {
      if (!this.#throttled.armed) this.#throttled.armAt(allowedNs)
      return
    }
    this.#asserted = true
    this.#lastAssertedNs = now
    if (this.#port.messageSignalled) this.#port.message(0)
    else this.#port.setLevel(true)
  }

  #release(): void {
    if (!this.#asserted) return
    this.#asserted = false
    this.#port.setLevel(false)
  }
}

/** A block's delay timers' unit, ns: RDTR, RADV, TIDV and TADV count 1.024 us. */
const DELAY_UNIT_NS = 1024

/**
 * Packet and absolute delay timer of one direction (RDTR and RADV, TIDV and TADV): the interrupt comes when no packet
 * has for `packet` units, and no later than `absolute` units after the first. The event is armed once for a burst: when
 * it fires early it moves itself, so a packet costs no queue operation.
 */
export class DelayTimer {
  readonly #timeline: Timeline
  readonly #event: TimelineEvent
  readonly #expired: () => void
  #packetNs = 0
  #absoluteNs = 0
  #deadlineNs = 0
  #latestNs = 0

  constructor(timeline: Timeline, name: string, expired: () => void) {
    this.#timeline = timeline
    this.#expired = expired
    this.#event = timeline.event(name, () => this.#fire())
  }

  setPacketDelay(units: number): void {
    this.#packetNs = units * DELAY_UNIT_NS
  }

  setAbsoluteDelay(units: number): void {
    this.#absoluteNs = units * DELAY_UNIT_NS
  }

  /** A packet is done: interrupt now, or later. */
  packet(): void {
    if (this.#packetNs === 0) {
      this.#expired()
      return
    }
    const now = this.#timeline.now()
    if (!this.#event.armed) {
      this.#latestNs = this.#absoluteNs === 0 ? Number.POSITIVE_INFINITY : now + this.#absoluteNs
      this.#deadlineNs = Math.min(now + this.#packetNs, this.#latestNs)
      this.#event.armAt(this.#deadlineNs)
    } else {
      this.#deadlineNs = Math.min(now + this.#packetNs, this.#latestNs)
    }
  }

  /** Interrupt now what was waiting: an immediate interrupt of the same kind, or a flush (FPD). */
  flush(): void {
    if (!this.#event.armed) return
    this.#event.disarm()
    this.#expired()
  }

  reset(): void {
    this.#event.disarm()
    this.#packetNs = 0
    this.#absoluteNs = 0
  }

  #fire(): void {
    if (this.#timeline.now() < this.#deadlineNs) this.#event.armAt(this.#deadlineNs)
    else this.#expired()
  }
}
