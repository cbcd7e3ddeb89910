/** The kernel's IPC and the model of it, given the same random operations. */
import fc from 'fast-check'
import { type Capability, CNode, Revocation, revoke } from '../../../kernel/capability.ts'
import { Contract, type ContractRules } from '../../../kernel/contract.ts'
import { Endpoint, Ipc, Notification, Party, type Thread } from '../../../kernel/ipc.ts'
import { CAPS, IPC, Message, REFUSALS, WORDS } from '../../../kernel/message.ts'
import { IPC as COMPILED } from '../../../linux-api/generated/abi.ts'
import { Partition, Scheduler } from '../../../kernel/schedule.ts'
import { type End, moveCapabilities } from '../../../kernel/transfer.ts'
import { BLOCKED, type Door, IpcModel, type Letter, type Rules, type Sent, type Thing, type Wake } from './_ipc.ts'

const PARTIES = 6
const ENDPOINTS = 3
const NOTIFICATIONS = 2
/** Slots of a party: its doors, then its pockets. */
const DOORS = 7
const POCKETS = 8
/** The pocket with memory of its own, and with a copy of that; with one of its neighbour's. Those behind are open for what comes. */
const OWN = 3
const COPY = 4
const SHARED = 1
const OPEN = { first: COPY + 1, size: 3 }
const SLOTS = DOORS + POCKETS
/** The door that leads through a CNode, to endpoint 0; the one that leads nowhere. */
const BAG = 3
const NOWHERE = 4

const KINDS = [
  'call',
  'send',
  'receive',
  'reply',
  'replyReceive',
  'signal',
  'await',
  'poll',
  'invoke',
  'window',
  'empty',
  'cancel',
  'leave',
  'close',
  'fade',
  'sweep',
  'forget',
] as const

export interface Operation {
  readonly do: (typeof KINDS)[number]
  readonly party: number
  readonly at: number
  readonly value: number
  readonly words: number
  readonly things: readonly Sent[]
}

const alone = (): fc.Arbitrary<boolean> => fc.constantFrom(false, false, true)
const things = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.record({ pocket: fc.nat(POCKETS - 1), moved: fc.boolean(), alone: alone() }), {
      minLength: 1,
      maxLength: 3,
    }),
  },
)

const often = (weight: number, ...kinds: Operation['do'][]) => ({
  weight,
  arbitrary: fc.record({
    do: fc.constantFrom(...kinds),
    party: fc.nat(PARTIES - 1),
    at: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 4, 5, 6),
    value: fc.nat(15),
    words: fc.nat(8),
    things,
  }),
})
const notifications = (weight: number, ...kinds: Operation['do'][]) => {
  const { arbitrary } = often(1, ...kinds)
  return { weight, arbitrary: fc.tuple(arbitrary, fc.constantFrom(5, 5, 6, 6, 0)).map(([op, at]) => ({ ...op, at })) }
}

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  often(20, 'call'),
  often(14, 'send'),
  often(24, 'receive'),
  often(14, 'reply'),
  often(12, 'replyReceive'),
  notifications(6, 'signal'),
  notifications(6, 'await'),
  notifications(3, 'poll'),
  often(3, 'invoke'),
  often(6, 'window'),
  often(4, 'empty'),
  often(12, 'cancel'),
  often(3, 'leave', 'close', 'fade', 'sweep'),
  often(4, 'forget'),
)

/** Of each party: base priority, rights to the three endpoints and the two notifications, badge. */
interface Setting {
  readonly base: number
  readonly rights: readonly number[]
  readonly badge: number
  /** It has received already, from the endpoint of its number, and waits for nothing. */
  readonly serves: boolean
}
const setting: fc.Arbitrary<Setting> = fc.record({
  base: fc.nat(9),
  rights: fc.array(fc.constantFrom(7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 3, 5, 2, 1), { minLength: 5, maxLength: 5 }),
  badge: fc.constantFrom(0, 0, 4, 9),
  serves: fc.boolean(),
})

