/** The kernel's capabilities and the model of them, given the same random operations. */
import fc from 'fast-check'
import { type Capability, CapabilityError, CNode, revoke, type Revocation, RIGHT } from '../../../kernel/capability.ts'
import { RIGHT as COMPILED } from '../../../linux-api/generated/abi.ts'
import { copy, mint, move, remove, revocation } from '../../../kernel/cspace.ts'
import { type Held, Model, type Pointer } from './_capabilities.ts'

/** Small, so that slots are wanted twice, quotas are reached and lines of descent grow long. */
const SIZES = [9, 5, 5, 6] as const
/** Capabilities the root CNode has to begin with: to each node all rights, and lesser ones to the first two. */
const NODES = [
  ['node 1', RIGHT.ALL],
  ['node 2', RIGHT.ALL],
  ['node 3', RIGHT.ALL],
  // Literal: what the rights are called is the kernel's, what they are is its callers', too.
  ['node 1', 1],
  ['node 2', 2],
] as const
const OBJECTS = ['a', 'b', 'node 1', 'node 2'] as const
/** The owner of this node has as many of what `b` stands for as it may. */
const FULL_OF_B = 3

type Operation =
  | {
      readonly do: 'create'
      readonly object: string
      readonly rights: number
      readonly node: number
      readonly slot?: number | undefined
      readonly whole?: boolean
    }
  | {
      readonly do: 'mint'
      readonly from: Pointer
      readonly to: Pointer
      readonly rights: number
      readonly badge?: number | undefined
    }
  | { readonly do: 'move'; readonly from: Pointer; readonly to: Pointer }
  | { readonly do: 'remove' | 'revoke'; readonly from: Pointer }
  | { readonly do: 'step'; readonly which: number; readonly limit: number }
  | {
      readonly do: 'grant' | 'shift' | 'delete'
      readonly which: number
      readonly node: number
      readonly rights: number
    }
  | { readonly do: 'end'; readonly which: number; readonly itself: boolean }
  | { readonly do: 'clear'; readonly node: number }

const node = fc.nat(SIZES.length - 1)
const slot = fc.nat(6)
const rights = fc.constantFrom(15, 15, 15, 7, 13, 3, 1)
const pointer: fc.Arbitrary<Pointer> = fc.record({
  via: fc.constantFrom(undefined, 0, 1, 2, 0, 1, 2, 3, 4, 5, 7),
  slot,
})
const which = fc.nat(30)
const is = <T extends string>(kind: T) => fc.constant(kind)
const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary })

const operation: fc.Arbitrary<Operation> = fc.oneof(
  often(
    6,
    fc.record({
      do: is('create'),
      object: fc.constantFrom(...OBJECTS),
      rights,
      node,
      slot: fc.constantFrom(undefined, 0, 1, 2, 5, 6, 9, -1, 0.5),
      whole: fc.boolean(),
    }),
  ),
  often(
    24,
    fc.record({
      do: is('mint'),
      from: pointer,
      to: pointer,
      rights,
      badge: fc.constantFrom(undefined, undefined, undefined, 1, 2),
    }),
  ),
  often(8, fc.record({ do: is('move'), from: pointer, to: pointer })),
  often(3, fc.record({ do: is('remove'), from: pointer })),
  often(5, fc.record({ do: is('revoke'), from: pointer })),
  often(7, fc.record({ do: is('step'), which: fc.nat(5), limit: fc.constantFrom(0, 1, 1, 2, 3) })),
  often(10, fc.record({ do: is('grant'), which, node, rights })),
  often(4, fc.record({ do: is('shift'), which, node, rights })),
  often(3, fc.record({ do: is('delete'), which, node, rights })),
  often(1, fc.record({ do: is('end'), which, itself: fc.boolean() })),
  often(1, fc.oneof(often(1, fc.record({ do: is('clear'), node: fc.integer({ min: 1, max: 3 }) })))),
)

/** The kernel's side: one holder whose root CNode has capabilities to the CNodes that are worked on. */
class Real {
  readonly nodes = SIZES.map((size, i) => new CNode(`node ${i}`, size))
  readonly revocations = new Map<number, Revocation>()
  /** Ids whose end was told. */
  readonly ended: number[] = []

  constructor() {
    this.nodes[FULL_OF_B]!.admits = (arriving) => arriving.every(({ object }) => !object.label.startsWith('b'))
  }

  get root(): CNode {
    return this.nodes[0]!
  }

  pointer({ via, slot: at }: Pointer): number {
    return via === undefined ? at : via + (at + 1) * 65_536
  }

  at = ({ node: of, slot: at }: Held): Capability => this.nodes[of]!.at(at)!
  /** Capabilities to things, as things are told. */
  told = 0
  object = (label: string) =>
    this.nodes.find((n) => n.label === label) ?? {
      type: 'thing',
      label,
      gained: () => void this.told++,
      lost: () => void this.told--,
    }

  /** The lowest free slot of a node, or why there is none. */
  free(node: CNode): string {
    let slot = -1
    const said = this.try(() => (slot = node.free()))
    return said === 'ok' ? String(slot) : said
  }

