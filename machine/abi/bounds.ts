/**
 * What every call of the driver ABI is held to: it looks for the domain's authority, checks that the memory named is the program's,
 * asks whether the domain may keep what the call keeps, and counts the work, all as the ABI's table says (linux-api/bounds.ts, from
 * which the code of each call is written out). No call does any of that by hand; what only a call can know, how far it had to search,
 * it tells `Host.worked`. A call without bounds, as a register access is, is called as it is.
 */
import { type Bounder, BOUNDS, type Words } from '../../linux-api/generated/abi.ts'
import type { Resource } from '../../kernel/quota.ts'
import type { Grip } from '../reach/authority.ts'
import type { Host } from './host.ts'
import { checkedWidth } from './words.ts'

/** Units of work for each capability that is looked at, as a power of two. */
const LOOK_SHIFT = 2

/** The call, bounded: what `members` of `CALLS` are made of before a module gets them. */
export function bounded(host: Host, group: string, name: string, call: Words): Words {
  const held = BOUNDS[`${group}.${name}`]
  if (held === undefined) throw new Error(`${group}.${name} has no bounds`)
  return held(new OfHost(host, host.grips.get(group)), call)
}

/**
 * For what is asked for every frame, and grows only by what is asked for here: what was left when it was counted last, less what was
 * allowed since. It is counted again when that is not enough.
 */
function credit(host: Host, resource: 'dma' | 'windows', held: () => number): (more: number) => boolean {
  let left = 0
  return (more) => {
    if (more > left) {
      left = host.domain.ledger.quotas[resource] - held()
      if (more > left) return host.may(resource, more)
    }
    left -= more
    return true
  }
}

class OfHost implements Bounder {
  readonly grip: Grip | undefined
  readonly may: Bounder['may']
  readonly #host: Host

  constructor(host: Host, grip: Grip | undefined) {
    this.#host = host
    this.grip = grip
    const asked = (resource: Resource) => (more: number) => host.may(resource, more)
    this.may = {
      capabilities: asked('capabilities'),
      files: asked('files'),
      memory: asked('memory'),
      services: asked('services'),
      units: asked('units'),
      dma: credit(host, 'dma', () => host.reached('mappedBytes')),
      windows: credit(host, 'windows', () => host.reached('windows')),
    }
  }

  within(call: string, at: number, bytes: number): void {
    this.#host.within(call, at, bytes)
  }

  width(width: number): number {
    return checkedWidth(width)
  }

  looks(): number {
    return this.#host.domain.capabilities.count << LOOK_SHIFT
  }

  charge(units: number): void {
    this.#host.domain.charge(units)
  }
}