/** A thread that only notes what happens to it. */
export class Noted implements Thread {
  readonly name: string
  readonly base: number
  readonly partition: Partition
  effective: number
  queuedAt = -1
  queueNext = undefined
  queuePrevious = undefined
  readonly #note: (outcome: number) => void

  constructor(name: string, base: number, partition: Partition, note: (outcome: number) => void) {
    this.name = name
    this.base = base
    this.effective = base
    this.partition = partition
    this.#note = note
  }

  resume(outcome: number): void {
    this.#note(outcome)
  }
}

/** The contract of endpoint 2, for the kernel and for the model. */
const CONTRACT = {
  name: 'file',
  start: 'closed',
  messages: {
    open: 1,
    write: { label: 2, words: 4 },
    give: { label: 3, capabilities: ['memory', 'thing'] },
    close: { label: 4, words: 4, capabilities: [] },
  },
  states: { closed: { open: 'opened' }, opened: { write: 'opened', give: 'opened', close: 'over' }, over: {} },
}
const RULES: Rules = {
  start: 'closed',
  states: { closed: { 1: 'opened' }, opened: { 2: 'opened', 3: 'opened', 4: 'over' }, over: {} },
  names: { 1: 'open', 2: 'write', 3: 'give', 4: 'close' },
  shapes: { 2: { words: 4 }, 3: { types: ['memory', 'thing'] }, 4: { words: 4, types: [] } },
}
const thing = (name: string, rights: number): Thing => ({ name, type: 'thing', rights, owner: false })
/** What a party has to begin with; its memory is its own. */
const thingsOf = (party: number): (Thing | undefined)[] => [
  thing('a', 7),
  { name: `m${(party + 1) % PARTIES}`, type: 'memory', rights: 7, owner: false },
  thing('c', 3),
  { name: `m${party}`, type: 'memory', rights: 7, owner: true },
  { name: `m${party}`, type: 'memory', rights: 7, owner: false },
  undefined,
  undefined,
  undefined,
]

class Pair {
  readonly model: IpcModel
  readonly ipc: Ipc
  readonly parties: Party[]
  readonly endpoints = Array.from(
    { length: ENDPOINTS },
    (_, i) => new Endpoint(`endpoint ${i}`, i === 2 ? new Contract(CONTRACT) : undefined),
  )
  readonly notifications = Array.from({ length: NOTIFICATIONS }, (_, i) => new Notification(`notification ${i}`))
  wakes: Wake[] = []
  refusals: string[] = []
  arrivals: number[] = []
  missed: number[] = []
  /** Where every capability comes from: a revocation of one of these is begun, and never goes on. */
  readonly #owner = new CNode('owner')
  readonly #roots = new Map<string, Capability>()
  #ends = false

