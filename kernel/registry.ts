/**
 * The device registry: what there is in a machine, who drives it, and who else could.
 *
 * A *node* is a device or a place where devices are: a class, properties, a parent. A *personality* is what a driver
 * says of the nodes it is for; a driver has one for each table of ids. Matching goes as in I/O Kit: by *class*, by
 * *passive* criteria over properties, then each remaining candidate may look (*active* probe) and gives its score; the best
 * is started, and when it refuses, the runner-up. A node may come after its driver or before it, and go at any time.
 *
 * Must not know: any bus, what a driver is made of, how it is started. `settle` does what is to be done, one thing at a
 * time, in an order that depends on nothing but the calls made.
 */

/** What is known of a node. A list is several names of it, the best first. */
export type Property = number | string | boolean | readonly string[]
export type Properties = Readonly<Record<string, Property>>

/** What a criterion asks of one property: this value (in a list: any of them), these bits of it, or a range. */
export type Condition =
  | number
  | string
  | boolean
  | { readonly value: number; readonly mask: number }
  | { readonly min: number; readonly max: number }

export interface Criterion {
  /** All of them must hold; a property that the node lacks holds nowhere. */
  readonly when: Readonly<Record<string, Condition>>
  /** How well it fits, above 0: the more it asks for, the more. */
  readonly score: number
}

export interface Refusal {
  readonly reason: string
  /** It may want the node once others are bound. */
  readonly later?: true
}

/** Who drives a node. */
export interface Client {
  readonly driver: string
  /** The node goes, or another takes it: give it up. */
  stop(): Promise<void>
}

export interface Personality {
  readonly driver: string
  /** Class of the nodes it is for: `usb` means `usb.interface` too; the empty one means every node. */
  readonly class: string
  /** Any of them. */
  readonly any: readonly Criterion[]
  /** Added to the criterion's. */
  readonly score?: number
  /** Look at the node and say how well it fits, given the passive score; 0 or less: not at all. Must change nothing. */
  probe?(node: Node, score: number): number | Promise<number>
  /** Drive it: attaches a client to the node, or says why not. */
  start(node: Node): Promise<Refusal | undefined>
}

export interface NodeSpec {
  readonly name: string
  readonly class: string
  readonly properties?: Properties
  /** What it stands for, for those who published it. */
  readonly object?: unknown
}

/** One that a node was offered to. */
export interface Attempt {
  readonly driver: string
  readonly score: number
  /** Why it does not drive the node; undefined for the one that did. */
  readonly refusal?: string
}

export type NodeState = 'new' | 'matching' | 'bound' | 'unmatched' | 'deferred' | 'gone'

export class Node {
  readonly id: number
  readonly name: string
  readonly class: string
  readonly properties: Properties
  readonly object: unknown
  readonly parent: Node | undefined
  readonly children: Node[] = []
  state: NodeState = 'new'
  client: Client | undefined
  /** Offers made, in order; those of a driver that went away are forgotten. */
  attempts: Attempt[] = []
  /** Personalities that will not be asked again. */
  readonly refused = new Set<Personality>()

  constructor(id: number, spec: NodeSpec, parent: Node | undefined) {
    this.id = id
    this.name = spec.name
    this.class = spec.class
    this.properties = spec.properties ?? {}
    this.object = spec.object
    this.parent = parent
  }

  get gone(): boolean {
    return this.state === 'gone'
  }

  /** `/pci0000:00/0000:00:01.0`; the root is `/`. */
  get path(): string {
    if (this.parent === undefined) return '/'
    return `${this.parent.parent === undefined ? '' : this.parent.path}/${this.name}`
  }
}

// ---- matching, pure ----

/** `usb` covers `usb` and `usb.interface`; the empty class covers everything. */
export const covers = (general: string, special: string): boolean =>
  general === '' || special === general || special.startsWith(`${general}.`)

