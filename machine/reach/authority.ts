/**
 * Authority without a device behind it: to log, to know the time, to run fibers, to read files, to converse.
 *
 * One capability a call group, derived from the machine's own, so that it can be taken back from one domain or from all.
 * A call of the group looks at its grip first: two loads and a comparison. What has a device behind it (registers, ports,
 * DMA, interrupts) has capabilities of its own: host.ts.
 */
import { type Capability, CNode, RIGHT, revoke } from '../../kernel/capability.ts'
import { Failure } from '../../kernel/fault.ts'

/** Call group -> type of the capability behind it. */
export const AUTHORITIES = {
  log: 'log',
  time: 'timer',
  sched: 'sched',
  net: 'net-service',
  wasi: 'files',
  ipc: 'ipc',
  cap: 'cnode',
  mem: 'untyped',
  ring: 'ring-maker',
} as const

export type AuthorityGroup = keyof typeof AUTHORITIES

const isAuthority = (group: string): group is AuthorityGroup => group in AUTHORITIES

/** One domain's hold on one call group. */
export class Grip {
  readonly #group: AuthorityGroup
  capability: Capability | undefined

  constructor(group: AuthorityGroup) {
    this.#group = group
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
    const type = AUTHORITIES[this.#group]
    throw new Failure('no-capability', `${this.#group}.${call}: the domain holds no ${type} capability`)
  }
}

/** A domain's grips, by call group. */
export type Grips = Readonly<Record<AuthorityGroup, Grip>>

export function createGrips(): Grips {
  const groups = Object.keys(AUTHORITIES) as AuthorityGroup[]
  return Object.fromEntries(groups.map((group) => [group, new Grip(group)])) as unknown as Grips
}

/** The machine's own authority: where every domain's comes from. */
export class Authority {
  readonly #node = new CNode('machine', 64)
  readonly #roots = new Map<AuthorityGroup, Capability>()

  constructor() {
    for (const group of Object.keys(AUTHORITIES) as AuthorityGroup[]) {
      const object = { type: AUTHORITIES[group], label: AUTHORITIES[group] }
      this.#roots.set(group, this.#node.create(object))
    }
  }

  /** Give a domain what of `groups` has no device behind it. It may use it and not pass it on. */
  grant(space: CNode, grips: Grips, groups: Iterable<string>): void {
    for (const group of groups) {
      if (!isAuthority(group)) continue
      const root = this.#roots.get(group)!
      grips[group].capability = space.derive(root, root.object, { rights: RIGHT.READ | RIGHT.WRITE })
    }
  }

  /** Take a group back from one domain. */
  revoke(grips: Grips, group: AuthorityGroup): void {
    const { capability } = grips[group]
    if (capability !== undefined) revoke(capability)
  }
}
