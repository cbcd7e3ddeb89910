/**
 * What the lab's machines let drivers do unless they are told otherwise: one that names no PCI device finds its own, and may
 * look for it at the ports of the board's legacy bus.
 */
import type { DriverPackage } from '../machine/load/package.ts'
import type { Policies } from '../machine/supervise/policy.ts'

export function labPolicies(packs: readonly Pick<DriverPackage, 'manifest'>[], policies: Policies = {}): Policies {
  const looking = packs.filter(({ manifest }) => !manifest.ids.some(({ bus }) => bus === 'pci'))
  const legacyPorts = policies['*']?.legacyPorts ?? true
  const own = looking.map(({ manifest: { name } }) => [name, { legacyPorts, ...policies[name] }])
  return { ...policies, ...(Object.fromEntries(own) as Policies) }
}