  noting = (id: number) => () => void this.ended.push(id)

  /** Who makes one is given it. */
  make(work: () => Capability): string {
    let made: Capability | undefined
    const said = this.try(() => (made = work()))
    return said === 'ok' && made?.space?.at(made.slot) !== made ? 'made, but given another' : said
  }

  try(work: () => unknown): string {
    try {
      work()
      return 'ok'
    } catch (error) {
      if (error instanceof CapabilityError && error.name === 'CapabilityError') return error.refusal
      throw error
    }
  }
}

/** Both sides after the same operations. */
class Pair {
  readonly model = new Model(SIZES, (object, node) => node === FULL_OF_B && object.startsWith('b'))
  readonly real = new Real()
  /** Ids of those that tell of their end. */
  readonly #telling = new Set<number>()

  constructor() {
    NODES.forEach(([object, all], at) =>
      this.run({ do: 'create', object, rights: all, node: 0, slot: at < 3 ? undefined : at }),
    )
  }

  run(op: Operation): void {
    const before = this.model.held
    const was = before.map((c) => this.real.at(c))
    this.real.ended.length = 0
    const [expected, found] = this.#both(op)
    if (expected !== found) throw new Error(`${op.do}: the model says ${expected}, the kernel ${found}`)
    const gone = before.filter((c) => this.#telling.has(c.id) && this.model.byId(c.id) === undefined)
    const told = this.real.ended.toSorted((a, b) => a - b).join()
    if (told !== gone.map((c) => c.id).join()) throw new Error(`${op.do}: told of the end of ${told}`)
    this.same()
    const [dead] = was.filter((c) => c.space === undefined)
    if (dead !== undefined) this.#nothingComesOfIt(dead)
  }

  /** Whatever is done with one that has ended. */
  #nothingComesOfIt(dead: Capability): void {
    if (dead.alive || revoke(dead) !== 0) throw new Error('it has ended, and is used')
    this.real.nodes[1]!.delete(dead)
    for (const work of [() => this.real.root.derive(dead, dead.object), () => this.real.root.move(dead)])
      if (this.real.try(work) !== 'ended') throw new Error('something derives from what has ended')
    this.same()
  }

