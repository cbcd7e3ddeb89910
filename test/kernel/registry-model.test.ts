/**
 * Matching against a reference that is too simple to be wrong: it keeps lists and searches them, and after every step
 * says who must drive what and who must have been asked for it, in which order.
 */
import test from 'ava'
import fc from 'fast-check'
import { type Client, type Condition, type Node, type Personality, Registry } from '../../kernel/registry.ts'

interface DriverSpec {
  readonly class: string
  readonly when: Readonly<Record<string, number>>
  readonly score: number
  /** What looking adds; undefined: it does not look. */
  readonly looks: number | undefined
  /** Nodes with this value of `x` it refuses; 3 is none. */
  readonly refuses: number
}

type Step =
  | { readonly do: 'plug'; readonly class: string; readonly x: number; readonly y: number; readonly under: number }
  | { readonly do: 'pull' | 'release' | 'unload'; readonly which: number }
  | { readonly do: 'load'; readonly driver: DriverSpec }

const value = fc.integer({ min: 0, max: 2 })
const className = fc.constantFrom('', 'a', 'a.b', 'ab')

const driverSpec: fc.Arbitrary<DriverSpec> = fc.record({
  class: className,
  when: fc.dictionary(fc.constantFrom('x', 'y'), value, { maxKeys: 2 }),
  score: fc.integer({ min: 1, max: 3 }),
  looks: fc.option(fc.integer({ min: -2, max: 3 }), { nil: undefined }),
  refuses: fc.integer({ min: 0, max: 3 }),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('plug' as const), class: className, x: value, y: value, under: fc.nat(20) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('load' as const), driver: driverSpec }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('pull', 'release', 'unload'), which: fc.nat(20) }) },
)

// ---- the reference ----

interface RefNode {
  readonly id: number
  readonly class: string
  readonly x: number
  readonly y: number
  readonly parent: number
  client: number | undefined
  readonly refused: Set<number>
}

class Reference {
  nodes: RefNode[] = []
  drivers: { id: number; spec: DriverSpec }[] = []
  said: string[] = []

  match(node: RefNode): void {
    if (node.client !== undefined) return
    const covers = (general: string): boolean => general === '' || `${node.class}.`.startsWith(`${general}.`)
    const wanting: { id: number; spec: DriverSpec; score: number }[] = []
    const able = this.drivers.filter(
      ({ id, spec }) =>
        !node.refused.has(id) &&
        covers(spec.class) &&
        (spec.when['x'] ?? node.x) === node.x &&
        (spec.when['y'] ?? node.y) === node.y,
    )
    for (const { id, spec } of able) {
      const score = spec.score + (spec.looks ?? 0)
      if (score > 0) wanting.push({ id, spec, score })
      else node.refused.add(id)
    }
    for (;;) {
      let best = wanting[0]
      for (const one of wanting) if (one.score > best!.score) best = one
      if (best === undefined) return
      wanting.splice(wanting.indexOf(best), 1)
      this.said.push(`${best.id} starts ${node.id}`)
      if (best.spec.refuses !== node.x) {
        node.client = best.id
        return
      }
      node.refused.add(best.id)
    }
  }

  pull(node: RefNode): void {
    for (const child of this.nodes.filter(({ parent }) => parent === node.id)) this.pull(child)
    if (node.client !== undefined) this.said.push(`${node.client} stops ${node.id}`)
    this.nodes.splice(this.nodes.indexOf(node), 1)
  }
}

// ---- the two side by side ----

class Pair {
  readonly registry = new Registry()
  readonly reference = new Reference()
  readonly nodes: Node[] = []
  readonly personalities: { id: number; personality: Personality }[] = []
  readonly said: string[] = []
  #nextDriver = 0

  async perform(what: Step): Promise<void> {
    if (what.do === 'plug') this.#plug(what)
    else if (what.do === 'load') this.#load(what.driver)
    else if (what.do === 'unload') this.#unload(what.which)
    else this.#onNode(what.do, what.which)
    await this.registry.settle()
  }

  #plug({ class: of, x, y, under }: Step & { do: 'plug' }): void {
    const parent = this.nodes.length === 0 ? undefined : [undefined, ...this.nodes][under % (this.nodes.length + 1)]
    const node = this.registry.publish({ name: 'n', class: of, properties: { x, y } }, parent)
    this.nodes.push(node)
    const twin = {
      id: node.id,
      class: of,
      x,
      y,
      parent: parent?.id ?? 0,
      client: undefined,
      refused: new Set<number>(),
    }
    this.reference.nodes.push(twin)
    this.reference.match(twin)
  }

  #load(spec: DriverSpec): void {
    const id = this.#nextDriver++
    const when = spec.when as Readonly<Record<string, Condition>>
    const personality: Personality = {
      driver: String(id),
      class: spec.class,
      any: [{ when, score: spec.score }],
      ...(spec.looks !== undefined && { probe: (_: Node, score: number) => score + spec.looks! }),
      start: async (node) => {
        this.said.push(`${id} starts ${node.id}`)
        if (node.properties['x'] === spec.refuses) return { reason: 'refused' }
        const client: Client = {
          driver: String(id),
          stop: async () => void this.said.push(`${id} stops ${node.id}`),
        }
        this.registry.attach(node, client)
        return undefined
      },
    }
    this.personalities.push({ id, personality })
    this.registry.add(personality)
    this.reference.drivers.push({ id, spec })
    // In order of the tree: parents before children, elder siblings first.
    const visit = (parent: number): void => {
      for (const node of this.reference.nodes.filter((one) => one.parent === parent)) {
        this.reference.match(node)
        visit(node.id)
      }
    }
    visit(0)
  }

  #unload(which: number): void {
    if (this.personalities.length === 0) return
    const [gone] = this.personalities.splice(which % this.personalities.length, 1)
    this.registry.remove(gone!.personality)
    this.reference.drivers = this.reference.drivers.filter(({ id }) => id !== gone!.id)
  }

  #onNode(what: 'pull' | 'release', which: number): void {
    if (this.nodes.length === 0) return
    const node = this.nodes[which % this.nodes.length]!
    const twin = this.reference.nodes.find(({ id }) => id === node.id)!
    if (what === 'pull') {
      this.registry.retract(node)
      this.reference.pull(twin)
      for (let i = this.nodes.length - 1; i >= 0; i--) if (this.nodes[i]!.gone) this.nodes.splice(i, 1)
      return
    }
    this.registry.release(node)
    this.registry.offer(node, true)
    twin.client = undefined
    twin.refused.clear()
    this.reference.match(twin)
  }
}

const registrySays = ({ registry }: Pair): string[] =>
  [...registry.nodes()]
    .slice(1)
    .map((node) => `${node.id} below ${node.parent!.id}: ${node.client?.driver ?? 'nobody'}`)

const referenceSays = ({ reference }: Pair): string[] => {
  const visit = (parent: number): string[] =>
    reference.nodes
      .filter((node) => node.parent === parent)
      .flatMap((node) => [`${node.id} below ${parent}: ${node.client ?? 'nobody'}`, ...visit(node.id)])
  return visit(0)
}

test('XNU I/O Kit: class, passive and active matching, runners-up and comings and goings agree with the reference', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const pair = new Pair()
      for (const what of steps) {
        // oxlint-disable-next-line no-await-in-loop
        await pair.perform(what)
        t.deepEqual(registrySays(pair), referenceSays(pair))
        t.deepEqual(pair.said, pair.reference.said)
      }
    }),
    { numRuns: 500, seed: 4 },
  )
  t.pass()
})
