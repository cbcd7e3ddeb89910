/**
 * The RTL8139's timer: TCTR counts PCI clocks (33 MHz) from the last write to it and interrupts when it equals TimerInt
 * (data sheet section 6.9).
 */

import type { Timeline, TimelineEvent } from '../../../base/timeline.ts'

const CLOCKS_PER_US = 33
const RANGE = 2 ** 32

export class Timer {
  readonly #timeline: Timeline
  readonly #due: TimelineEvent
  #from = 0
  #compare = 0

  constructor(timeline: Timeline, fire: () => void) {
    this.#timeline = timeline
    this.#due = timeline.event('rtl8139 timer', () => {
      fire()
      this.#arm()
    })
  }

  reset(): void {
    this.#compare = 0
    this.restart()
  }

  /** Any write to TCTR. */
  restart(): void {
    this.#from = this.#timeline.now()
    this.#arm()
  }

  #clocks(): number {
    return Math.floor(((this.#timeline.now() - this.#from) * CLOCKS_PER_US) / 1000)
  }

  /** TCTR. */
  get count(): number {
    return this.#clocks() % RANGE
  }

  /** TimerInt; 0 never matches. */
  get compare(): number {
    return this.#compare
  }

  set compare(value: number) {
    this.#compare = value
    this.#arm()
  }

  #arm(): void {
    if (this.#compare === 0) return this.#due.disarm()
    const clocks = this.#clocks()
    let target = Math.floor(clocks / RANGE) * RANGE + this.#compare
    if (target <= clocks) target += RANGE
    this.#due.armAt(this.#from + Math.ceil((target * 1000) / CLOCKS_PER_US))
  }
}
