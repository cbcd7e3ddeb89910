/**
 * What comes into a machine from outside: the only thing that its seed does not decide.
 *
 * The host offers an input whenever it has one; the run loop takes it in at the start of a turn, when nobody is on the
 * stack, and says in which turn and at what time that was. The same inputs given back at the same turns make the same
 * run, so this list, with the seed, is the recording of a machine. Knows nothing of files, or of what the inputs mean.
 */
import type { EventLog } from './log.ts'
import type { Clock } from './time.ts'

export interface OutsideInput {
  /** The run loop's turn at whose start it was taken in: turns count from 1, over all runs of a kernel. */
  readonly turn: number
  /** Virtual time then. */
  readonly atNs: number
  readonly kind: string
  readonly payload: string
}

export class Outside {
  /** Something may be there to take in. */
  waiting = false
  /** Told of each input as it is taken in: whoever records keeps it. */
  onTaken: ((input: OutsideInput) => void) | undefined
  /** Told that the host has offered something: a loop that waits for the wall goes on. */
  onOffer: (() => void) | undefined
  readonly #clock: Clock
  readonly #log: EventLog
  readonly #kind: number
  readonly #actions = new Map<string, (payload: string) => void>()
  #offered: { kind: string; payload: string }[] = []
  /** What a replay gives back; undefined in a machine that lives. */
  #recorded: readonly OutsideInput[] | undefined
  #next = 0

  constructor(clock: Clock, log: EventLog) {
    this.#clock = clock
    this.#log = log
    this.#kind = log.kind('outside')
  }

  /** What an input of this kind does to the machine. It runs from the loop, and may arm events and wake fibers. */
  on(kind: string, action: (payload: string) => void): void {
    this.#actions.set(kind, action)
  }

  /** From the host, at any moment: an input. A machine that replays lets it fall, as it has those that were recorded. */
  offer(kind: string, payload = ''): void {
    if (this.#recorded !== undefined) return
    this.#offered.push({ kind, payload })
    this.waiting = true
    this.onOffer?.()
  }

  /** Take in these from now on, where they were taken in before, and nothing else. */
  replay(inputs: readonly OutsideInput[]): void {
    this.#recorded = inputs
    this.#next = 0
    this.waiting = inputs.length > 0
  }

  /** It gives back what was recorded. */
  get replays(): boolean {
    return this.#recorded !== undefined
  }

  /** From the run loop, at the start of a turn: take in what belongs there. */
  take(turn: number): void {
    if (this.#recorded !== undefined) return this.#takeRecorded(turn, this.#recorded)
    const offered = this.#offered
    this.#offered = []
    this.waiting = false
    for (const { kind, payload } of offered) this.#act({ turn, atNs: this.#clock.now(), kind, payload })
  }

  #takeRecorded(turn: number, inputs: readonly OutsideInput[]): void {
    for (let input = inputs[this.#next]; input?.turn === turn; input = inputs[++this.#next]) {
      this.#clock.reach(input.atNs)
      this.#act(input)
    }
    this.waiting = this.#next < inputs.length
  }

  #act(input: OutsideInput): void {
    const { kind, payload } = input
    this.#log.text(this.#kind, 0, payload === '' ? kind : `${kind} ${payload}`)
    this.onTaken?.(input)
    this.#actions.get(kind)?.(payload)
  }

  /**
   * From the run loop, when nobody can run: when the recording has an input for the next turn, the machine waited for
   * that one, not for its next event. Moves time there and returns true.
   */
  ahead(turn: number): boolean {
    const input = this.#recorded?.[this.#next]
    if (input?.turn !== turn) return false
    this.#clock.reach(input.atNs)
    return true
  }
}
