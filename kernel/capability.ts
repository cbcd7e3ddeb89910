/**
 * Capabilities: the only way a domain reaches anything.
 *
 * A *space* is a domain's table of capabilities; a slot number means nothing outside it. Every capability but a root is
 * derived from another, with no more rights than that one, and the derivation tree is kept, so that revoking one ends
 * everything derived from it, in any space. What an object is, and what ending a capability to it undoes, is its
 * owner's business: `ended` is called exactly once.
 */

/** What a holder may do. Bits; a derived capability has a subset of its parent's. */
export const RIGHT = { READ: 1, WRITE: 2, GRANT: 4, ALL: 7 } as const

export interface CapabilityObject {
  /** Kind of thing: `mmio`, `port`, `pci`, `dma`, `irq`, `timer`, `log`, ... */
  readonly type: string
  /** For messages: what a person would call it. */
  readonly label: string
}

export class Capability<T extends CapabilityObject = CapabilityObject> {
  readonly object: T
  readonly rights: number
  readonly badge: number
  /** Where it lies; undefined once it has ended. */
  space: CapabilitySpace | undefined
  slot: number
  parent: Capability | undefined
  firstChild: Capability | undefined
  next: Capability | undefined
  previous: Capability | undefined
  readonly ended: (() => void) | undefined

  constructor(
    object: T,
    rights: number,
    badge: number,
    space: CapabilitySpace,
    slot: number,
    ended: (() => void) | undefined,
  ) {
    this.object = object
    this.rights = rights
    this.badge = badge
    this.space = space
    this.slot = slot
    this.ended = ended
  }

  get alive(): boolean {
    return this.space !== undefined
  }
}

export interface MintOptions {
  /** Subset wanted of the parent's rights; default all of them. */
  readonly rights?: number
  readonly badge?: number
  readonly ended?: () => void
}

export class CapabilitySpace {
  readonly owner: string
  readonly #quota: number
  readonly #slots: (Capability | undefined)[] = []
  readonly #free: number[] = []
  #count = 0

  /** @param quota most capabilities held at once */
  constructor(owner: string, quota = 4096) {
    this.owner = owner
    this.#quota = quota
  }

  /** Capabilities held. */
  get count(): number {
    return this.#count
  }

  /** Put a root capability here: derived from nothing. Throws RangeError when the quota is used up. */
  create<T extends CapabilityObject>(object: T, options: MintOptions = {}): Capability<T> {
    return this.#place(object, options.rights ?? RIGHT.ALL, options, undefined)
  }

  /**
   * Derive a capability from `source` (of any space) into this one. Rights only shrink. The object may be a part of the
   * source's. Throws TypeError when the source has ended or may not be granted on.
   */
  derive<T extends CapabilityObject>(source: Capability, object: T, options: MintOptions = {}): Capability<T> {
    if (!source.alive)
      throw new TypeError(`capability to ${source.object.label} has ended: nothing can be derived from it`)
    if ((source.rights & RIGHT.GRANT) === 0 && source.space !== this) {
      throw new TypeError(`capability to ${source.object.label} lacks the right to be granted on`)
    }
    return this.#place(object, source.rights & (options.rights ?? RIGHT.ALL), options, source)
  }

  /** The capability in a slot, or undefined. */
  at(slot: number): Capability | undefined {
    return this.#slots[slot]
  }

  /** Every capability held of one type, by slot. */
  ofType(type: string): Capability[] {
    return this.#slots.filter((c): c is Capability => c !== undefined && c.object.type === type)
  }

  /** Remove one capability; what was derived from it becomes its parent's. */
  delete(capability: Capability): void {
    if (capability.space !== this) return
    const { parent } = capability
    for (let child = capability.firstChild; child !== undefined;) {
      const next = child.next
      unlink(child)
      if (parent !== undefined) link(parent, child)
      child = next
    }
    this.#end(capability)
  }

  /** End a capability's whole progeny, leaves first, and itself. Returns how many ended. */
  static revoke(capability: Capability, itself = true): number {
    let ended = 0
    let at: Capability = capability
    for (;;) {
      while (at.firstChild !== undefined) at = at.firstChild
      if (at === capability) break
      const up = at.parent!
      at.space!.#end(at)
      ended++
      at = up
    }
    if (itself && capability.space !== undefined) {
      capability.space.#end(capability)
      ended++
    }
    return ended
  }

  /** End everything here, and everything derived from it anywhere. Returns how many ended. */
  clear(): number {
    let ended = 0
    for (const capability of this.#slots) if (capability?.alive) ended += CapabilitySpace.revoke(capability)
    return ended
  }

  #place<T extends CapabilityObject>(
    object: T,
    rights: number,
    options: MintOptions,
    parent: Capability | undefined,
  ): Capability<T> {
    if (this.#count >= this.#quota) throw new RangeError(`${this.owner} holds ${this.#count} capabilities: its quota`)
    const slot = this.#free.pop() ?? this.#slots.length
    const capability = new Capability<T>(object, rights, options.badge ?? 0, this, slot, options.ended)
    this.#slots[slot] = capability
    this.#count++
    if (parent !== undefined) link(parent, capability)
    return capability
  }

  #end(capability: Capability): void {
    unlink(capability)
    this.#slots[capability.slot] = undefined
    this.#free.push(capability.slot)
    this.#count--
    capability.space = undefined
    capability.ended?.()
  }
}

function link(parent: Capability, child: Capability): void {
  child.parent = parent
  child.previous = undefined
  child.next = parent.firstChild
  if (parent.firstChild !== undefined) parent.firstChild.previous = child
  parent.firstChild = child
}

function unlink(child: Capability): void {
  if (child.previous !== undefined) child.previous.next = child.next
  else if (child.parent !== undefined) child.parent.firstChild = child.next
  if (child.next !== undefined) child.next.previous = child.previous
  child.parent = undefined
  child.next = undefined
  child.previous = undefined
}
