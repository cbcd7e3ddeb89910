/**
 * What the lab's machines let drivers do unless they are told otherwise.
 */
import type { DriverPackage } from '../machine/load/package.ts'
import type { Policies } from '../machine/supervise/policy.ts'
import { modelsFor } from './classes.ts'

/**
 * A test of the tree's may compute for long, as where it was written, and some want much memory. One that computes until
 * another thread tells it to stop does so for ever where that never has the processor, and ends after the longest of the others.
 */
export const TEST_POLICIES: Policies = {
  '*': { limits: { fuel: 1000e9, busyNs: 1000e9, entryNs: 10_000e9, memory: 256 << 20 } },
}

/** One whose device is not modelled finds none, and may look for it at the ports of the board's legacy bus, which is empty. */
export function labPolicies(packs: readonly Pick<DriverPackage, 'manifest'>[], policies: Policies = {}): Policies {
  const looking = packs.filter(({ manifest }) => modelsFor(manifest).length === 0)
  const legacyPorts = policies['*']?.legacyPorts ?? true
  const own = looking.map(({ manifest: { name } }) => [name, { legacyPorts, ...policies[name] }])
  return { ...policies, ...(Object.fromEntries(own) as Policies) }
}
