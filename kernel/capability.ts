/**
 * Capabilities: the only way a domain reaches anything.
 *
 * A *CNode* is a table of capabilities; a domain's root CNode is its capability space, and a slot number means nothing
 * outside it. Every capability but a root is derived from another, with no more rights than that one; the derivation
 * tree is kept over all CNodes, so that revoking one ends everything derived from it, wherever it lies. A CNode is an
 * object itself: whoever holds a capability to one may fill and empty it (cspace.ts). What an object is, and what the end
 * of a capability to it undoes, is its owner's business: `ended` is called exactly once.
 */

/** What a holder may do. Bits; a derived capability has a subset of its parent's. */
export const RIGHT = { READ: 1, WRITE: 2, GRANT: 4, MAP: 8, ALL: 15 } as const

export interface CapabilityObject {
  /** Kind of thing: `mmio`, `port`, `pci`, `dma`, `irq`, `timer`, `log`, `endpoint`, `cnode`... */
  readonly type: string
  /** For messages: what a person would call it. */
  readonly label: string
  /** Only capabilities reach it, so that whoever has the one that others derive from can have it alone. */
  readonly ownable?: boolean
  /** Told of every capability to it that comes and goes; one that moves does neither. */
  gained?(capability: Capability): void
  lost?(capability: Capability): void
}

/** Why an operation on capabilities was refused. */
export type Refusal = 'empty' | 'occupied' | 'ended' | 'no-right' | 'badged' | 'quota' | 'range'

export class CapabilityError extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal, message: string) {
    // An answer, not an accident: a program may ask for what it has not got a million times, and a trace costs the most.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = stackTraceLimit
    this.name = 'CapabilityError'
    this.refusal = refusal
  }
}

/** Revocations begun and not finished, over all kernels: while there is none, `usable` is one comparison. */
let revoking = 0

export class Capability<T extends CapabilityObject = CapabilityObject> {
  readonly object: T
  readonly rights: number
  /** Tells the object who speaks; 0: nothing. Set once, on the first capability of a line that has one. */
  readonly badge: number
  /** Where it lies; undefined once it has ended. */
  space: CNode | undefined
  slot: number
  /** The revocation under way of what is below it. */
  revocation: Revocation | undefined
  parent: Capability | undefined
  /** Made, not derived. One that was derived stays so, also when what it came from is deleted and it has no parent any more. */
  readonly original: boolean
  firstChild: Capability | undefined
  next: Capability | undefined
  previous: Capability | undefined
  readonly ended: (() => void) | undefined
  /** Nothing that was derived from it outlives it: its end undoes what they stand for. */
  readonly whole: boolean

  constructor(
    object: T,
    rights: number,
    badge: number,
    space: CNode,
    slot: number,
    ended: (() => void) | undefined,
    original: boolean,
    whole: boolean,
  ) {
    this.object = object
    this.rights = rights
    this.badge = badge
    this.space = space
    this.slot = slot
    this.ended = ended
    this.original = original
    this.whole = whole
  }

  /** It has not ended, and no revocation that will end it has begun. */
  get alive(): boolean {
    return this.space !== undefined && (revoking === 0 || !underRevocation(this))
  }
}

function underRevocation(capability: Capability): boolean {
  for (let at = capability.parent; at !== undefined; at = at.parent) if (at.revocation !== undefined) return true
  return false
}

export interface DeriveOptions {
  /** Subset wanted of the source's rights; default all of them. */
  readonly rights?: number
  readonly badge?: number
  /** Where to put it; default the lowest free slot. */
  readonly slot?: number
  readonly ended?: () => void
  /** Deleting it ends what was derived from it, too. A copy of it has nothing to undo, and is not. */
  readonly whole?: boolean
}

const DEFAULT_SLOTS = 4096

