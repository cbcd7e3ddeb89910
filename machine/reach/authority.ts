/**
 * Authority without a device behind it: to log, to know the time, to run fibers, to read files, to converse.
 *
 * One capability a call group, derived from the machine's own, so that it can be taken back from one domain or from all.
 * A call of the group looks at its grip first: two loads and a comparison. What has a device behind it (registers, ports,
 * DMA, interrupts) has capabilities of its own: host.ts.
 */
import { type Capability, CNode, RIGHT, revoke } from '../../kernel/capability.ts'
import { Failure } from '../../kernel/fault.ts'

/** One domain's hold on one call group. */
export class Grip {
  readonly #group: string
  readonly #type: string
  capability: Capability | undefined

  constructor(group: string, type: string) {
    this.#group = group
    this.#type = type
  }

  get held(): boolean {
    const { capability } = this
    return capability !== undefined && capability.alive
  }

  /** Go on only with the capability. Ends the domain that calls without it. */
  need(call: string): void {
    if (!this.held) this.#refuse(call)
  }

  #refuse(call: string): never {
    throw new Failure('no-capability', `${this.#group}.${call}: the domain holds no ${this.#type} capability`)
  }
}

/** A domain's grips, by call group. */
export type Grips = ReadonlyMap<string, Grip>

/** The machine's own authority: where every domain's comes from. */
export class Authority {
  readonly #node = new CNode('machine', 64)
  readonly #types: ReadonlyMap<string, string>
  readonly #roots = new Map<string, Capability>()

  /** @param types call group to type of the capability behind it */
  constructor(types: ReadonlyMap<string, string>) {
    this.#types = types
    for (const [group, type] of types) this.#roots.set(group, this.#node.create({ type, label: type }))
  }

  /** Grips of a domain that was given nothing yet. */
  grips(): Grips {
    return new Map([...this.#types].map(([group, type]) => [group, new Grip(group, type)]))
  }

  /** Give a domain what of `groups` has no device behind it. It may use it and not pass it on. */
  grant(space: CNode, grips: Grips, groups: Iterable<string>): void {
    for (const group of groups) {
      const root = this.#roots.get(group)
      if (root === undefined) continue
      grips.get(group)!.capability = space.derive(root, root.object, { rights: RIGHT.READ | RIGHT.WRITE })
    }
  }

  /** Take a group back from one domain. */
  revoke(grips: Grips, group: string): void {
    const capability = grips.get(group)?.capability
    if (capability !== undefined) revoke(capability)
  }
}
