/**
 * What capabilities mean, said as plainly as possible: a list of records, every question answered by going through it.
 *
 * Slow and obvious. The kernel's own implementation is held against it, operation by operation; it shares no code with
 * it. The order in which a revocation empties slots is the kernel's to choose, so it is told (`vanished`), and checked.
 * Node 0 is the root CNode of the one who acts; objects called `node N` are the other nodes.
 */
export interface Held {
  readonly id: number
  readonly object: string
  readonly rights: number
  readonly badge: number
  readonly parent: number
  /** Nothing that was derived from it outlives it. */
  readonly whole: boolean
  node: number
  slot: number
}

/** A slot as a holder names it: of its root CNode, or of the CNode whose capability lies in slot `via` of that. */
export interface Pointer {
  readonly via: number | undefined
  readonly slot: number
}

interface Place {
  readonly node: number
  readonly slot: number
}

const READ = 1
const WRITE = 2
const GRANT = 4

export class Model {
  /** Slots of each node. */
  readonly sizes: readonly number[]
  /** Whether a node's owner may not hold an object that moves there. */
  readonly unwelcome: (object: string, node: number) => boolean
  held: Held[] = []
  /** Ids whose progeny is being revoked. */
  revoking: number[] = []
  /** Id of the latest one made. */
  latest = 0

  constructor(sizes: readonly number[], unwelcome: (object: string, node: number) => boolean) {
    this.sizes = sizes
    this.unwelcome = unwelcome
  }

  at = (node: number, slot: number): Held | undefined => this.held.find((c) => c.node === node && c.slot === slot)
  byId = (id: number): Held | undefined => this.held.find((c) => c.id === id)
  within = (node: number): Held[] => this.held.filter((c) => c.node === node)
  ancestors(c: Held): number[] {
    const up = this.byId(c.parent)
    return up === undefined ? [] : [up.id, ...this.ancestors(up)]
  }
  below = (id: number): Held[] => this.held.filter((c) => this.ancestors(c).includes(id))
  usable = (c: Held): boolean => !this.ancestors(c).some((id) => this.revoking.includes(id))

