/**
 * Holding virtual time to another clock, and holding it still.
 *
 * Virtual time runs ahead of any clock whenever nobody has anything to do. A machine with clients outside follows one: it
 * waits, when nobody can run, until the next event may come, or until something comes in from outside (record.ts). A
 * machine that is frozen takes nothing but that in: no event fires, no fiber runs, no time passes, and all of it goes on
 * as it was when it is thawed; so timers keep what they had left. What waits and how long changes nothing but the moment
 * at which outside inputs are taken in, and those are recorded: a replay waits for nobody. Knows no host clock: it is
 * given one.
 */
import type { Kernel } from './kernel.ts'

export interface Pace {
  /** Virtual time that the other clock allows now, ns. Never less than before. */
  now(): number
  /** Wait until it allows `ns` (Infinity: for ever), or until `hurry` is called. */
  wait(ns: number): Promise<void>
  hurry(): void
  /** Time stands still, or goes on from where it stood: what passes between does not count. */
  hold(still: boolean): void
}

/** Turns between two looks at the host's own event loop. */
const TURNS_PER_BREATH = 64
/** How far virtual time may be ahead while somebody works on, ns. */
const AHEAD_NS = 1e6

export class Pacing {
  /** What virtual time follows; nothing when it is free. */
  pace: Pace | undefined
  #frozen = false
  #hurried = false
  #waiter: (() => void) | undefined
  readonly #kernel: Kernel

  constructor(kernel: Kernel) {
    this.#kernel = kernel
    const kind = kernel.log.kind('machine')
    const hold = (still: boolean): void => {
      if (this.#frozen === still) return
      this.#frozen = still
      this.pace?.hold(still)
      kernel.log.text(kind, 0, still ? 'frozen' : 'thawed')
    }
    kernel.outside.on('freeze', () => hold(true))
    kernel.outside.on('thaw', () => hold(false))
    kernel.outside.onOffer = () => this.hurry()
  }

  /** Between freeze and thaw. */
  get frozen(): boolean {
    return this.#frozen
  }

  /** The loop must not go from one fiber to the next by itself. */
  get attentive(): boolean {
    return this.pace !== undefined || this.#frozen
  }

  /** Stop the whole machine at its next turn, from the host. */
  freeze(): void {
    this.#kernel.outside.offer('freeze')
  }

  /** Let it go on. */
  thaw(): void {
    this.#kernel.outside.offer('thaw')
  }

  /** Whoever waits here is to look again: an input has come, or the run is to end. */
  hurry(): void {
    this.#hurried = true
    this.#waiter?.()
    this.pace?.hurry()
  }

  /** While it is frozen: wait for an input. */
  async stillness(): Promise<void> {
    if (this.#kernel.outside.waiting) return
    await new Promise<void>((resolve) => {
      this.#waiter = resolve
    })
  }

  /** At every turn: do not let virtual time get away, nor keep the host from what comes in. */
  async keepUp(turn: number): Promise<void> {
    const now = this.#kernel.clock.now()
    const { pace } = this
    if (pace !== undefined && (turn % TURNS_PER_BREATH === 0 || now - pace.now() > AHEAD_NS)) await pace.wait(now)
  }

  /**
   * Nobody can run, and the next thing is at `ns`: wait until it may be. False when something came in before; time is
   * then what the other clock says.
   */
  async until(ns: number): Promise<boolean> {
    const { pace } = this
    if (pace === undefined || pace.now() >= ns) return true
    const { clock, outside } = this.#kernel
    this.#hurried = false
    // A host's timer may come early; the loop must not turn for that, since a replay would not.
    while (pace.now() < ns && !this.#hurried) await pace.wait(ns)
    if (!this.#hurried) return true
    if (outside.waiting) clock.reach(Math.min(ns, pace.now()))
    return false
  }
}
