/**
 * Heartbeats: whether a domain still does its work, asked of the domain itself.
 *
 * Every period the program is asked to go once through all that its own threads depend on. An answer that has not come within
 * the time-out is missed: the domain is not dead, but serves nobody. While somebody waits for an operation of the domain
 * anyway, that operation's own limit counts, and no heartbeat is held against it.
 */
import type { Domain } from './domain.ts'
import type { ClockEvent } from './time.ts'

/** One question to the program. */
export interface Beat {
  /** It has been answered. */
  readonly done: boolean
}

export interface HeartbeatPolicy {
  /** From one to the next; 0: none. */
  readonly periodNs: number
  /** Longest an answer may take. */
  readonly timeoutNs: number
}

export const DEFAULT_HEARTBEAT: HeartbeatPolicy = { periodNs: 10e9, timeoutNs: 30e9 }

export class Heartbeat {
  readonly policy: HeartbeatPolicy
  /** Operations under way that have a limit of their own. */
  operations = 0
  /** Asked at each beat besides: a complaint is as bad as a missed one. */
  serving: (() => string | undefined) | undefined
  /** Answered. */
  answers = 0
  readonly #domain: Domain
  readonly #ask: () => Beat
  readonly #missed: (complaint?: string) => void
  readonly #due: ClockEvent
  readonly #late: ClockEvent
  #beaten: Beat | undefined
  readonly #send = (): void => this.#beat()

  /**
   * @param ask put the question
   * @param missed told once, when an answer is overdue or `serving` complains
   */
  constructor(domain: Domain, ask: () => Beat, policy: HeartbeatPolicy, missed: (complaint?: string) => void) {
    const { processor, name } = domain
    this.policy = policy
    this.#domain = domain
    this.#ask = ask
    this.#missed = missed
    // An event fires inside whatever runs; it is asked from the loop.
    this.#due = processor.clock.event(`${name}: heartbeat`, () => processor.post(this.#send))
    this.#late = processor.clock.event(`${name}: heartbeat overdue`, () => this.#overdue())
    if (policy.periodNs > 0) this.#due.armIn(policy.periodNs)
  }

  /** The question that has not been answered yet. */
  get pending(): Beat | undefined {
    return this.#beaten?.done === false ? this.#beaten : undefined
  }

  #beat(): void {
    if (this.#domain.dead) return
    this.#due.armIn(this.policy.periodNs)
    if (this.operations > 0) return
    const complaint = this.serving?.()
    if (complaint !== undefined) return this.#give(complaint)
    if (this.pending !== undefined) return
    if (this.#beaten !== undefined) this.answers++
    this.#beaten = this.#ask()
    this.#late.armIn(this.policy.timeoutNs)
  }

  #overdue(): void {
    if (this.#domain.dead || this.#beaten?.done === true) return
    if (this.operations > 0) return this.#late.armIn(this.policy.timeoutNs)
    this.#give()
  }

  #give(complaint?: string): void {
    this.stop()
    this.#missed(complaint)
  }

  stop(): void {
    this.#due.disarm()
    this.#late.disarm()
  }
}
