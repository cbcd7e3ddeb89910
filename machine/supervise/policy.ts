/**
 * What one driver may use and how it is looked after: quotas, restarts, heartbeats, dependencies. Defaults, then what the
 * machine's configuration says for all drivers (`*`), then for this one; a package may ask for less, never for more.
 */
import { DEFAULT_HEARTBEAT, type HeartbeatPolicy } from '../../kernel/heartbeat.ts'
import { DEFAULT_LIMITS, type DomainLimits } from '../../kernel/program.ts'
import { type Quotas, strictest } from '../../kernel/quota.ts'
import { DEFAULT_RESTARTS, type RestartPolicy } from '../../kernel/supervisor.ts'
import type { Manifest } from '../../pipeline/package.ts'

export { RESOURCES } from '../../kernel/quota.ts'

export interface DriverPolicy {
  readonly limits: DomainLimits
  readonly restarts: RestartPolicy
  readonly heartbeat: HeartbeatPolicy
  /** It may look for chips at ports of the board's legacy bus, where there are none. */
  readonly legacyPorts: boolean
  /** Drivers it cannot work without: loaded before it, and when one of them restarts so does it. */
  readonly needs: readonly string[]
}

/** What a configuration says of one driver. */
export interface PolicyChange {
  readonly limits?: Partial<DomainLimits>
  readonly restarts?: Partial<RestartPolicy>
  readonly heartbeat?: Partial<HeartbeatPolicy>
  readonly legacyPorts?: boolean
  readonly needs?: readonly string[]
}

/** By driver name; `*` is for all. */
export type Policies = Readonly<Record<string, PolicyChange>>

/** The policy a driver runs under. */
export function driverPolicy(manifest: Pick<Manifest, 'name' | 'quotas'>, policies: Policies = {}): DriverPolicy {
  const changes = [policies['*'], policies[manifest.name]].filter((change) => change !== undefined)
  const limits: DomainLimits = Object.assign({}, DEFAULT_LIMITS, ...changes.map((change) => change.limits))
  const asked: Partial<Quotas> = manifest.quotas ?? {}
  return {
    limits: { ...limits, ...strictest(limits, asked) },
    restarts: Object.assign({}, DEFAULT_RESTARTS, ...changes.map((change) => change.restarts)),
    heartbeat: Object.assign({}, DEFAULT_HEARTBEAT, ...changes.map((change) => change.heartbeat)),
    legacyPorts: changes.findLast((change) => change.legacyPorts !== undefined)?.legacyPorts ?? false,
    needs: changes.findLast((change) => change.needs !== undefined)?.needs ?? [],
  }
}
