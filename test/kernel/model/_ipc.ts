/**
 * What IPC means, said as plainly as possible: who waits for what, as records; every question answered by looking at all
 * of them. Shares no code with the kernel.
 */
export interface Letter {
  readonly label: number
  readonly words: readonly number[]
}

type Waiting =
  | { readonly for: 'nothing' }
  | { readonly for: 'receiver'; readonly endpoint: number; readonly letter: Letter; readonly wantsReply: boolean }
  | { readonly for: 'letter'; readonly endpoint: number }
  | { readonly for: 'reply'; readonly server: number }
  | { readonly for: 'bits'; readonly notification: number }

export interface ModelParty {
  readonly base: number
  gone: boolean
  waiting: Waiting
  /** When it began to wait. */
  since: number
  /** Who waits for its reply, the latest last. */
  callers: number[]
  serves: Set<number>
  received: Letter | undefined
}

/** A party goes on, and what its call returned. */
export interface Wake {
  readonly party: number
  readonly outcome: number
}

const OK = 0
const ENDED = -1
const CANCELLED = -5
const DEADLOCK = -8
const NOBODY = -9
export const BLOCKED = -0x8000_0000
const NOTHING = { for: 'nothing' } as const

export class IpcModel {
  readonly parties: ModelParty[]
  readonly closed = new Set<string>()
  readonly bits: number[]
  wakes: Wake[] = []
  #time = 0

  constructor(bases: readonly number[], notifications: number) {
    this.parties = bases.map((base) => ({
      base,
      gone: false,
      waiting: NOTHING,
      since: 0,
      callers: [],
      serves: new Set<number>(),
      received: undefined,
    }))
    this.bits = Array.from({ length: notifications }, () => 0)
  }

  free = (party: number): boolean => !this.parties[party]!.gone && this.parties[party]!.waiting.for === 'nothing'

  #all = (test: (waiting: Waiting) => boolean): number[] =>
    this.parties
      .map((_, i) => i)
      .filter((i) => test(this.parties[i]!.waiting))
      .toSorted((a, b) => this.parties[a]!.since - this.parties[b]!.since)

  #wait(party: number, waiting: Waiting): number {
    this.parties[party]!.waiting = waiting
    this.parties[party]!.since = ++this.#time
    return BLOCKED
  }

  #wake(party: number, outcome: number): void {
    this.parties[party]!.waiting = NOTHING
    this.wakes.push({ party, outcome })
  }

  servers = (endpoint: number): number[] => this.parties.flatMap((party, i) => (party.serves.has(endpoint) ? [i] : []))

  /** Whom a party waits for; any one of them going on could let it go on. */
  #awaited(party: number): number[] {
    const { waiting } = this.parties[party]!
    if (waiting.for === 'reply') return [waiting.server]
    return waiting.for === 'receiver' ? this.servers(waiting.endpoint) : []
  }

  /** Nothing but `caller` going on could let this party go on. */
  #stuckOn(party: number, caller: number, seen: readonly number[]): boolean {
    if (party === caller) return true
    if (seen.includes(party)) return false
    const awaited = this.#awaited(party)
    return awaited.length > 0 && awaited.every((other) => this.#stuckOn(other, caller, [...seen, party]))
  }

  /** Its own priority or that of the most urgent who waits for it, however indirectly. */
  effective(party: number): number {
    const reached = new Set([party])
    for (let grown = true; grown;) {
      grown = false
      for (const [i] of this.parties.entries()) {
        if (reached.has(i) || !this.#awaited(i).some((other) => reached.has(other))) continue
        reached.add(i)
        grown = true
      }
    }
    return Math.max(...[...reached].map((i) => this.parties[i]!.base))
  }

  send(party: number, endpoint: number, letter: Letter, wantsReply: boolean): number {
    if (this.closed.has(`e${endpoint}`)) return ENDED
    const [receiver] = this.#all((w) => w.for === 'letter' && w.endpoint === endpoint)
    if (receiver === undefined) {
      const servers = this.servers(endpoint)
      if (servers.length > 0 && servers.every((server) => this.#stuckOn(server, party, []))) return DEADLOCK
      return this.#wait(party, { for: 'receiver', endpoint, letter, wantsReply })
    }
    this.parties[receiver]!.received = letter
    this.#wake(receiver, letter.label)
    if (!wantsReply) return OK
    this.parties[receiver]!.callers.push(party)
    return this.#wait(party, { for: 'reply', server: receiver })
  }

  receive(party: number, endpoint: number): number {
    if (this.closed.has(`e${endpoint}`)) return ENDED
    this.parties[party]!.serves.add(endpoint)
    const senders = this.#all((w) => w.for === 'receiver' && w.endpoint === endpoint)
    const urgency = Math.max(...senders.map((i) => this.effective(i)))
    const sender = senders.find((i) => this.effective(i) === urgency)
    if (sender === undefined) return this.#wait(party, { for: 'letter', endpoint })
    const { waiting } = this.parties[sender]!
    if (waiting.for !== 'receiver') throw new Error('not a sender')
    this.parties[party]!.received = waiting.letter
    if (waiting.wantsReply) {
      this.parties[party]!.callers.push(sender)
      this.#wait(sender, { for: 'reply', server: party })
    } else this.#wake(sender, OK)
    return waiting.letter.label
  }

  reply(party: number, letter: Letter): number {
    const caller = this.parties[party]!.callers.pop()
    if (caller === undefined) return NOBODY
    this.parties[caller]!.received = letter
    this.#wake(caller, letter.label)
    return OK
  }

  replyReceive(party: number, letter: Letter, endpoint: number): number {
    return this.reply(party, letter) === NOBODY ? NOBODY : this.receive(party, endpoint)
  }

  signal(notification: number, bits: number): number {
    if (this.closed.has(`n${notification}`)) return ENDED
    this.bits[notification]! |= bits
    const [waiter] = this.#all((w) => w.for === 'bits' && w.notification === notification)
    if (waiter === undefined || this.bits[notification] === 0) return OK
    this.parties[waiter]!.received = { label: this.bits[notification]!, words: [] }
    this.bits[notification] = 0
    this.#wake(waiter, OK)
    return OK
  }

  await(party: number, notification: number): number {
    if (this.closed.has(`n${notification}`)) return ENDED
    if (this.bits[notification] === 0) return this.#wait(party, { for: 'bits', notification })
    this.parties[party]!.received = { label: this.bits[notification]!, words: [] }
    this.bits[notification] = 0
    return OK
  }

  cancel(party: number): void {
    for (const other of this.parties) other.callers = other.callers.filter((caller) => caller !== party)
    this.parties[party]!.waiting = NOTHING
  }

  leave(party: number): void {
    this.cancel(party)
    const { callers } = this.parties[party]!
    this.parties[party]!.callers = []
    this.parties[party]!.serves.clear()
    this.parties[party]!.gone = true
    for (const caller of callers) this.#wake(caller, CANCELLED)
  }

  close(kind: 'e' | 'n', which: number): void {
    this.closed.add(`${kind}${which}`)
    const here = (w: Waiting): boolean =>
      kind === 'e'
        ? (w.for === 'receiver' || w.for === 'letter') && w.endpoint === which
        : w.for === 'bits' && w.notification === which
    for (const party of this.#all(here)) this.#wake(party, ENDED)
  }
}
