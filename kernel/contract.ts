/**
 * Typed contracts on endpoints: which message may come in which state (Singularity's channels).
 *
 * A contract is data: states, and for each the messages it takes and the state they lead to. Every badge is a session of
 * its own. A message out of order is refused by the names of message and state. Knows nothing of what messages carry.
 */

export interface ContractRules {
  readonly name: string
  readonly start: string
  /** Message name -> label. */
  readonly messages: Readonly<Record<string, number>>
  /** State -> message name -> next state. */
  readonly states: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export class Contract {
  readonly rules: ContractRules
  readonly #states: readonly string[]
  readonly #messages = new Map<number, string>()
  /** state index -> label -> next state index */
  readonly #next: readonly ReadonlyMap<number, number>[]
  readonly #start: number
  readonly #sessions = new Map<number, number>()

  /** Throws RangeError for rules that name an unknown state or message. */
  constructor(rules: ContractRules) {
    this.rules = rules
    this.#states = Object.keys(rules.states)
    for (const [message, label] of Object.entries(rules.messages)) this.#messages.set(label, message)
    this.#start = this.#state(rules.start)
    this.#next = Object.values(rules.states).map(
      (moves) =>
        new Map(Object.entries(moves).map(([message, state]) => [this.#label(message), this.#state(state)] as const)),
    )
  }

  #state(name: string): number {
    const at = this.#states.indexOf(name)
    if (at < 0) throw new RangeError(`contract ${this.rules.name} has no state ${name}`)
    return at
  }

  #label(message: string): number {
    const label = this.rules.messages[message]
    if (label === undefined) throw new RangeError(`contract ${this.rules.name} has no message ${message}`)
    return label
  }

  #at(session: number): number {
    return this.#sessions.get(session) ?? this.#start
  }

  allows(session: number, label: number): boolean {
    return this.#next[this.#at(session)]!.has(label)
  }

  /** The message was delivered. */
  advance(session: number, label: number): void {
    const next = this.#next[this.#at(session)]!.get(label)
    if (next !== undefined) this.#sessions.set(session, next)
  }

  /** What is wrong with a message, for people. */
  refusal(session: number, label: number): string {
    const state = this.#states[this.#at(session)]!
    const message = this.#messages.get(label) ?? `message ${label}`
    const expected = [...this.#next[this.#at(session)]!.keys()].map((other) => this.#messages.get(other)).join(', ')
    return `${this.rules.name}: ${message} in state ${state}, where ${expected === '' ? 'nothing' : expected} is expected`
  }
}
