/**
 * Typed contracts on endpoints: which message may come in which state, and what it carries (Singularity's channels).
 *
 * A contract is data: states, and for each the messages it takes and the state they lead to; for a message, how many words
 * it has and of what types its capabilities are. Every badge is a session of its own, which starts again when the last
 * capability with that badge has ended. A message that does not fit is refused by the names of message and state.
 */
import type { CNode } from './capability.ts'

export interface MessageShape {
  readonly label: number
  /** Words it carries; any number when undefined. */
  readonly words?: number
  /** Types of the capabilities it carries, in order; any when undefined. */
  readonly capabilities?: readonly string[]
}

/** The part of a message that a contract looks at. */
export interface Carried {
  readonly label: number
  readonly count: number
  readonly capCount: number
  /** Slots of the sender's space. */
  readonly caps: ArrayLike<number>
}

export interface ContractRules {
  readonly name: string
  readonly start: string
  /** Message name -> label, or label and shape. */
  readonly messages: Readonly<Record<string, number | MessageShape>>
  /** State -> message name -> next state. */
  readonly states: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export class Contract {
  readonly rules: ContractRules
  readonly #states: readonly string[]
  readonly #messages = new Map<number, string>()
  readonly #shapes = new Map<number, MessageShape>()
  /** state index -> label -> next state index */
  readonly #next: readonly ReadonlyMap<number, number>[]
  readonly #start: number
  readonly #sessions = new Map<number, number>()

  /** Throws RangeError for rules that name an unknown state or message. */
  constructor(rules: ContractRules) {
    this.rules = rules
    this.#states = Object.keys(rules.states)
    for (const [message, given] of Object.entries(rules.messages)) {
      const shape = typeof given === 'number' ? { label: given } : given
      this.#messages.set(shape.label, message)
      this.#shapes.set(shape.label, shape)
    }
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
    const given = this.rules.messages[message]
    const label = typeof given === 'object' ? given.label : given
    if (label === undefined) throw new RangeError(`contract ${this.rules.name} has no message ${message}`)
    return label
  }

  #at(session: number): number {
    return this.#sessions.get(session) ?? this.#start
  }

  allows(session: number, label: number): boolean {
    return this.#next[this.#at(session)]!.has(label)
  }

  /** It carries what a message of its label should. */
  fits(message: Carried, space: CNode): boolean {
    return this.#misfit(message, space) === undefined
  }

  /** What of it is wrong. */
  #misfit({ label, count, capCount, caps }: Carried, space: CNode): 'words' | 'capabilities' | undefined {
    const shape = this.#shapes.get(label)
    if (shape === undefined) return undefined
    if (shape.words !== undefined && count !== shape.words) return 'words'
    const types = shape.capabilities
    if (types === undefined) return undefined
    if (capCount !== types.length) return 'capabilities'
    for (let i = 0; i < capCount; i++) if (space.at(caps[i]!)?.object.type !== types[i]) return 'capabilities'
    return undefined
  }

  /** The client has gone: whoever has its badge next starts from the start. */
  restart(session: number): void {
    this.#sessions.delete(session)
  }

  /** The message was delivered. */
  advance(session: number, label: number): void {
    const next = this.#next[this.#at(session)]!.get(label)
    if (next !== undefined) this.#sessions.set(session, next)
  }

  /** What is wrong with a message, for people. */
  refusal(session: number, carried: Carried, space: CNode): string {
    const { label } = carried
    const state = this.#states[this.#at(session)]!
    const message = this.#messages.get(label) ?? `message ${label}`
    if (this.allows(session, label)) return `${this.rules.name}: ${message} ${this.#carrying(carried, space)}`
    const expected = [...this.#next[this.#at(session)]!.keys()].map((other) => this.#messages.get(other)).join(', ')
    return `${this.rules.name}: ${message} in state ${state}, where ${expected === '' ? 'nothing' : expected} is expected`
  }
  #carrying(carried: Carried, space: CNode): string {
    const shape = this.#shapes.get(carried.label)
    if (this.#misfit(carried, space) === 'words')
      return `carries ${carried.count} words, where ${shape?.words} are expected`
    const listed = (types: readonly string[]): string => (types.length === 0 ? 'no capability' : types.join(', '))
    const found = Array.from(
      { length: carried.capCount },
      (_, i) => space.at(carried.caps[i]!)?.object.type ?? 'nothing',
    )
    return `carries ${listed(found)}, where ${listed(shape?.capabilities ?? [])} is expected`
  }
}
