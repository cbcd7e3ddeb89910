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
  readonly things: readonly Sent[]
}

/** `alone`: moved, and nobody else keeps any. */
export interface Sent {
  readonly pocket: number
  readonly moved: boolean
  readonly alone: boolean
}

export interface Door {
  kind: 'endpoint' | 'notification' | 'nothing'
  readonly which: number
  readonly rights: number
  readonly badge: number
  /** A revocation that will end it has begun. */
  faded: boolean
}

export interface Thing {
  readonly name: string
  readonly type: string
  readonly rights: number
  /** All others of its name derive from it, and it may be given away for good. */
  readonly owner: boolean
}

/** What has come to a party last; words beyond the count are what they were. */
export interface Received {
  label: number
  badge: number
  count: number
  things: number[]
  /** Bit i: thing i is the receiver's alone. */
  alone: number
  readonly words: number[]
}

type Waiting =
  | { readonly for: 'nothing' }
  | {
      readonly for: 'receiver'
      readonly endpoint: number
      readonly letter: Letter
      readonly door: Door
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

/** A party goes on, and what its call came to. */
export interface Wake {
  readonly party: number
  readonly outcome: number
}

/** Message label -> next state, by state; the messages' names. */
export interface Rules {
  readonly start: string
  readonly states: Readonly<Record<string, Readonly<Record<number, string>>>>
  readonly names: Readonly<Record<number, string>>
  /** Label -> how many words, and which types of things it must carry. */
  readonly shapes: Readonly<Record<number, { readonly words?: number; readonly types?: readonly string[] }>>
}

const OK = 0
const ENDED = -1
const NO_RIGHT = -2
const EMPTY = -3
const GONE = 0x7fffffff
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
  /** Endpoint -> badges of clients that have gone, and no server was told. */
  readonly gone = new Map<number, number[]>()
  /** What was said of messages that a contract refused. */
  refusals: string[] = []
  wakes: Wake[] = []
  /** Whose registers something came into. */
  arrivals: number[] = []
  /** Who named what it may not use. */
  missed: number[] = []
  readonly #rules: ReadonlyMap<number, Rules>
  readonly #watched: ReadonlySet<number>
  #time = 0

  constructor(
    parties: readonly { base: number; doors: readonly Door[]; pockets: readonly (Thing | undefined)[] }[],
    notifications: number,
    rules: ReadonlyMap<number, Rules>,
    watched: ReadonlySet<number>,
    window = { first: 0, size: 0 },
  ) {
    this.#rules = rules
    this.#watched = watched
    this.parties = parties.map(({ base, doors, pockets }) => ({
      base,
      doors,
      pockets: [...pockets],
      window,
      gone: false,
      waiting: NOTHING,
      since: 0,
      callers: [],
      serves: new Set<number>(),
      received: { label: 0, badge: 0, count: 0, things: [], alone: 0, words: [0, 0, 0, 0, 0, 0, 0, 0] },
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

  /** What a party holds behind a door, or why it may not do this with it. */
  #find(party: number, door: number, kind: Door['kind'], right: number): Door | number {
    const found = this.parties[party]!.doors[door]
    if (found?.kind === kind && !found.faded && (found.rights & right) === right) return found
    this.missed.push(party)
    return found?.kind !== kind ? EMPTY : found.faded ? ENDED : NO_RIGHT
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

  #allowed(from: number, endpoint: number, badge: number, letter: Letter): boolean {
    const { label } = letter
    const rules = this.#rules.get(endpoint)
    if (rules === undefined) return true
    const state = this.#state(endpoint, badge)
    const moves = rules.states[state]!
    if (moves[label] !== undefined) return this.#fits(from, rules, letter)
    const expected = Object.keys(moves).map((other) => rules.names[Number(other)])
    const said = rules.names[label] ?? `message ${label}`
    this.refusals.push(`${said} in state ${state}, where ${expected.join(', ') || 'nothing'} is expected`)
    return false
  }

  /** Labels that a session may send next. */
  allowed(endpoint: number, badge: number): number[] {
    return Object.keys(this.#rules.get(endpoint)!.states[this.#state(endpoint, badge)]!).map(Number)
  }

  /** Somebody waits for a letter, or with one, behind this door of a party. */
  isHeard(party: number, door: number, what: 'letter' | 'receiver'): boolean {
    const { kind, which } = this.parties[party]!.doors[door]!
    return kind === 'endpoint' && this.#all((w) => w.for === what && w.endpoint === which).length > 0
  }

  /** A message carries what its label says. */
  #fits(from: number, rules: Rules, { label, words, things }: Letter): boolean {
    const shape = rules.shapes[label] ?? {}
    const list = (types: readonly string[]): string => (types.length === 0 ? 'no capability' : types.join(', '))
    const found = things.map(({ pocket }) => this.parties[from]!.pockets[pocket]?.type ?? 'nothing')
    const wrong =
      shape.words !== undefined && shape.words !== words.length
        ? `carries ${words.length} words, where ${shape.words} are expected`
        : shape.types !== undefined && shape.types.join() !== found.join()
          ? `carries ${list(found)}, where ${list(shape.types)} is expected`
          : undefined
    if (wrong !== undefined) this.refusals.push(`${rules.names[label]} ${wrong}`)
    return wrong === undefined
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
    for (const [i, { pocket, alone }] of things.entries()) {
      const into = to.window.first + i
      if (into < 0 || into >= to.pockets.length || to.pockets[into] !== undefined) return WINDOW
      const thing = from.pockets[pocket]
      if (thing === undefined || this.faded.has(thing.name)) {
        this.missed.push(this.parties.indexOf(from))
        return thing === undefined ? EMPTY : ENDED
      }
      if ((thing.rights & GRANT) === 0) return NO_RIGHT
      if (alone && !thing.owner) return NO_RIGHT
    }
    // None is named that another one's way of going over takes away.
    const taken = things.some((one, i) =>
      things.some((other, j) => {
        if (i === j) return false
        if (one.pocket === other.pocket) return other.moved || other.alone
        return other.alone && from.pockets[one.pocket]!.name === from.pockets[other.pocket]!.name
      }),
    )
    return taken ? EMPTY : OK
  }

  /** A letter goes over whole or not at all. */
  #deliver(from: number, to: number, letter: Letter, badge: number): number {
    const [sender, receiver] = [this.parties[from]!, this.parties[to]!]
    const refused = this.#canBring(sender, receiver, letter)
    if (refused < 0) return refused
    const brought = letter.things.map(({ pocket, moved, alone }) => {
      const thing = sender.pockets[pocket]!
      return moved || alone ? thing : { ...thing, owner: false }
    })
    letter.things.forEach(({ pocket, moved, alone }, i) => {
      if (moved || alone) sender.pockets[pocket] = undefined
      if (alone) this.vanish(brought[i]!.name)
    })
    brought.forEach((thing, i) => (receiver.pockets[receiver.window.first + i] = thing))
    const { received } = receiver
    this.arrivals.push(to)
    received.label = letter.label
    received.badge = badge
    received.count = letter.words.length
    received.things = brought.map((_, i) => receiver.window.first + i)
    received.alone = letter.things.reduce((bits, { alone }, i) => bits | (alone ? 1 << i : 0), 0)
    letter.words.forEach((word, i) => (received.words[i] = word))
    return OK
  }

  /** Everything of a name ends, wherever it lies. */
  vanish(name: string): void {
    for (const { pockets } of this.parties)
      pockets.forEach((thing, i) => {
        if (thing?.name === name) pockets[i] = undefined
      })
  }

  send(party: number, door: number, letter: Letter, wantsReply: boolean): number {
    const held = this.#find(party, door, 'endpoint', WRITE)
    if (typeof held === 'number') return held
    const { which: endpoint, badge } = held
    if (letter.things.length > 0 && (held.rights & GRANT) === 0) return NO_RIGHT
    if (this.closed.has(`e${endpoint}`)) return ENDED
    if (!this.#allowed(party, endpoint, badge, letter)) return PROTOCOL
    const [receiver] = this.#all((w) => w.for === 'letter' && w.endpoint === endpoint)
    if (receiver === undefined) {
      const servers = this.servers(endpoint)
      if (servers.length > 0 && servers.every((server) => this.#stuckOn(server, party, []))) return DEADLOCK
      return this.#wait(party, { for: 'receiver', endpoint, letter, door: held, badge, wantsReply })
    }
    const refused = this.#deliver(party, receiver, letter, badge)
    if (refused < 0) return refused
    this.#advance(endpoint, badge, letter.label)
    this.#wake(receiver, letter.label)
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
    if (this.#gone(endpoint).length > 0) return this.#tellGone(endpoint, party)
    for (;;) {
      const senders = this.#all((w) => w.for === 'receiver' && w.endpoint === endpoint)
      const urgency = Math.max(...senders.map((i) => this.effective(i)))
      const sender = senders.find((i) => this.effective(i) === urgency)
      if (sender === undefined) return this.#wait(party, { for: 'letter', endpoint })
      const { waiting } = this.parties[sender]!
      if (waiting.for !== 'receiver') throw new Error('not a sender')
      const { letter, badge } = waiting
      const refused = this.#allowed(sender, endpoint, badge, letter)
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

  /** Who is answered goes on, whether or not who answers has to wait. */
  replyReceive(party: number, letter: Letter, door: number): number {
    const answered = this.#answer(party, letter)
    if (typeof answered === 'number') return answered
    const next = this.receive(party, door)
    this.#wake(answered.caller, letter.label)
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
    this.arrivals.push(party)
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

  #gone(endpoint: number): number[] {
    let gone = this.gone.get(endpoint)
    if (gone === undefined) this.gone.set(endpoint, (gone = []))
    return gone
  }

  #tellGone(endpoint: number, party: number): number {
    const { received } = this.parties[party]!
    this.arrivals.push(party)
    received.label = GONE
    received.badge = this.#gone(endpoint).shift()!
    received.count = 0
    received.things = []
    return GONE
  }

  /** A party gets back what it had behind a door. */
  grant(party: number, at: number, kind: Door['kind']): void {
    this.parties[party]!.doors[at]!.kind = kind
  }

  /** What a party holds behind a door ends: what waits to go through it does, and with a client's last one its session. */
  forget(party: number, at: number): void {
    const door = this.parties[party]!.doors[at]!
    const { kind, which: endpoint, badge } = door
    door.kind = 'nothing'
    if (kind !== 'endpoint') return
    for (const i of this.#all((w) => w.for === 'receiver' && w.door === door)) this.#wake(i, ENDED)
    const isClients = (other: Door): boolean => (other.rights & (READ | WRITE)) === WRITE
    const same = (other: Door): boolean =>
      other.kind === 'endpoint' && other.which === endpoint && other.badge === badge && isClients(other)
    if (!isClients(door) || this.parties.some(({ doors }) => doors.some(same))) return
    this.sessions.delete(`${endpoint}/${badge}`)
    if (!this.#watched.has(endpoint) || this.closed.has(`e${endpoint}`)) return
    this.#gone(endpoint).push(badge)
    const [server] = this.#all((w) => w.for === 'letter' && w.endpoint === endpoint)
    if (server !== undefined) this.#wake(server, this.#tellGone(endpoint, server))
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