  constructor(settings: readonly Setting[]) {
    const scheduler = new Scheduler()
    const partition = scheduler.add(new Partition('all', 1))
    this.ipc = new Ipc(scheduler)
    this.ipc.onRefusal = (party, text) => this.refusals.push(`${party.thread.name}: ${text}`)
    // Endpoint 1 is served without a thread, too.
    this.endpoints[1]!.passive = (badge, label, a, b, c) => {
      if (this.#ends) this.ipc.close(this.endpoints[1]!)
      const nested = this.ipc.invoke(this.#owner, this.#root('again', this.endpoints[1]!).slot, 0, 0, 0, 0)
      if (nested !== (this.#ends ? -1 : -8)) throw new Error(`a passive server that is at work said ${nested}`)
      return badge + label + a + b + c
    }
    this.endpoints[0]!.watched = this.endpoints[2]!.watched = true
    this.model = new IpcModel(
      settings.map(({ base, rights, badge }, i) => ({ base, doors: doorsOf(rights, badge), pockets: thingsOf(i) })),
      NOTIFICATIONS,
      new Map([[2, RULES]]),
      new Set([0, 2]),
      OPEN,
    )
    this.parties = settings.map(({ base }, i) => this.#party(i, base, partition))
    this.#share()
    settings.forEach(({ serves }, i) => {
      if (!serves || (i >= ENDPOINTS && settings[0]!.base % 2 === 0)) return
      const op = { party: i, at: i % ENDPOINTS, value: 0, words: 0, things: [] }
      for (const what of ['receive', 'cancel'] as const) this.run({ ...op, do: what })
    })
  }

  #root(name: string, object: { type: string; label: string }): Capability {
    let root = this.#roots.get(name)
    if (root === undefined) {
      root = this.#owner.create(object)
      this.#roots.set(name, root)
    }
    return root
  }

  #party(number: number, base: number, partition: Partition): Party {
    const space = new CNode(`party ${number}`, SLOTS)
    const { doors, pockets } = this.model.parties[number]!
    doors.forEach(({ kind, which, rights, badge }, slot) => {
      if (kind === 'nothing') return
      const object = kind === 'endpoint' ? this.endpoints[which]! : this.notifications[which]!
      const root = this.#root(`${number}/${slot}`, object)
      const bag = slot === BAG ? new CNode('bag', 2) : undefined
      if (bag !== undefined) space.create(bag, { slot })
      const into = bag ?? space
      into.derive(root, object, { slot: bag === undefined ? slot : 1, rights, badge })
    })
    pockets.forEach((thing, pocket) => {
      if (thing === undefined || pocket === SHARED || pocket === COPY) return
      if (thing.owner) {
        space.create(
          { type: thing.type, label: thing.name, ownable: true },
          { slot: DOORS + pocket, rights: thing.rights },
        )
        return
      }
      const object = { type: 'thing', label: thing.name }
      space.derive(this.#root(thing.name, object), object, { slot: DOORS + pocket, rights: thing.rights })
    })
    const note = (outcome: number): void => void this.wakes.push({ party: number, outcome })
    const party = new Party(new Noted(`party ${number}`, base, partition, note), space)
    party.window = DOORS + OPEN.first
    party.windowSize = OPEN.size
    party.arrived = () => void this.arrivals.push(number)
    space.onRefusal = () => void this.missed.push(number)
    return party
  }

  /** Each has a copy of its own memory, and one of its neighbour's. */
  #share(): void {
    this.parties.forEach(({ capabilities }, i) => {
      const own = capabilities.at(DOORS + OWN)!
      const neighbours = this.parties[(i + 1) % PARTIES]!.capabilities.at(DOORS + OWN)!
      capabilities.derive(own, own.object, { slot: DOORS + COPY })
      capabilities.derive(neighbours, neighbours.object, { slot: DOORS + SHARED })
    })
  }

  /** How a party names a door. */
  #pointer = (door: number): number => (door === BAG ? BAG + 2 * 65_536 : door)

  run(given: Operation): void {
    const meant = { ...given, do: this.#what(given) }
    const op = { ...meant, party: this.#who(meant) }
    this.wakes = []
    this.model.wakes = []
    this.refusals = []
    this.model.refusals = []
    this.arrivals = []
    this.model.arrivals = []
    this.missed = []
    this.model.missed = []
    if (op.do === 'close') this.#close(op)
    else if (op.do === 'fade') this.#fade(op)
    else if (op.do === 'sweep') this.#sweep(op)
    else if (op.do === 'forget') this.#forget(op)
    else if (op.do === 'cancel' || op.do === 'leave') this.#end(op)
    else if (op.do === 'window') this.#window(op)
    else if (op.do === 'empty') this.#empty(op)
    else if (this.model.free(op.party)) this.#act(op)
    this.#same(op)
  }

  /** Mostly no answer where nobody asked. */
  #what({ do: what, words, value }: Operation): Operation['do'] {
    const answers = what === 'reply' || what === 'replyReceive'
    if (!answers || words === 0 || this.model.parties.some(({ callers }) => callers.length > 0)) return what
    return value % 2 === 0 ? 'call' : 'receive'
  }

  /** Mostly somebody for whom it means something. */
  #who({ do: what, party, at, words }: Operation): number {
    const { model } = this
    if (words === 0) return party
    const one = (able: (i: number) => boolean): number | undefined => {
      const found = model.parties.map((_, i) => i).filter(able)
      return found.length > 0 ? found[party % found.length] : undefined
    }
    const free = (i: number): boolean => model.free(i)
    if (what === 'leave') return party
    if (what === 'cancel') {
      const waits = (i: number): boolean => !free(i) && !model.parties[i]!.gone
      return one((i) => waits(i) && (words > 6 || model.parties[i]!.waiting.for !== 'reply')) ?? one(waits) ?? party
    }
    const answers = what === 'reply' || what === 'replyReceive'
    const counterpart = what === 'receive' ? 'receiver' : 'letter'
    const likely = (i: number): boolean =>
      answers ? model.parties[i]!.callers.length > 0 : words > 2 && model.isHeard(i, at, counterpart)
    return one((i) => free(i) && likely(i)) ?? one(free) ?? party
  }

  /** What was revoked, or is now, goes at once. */
  #sweep({ party, at, value }: Operation): void {
    const name = 'ac'[at % 2]!
    if (value < 8) return this.#revokeDoor(party, at)
    this.model.vanish(name)
    this.model.faded.delete(name)
    revoke(this.#roots.get(name)!, false)
  }

  #revokeDoor(party: number, at: number): void {
    if (this.model.parties[party]!.doors[at]!.kind === 'nothing') return
    this.model.forget(party, at)
    revoke(this.#roots.get(`${party}/${at}`)!, false)
    this.model.parties[party]!.doors[at]!.faded = false
  }

  /** It gets it back, if it is not the door to nowhere and nothing of what it was is being revoked. */
  #grant(party: number, at: number): void {
    const door = this.model.parties[party]!.doors[at]!
    if (at === NOWHERE || door.faded) return
    const root = this.#roots.get(`${party}/${at}`)!
    this.model.grant(party, at, at > NOWHERE ? 'notification' : 'endpoint')
    const { capabilities } = this.parties[party]!
    const into = at === BAG ? (capabilities.at(BAG)!.object as CNode) : capabilities
    into.derive(root, root.object, { slot: at === BAG ? 1 : at, rights: door.rights, badge: door.badge })
  }

  /** A party drops what is behind a door, or gets it back; now and then all clients of the contract's endpoint do. */
  #forget({ party, at, value }: Operation): void {
    if (value < 11) return this.#drop(party, at)
    this.model.parties.forEach(({ doors }, client) => {
      if ((doors[2]!.rights & 3) === 2) this.#drop(client, 2)
    })
  }

  #drop(party: number, at: number): void {
    if (this.model.parties[party]!.doors[at]!.kind === 'nothing') return this.#grant(party, at)
    this.model.forget(party, at)
    const { capabilities } = this.parties[party]!
    const bag = capabilities.at(BAG)!.object as CNode
    const node = at === BAG ? bag : capabilities
    node.delete(node.at(at === BAG ? 1 : at)!)
  }