export class CNode implements CapabilityObject {
  readonly type = 'cnode'
  readonly label: string
  /** Slots: the most capabilities held at once. */
  readonly size: number
  /** Told of each pointer into it that was refused: asking costs, too. */
  onRefusal: (() => void) | undefined
  /** Whether its owner may hold what capabilities stand for that arrive to stay, beside their slots. */
  admits: ((arriving: readonly Capability[]) => boolean) | undefined
  readonly #slots: (Capability | undefined)[] = []
  /** No slot below this one is free. */
  #lowest = 0
  #count = 0

  constructor(label: string, size = DEFAULT_SLOTS) {
    this.label = label
    this.size = size
  }

  /** Capabilities held. */
  get count(): number {
    return this.#count
  }

  /** Put a root capability here: derived from nothing. */
  create<T extends CapabilityObject>(object: T, options: DeriveOptions = {}): Capability<T> {
    return this.#place(object, options.rights ?? RIGHT.ALL, options.badge ?? 0, options, undefined)
  }

  /**
   * Derive a capability from `source` (of any CNode) into this one. Rights only shrink and a badge stays. The object may
   * be a part of the source's. Throws CapabilityError: `ended`, `no-right` (to grant it to another CNode), `badged` (it
   * has another badge already), `quota`, `occupied`, `range`.
   */
  derive<T extends CapabilityObject>(source: Capability, object: T, options: DeriveOptions = {}): Capability<T> {
    if (!source.alive)
      throw new CapabilityError('ended', `capability to ${source.object.label} has ended: nothing derives from it`)
    if ((source.rights & RIGHT.GRANT) === 0 && source.space !== this)
      throw new CapabilityError('no-right', `capability to ${source.object.label} lacks the right to be granted on`)
    const badge = options.badge ?? source.badge
    if (source.badge !== 0 && badge !== source.badge)
      throw new CapabilityError('badged', `capability to ${source.object.label} has badge ${source.badge} for good`)
    return this.#place(object, source.rights & (options.rights ?? RIGHT.ALL), badge, options, source)
  }

