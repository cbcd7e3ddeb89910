/**
 * What capabilities mean, said as plainly as possible: a list of records, every question answered by going through it.
 *
 * Slow and obvious. The kernel's own implementation is held against it, operation by operation; it shares no code with
 * it. The order in which a revocation empties slots is the kernel's to choose, so it is told (`vanished`), and checked.
 */
export interface Held {
  readonly id: number
  readonly object: string
  readonly rights: number
  readonly badge: number
  readonly parent: number
  node: number
  slot: number
}

const READ = 1
const WRITE = 2
const GRANT = 4

export class Model {
  readonly size: number
  held: Held[] = []
  /** Ids whose progeny is being revoked. */
  revoking: number[] = []
  #next = 1

  constructor(size: number) {
    this.size = size
  }

  at = (node: number, slot: number): Held | undefined => this.held.find((c) => c.node === node && c.slot === slot)
  byId = (id: number): Held | undefined => this.held.find((c) => c.id === id)
  ancestors(c: Held): number[] {
    const up = this.byId(c.parent)
    return up === undefined ? [] : [up.id, ...this.ancestors(up)]
  }
  below = (id: number): Held[] => this.held.filter((c) => this.ancestors(c).includes(id))
  usable = (c: Held): boolean => !this.ancestors(c).some((id) => this.revoking.includes(id))

  create(object: string, node: number, slot: number): string {
    if (this.at(node, slot) !== undefined) return 'occupied'
    this.held.push({ id: this.#next++, object, rights: READ | WRITE | GRANT, badge: 0, parent: 0, node, slot })
    return 'ok'
  }

  mint(node: number, slot: number, toNode: number, toSlot: number, rights: number, badge: number | undefined): string {
    const source = this.at(node, slot)
    if (source === undefined) return 'empty'
    if (!this.usable(source)) return 'ended'
    if (node !== toNode && (source.rights & GRANT) === 0) return 'no-right'
    if (source.badge !== 0 && badge !== undefined && badge !== source.badge) return 'badged'
    if (this.at(toNode, toSlot) !== undefined) return 'occupied'
    const { id: parent, object } = source
    const made = { id: this.#next++, object, rights: source.rights & rights, badge: badge ?? source.badge, parent }
    this.held.push({ ...made, node: toNode, slot: toSlot })
    return 'ok'
  }

  move(node: number, slot: number, toNode: number, toSlot: number): string {
    const source = this.at(node, slot)
    if (source === undefined) return 'empty'
    if (!this.usable(source)) return 'ended'
    if (node !== toNode && (source.rights & GRANT) === 0) return 'no-right'
    if (node === toNode && slot === toSlot) return 'ok'
    if (this.at(toNode, toSlot) !== undefined) return 'occupied'
    source.node = toNode
    source.slot = toSlot
    return 'ok'
  }

  /** Gone, and what was derived from it is its parent's; when it is being revoked, what is below it goes too. */
  remove(node: number, slot: number): string {
    const gone = this.at(node, slot)
    if (gone === undefined) return 'empty'
    if (!this.usable(gone)) return 'ended'
    const doomed = this.revoking.includes(gone.id) ? this.below(gone.id).map((c) => c.id) : []
    this.held = this.held
      .filter((c) => c !== gone && !doomed.includes(c.id))
      .map((c) => (c.parent === gone.id ? { ...c, parent: gone.parent } : c))
    this.#forget()
    return 'ok'
  }

  revoke(node: number, slot: number): string {
    const root = this.at(node, slot)
    if (root === undefined) return 'empty'
    if (!this.usable(root)) return 'ended'
    if (!this.revoking.includes(root.id)) this.revoking.push(root.id)
    return 'ok'
  }

  /** A step of the revocation of `id` emptied these slots. Returns what is wrong with that. */
  vanished(id: number, gone: readonly Held[], limit: number, done: boolean): string | undefined {
    const below = this.below(id)
    if (gone.length > limit) return `${gone.length} ended in a step of ${limit}`
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
