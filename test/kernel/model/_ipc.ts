/**
 * What IPC means, said as plainly as possible: who waits for what, as records; every question answered by looking at all
 * of them. Shares no code with the kernel.
 *
 * A party names what it holds by the number of a *door*: an endpoint or a notification with rights and a badge, or
 * nothing. What it sends along lies in its *pockets*, slots of its own.
 */
export interface Letter {
  readonly label: number
  readonly words: readonly number[]
  readonly things: readonly { readonly pocket: number; readonly moved: boolean }[]
}

export interface Door {
  readonly kind: 'endpoint' | 'notification' | 'nothing'
  readonly which: number
  readonly rights: number
  readonly badge: number
  /** A revocation that will end it has begun. */
  faded: boolean
}

export interface Thing {
  readonly name: string
  readonly rights: number
}

/** What has come to a party last; words beyond the count are what they were. */
export interface Received {
  label: number
  badge: number
  count: number
  things: number[]
  readonly words: number[]
}

type Waiting =
  | { readonly for: 'nothing' }
  | {
      readonly for: 'receiver'
      readonly endpoint: number
      readonly letter: Letter
      readonly badge: number
      readonly wantsReply: boolean
    }
  | { readonly for: 'letter'; readonly endpoint: number }
  | { readonly for: 'reply'; readonly server: number }
  | { readonly for: 'bits'; readonly notification: number }

export interface ModelParty {
  readonly base: number
  readonly doors: readonly Door[]
  readonly pockets: (Thing | undefined)[]
  window: { readonly first: number; readonly size: number }
  gone: boolean
  waiting: Waiting
  /** When it began to wait. */
  since: number
  /** Who waits for its reply, the latest last. */
  callers: number[]
  serves: Set<number>
  readonly received: Received
}

/** A party goes on, what its call returned, and whether in the place of who let it go on. */
export interface Wake {
  readonly party: number
  readonly outcome: number
  readonly direct: boolean
}

/** Message label -> next state, by state; the messages' names. */
export interface Rules {
  readonly start: string
  readonly states: Readonly<Record<string, Readonly<Record<number, string>>>>
  readonly names: Readonly<Record<number, string>>
}

const OK = 0
const ENDED = -1
const NO_RIGHT = -2
const EMPTY = -3
const CANCELLED = -5
const WINDOW = -6
const PROTOCOL = -7
const DEADLOCK = -8
const NOBODY = -9
const READ = 1
const WRITE = 2
const GRANT = 4
export const BLOCKED = -0x8000_0000
const NOTHING = { for: 'nothing' } as const

export class IpcModel {
  readonly parties: ModelParty[]
  readonly closed = new Set<string>()
  readonly bits: number[]
  /** Names of things that are being revoked. */
  readonly faded = new Set<string>()
  /** By endpoint and badge: the state of its session. */
  readonly sessions = new Map<string, string>()
  /** What was said of messages that a contract refused. */
  refusals: string[] = []
  wakes: Wake[] = []
  readonly #rules: ReadonlyMap<number, Rules>
  #time = 0