  /** Seldom, or nothing is left to try. */
  #close({ at: wanted, value, words }: Operation): void {
    const at = value === 2 ? NOWHERE + 1 + (words % NOTIFICATIONS) : wanted
    if (value > 3 && at !== 1) return
    if (at < ENDPOINTS) {
      this.model.close('e', at)
      this.ipc.close(this.endpoints[at]!)
    } else if (at > NOWHERE) {
      this.model.close('n', at - NOWHERE - 1)
      this.ipc.close(this.notifications[at - NOWHERE - 1]!)
    }
  }

  /** The revocation of a thing, or of what is behind a door, begins. */
  #fade({ party, at, value }: Operation): void {
    if (value > 2) return
    const door = this.model.parties[party]!.doors[at]!
    const name = value === 0 ? 'ac'[at % 2]! : `${party}/${at}`
    const root = this.#roots.get(name)
    if (root === undefined) return
    if (value === 0) this.model.faded.add(name)
    else door.faded = true
    Revocation.of(root)
  }

  #window({ party, at, value }: Operation): void {
    const { pockets } = this.model.parties[party]!
    const empty = pockets.indexOf(undefined)
    // Beyond the last slot, and before the first, too.
    const first = value > 4 && empty >= 0 ? empty : value === 2 ? POCKETS : value === 3 ? -DOORS - 1 : at
    const window = { first, size: value % 4 }
    this.model.parties[party]!.window = window
    this.parties[party]!.window = DOORS + window.first
    this.parties[party]!.windowSize = window.size
  }

  /** A party lets go of what lies in a pocket. */
  #empty({ party, at }: Operation): void {
    // Of things, mostly those that came: what was there from the start is worth keeping.
    const pocket = at < OWN ? at + OPEN.first : at
    const { capabilities } = this.parties[party]!
    const capability = capabilities.at(DOORS + pocket)
    if (capability === undefined) return
    capabilities.delete(capability)
    this.model.parties[party]!.pockets[pocket] = undefined
  }

  #end(op: Operation): void {
    if (this.model.parties[op.party]!.gone || (op.do === 'leave' && op.value > 9)) return
    // While many are free, waits are worth more than what ends them.
    const free = this.model.parties.filter((_, i) => this.model.free(i)).length
    if (op.do === 'cancel' && free > 1 && op.value > 2) return
    this.model[op.do === 'leave' ? 'leave' : 'cancel'](op.party)
    this.ipc[op.do === 'leave' ? 'leave' : 'cancel'](this.parties[op.party]!)
  }

  /** What a party is about to say: in its registers, and as the model has it. */
  #write(op: Operation): Letter {
    const { out } = this.parties[op.party]!
    // A contract knows three messages.
    const state = this.model.allowed(2, this.model.parties[op.party]!.doors[2]!.badge)
    const label = op.at !== 2 ? op.value : op.value > 4 && state.length > 0 ? state[op.value % state.length]! : op.value
    const all = [op.value, op.party, op.at, 7, 8, 9, 10, 11].map((word) => word + 100 * op.words)
    out.capCount = 3
    out.set(label, ...all.slice(0, Math.min(4, op.words)))
    if (out.capCount !== 0 || out.count !== 4) throw new Error('a message was set to something else')
    const words = op.words <= 4 ? [...all.slice(0, op.words), 0, 0, 0, 0].slice(0, 4) : all.slice(0, op.words)
    for (let i = 4; i < 8; i++) out.words[i] = all[i]!
    out.count = words.length
    const chosen = op.things.map((sent) => ({ ...sent, pocket: this.#full(op, sent.pocket) }))
    // Nor is the same one named twice, or what is given away for good together with a copy of it.
    const [first, second] = chosen
    if (second !== undefined && op.value > 11) second.pocket = first!.pocket
    else if (second !== undefined && op.value > 7 && op.at !== 2)
      [first!.pocket, second.pocket] = op.words % 2 === 0 ? [OWN, COPY] : [COPY, OWN]
    // What a contract asks for is seldom met by chance.
    const { pockets } = this.model.parties[op.party]!
    const find = (type: string): number => pockets.findIndex((one) => one?.type === type)
    const kinds = [
      ['memory', 'thing'],
      ['memory', 'thing'],
      ['memory', 'memory'],
      ['thing', 'thing'],
    ][op.value % 4]!
    const wanted = kinds.map((type, i) => ({
      moved: op.words > i,
      alone: false,
      ...op.things[i],
      pocket: find(type),
    }))
    const asked = op.at === 2 && label === 3 && op.party % 3 > 0
    const things = asked && wanted.every(({ pocket }) => pocket >= 0) ? wanted : chosen
    out.capCount = things.length
    // Of what is not sent it may say anything.
    out.moved = things.length === 0 ? 0x707 : 0
    things.forEach(({ pocket, moved, alone: exclusively }, i) => {
      out.caps[i] = DOORS + pocket
      if (moved) out.moved |= 1 << i
      if (exclusively) out.moved |= 1 << (8 + i)
    })
    return { label, words, things }
  }

  /** Mostly a pocket with something in it. */
  #full({ party, words }: Operation, pocket: number): number {
    const full = this.model.parties[party]!.pockets.flatMap((one, i) => (one === undefined ? [] : [i]))
    return words % 4 === 1 || full.length === 0 ? pocket : full[pocket % full.length]!
  }

  #act(op: Operation): void {
    const { ipc, model } = this
    const party = this.parties[op.party]!
    const letter = this.#write(op)
    const at = this.#pointer(op.at)
    const space = party.capabilities
    this.#ends = op.value === 15
    const results: Record<string, () => [number, number]> = {
      call: () => [model.send(op.party, op.at, letter, true), ipc.call(party, at)],
      send: () => [model.send(op.party, op.at, letter, false), ipc.send(party, at)],
      receive: () => [model.receive(op.party, op.at), ipc.receive(party, at)],
      reply: () => [model.reply(op.party, letter), ipc.reply(party)],
      replyReceive: () => [model.replyReceive(op.party, letter, op.at), ipc.replyReceive(party, at)],
      signal: () => {
        // Bit 31, too.
        const bits = op.value | (op.words === 8 ? -0x8000_0000 : 0)
        return [model.signal(op.party, op.at, bits), ipc.signal(space, at, bits)]
      },
      await: () => [model.await(op.party, op.at), ipc.await(party, at)],
      poll: () => [model.poll(op.party, op.at), ipc.poll(space, at)],
      invoke: () => {
        const sum = op.value + op.words + 1 + 2
        const expected = model.invoke(op.party, op.at, new Set([1]), sum, this.#ends)
        return [expected, ipc.invoke(space, at, op.value, op.words, 1, 2)]
      },
    }
    const [expected, found] = results[op.do]!()
    if (expected !== found) throw new Error(`${op.do}: the model says ${expected}, the kernel ${found}`)
  }

  #same(op: Operation): void {
    const sorted = (wakes: readonly Wake[]): string => JSON.stringify(wakes.toSorted((a, b) => a.party - b.party))
    if (sorted(this.wakes) !== sorted(this.model.wakes))
      throw new Error(`${op.do} woke ${sorted(this.wakes)}, the model ${sorted(this.model.wakes)}`)
    const refused = this.refusals.map((text) => text.replace(/^party \d: file: /, '')).join('\n')
    if (refused !== this.model.refusals.join('\n'))
      throw new Error(`${op.do}: ${refused}; the model: ${this.model.refusals.join()}`)
    if (this.arrivals.join() !== this.model.arrivals.join())
      throw new Error(`${op.do}: ${this.arrivals.join()} were told, not ${this.model.arrivals.join()}`)
    if (this.missed.join() !== this.model.missed.join())
      throw new Error(`${op.do}: ${this.missed.join()} were charged, not ${this.model.missed.join()}`)
    this.model.parties.forEach((expected, i) => {
      const party = this.parties[i]!
      this.#samePockets(i, expected.pockets)
      if (expected.gone) return
      const waits = expected.waiting.for !== 'nothing'
      if (waits !== (party.wait !== 'nothing')) throw new Error(`party ${i} waits for ${party.wait}`)
      if (party.thread.effective !== this.model.effective(i))
        throw new Error(`party ${i} has priority ${party.thread.effective}, not ${this.model.effective(i)}`)
      const { label, badge, count, things: slots, alone: only, words } = expected.received
      const read = party.in
      const same =
        read.label === label &&
        read.badge === badge &&
        read.count === count &&
        read.capCount === slots.length &&
        read.moved === only &&
        slots.every((slot, at) => read.caps[at] === DOORS + slot) &&
        words.every((word, at) => read.words[at] === word)
      if (!same) throw new Error(`party ${i} read another message`)
    })
  }

  #samePockets(party: number, pockets: readonly (Thing | undefined)[]): void {
    const { capabilities } = this.parties[party]!
    pockets.forEach((thing, pocket) => {
      const found = capabilities.at(DOORS + pocket)
      const same =
        found?.object.label === thing?.name &&
        found?.rights === thing?.rights &&
        (found === undefined || found.alive !== this.model.faded.has(thing!.name))
      if (!same) throw new Error(`party ${party} has ${found?.object.label} in pocket ${pocket}, not ${thing?.name}`)
    })
  }
}