/** How much of a condition's score a property earns, 0 to 1: a name further down a list fits less well. */
function holds(condition: Condition, property: Property | undefined): number {
  if (Array.isArray(property)) {
    const at = (property as readonly string[]).indexOf(condition as string)
    return at < 0 ? 0 : 1 / (at + 1)
  }
  if (typeof condition !== 'object') return property === condition ? 1 : 0
  if (typeof property !== 'number') return 0
  if ('mask' in condition) return ((property ^ condition.value) & condition.mask) === 0 ? 1 : 0
  return property >= condition.min && property <= condition.max ? 1 : 0
}

function scoreOf({ when, score }: Criterion, properties: Properties): number {
  let fit = 1
  for (const name of Object.keys(when)) fit *= holds(when[name]!, properties[name])
  return fit * score
}

/** Score of the best of the criteria that hold for a node with these properties; 0 when none does. */
export function passiveScore(criteria: readonly Criterion[], properties: Properties): number {
  let best = 0
  for (const criterion of criteria) best = Math.max(best, scoreOf(criterion, properties))
  return best
}

// ---- the registry ----

export type RegistryEvent = 'published' | 'bound' | 'refused' | 'unmatched' | 'released' | 'gone'

interface Candidate {
  readonly personality: Personality
  readonly score: number
}

export class Registry {
  readonly root = new Node(0, { name: '', class: 'root' }, undefined)
  readonly #personalities: Personality[] = []
  readonly #arrivals: Node[] = []
  readonly #departures: Node[] = []
  #next = 1
  #settling = false
  /** Told of everything as it happens; may publish further nodes. */
  onEvent: ((event: RegistryEvent, node: Node, detail: string) => void) | undefined

  get personalities(): readonly Personality[] {
    return this.#personalities
  }

  /** There is something for `settle` to do, and nobody does it yet. */
  get busy(): boolean {
    return !this.#settling && (this.#arrivals.length > 0 || this.#departures.length > 0)
  }

  // ---- nodes ----