  /** The same capability, in another slot: its place in the derivation tree moves with it. Throws CapabilityError. */
  move(source: Capability, slot?: number): void {
    if (!source.alive) throw new CapabilityError('ended', `capability to ${source.object.label} has ended`)
    if ((source.rights & RIGHT.GRANT) === 0 && source.space !== this)
      throw new CapabilityError('no-right', `capability to ${source.object.label} lacks the right to be granted on`)
    // A full CNode has room for what leaves a slot of it.
    const to = slot ?? (source.space === this ? source.slot : this.#freeSlot())
    if (source.space === this && to === source.slot) return
    this.#mustBeFree(to)
    if (source.space !== this && this.admits?.([source]) === false)
      throw new CapabilityError('quota', `${this.label} may not hold ${source.object.label}`)
    source.space!.#vacate(source)
    this.#occupy(source, to)
  }

  /** The capability in a slot, or undefined. */
  at(slot: number): Capability | undefined {
    return this.#slots[slot]
  }

  /** The lowest empty slot. Throws CapabilityError: `quota`. */
  free(): number {
    return this.#freeSlot()
  }

  /** Every capability held, by slot. */
  all(): Capability[] {
    return this.#slots.filter((c) => c !== undefined)
  }

  /** Every capability held of one type, by slot. */
  ofType(type: string): Capability[] {
    return this.#slots.filter((c): c is Capability => c !== undefined && c.object.type === type)
  }

  /** Remove one capability; what was derived from it becomes its parent's, unless it is whole or its revocation has begun. */
  delete(capability: Capability): void {
    if (capability.space !== this) return
    if (capability.whole) revoke(capability, false)
    capability.revocation?.step(Infinity)
    const { parent } = capability
    for (let child = capability.firstChild; child !== undefined;) {
      const next = child.next
      unlink(child)
      if (parent !== undefined) link(parent, child)
      child = next
    }
    this.end(capability)
  }

  /** End everything here, and everything derived from it anywhere. Returns how many ended. */
  clear(): number {
    let ended = 0
    for (const capability of this.#slots) if (capability?.space === this) ended += revoke(capability)
    return ended
  }

  /** For a revocation: the end of a capability without children. */
  end(capability: Capability): void {
    capability.revocation?.step(0)
    unlink(capability)
    this.#vacate(capability)
    capability.space = undefined
    capability.ended?.()
    capability.object.lost?.(capability)
  }

  #place<T extends CapabilityObject>(
    object: T,
    rights: number,
    badge: number,
    options: DeriveOptions,
    parent: Capability | undefined,
  ): Capability<T> {
    const slot = options.slot ?? this.#freeSlot()
    this.#mustBeFree(slot)
    const capability = new Capability<T>(
      object,
      rights,
      badge,
      this,
      slot,
      options.ended,
      parent === undefined,
      options.whole === true,
    )
    this.#occupy(capability, slot)
    if (parent !== undefined) link(parent, capability)
    object.gained?.(capability)
    return capability
  }

  #mustBeFree(slot: number): void {
    if (!Number.isInteger(slot) || slot < 0 || slot >= this.size)
      throw new CapabilityError('range', `${this.label} has slots 0 to ${this.size - 1}: there is no slot ${slot}`)
    if (this.#slots[slot] !== undefined) throw new CapabilityError('occupied', `slot ${slot} of ${this.label} is taken`)
  }

  #freeSlot(): number {
    if (this.#count >= this.size)
      throw new CapabilityError('quota', `${this.label} holds ${this.#count} capabilities: its quota`)
    let slot = this.#lowest
    while (this.#slots[slot] !== undefined) slot++
    this.#lowest = slot
    return slot
  }

  #occupy(capability: Capability, slot: number): void {
    while (this.#slots.length < slot) this.#slots.push(undefined)
    this.#slots[slot] = capability
    this.#count++
    capability.space = this
    capability.slot = slot
  }

  #vacate(capability: Capability): void {
    this.#slots[capability.slot] = undefined
    this.#lowest = Math.min(this.#lowest, capability.slot)
    this.#count--
  }
}

/**
 * The revocation of a capability's progeny, in steps of bounded work between which others may run. From the instant it
 * begins, nothing below the capability can be used or derived from, though the slots empty one by one.
 */
export class Revocation {
  readonly #capability: Capability
  #at: Capability
  /** Capabilities ended so far. */
  ended = 0
  done = false

  constructor(capability: Capability) {
    this.#capability = capability
    this.#at = capability
    capability.revocation = this
    revoking++
  }

  /** Begin one, or join the one under way. */
  static of(capability: Capability): Revocation {
    return capability.revocation ?? new Revocation(capability)
  }

  /** End at most `limit` capabilities, leaves first. True when nothing is left below. */
  step(limit: number): boolean {
    for (let left = limit; !this.done; left--) {
      // Others ran since the last step: go on from the top when the place we were at has gone.
      if (this.#at.space === undefined) this.#at = this.#capability
      while (this.#at.firstChild !== undefined) this.#at = this.#at.firstChild
      if (this.#at === this.#capability) this.#finish()
      else if (left <= 0) break
      else this.#endOne(this.#at)
    }
    return this.done
  }

  #endOne(leaf: Capability): void {
    this.#at = leaf.parent!
    leaf.space!.end(leaf)
    this.ended++
  }

  #finish(): void {
    this.#capability.revocation = undefined
    this.done = true
    revoking--
  }
}

/** End a capability's whole progeny, and itself, at once. Returns how many ended. */
export function revoke(capability: Capability, itself = true): number {
  if (capability.space === undefined) return 0
  const revocation = Revocation.of(capability)
  const before = revocation.ended
  revocation.step(Infinity)
  const ended = revocation.ended - before
  if (!itself) return ended
  capability.space.end(capability)
  return ended + 1
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