  /** What both say of it. */
  #both(op: Operation): readonly [unknown, unknown] {
    const { model, real } = this
    switch (op.do) {
      case 'create': {
        const whole = op.whole === true
        const expected = model.create(op.object, op.rights, op.node, op.slot, whole)
        const options = { rights: op.rights, whole, ...(op.slot !== undefined && { slot: op.slot }) }
        const ended = this.#tell(expected)
        return [expected, real.make(() => real.nodes[op.node]!.create(real.object(op.object), { ...options, ended }))]
      }
      case 'mint': {
        const [from, to] = [real.pointer(op.from), real.pointer(op.to)]
        const whole = op.rights === RIGHT.ALL && op.badge === undefined
        const work = (): Capability =>
          whole ? copy(real.root, from, to) : mint(real.root, from, to, op.rights, op.badge)
        return [model.mint(op.from, op.to, op.rights, op.badge), real.make(work)]
      }
      case 'move': {
        const work = (): void => move(real.root, real.pointer(op.from), real.pointer(op.to))
        return [model.move(op.from, op.to), real.try(work)]
      }
      case 'remove':
        return [model.remove(op.from), real.try(() => remove(real.root, real.pointer(op.from)))]
      case 'revoke': {
        const id = model.named(op.from)?.id ?? 0
        const going = model.revoking.includes(id)
        const work = (): void => {
          const begun = revocation(real.root, real.pointer(op.from))
          if (!going && (begun.ended !== 0 || begun.done)) throw new Error('it has begun before')
          real.revocations.set(id, begun)
        }
        const expected = model.revoke(op.from)
        return [expected, real.try(work)]
      }
      case 'step':
        return this.#step(op.which, op.limit)
      case 'clear':
        return [model.end(model.within(op.node), true), real.nodes[op.node]!.clear()]
      default:
        return this.#anywhere(op)
    }
  }

  /** Operations of those who hold no CNode: on any capability there is. */
  #anywhere(op: Operation & { readonly which: number }): readonly [unknown, unknown] {
    const { model, real } = this
    const held = model.held[op.which % Math.max(1, model.held.length)]
    if (held === undefined) return ['nothing', 'nothing']
    const capability = real.at(held)
    if (op.do === 'end')
      return [model.end([held], op.itself), op.itself ? revoke(capability) : revoke(capability, false)]
    if (op.do !== 'grant' && op.do !== 'shift' && op.do !== 'delete') return ['nothing', 'nothing']
    const to = real.nodes[op.node]!
    if (op.do === 'delete') {
      // A node lets go only of what it holds.
      if (held.node === op.node) model.delete(held)
      to.delete(capability)
      return ['ok', 'ok']
    }
    if (op.do === 'shift') return [model.shift(held, op.node, undefined), real.try(() => to.move(capability))]
    const part = held.object.startsWith('node') ? held.object : `${held.object[0]}, part`
    const expected = model.derive(held, part, op.rights, undefined, op.node, undefined)
    const options = { rights: op.rights, ended: this.#tell(expected) }
    return [expected, real.make(() => to.derive(capability, real.object(part), options))]
  }

  #tell(expected: string): () => void {
    const id = this.model.latest
    if (expected === 'ok') this.#telling.add(id)
    return this.real.noting(id)
  }

  /** One of the revocations ever begun goes on; one that is over has nothing to do. */
  #step(which: number, limit: number): readonly [unknown, unknown] {
    const { model, real } = this
    const ids = [...real.revocations.keys()].toReversed()
    const id = ids[which % Math.max(1, ids.length)]
    if (id === undefined) return ['nothing', 'nothing']
    const going = real.revocations.get(id)!
    const count = going.ended
    const done = going.step(limit)
    const gone = model.held.filter((c) => real.at(c) === undefined)
    if (going.ended - count !== gone.length) throw new Error(`${gone.length} ended, not ${going.ended - count}`)
    if (!model.revoking.includes(id)) return [`0 true`, `${gone.length} ${done}`]
    const wrong = model.vanished(id, gone, limit, done)
    return ['as it should', wrong ?? 'as it should']
  }

  /** Every slot says the same on both sides. */
  same(): void {
    const { model, real } = this
    for (const [id, { done }] of real.revocations)
      if (done === model.revoking.includes(id)) throw new Error(`the revocation of ${id} is ${done ? '' : 'not '}done`)
    if (real.told !== this.#things()) throw new Error(`things were told of ${real.told} capabilities`)
    real.nodes.forEach((of, number) => {
      const held = model.within(number).toSorted((a, b) => a.slot - b.slot)
      if (of.count !== held.length) throw new Error(`node ${number} counts ${of.count}, not ${held.length}`)
      const free = Array.from({ length: SIZES[number]! }, (_, i) => i).find((i) => !held.some((c) => c.slot === i))
      if (real.free(of) !== String(free ?? 'quota')) throw new Error(`node ${number} has another free slot`)
      const cnodes = held.filter((c) => c.object.startsWith('node'))
      for (const [type, some] of [
        ['cnode', cnodes],
        ['thing', held.filter((c) => !cnodes.includes(c))],
      ] as const)
        if (
          of
            .ofType(type)
            .map((c) => c.slot)
            .join() !== some.map((c) => c.slot).join()
        )
          throw new Error(`node ${number} has other slots of type ${type}`)
      if (
        of
          .all()
          .map((c) => c.slot)
          .join() !== held.map((c) => c.slot).join()
      )
        throw new Error(`node ${number} lists others than it holds`)
      for (const c of held) this.#sameSlot(c, of.at(c.slot))
      for (let at = 0; at < SIZES[number]!; at++)
        if (of.at(at) !== undefined && !held.some((c) => c.slot === at)) throw new Error(`slot ${at} is full`)
    })
  }

  #things = (): number => this.model.held.filter((c) => !c.object.startsWith('node')).length

  #sameSlot(held: Held, found: Capability | undefined): void {
    const { model, real } = this
    if (found === undefined) throw new Error(`slot ${held.slot} of node ${held.node} is empty`)
    const parent = model.byId(held.parent)
    const same =
      held.object === found.object.label &&
      held.rights === found.rights &&
      held.badge === found.badge &&
      found.space === real.nodes[held.node] &&
      found.slot === held.slot &&
      model.usable(held) === found.alive &&
      found.parent === (parent && real.at(parent))
    if (!same)
      throw new Error(`${JSON.stringify(held)} is ${found.object.label} ${found.rights}/${found.badge}/${found.alive}`)
  }
}

/** What chance seldom makes first: the very first revocation is seen while it is under way. */
const BEGUN: Operation[] = [
  { do: 'create', object: 'a', rights: 7, node: 0, slot: 6 },
  { do: 'mint', from: { via: undefined, slot: 6 }, to: { via: 0, slot: 0 }, rights: 7 },
  { do: 'revoke', from: { via: undefined, slot: 6 } },
  { do: 'step', which: 0, limit: 0 },
]

/** Hold the kernel to the model over `runs` sequences of `length` operations each. Throws with the shortest that differs. */
export function holdToModel(runs: number, length: number, seed: number): void {
  if (JSON.stringify(RIGHT) !== JSON.stringify(COMPILED))
    throw new Error('rights are not what drivers are compiled for')
  if (new CNode('plain').size !== 4096) throw new Error('a plain CNode has 4096 slots')
  fc.assert(
    fc.property(fc.array(operation, { minLength: length, maxLength: length }), (operations) => {
      const pair = new Pair()
      for (const op of operations) pair.run(op)
      // Whatever state that left, the end of everything leaves nothing.
      for (const some of pair.real.nodes) some.clear()
      return pair.real.nodes.every((some) => some.count === 0)
    }),
    { numRuns: runs, seed, examples: [[BEGUN]] },
  )
}