function doorsOf(rights: readonly number[], badge: number): Door[] {
  const door = (kind: Door['kind'], which: number, right: number, badged = badge): Door => ({
    kind,
    which,
    rights: right,
    badge: badged,
    faded: false,
  })
  const endpoints = [0, 1, 2].map((which) => door('endpoint', which, rights[which]!))
  const bits = [0, 1].map((which) => door('notification', which, rights[3 + which]!, which === 0 ? 0 : badge))
  return [...endpoints, door('endpoint', 0, 7, 0), door('nothing', 0, 0), ...bits]
}

/** Registers are empty to begin with, and parties open no window. */
function startsEmpty(): boolean {
  const { label, badge, count, moved, capCount } = new Message()
  const party = new Party({} as Thread, new CNode('new', 1))
  const { window, windowSize, badge: through, buffer } = party
  if (WORDS !== 8 || CAPS !== 3 || new Endpoint('a').label !== 'a' || new Notification('b').label !== 'b') return false
  return [label, badge, count, moved, capCount, window, windowSize, through, buffer].every((value) => value === 0)
}

/** What arrives may go into the first slot. */
function takesFirst(): boolean {
  const [from, to] = [new CNode('from', 1), new CNode('to', 1)]
  from.create({ type: 'thing', label: 'a' }, { slot: 0 })
  const end = (capabilities: CNode): End => ({
    capabilities,
    out: new Message(),
    in: new Message(),
    window: 0,
    windowSize: 1,
  })
  const sender = end(from)
  sender.out.capCount = 1
  return moveCapabilities(sender, end(to)) === IPC.OK && to.count === 1
}