  /** The slot a new one goes to, or why none does. */
  #room(node: number, slot: number | undefined): number | string {
    const size = this.sizes[node]!
    if (slot === undefined) {
      const free = Array.from({ length: size }, (_, i) => i).find((i) => this.at(node, i) === undefined)
      return free ?? 'quota'
    }
    if (slot < 0 || slot >= size || slot % 1 !== 0) return 'range'
    return this.at(node, slot) === undefined ? slot : 'occupied'
  }

  #make(one: Omit<Held, 'id'>): string {
    this.latest++
    this.held.push({ id: this.latest, ...one })
    return 'ok'
  }

  /** The slot a pointer names, or why it names none for somebody who needs these rights to the CNode. */
  #place({ via, slot }: Pointer, rights: number): Place | string {
    if (via === undefined) return { node: 0, slot }
    const node = this.at(0, via)
    const number = node?.object.match(/^node (\d)$/)?.[1]
    if (node === undefined || number === undefined || !this.usable(node)) return 'empty'
    return (node.rights & rights) === rights ? { node: Number(number), slot } : 'no-right'
  }

  #lookup(pointer: Pointer, rights: number): Held | string {
    const place = this.#place(pointer, rights)
    if (typeof place === 'string') return place
    const held = this.at(place.node, place.slot)
    return held === undefined ? 'empty' : this.usable(held) ? held : 'ended'
  }

  create(object: string, rights: number, node: number, slot: number | undefined, whole: boolean): string {
    const room = this.#room(node, slot)
    if (typeof room === 'string') return room
    return this.#make({ object, rights, badge: 0, parent: 0, whole, node, slot: room })
  }

  derive(
    source: Held,
    object: string,
    rights: number,
    badge: number | undefined,
    node: number,
    slot: number | undefined,
  ): string {
    if (!this.usable(source)) return 'ended'
    if (source.node !== node && (source.rights & GRANT) === 0) return 'no-right'
    if (source.badge !== 0 && badge !== undefined && badge !== source.badge) return 'badged'
    const room = this.#room(node, slot)
    if (typeof room === 'string') return room
    const less = { rights: source.rights & rights, badge: badge ?? source.badge }
    return this.#make({ object, ...less, parent: source.id, whole: false, node, slot: room })
  }

  shift(source: Held, node: number, slot: number | undefined): string {
    if (!this.usable(source)) return 'ended'
    if (source.node !== node && (source.rights & GRANT) === 0) return 'no-right'
    if (source.node === node && (slot === undefined || slot === source.slot)) return 'ok'
    const room = this.#room(node, slot)
    if (typeof room === 'string') return room
    if (source.node !== node && this.unwelcome(source.object, node)) return 'quota'
    source.node = node
    source.slot = room
    return 'ok'
  }

  mint(from: Pointer, to: Pointer, rights: number, badge: number | undefined): string {
    const source = this.#lookup(from, READ)
    if (typeof source === 'string') return source
    const place = this.#place(to, WRITE)
    if (typeof place === 'string') return place
    return this.derive(source, source.object, rights, badge, place.node, place.slot)
  }

  move(from: Pointer, to: Pointer): string {
    const source = this.#lookup(from, WRITE)
    if (typeof source === 'string') return source
    const place = this.#place(to, WRITE)
    return typeof place === 'string' ? place : this.shift(source, place.node, place.slot)
  }

  /** Gone, and what was derived from it is its parent's; when it is whole or being revoked, what is below it goes too. */
  remove(pointer: Pointer): string {
    const gone = this.#lookup(pointer, WRITE)
    if (typeof gone === 'string') return gone
    this.delete(gone)
    return 'ok'
  }

  delete(gone: Held): void {
    const doomed = gone.whole || this.revoking.includes(gone.id) ? this.below(gone.id).map((c) => c.id) : []
    this.held = this.held
      .filter((c) => c !== gone && !doomed.includes(c.id))
      .map((c) => (c.parent === gone.id ? { ...c, parent: gone.parent } : c))
    this.#forget()
  }

  revoke(pointer: Pointer): string {
    const root = this.#lookup(pointer, WRITE)
    if (typeof root === 'string') return root
    if (!this.revoking.includes(root.id)) this.revoking.push(root.id)
    return 'ok'
  }

  /** Which one a pointer names, whatever may be done with it. */
  named(pointer: Pointer): Held | undefined {
    const held = this.#lookup(pointer, WRITE)
    return typeof held === 'string' ? undefined : held
  }

  /** These and everything below them, at once. Returns how many there were. */
  end(roots: readonly Held[], themselves: boolean): number {
    const ids = roots.map((c) => c.id)
    const gone = this.held.filter(
      (c) => (themselves && ids.includes(c.id)) || this.ancestors(c).some((id) => ids.includes(id)),
    )
    this.held = this.held.filter((c) => !gone.includes(c))
    this.revoking = this.revoking.filter((id) => !ids.includes(id))
    this.#forget()
    return gone.length
  }

  /** A step of the revocation of `id` emptied these slots. Returns what is wrong with that. */
  vanished(id: number, gone: readonly Held[], limit: number, done: boolean): string | undefined {
    const below = this.below(id)
    if (gone.length > limit) return `${gone.length} ended in a step of ${limit}`
    if (gone.length < limit && gone.length < below.length) return `only ${gone.length} ended in a step of ${limit}`
    const stranger = gone.find((c) => !below.includes(c))
    if (stranger !== undefined) return `${stranger.id} is not below ${id}`
    const left = below.filter((c) => !gone.includes(c))
    const orphan = left.find((c) => gone.some((g) => g.id === c.parent))
    if (orphan !== undefined) return `${orphan.id} outlived its parent`
    if (done !== (left.length === 0)) return `done is ${done} with ${left.length} left`
    this.held = this.held.filter((c) => !gone.includes(c))
    if (done) this.revoking = this.revoking.filter((other) => other !== id)
    this.#forget()
    return undefined
  }

  #forget(): void {
    this.revoking = this.revoking.filter((id) => this.byId(id) !== undefined)
  }
}
