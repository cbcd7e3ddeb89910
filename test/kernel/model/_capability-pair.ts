/** The kernel's capabilities and the model of them, given the same random operations. */
import fc from 'fast-check'
import { CapabilityError, CNode, type Revocation, RIGHT } from '../../../kernel/capability.ts'
import { copy, mint, move, pointerTo, remove, revocation } from '../../../kernel/cspace.ts'
import { type Held, Model } from './_capabilities.ts'

const NODES = 3
const SIZE = 12

type Operation =
  | { readonly do: 'create'; readonly at: number; readonly object: string }
  | {
      readonly do: 'mint'
      readonly from: number
      readonly to: number
      readonly rights: number
      readonly badge?: number | undefined
    }
  | { readonly do: 'move'; readonly from: number; readonly to: number }
  | { readonly do: 'remove'; readonly from: number }
  | { readonly do: 'revoke'; readonly from: number }
  | { readonly do: 'step'; readonly which: number; readonly limit: number }

const place = fc.nat({ max: NODES * SIZE - 1 })
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('create' as const), at: place, object: fc.constantFrom('a', 'b') }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('mint' as const),
      from: place,
      to: place,
      rights: fc.constantFrom(7, 7, 7, 5, 3, 1),
      badge: fc.constantFrom(undefined, undefined, 1, 2),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), from: place, to: place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), from: place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), from: place }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('step' as const), which: fc.nat(3), limit: fc.nat(3) }) },
)

const nodeOf = (at: number): number => Math.floor(at / SIZE)
const slotOf = (at: number): number => at % SIZE

/** The kernel's side: one holder whose root CNode has capabilities to the CNodes that are worked on. */
class Real {
  readonly root = new CNode('root', 16)
  readonly nodes = Array.from({ length: NODES }, (_, i) => new CNode(`node ${i}`, SIZE))
  readonly revocations = new Map<number, Revocation>()
  ended = 0
  created = 0

  constructor() {
    this.nodes.forEach((node, slot) => this.root.create(node, { slot }))
  }

  pointer = (at: number): number => pointerTo(nodeOf(at), slotOf(at))

  try(work: () => unknown): string {
    try {
      work()
      return 'ok'
    } catch (error) {
      if (error instanceof CapabilityError) return error.refusal
      throw error
    }
  }

  create(at: number, object: string): string {
    return this.try(() => {
      const ended = (): void => void this.ended++
      this.nodes[nodeOf(at)]!.create({ type: 'thing', label: object }, { slot: slotOf(at), ended })
      this.created++
    })
  }
}

/** Both sides after the same operations. */
class Pair {
  readonly model = new Model(SIZE)
  readonly real = new Real()

  run(op: Operation): void {
    const { model, real } = this
    const at = (where: number): [number, number] => [nodeOf(where), slotOf(where)]
    if (op.do === 'step') return this.step(op.which, op.limit)
    const [expected, found] = ((): [string, string] => {
      switch (op.do) {
        case 'create':
          return [model.create(op.object, ...at(op.at)), real.create(op.at, op.object)]
        case 'mint': {
          const [from, to] = [real.pointer(op.from), real.pointer(op.to)]
          const whole = op.rights === RIGHT.ALL && op.badge === undefined
          const work = (): unknown =>
            whole ? copy(real.root, from, to) : mint(real.root, from, to, op.rights, op.badge)
          return [model.mint(...at(op.from), ...at(op.to), op.rights, op.badge), real.try(work)]
        }
        case 'move': {
          const work = (): void => move(real.root, real.pointer(op.from), real.pointer(op.to))
          return [model.move(...at(op.from), ...at(op.to)), real.try(work)]
        }
        case 'remove':
          return [model.remove(...at(op.from)), real.try(() => remove(real.root, real.pointer(op.from)))]
        case 'revoke': {
          const id = model.at(...at(op.from))?.id
          const work = (): unknown => real.revocations.set(id!, revocation(real.root, real.pointer(op.from)))
          return [model.revoke(...at(op.from)), real.try(work)]
        }
      }
    })()
    if (expected !== found) throw new Error(`${op.do}: the model says ${expected}, the kernel ${found}`)
    this.same()
  }

  step(which: number, limit: number): void {
    const id = this.model.revoking[which % Math.max(1, this.model.revoking.length)]
    if (id === undefined) return
    const revocation = this.real.revocations.get(id)!
    const done = revocation.step(limit)
    const gone = this.model.held.filter((c) => this.real.nodes[c.node]!.at(c.slot) === undefined)
    const wrong = this.model.vanished(id, gone, limit, done)
    if (wrong !== undefined) throw new Error(wrong)
    this.same()
  }

  /** Every slot says the same on both sides. */
  same(): void {
    const filled: (Held | undefined)[] = []
    for (const held of this.model.held) filled[held.node * SIZE + held.slot] = held
    for (let at = 0; at < NODES * SIZE; at++) {
      const held = filled[at]
      const real = this.real.nodes[nodeOf(at)]!.at(slotOf(at))
      if ((held === undefined) !== (real === undefined)) throw new Error(`slot ${at}: only one side is filled`)
      if (held === undefined || real === undefined) continue
      const same =
        held.object === real.object.label &&
        held.rights === real.rights &&
        held.badge === real.badge &&
        this.model.usable(held) === real.alive
      if (!same) throw new Error(`slot ${at}: ${JSON.stringify(held)} is ${real.rights}/${real.badge}/${real.alive}`)
    }
  }
}

/** Hold the kernel to the model over `runs` sequences of `length` operations each. Throws with the shortest that differs. */
export function holdToModel(runs: number, length: number, seed: number): void {
  fc.assert(
    fc.property(fc.array(operation, { minLength: length, maxLength: length }), (operations) => {
      const pair = new Pair()
      for (const op of operations) pair.run(op)
      // Whatever state that left, the end of everything leaves nothing.
      for (const node of pair.real.nodes) node.clear()
      return pair.real.nodes.every((node) => node.count === 0) && pair.real.ended === pair.real.created
    }),
    { numRuns: runs, seed },
  )
}