/** Contracts that name what they do not have are refused by it. */
function refusesNonsense(): boolean {
  const said = (rules: Partial<ContractRules>): string => {
    try {
      return new Contract({ ...CONTRACT, ...rules }).rules.name === 'file' ? '' : 'it has another name'
    } catch (error) {
      return error instanceof RangeError ? error.message : String(error)
    }
  }
  const { closed, opened, over } = CONTRACT.states
  return (
    said({}) === '' &&
    said({ start: 'nowhere' }) === 'contract file has no state nowhere' &&
    said({ states: { closed: { open: 'ajar' }, opened, over } }) === 'contract file has no state ajar' &&
    said({ states: { closed, opened: { knock: 'over' }, over } }) === 'contract file has no message knock'
  )
}

/** The first slot of a CNode in the first slot: the least pointer with two parts. */
function findsFirst(): boolean {
  const [space, inner] = [new CNode('space', 1), new CNode('inner', 1)]
  space.create(inner, { slot: 0 })
  const found = inner.create(new Endpoint('first'), { slot: 0 })
  return new Ipc(new Scheduler()).find(space, 65_536, 'endpoint', 1) === found
}

/**
 * Hold the kernel to the model over `runs` sequences of up to `length` operations. Throws with the shortest that differs;
 * returns how many operations that were.
 */
