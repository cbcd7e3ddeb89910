/** The kernel's IPC and the model of it, given the same random operations. */
import fc from 'fast-check'
import { type Capability, CNode, Revocation } from '../../../kernel/capability.ts'
import { Contract } from '../../../kernel/contract.ts'
import { Endpoint, Ipc, Notification, Party, type Thread } from '../../../kernel/ipc.ts'
import { CAPS, IPC, Message, REFUSALS, WORDS } from '../../../kernel/message.ts'
import { IPC as COMPILED } from '../../../linux-api/generated/abi.ts'
import { Partition, Scheduler } from '../../../kernel/schedule.ts'
import { BLOCKED, type Door, IpcModel, type Letter, type Rules, type Thing, type Wake } from './_ipc.ts'

const PARTIES = 6
const ENDPOINTS = 3
const NOTIFICATIONS = 2
/** Slots of a party: its doors, then its pockets. */
const DOORS = 7
const POCKETS = 6
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
] as const

export interface Operation {
  readonly do: (typeof KINDS)[number]
  readonly party: number
  readonly at: number
  readonly value: number
  readonly words: number
  readonly things: readonly { readonly pocket: number; readonly moved: boolean }[]
}

const things = fc.oneof(
  { weight: 5, arbitrary: fc.constant([]) },
  {
    weight: 2,
    arbitrary: fc.array(fc.record({ pocket: fc.nat(POCKETS - 1), moved: fc.boolean() }), {
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
    at: fc.constantFrom(0, 0, 1, 1, 2, 2, 3, 4, 5, 6),
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
  often(8, 'send'),
  often(16, 'receive'),
  often(10, 'reply'),
  often(10, 'replyReceive'),
  notifications(6, 'signal'),
  notifications(6, 'await'),
  notifications(3, 'poll'),
  often(3, 'invoke'),
  often(6, 'window'),
  often(4, 'empty'),
  often(3, 'cancel'),
  often(3, 'leave', 'close', 'fade'),
)

/** Of each party: base priority, rights to the three endpoints and the two notifications, badge. */
interface Setting {
  readonly base: number
  readonly rights: readonly number[]
  readonly badge: number
}
const setting: fc.Arbitrary<Setting> = fc.record({
  base: fc.nat(9),
  rights: fc.array(fc.constantFrom(7, 7, 7, 7, 3, 5, 2, 1), { minLength: 5, maxLength: 5 }),
  badge: fc.constantFrom(0, 0, 4, 9),
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
  readonly #note: (outcome: number, direct: boolean) => void

  constructor(name: string, base: number, partition: Partition, note: (outcome: number, direct: boolean) => void) {
    this.name = name
    this.base = base
    this.effective = base
    this.partition = partition
    this.#note = note
  }

  resume(outcome: number): void {
    this.#note(outcome, false)
  }

  handOver(outcome: number): void {
    this.#note(outcome, true)
  }
}

/** The contract of endpoint 2, for the kernel and for the model. */
const CONTRACT = {
  name: 'file',
  start: 'closed',
  messages: { open: 1, write: 2, close: 3 },
  states: { closed: { open: 'opened' }, opened: { write: 'opened', close: 'over' }, over: {} },
}
const RULES: Rules = {
  start: 'closed',
  states: { closed: { 1: 'opened' }, opened: { 2: 'opened', 3: 'over' }, over: {} },
  names: { 1: 'open', 2: 'write', 3: 'close' },
}
const THINGS: readonly (Thing | undefined)[] = [
  { name: 'a', rights: 7 },
  { name: 'b', rights: 7 },
  { name: 'c', rights: 3 },
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
    this.model = new IpcModel(
      settings.map(({ base, rights, badge }) => ({ base, doors: doorsOf(rights, badge), pockets: THINGS })),
      NOTIFICATIONS,
      new Map([[2, RULES]]),
    )
    this.parties = settings.map(({ base }, i) => this.#party(i, base, partition))
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
      if (thing === undefined) return
      const object = { type: 'thing', label: thing.name }
      space.derive(this.#root(thing.name, object), object, { slot: DOORS + pocket, rights: thing.rights })
    })
    const note = (outcome: number, direct: boolean): void => void this.wakes.push({ party: number, outcome, direct })
    return new Party(new Noted(`party ${number}`, base, partition, note), space)
  }

  /** How a party names a door. */
  #pointer = (door: number): number => (door === BAG ? BAG + 2 * 65_536 : door)

  run(op: Operation): void {
    this.wakes = []
    this.model.wakes = []
    this.refusals = []
    this.model.refusals = []
    if (op.do === 'close') this.#close(op)
    else if (op.do === 'fade') this.#fade(op)
    else if (op.do === 'cancel' || op.do === 'leave') this.#end(op)
    else if (op.do === 'window') this.#window(op)
    else if (op.do === 'empty') this.#empty(op)
    else if (this.model.free(op.party)) this.#act(op)
    this.#same(op)
  }

  /** Seldom, or nothing is left to try. */
  #close({ at, value }: Operation): void {
    if (value > 1) return
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
    const name = value === 0 ? 'abc'[at % 3]! : `${party}/${at}`
    const root = this.#roots.get(name)
    if (root === undefined) return
    if (value === 0) this.model.faded.add(name)
    else door.faded = true
    Revocation.of(root)
  }

  #window({ party, at, value }: Operation): void {
    const window = { first: at - 1, size: value % 4 }
    if (at === 0) return
    this.model.parties[party]!.window = window
    this.parties[party]!.window = DOORS + window.first
    this.parties[party]!.windowSize = window.size
  }

  /** A party lets go of what lies in a pocket. */
  #empty({ party, at }: Operation): void {
    const pocket = at % POCKETS
    const { capabilities } = this.parties[party]!
    const capability = capabilities.at(DOORS + pocket)
    if (capability === undefined) return
    capabilities.delete(capability)
    this.model.parties[party]!.pockets[pocket] = undefined
  }

  #end(op: Operation): void {
    if (this.model.parties[op.party]!.gone || (op.do === 'leave' && op.value > 3)) return
    this.model[op.do === 'leave' ? 'leave' : 'cancel'](op.party)
    this.ipc[op.do === 'leave' ? 'leave' : 'cancel'](this.parties[op.party]!)
  }

  /** What a party is about to say: in its registers, and as the model has it. */
  #write(op: Operation): Letter {
    const { out } = this.parties[op.party]!
    // A contract knows three messages.
    const label = op.at === 2 ? op.value & 3 : op.value
    const all = [op.value, op.party, op.at, 7, 8, 9, 10, 11].map((word) => word + 100 * op.words)
    out.capCount = 3
    out.set(label, ...all.slice(0, Math.min(4, op.words)))
    if (out.capCount !== 0 || out.count !== 4) throw new Error('a message was set to something else')
    const words = op.words <= 4 ? [...all.slice(0, op.words), 0, 0, 0, 0].slice(0, 4) : all.slice(0, op.words)
    for (let i = 4; i < 8; i++) out.words[i] = all[i]!
    out.count = words.length
    out.capCount = op.things.length
    out.moved = 0
    op.things.forEach(({ pocket, moved }, i) => {
      out.caps[i] = DOORS + pocket
      if (moved) out.moved |= 1 << i
    })
    return { label, words, things: op.things }
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
    this.model.parties.forEach((expected, i) => {
      const party = this.parties[i]!
      this.#samePockets(i, expected.pockets)
      if (expected.gone) return
      const waits = expected.waiting.for !== 'nothing'
      if (waits !== (party.wait !== 'nothing')) throw new Error(`party ${i} waits for ${party.wait}`)
      if (party.thread.effective !== this.model.effective(i))
        throw new Error(`party ${i} has priority ${party.thread.effective}, not ${this.model.effective(i)}`)
      const { label, badge, count, things: slots, words } = expected.received
      const read = party.in
      const same =
        read.label === label &&
        read.badge === badge &&
        read.count === count &&
        read.capCount === slots.length &&
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

/** Hold the kernel to the model over `runs` sequences of `length` operations each. Throws with the shortest that differs. */
export function holdIpcToModel(runs: number, length: number, seed: number): void {
  if (Object.entries(COMPILED).some(([name, value]) => name in IPC && IPC[name as keyof typeof IPC] !== value))
    throw new Error('errors are not what drivers are compiled for')
  const refusals = Object.entries(REFUSALS).map(
    ([name, value]) => [name.toUpperCase().replace('-', '_'), value] as const,
  )
  if (refusals.some(([name, value]) => IPC[name as keyof typeof IPC] !== value))
    throw new Error('a refusal has the name of another')
  if (!startsEmpty()) throw new Error('a new party has something in its registers')
  const settings = fc.array(setting, { minLength: PARTIES, maxLength: PARTIES })
  fc.assert(
    fc.property(settings, fc.array(operation, { minLength: length, maxLength: length }), (parties, operations) => {
      const pair = new Pair(parties)
      for (const op of operations) pair.run(op)
    }),
    { numRuns: runs, seed },
  )
}

export { BLOCKED }
