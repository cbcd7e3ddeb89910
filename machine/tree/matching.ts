/**
 * Drivers in the registry: a personality for each id table of a loaded package, which binds what it is offered.
 *
 * A driver that has failed is liked less than one that has not: the active score is the passive one over its failures. Knows
 * how a driver binds; decides nothing about restarts.
 */
import type { Node, Personality, Refusal, Registry } from '../../kernel/registry.ts'
import { PciFunction } from '../../hw/pci/function.ts'
import { type Driver, DriverEnded } from '../driver.ts'
import { errnoName, PROBE_DEFER } from '../linux/errno.ts'
import { Nub } from './nubs.ts'
import { idTables } from '../linux/personality.ts'
import type { DriverPackage } from '../load/package.ts'

/** What a driver in the registry is asked through. */
export interface Candidate {
  /** Its present generation. */
  readonly driver: Driver
  readonly pack: DriverPackage
  /** How often it has failed. */
  readonly failures: number
}

export class Matching {
  readonly #registry: Registry
  readonly #personalities = new Map<string, readonly Personality[]>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** From now on it is offered what its id tables name. */
  introduce(candidate: Candidate): void {
    const { manifest } = candidate.pack
    const personalities = idTables(manifest).map(({ class: of, any }) => ({
      driver: manifest.name,
      class: of,
      any,
      probe: (_: Node, score: number) => score / (1 + candidate.failures),
      start: (node: Node) => start(candidate.driver, node),
    }))
    this.#personalities.set(manifest.name, personalities)
    for (const personality of personalities) this.#registry.add(personality)
  }

  /** It is offered nothing any more. */
  withdraw(name: string): void {
    for (const personality of this.#personalities.get(name) ?? []) this.#registry.remove(personality)
    this.#personalities.delete(name)
  }
}

async function start(driver: Driver, node: Node): Promise<Refusal | undefined> {
  const { object } = node
  if (driver.dead) return { reason: 'it is down', later: true }
  if (!(object instanceof PciFunction || object instanceof Nub))
    return { reason: 'no way to give it this kind of device' }
  try {
    const code = object instanceof Nub ? await driver.bindNub(node, object) : await driver.bind(object)
    if (code >= 0) return undefined
    return { reason: `probe-failed: ${errnoName(code)}`, ...(code === PROBE_DEFER && { later: true }) }
  } catch (error) {
    if (!(error instanceof DriverEnded)) throw error
    const { fault } = error
    return { reason: fault === undefined ? error.message : `${fault.kind}: ${fault.message}` }
  }
}