  constructor(
    parties: readonly { base: number; doors: readonly Door[]; pockets: readonly (Thing | undefined)[] }[],
    notifications: number,
    rules: ReadonlyMap<number, Rules>,
  ) {
    this.#rules = rules
    this.parties = parties.map(({ base, doors, pockets }) => ({
      base,
      doors,
      pockets: [...pockets],
      window: { first: 0, size: 0 },
      gone: false,
      waiting: NOTHING,
      since: 0,
      callers: [],
      serves: new Set<number>(),
      received: { label: 0, badge: 0, count: 0, things: [], words: [0, 0, 0, 0, 0, 0, 0, 0] },
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

  #wake(party: number, outcome: number, direct = false): void {
    this.parties[party]!.waiting = NOTHING
    this.wakes.push({ party, outcome, direct })
  }

  servers = (endpoint: number): number[] => this.parties.flatMap((party, i) => (party.serves.has(endpoint) ? [i] : []))

  /** What a party holds behind a door, or why it may not do this with it. */
  #find(party: number, door: number, kind: Door['kind'], right: number): Door | number {
    const found = this.parties[party]!.doors[door]
    if (found === undefined || found.kind !== kind) return EMPTY
    if (found.faded) return ENDED
    return (found.rights & right) === right ? found : NO_RIGHT
  }

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

  // ---- contracts ----

  #state = (endpoint: number, badge: number): string =>
    this.sessions.get(`${endpoint}/${badge}`) ?? this.#rules.get(endpoint)!.start

  #allowed(endpoint: number, badge: number, label: number): boolean {
    const rules = this.#rules.get(endpoint)
    if (rules === undefined) return true
    const state = this.#state(endpoint, badge)
    const moves = rules.states[state]!
    if (moves[label] !== undefined) return true
    const expected = Object.keys(moves).map((other) => rules.names[Number(other)])
    const said = rules.names[label] ?? `message ${label}`
    this.refusals.push(`${said} in state ${state}, where ${expected.join(', ') || 'nothing'} is expected`)
    return false
  }

  #advance(endpoint: number, badge: number, label: number): void {
    const rules = this.#rules.get(endpoint)
    if (rules === undefined) return
    this.sessions.set(`${endpoint}/${badge}`, rules.states[this.#state(endpoint, badge)]![label]!)
  }

  // ---- messages ----

  /** Why what a letter brings cannot go over, or OK. */
  #canBring(from: ModelParty, to: ModelParty, { things }: Letter): number {
    if (things.length > to.window.size) return WINDOW
    for (const [i, { pocket, moved }] of things.entries()) {
      const into = to.window.first + i
      if (into >= to.pockets.length || to.pockets[into] !== undefined) return WINDOW
      const thing = from.pockets[pocket]
      if (thing === undefined) return EMPTY
      if (this.faded.has(thing.name)) return ENDED
      if ((thing.rights & GRANT) === 0) return NO_RIGHT
      if (things.slice(0, i).some((other) => other.pocket === pocket && (other.moved || moved))) return EMPTY
    }
    return OK
  }

  /** A letter goes over whole or not at all. */
  #deliver(from: number, to: number, letter: Letter, badge: number): number {
    const [sender, receiver] = [this.parties[from]!, this.parties[to]!]
    const refused = this.#canBring(sender, receiver, letter)
    if (refused < 0) return refused
    const brought = letter.things.map(({ pocket }) => sender.pockets[pocket]!)
    for (const { pocket, moved } of letter.things) if (moved) sender.pockets[pocket] = undefined
    brought.forEach((thing, i) => (receiver.pockets[receiver.window.first + i] = thing))
    const { received } = receiver
    received.label = letter.label
    received.badge = badge
    received.count = letter.words.length
    received.things = brought.map((_, i) => receiver.window.first + i)
    letter.words.forEach((word, i) => (received.words[i] = word))
    return OK
  }

