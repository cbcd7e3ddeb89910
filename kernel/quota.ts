/**
 * Quotas: how much of what is everybody's one domain may hold.
 *
 * The judge, not the account: each resource is counted where it lives (CNode, fibers, IOMMU, log), and whoever is about to
 * hand some out asks here first. What is over the quota is refused, and the domain lives; the refusals are counted, so that a
 * driver that fails for lack of something shows why. Knows no resource beyond its name.
 */

/** Most of each that a domain may have at once; log text, most in its life. */
export interface Quotas {
  /** Linear memory, bytes; a part of a page of 64 KiB counts as none. */
  readonly memory: number
  readonly fibers: number
  readonly capabilities: number
  /** Bytes its devices may reach through open DMA windows. */
  readonly dma: number
  /** Open DMA windows. */
  readonly windows: number
  /** Characters of log text. */
  readonly log: number
  /** Units of its device classes that it offers: interfaces, disks. */
  readonly units: number
  /** Services offered to other domains, by name. */
  readonly services: number
  /** Files open at once. */
  readonly files: number
}

export type Resource = keyof Quotas

/** Several times what the hungriest driver of the tree was seen to use: a fence, not a diet. */
export const DEFAULT_QUOTAS: Quotas = {
  memory: 64 << 20,
  fibers: 256,
  capabilities: 4096,
  dma: 32 << 20,
  windows: 8192,
  log: 4 << 20,
  units: 64,
  services: 64,
  files: 64,
}

export const RESOURCES = Object.keys(DEFAULT_QUOTAS) as Resource[]

/** The stricter of each. */
export function strictest(quotas: Quotas, other: Partial<Quotas> = {}): Quotas {
  const entries = RESOURCES.map((name) => [name, Math.min(quotas[name], other[name] ?? Infinity)])
  return Object.fromEntries(entries) as Record<Resource, number>
}

export class Ledger {
  readonly quotas: Quotas
  /** Requests refused so far. */
  readonly refused: Record<Resource, number> = {
    memory: 0,
    fibers: 0,
    capabilities: 0,
    dma: 0,
    windows: 0,
    log: 0,
    units: 0,
    services: 0,
    files: 0,
  }
  /** Told of the first refusal of each kind, in words. */
  onRefusal: ((resource: Resource, text: string) => void) | undefined

  constructor(quotas: Quotas) {
    this.quotas = quotas
  }

  /** Whether somebody who has `held` may have `more`. A no is counted. */
  allows(resource: Resource, held: number, more: number): boolean {
    if (held + more <= this.quotas[resource]) return true
    if (this.refused[resource]++ === 0)
      this.onRefusal?.(resource, `quota of ${this.quotas[resource]} ${resource} used up: ${more} more refused`)
    return false
  }
}