  /** A device was found. It is matched by the next `settle`. */
  publish(spec: NodeSpec, parent: Node = this.root): Node {
    if (parent.gone) throw new RangeError(`${parent.path} is gone: nothing can be below it`)
    const node = new Node(this.#next++, spec, parent)
    parent.children.push(node)
    this.onEvent?.('published', node, '')
    this.#arrive(node)
    return node
  }

  /**
   * A device is no longer there, nor what is below it. They are `gone` at once, and nobody is given them any more; those
   * who drive them are stopped by the next `settle`, from the leaves up.
   */
  retract(node: Node): void {
    if (node.gone) return
    for (const child of node.children) this.retract(child)
    node.state = 'gone'
    this.#departures.push(node)
  }

  /** Every node below one, and itself, parents first. */
  *nodes(from: Node = this.root): Generator<Node> {
    yield from
    for (const child of from.children) yield* this.nodes(child)
  }

  /** A driver has taken a node: by its personality's `start`, or told to from outside. */
  attach(node: Node, client: Client): void {
    if (node.client !== undefined) throw new Error(`${node.path} is driven by ${node.client.driver} already`)
    node.client = client
    if (!node.gone) node.state = 'bound'
    this.onEvent?.('bound', node, client.driver)
    // Something is there that was not: those who waited for it may find it.
    for (const other of this.nodes()) if (other.state === 'deferred') this.#arrive(other)
  }

  /** Its driver has given it up, or ended. It is not offered to anybody until `offer`. */
  release(node: Node): void {
    const { client } = node
    if (client === undefined) return
    node.client = undefined
    if (!node.gone) node.state = 'unmatched'
    this.onEvent?.('released', node, client.driver)
  }

  /** Match a node that nobody drives again. With `anew`, those that refused it are asked once more. */
  offer(node: Node, anew = false): void {
    if (anew) {
      node.refused.clear()
      node.attempts = []
    }
    this.#arrive(node)
  }

  // ---- drivers ----

  /** A driver is there: it is offered every node that nobody drives and that it has not refused. */
  add(personality: Personality): void {
    this.#personalities.push(personality)
    for (const node of this.nodes()) if (this.#passive(personality, node) > 0) this.#arrive(node)
  }

  /** A driver is no longer there. What it drives stays its own until released. */
  remove(personality: Personality): void {
    const at = this.#personalities.indexOf(personality)
    if (at < 0) return
    this.#personalities.splice(at, 1)
    for (const node of this.nodes()) {
      node.refused.delete(personality)
      node.attempts = node.attempts.filter(({ driver }) => driver !== personality.driver)
    }
  }

  /** Who could drive a node, by passive score, best first; of equals the one added first. Nobody is asked. */
  candidates(node: Node): Candidate[] {
    return ranked(this.#able(node))
  }

  // ---- doing it ----

  /** Stop who drives what is gone, and match what is new, until there is nothing left to do. */
  async settle(): Promise<void> {
    while ((await this.step()) !== undefined);
  }

  /** Do it for one node; undefined when there is none, or another call is at it. */
  async step(): Promise<Node | undefined> {
    if (!this.busy) return undefined
    this.#settling = true
    try {
      const departed = this.#departures.shift()
      const node = departed ?? this.#arrivals.shift()!
      await (departed === undefined ? this.#match(node) : this.#bury(node))
      return node
    } finally {
      this.#settling = false
    }
  }

  #arrive(node: Node): void {
    if (node === this.root || node.gone || node.client !== undefined || this.#arrivals.includes(node)) return
    this.#arrivals.push(node)
  }

  /** In the order they were added. */
  #able(node: Node): Candidate[] {
    return this.#personalities
      .map((personality) => ({ personality, score: this.#passive(personality, node) }))
      .filter(({ score }) => score > 0)
  }

  #passive(personality: Personality, node: Node): number {
    if (!covers(personality.class, node.class)) return 0
    const score = passiveScore(personality.any, node.properties)
    return score > 0 ? Math.max(0, score + (personality.score ?? 0)) : 0
  }

  async #match(node: Node): Promise<void> {
    if (node.gone || node.client !== undefined) return
    node.state = 'matching'
    let deferred = false
    for (const candidate of await this.#probed(node)) {
      const refusal = await this.#start(node, candidate)
      if (refusal === undefined || node.gone) return
      deferred ||= refusal.later === true
    }
    // The driver may have been given it from outside meanwhile.
    if (node.state !== 'matching') return
    node.state = deferred ? 'deferred' : 'unmatched'
    this.onEvent?.('unmatched', node, node.state)
  }

  /** The candidates that still want the node after they looked, best first; of equals the one added first. */
  async #probed(node: Node): Promise<Candidate[]> {
    const wanting: Candidate[] = []
    for (const { personality, score } of this.#able(node)) {
      if (node.refused.has(personality)) continue
      const active = personality.probe === undefined ? score : await personality.probe(node, score)
      if (node.gone) return []
      if (active > 0) wanting.push({ personality, score: active })
      else this.#refuse(node, { personality, score }, { reason: 'looked, and does not want it' })
    }
    return ranked(wanting)
  }

  async #start(node: Node, candidate: Candidate): Promise<Refusal | undefined> {
    const { personality, score } = candidate
    if (!this.#personalities.includes(personality)) return { reason: 'it went away' }
    const refusal = await personality.start(node)
    if (refusal === undefined) {
      node.attempts.push({ driver: personality.driver, score })
      return undefined
    }
    this.#refuse(node, candidate, refusal)
    return refusal
  }

  #refuse(node: Node, { personality, score }: Candidate, { reason, later }: Refusal): void {
    node.attempts = node.attempts.filter(({ driver, refusal }) => driver !== personality.driver || refusal !== reason)
    node.attempts.push({ driver: personality.driver, score, refusal: reason })
    if (later !== true) node.refused.add(personality)
    this.onEvent?.('refused', node, `${personality.driver}: ${reason}`)
  }

  /** The end of a node that is gone: its driver is stopped, then it leaves the tree. */
  async #bury(node: Node): Promise<void> {
    await node.client?.stop()
    this.release(node)
    const siblings = node.parent?.children
    const at = siblings?.indexOf(node) ?? -1
    if (at >= 0) siblings!.splice(at, 1)
    this.onEvent?.('gone', node, '')
  }
}

const ranked = (candidates: readonly Candidate[]): Candidate[] => candidates.toSorted((a, b) => b.score - a.score)
