/** The kernel's memory objects, sent about in messages, and the model of them, given the same random operations. */
import fc from 'fast-check'
import { type Capability, CNode, revoke, RIGHT } from '../../../kernel/capability.ts'
import { Endpoint, Ipc, Party } from '../../../kernel/ipc.ts'
import { IPC } from '../../../kernel/message.ts'
import { EXCLUSIVE } from '../../../kernel/transfer.ts'
import { MemoryObject } from '../../../kernel/memory-object.ts'
import { Partition, Scheduler } from '../../../kernel/schedule.ts'
import { Noted } from './_ipc-pair.ts'
import { MemoryModel } from './_memory.ts'

const WHO = 3
const POST = 0
/** Where what arrives goes; put away at once. */
const ARRIVAL = 1

const which = fc.nat(40)
const operation = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('create' as const), who: fc.nat(WHO - 1), lent: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('mint' as const),
      which,
      rights: fc.constantFrom('rwgm', 'rwgm', 'rg', 'w', 'rwm'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      which,
      to: fc.nat(WHO - 1),
      how: fc.constantFrom('copied' as const, 'moved' as const, 'exclusive' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      which,
      offset: fc.nat(40),
      bytes: fc.array(fc.nat(255), { maxLength: 8 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('read' as const), which, offset: fc.nat(40), length: fc.nat(8) }),
  },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

const BITS: Readonly<Record<string, number>> = { r: RIGHT.READ, w: RIGHT.WRITE, g: RIGHT.GRANT, m: RIGHT.MAP }
const bitsOf = (rights: string): number => [...rights].reduce((sum, right) => sum | BITS[right]!, 0)
const HOW = { copied: 0, moved: 1, exclusive: 1 << EXCLUSIVE } as const

class Pair {
  readonly model = new MemoryModel()
  readonly ipc: Ipc
  readonly parties: Party[]
  /** Model's hold -> kernel's capability. */
  readonly real = new Map<number, Capability>()

  constructor() {
    const scheduler = new Scheduler()
    const partition = scheduler.add(new Partition('all', 1))
    this.ipc = new Ipc(scheduler)
    this.parties = Array.from({ length: WHO }, (_, i) => {
      const party = new Party(new Noted(`party ${i}`, 1, partition, () => undefined), new CNode(`party ${i}`))
      party.capabilities.create(new Endpoint(`post of ${i}`), { slot: POST })
      party.window = ARRIVAL
      party.windowSize = 1
      return party
    })
  }

  run(op: Operation): void {
    if (op.do === 'create') this.#create(op)
    else {
      const hold = this.model.holds[op.which % Math.max(1, this.model.holds.length)]
      if (hold !== undefined) this.#act(op, hold.id)
    }
    this.#same()
  }

  #create({ who, lent }: { who: number; lent: boolean }): void {
    const object = new MemoryObject('memory', 32, lent ? new Uint8Array(32) : undefined)
    this.real.set(this.model.create(who, 32, lent), this.#space(who).create(object, { slot: this.#free(who) }))
  }

  #act(op: Exclude<Operation, { do: 'create' }>, id: number): void {
    const { model } = this
    const capability = this.real.get(id)!
    const { who } = model.byId(id)!
    const object = capability.object as MemoryObject
    if (op.do === 'mint') {
      const made = this.#space(who).derive(capability, object, { rights: bitsOf(op.rights), slot: this.#free(who) })
      this.real.set(model.mint(id, op.rights), made)
    } else if (op.do === 'send') this.#send(op, id, who)
    else if (op.do === 'revoke') {
      model.revoke(id)
      revoke(capability, false)
    } else if (op.do === 'write') {
      const found = this.#find(who, capability, RIGHT.WRITE)?.write(op.offset, Uint8Array.from(op.bytes)) ?? false
      this.#agree(op, model.write(id, op.offset, op.bytes), found)
    } else {
      const into = new Uint8Array(op.length)
      const done = this.#find(who, capability, RIGHT.READ)?.read(op.offset, into) ?? false
      this.#agree(op, model.read(id, op.offset, op.length)?.join(), done ? into.join() : undefined)
    }
  }

  /** As a program reaches it: by slot, for a right. */
  #find(who: number, { slot }: Capability, right: number): MemoryObject | undefined {
    return this.ipc.find(this.#space(who), slot, 'memory', right)?.object as MemoryObject | undefined
  }

  #send(op: Extract<Operation, { do: 'send' }>, id: number, who: number): void {
    if (op.to === who) return
    const [from, to] = [this.parties[who]!, this.parties[op.to]!]
    const root = to.capabilities.at(POST)!
    const way = from.capabilities.derive(root, root.object, { slot: this.#free(who), badge: 1 })
    this.ipc.receive(to, POST)
    from.out.set(1)
    from.out.capCount = 1
    from.out.caps[0] = this.real.get(id)!.slot
    from.out.moved = HOW[op.how]
    const result = this.ipc.send(from, way.slot)
    this.ipc.cancel(to)
    revoke(way)
    const expected = this.model.send(id, op.to, op.how)
    this.#agree(op, expected === undefined, result === IPC.NO_RIGHT)
    const arrived = to.capabilities.at(ARRIVAL)
    if (expected === undefined || arrived === undefined) return
    this.real.set(expected, arrived)
    to.capabilities.move(arrived, this.#free(op.to))
  }

  #space = (who: number): CNode => this.parties[who]!.capabilities

  /** A slot above those with a purpose. */
  #free(who: number): number {
    let slot = 2
    while (this.#space(who).at(slot) !== undefined) slot++
    return slot
  }

  #agree(op: Operation, expected: unknown, found: unknown): void {
    if (expected !== found) throw new Error(`${JSON.stringify(op)}: the model says ${expected}, the kernel ${found}`)
  }

  /** The same holds on both sides, and no more. */
  #same(): void {
    for (const { id, who, rights } of this.model.holds) {
      const capability = this.real.get(id)
      if (capability === undefined || !capability.alive) throw new Error(`hold ${id} has ended in the kernel`)
      if (capability.space !== this.#space(who)) throw new Error(`hold ${id} is not with ${who}`)
      if (capability.rights !== bitsOf(rights))
        throw new Error(`hold ${id} has rights ${capability.rights}, not ${rights}`)
    }
    const held = this.parties.reduce((sum, { capabilities }) => sum + capabilities.ofType('memory').length, 0)
    if (held !== this.model.holds.length)
      throw new Error(`${held} holds in the kernel, ${this.model.holds.length} here`)
  }
}

/** Hold the kernel to the model over `runs` sequences of `length` operations each. Throws with the shortest that differs. */
export function holdMemoryToModel(runs: number, length: number, seed: number): void {
  fc.assert(
    fc.property(fc.array(operation, { minLength: length, maxLength: length }), (operations) => {
      const pair = new Pair()
      for (const op of operations) pair.run(op)
    }),
    { numRuns: runs, seed },
  )
}