  send(party: number, door: number, letter: Letter, wantsReply: boolean): number {
    const held = this.#find(party, door, 'endpoint', WRITE)
    if (typeof held === 'number') return held
    const { which: endpoint, badge } = held
    if (letter.things.length > 0 && (held.rights & GRANT) === 0) return NO_RIGHT
    if (this.closed.has(`e${endpoint}`)) return ENDED
    if (!this.#allowed(endpoint, badge, letter.label)) return PROTOCOL
    const [receiver] = this.#all((w) => w.for === 'letter' && w.endpoint === endpoint)
    if (receiver === undefined) {
      const servers = this.servers(endpoint)
      if (servers.length > 0 && servers.every((server) => this.#stuckOn(server, party, []))) return DEADLOCK
      return this.#wait(party, { for: 'receiver', endpoint, letter, badge, wantsReply })
    }
    const refused = this.#deliver(party, receiver, letter, badge)
    if (refused < 0) return refused
    this.#advance(endpoint, badge, letter.label)
    this.#wake(receiver, letter.label, true)
    if (!wantsReply) return OK
    this.parties[receiver]!.callers.push(party)
    return this.#wait(party, { for: 'reply', server: receiver })
  }

  receive(party: number, door: number): number {
    const held = this.#find(party, door, 'endpoint', READ)
    if (typeof held === 'number') return held
    const endpoint = held.which
    if (this.closed.has(`e${endpoint}`)) return ENDED
    this.parties[party]!.serves.add(endpoint)
    for (;;) {
      const senders = this.#all((w) => w.for === 'receiver' && w.endpoint === endpoint)
      const urgency = Math.max(...senders.map((i) => this.effective(i)))
      const sender = senders.find((i) => this.effective(i) === urgency)
      if (sender === undefined) return this.#wait(party, { for: 'letter', endpoint })
      const { waiting } = this.parties[sender]!
      if (waiting.for !== 'receiver') throw new Error('not a sender')
      const { letter, badge } = waiting
      const refused = this.#allowed(endpoint, badge, letter.label)
        ? this.#deliver(sender, party, letter, badge)
        : PROTOCOL
      if (refused < 0) {
        this.#wake(sender, refused)
        continue
      }
      this.#advance(endpoint, badge, letter.label)
      if (waiting.wantsReply) {
        this.parties[party]!.callers.push(sender)
        this.#wait(sender, { for: 'reply', server: party })
      } else this.#wake(sender, OK)
      return letter.label
    }
  }

  /** Somebody answered, or why not. */
  #answer(party: number, letter: Letter): { caller: number } | number {
    const caller = this.parties[party]!.callers.at(-1)
    if (caller === undefined) return NOBODY
    const refused = this.#deliver(party, caller, letter, 0)
    if (refused < 0) return refused
    this.parties[party]!.callers.pop()
    this.parties[caller]!.waiting = NOTHING
    return { caller }
  }

  reply(party: number, letter: Letter): number {
    const answered = this.#answer(party, letter)
    if (typeof answered === 'number') return answered
    this.#wake(answered.caller, letter.label)
    return OK
  }

  /** Who is answered goes on in the place of who answers, if that one has to wait. */
  replyReceive(party: number, letter: Letter, door: number): number {
    const answered = this.#answer(party, letter)
    if (typeof answered === 'number') return answered
    const next = this.receive(party, door)
    this.#wake(answered.caller, letter.label, next === BLOCKED)
    return next
  }

  // ---- notifications ----

  signal(party: number, door: number, bits: number): number {
    const held = this.#find(party, door, 'notification', WRITE)
    if (typeof held === 'number') return held
    if (this.closed.has(`n${held.which}`)) return ENDED
    this.bits[held.which]! |= held.badge === 0 ? bits : held.badge
    const [waiter] = this.#all((w) => w.for === 'bits' && w.notification === held.which)
    if (waiter === undefined || this.bits[held.which] === 0) return OK
    this.#hand(held.which, waiter)
    this.#wake(waiter, OK)
    return OK
  }

  #hand(notification: number, party: number): void {
    const { received } = this.parties[party]!
    received.label = this.bits[notification]!
    received.count = 0
    received.things = []
    this.bits[notification] = 0
  }

  await(party: number, door: number): number {
    const held = this.#find(party, door, 'notification', READ)
    if (typeof held === 'number') return held
    if (this.closed.has(`n${held.which}`)) return ENDED
    if (this.bits[held.which] === 0) return this.#wait(party, { for: 'bits', notification: held.which })
    this.#hand(held.which, party)
    return OK
  }

  /** 31 of them: the highest stays. */
  poll(party: number, door: number): number {
    const held = this.#find(party, door, 'notification', READ)
    if (typeof held === 'number') return held
    if (this.closed.has(`n${held.which}`)) return ENDED
    const bits = this.bits[held.which]! & 0x7fffffff
    this.bits[held.which]! &= -0x80000000
    return bits
  }

  /** Ask a server without a thread that answers with the sum of what it is told, or is busy, or ends of it. */
  invoke(party: number, door: number, serving: ReadonlySet<number>, sum: number, ends: boolean): number {
    const held = this.#find(party, door, 'endpoint', WRITE)
    if (typeof held === 'number') return held
    if (this.closed.has(`e${held.which}`)) return ENDED
    if (!serving.has(held.which)) return NOBODY
    if (!ends) return sum + held.badge
    this.close('e', held.which)
    return CANCELLED
  }

  // ---- ends ----

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
