/**
 * What a domain may be granted at most: the limits and ABI groups a module and its manifest are held against.
 *
 * A driver needs the groups every domain has, those of its bus, and those of the class of device it offers.
 */
import type { Manifest } from '../package.ts'

/** What a manifest has to say for the verifier. */
export type ManifestClaims = Pick<Manifest, 'imports' | 'capabilities' | 'memory' | 'wasm'>

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

/** Every domain may log, know the time, run fibers and read its own files. */
const COMMON = ['log', 'time', 'sched', 'wasi']

const BUS_GROUPS: Record<string, readonly string[]> = {
  pci: ['pci', 'mmio', 'pio', 'dma', 'irq'],
  platform: ['mmio', 'pio', 'dma', 'irq'],
}

const CLASS_GROUPS: Record<string, readonly string[]> = {
  net: ['net'],
}

/** What a domain needs to serve others, or to be served by them. */
const LAYER_GROUPS: Record<string, readonly string[]> = {
  layered: ['ipc', 'cap', 'mem', 'ring', 'mmio', 'irq'],
}

const LIMITS = { memoryPagesMax: 1024, tableEntriesMax: 65_536, bytesMax: 32 << 20, functionsMax: 100_000 }

/** Allowance for drivers of these buses and device classes. Unknown names grant nothing. */
export function allowanceFor(names: readonly string[], limits: Partial<typeof LIMITS> = {}): Allowance {
  const granted = names.flatMap((name) => [
    ...(BUS_GROUPS[name] ?? []),
    ...(CLASS_GROUPS[name] ?? []),
    ...(LAYER_GROUPS[name] ?? []),
  ])
  return { groups: [...new Set([...COMMON, ...granted])], ...LIMITS, ...limits }
}

/** All buses and classes: what a build is checked against when the machine is not yet known. */
export const DEFAULT_ALLOWANCE = allowanceFor([
  ...Object.keys(BUS_GROUPS),
  ...Object.keys(CLASS_GROUPS),
  ...Object.keys(LAYER_GROUPS),
])
