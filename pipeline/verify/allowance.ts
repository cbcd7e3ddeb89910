/**
 * What a domain may be granted at most: the limits and ABI groups a module and its manifest are held against.
 *
 * A driver needs the groups every domain has, those of its bus, and those of the class of device it offers: each group says
 * whom it is for (`grantedTo` in linux-api/capabilities.ts).
 */
import { groups } from '../../linux-api/capabilities.ts'
import type { Manifest } from '../package.ts'

/** What a manifest has to say for the verifier. */
export type ManifestClaims = Pick<Manifest, 'imports' | 'capabilities'>

export interface Allowance {
  /** ABI groups (and `wasi`) that may be asked for. */
  readonly groups: readonly string[]
  /** Linear memory, in pages of 64 KiB. */
  readonly memoryPagesMax: number
  readonly tableEntriesMax: number
  /** The file. */
  readonly bytesMax: number
  readonly functionsMax: number
}

const EVERYBODY = 'all'
/** No group of the ABI, and everybody's: a domain's own files. */
const FILES = 'wasi'

const LIMITS = { memoryPagesMax: 1024, tableEntriesMax: 65_536, bytesMax: 32 << 20, functionsMax: 100_000 }

/** Allowance for drivers of these buses and device classes. Unknown names grant nothing. */
export function allowanceFor(names: readonly string[], limits: Partial<typeof LIMITS> = {}): Allowance {
  const granted = [EVERYBODY, ...names].flatMap((name) => groups.filter(({ grantedTo }) => grantedTo.includes(name)))
  return { groups: [...new Set([...granted.map(({ name }) => name), FILES])], ...LIMITS, ...limits }
}

/** All buses and classes: what a build is checked against when the machine is not yet known. */
export const DEFAULT_ALLOWANCE = allowanceFor(groups.flatMap(({ grantedTo }) => grantedTo))