export function holdIpcToModel(runs: number, length: number, seed: number): number {
  let done = 0
  if (Object.entries(COMPILED).some(([name, value]) => name in IPC && IPC[name as keyof typeof IPC] !== value))
    throw new Error('errors are not what drivers are compiled for')
  const refusals = Object.entries(REFUSALS).map(
    ([name, value]) => [name.toUpperCase().replace('-', '_'), value] as const,
  )
  if (refusals.some(([name, value]) => IPC[name as keyof typeof IPC] !== value))
    throw new Error('a refusal has the name of another')
  if (!startsEmpty()) throw new Error('a new party has something in its registers')
  if (!takesFirst()) throw new Error('nothing may arrive in slot 0')
  if (!refusesNonsense()) throw new Error('a contract that makes no sense is taken for one')
  if (!findsFirst()) throw new Error('slot 0 of the CNode in slot 0 is not found')
  const settings = fc.array(setting, { minLength: PARTIES, maxLength: PARTIES })
  fc.assert(
    fc.property(
      settings,
      fc.array(operation, { minLength: 1, maxLength: length, size: 'max' }),
      (parties, operations) => {
        const pair = new Pair(parties)
        for (const op of operations) pair.run(op)
        done += operations.length
      },
    ),
    { numRuns: runs, seed },
  )
  return done
}

export { BLOCKED }
