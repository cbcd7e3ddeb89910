/**
 * A call group of the driver ABI, as the machine offers it: who may call it, and the host side of its calls. One file a
 * group, listed in index.ts.
 */
import type { Calls, Entries, SHARED } from '../../linux-api/generated/abi.ts'
import type { ProcessEntry } from '../../kernel/fiber.ts'
import type { Host } from './host.ts'

export type EntryName = keyof Entries

/** What the core exports; there is none before it is instantiated, which is after its imports were made. */
export interface Exported {
  /** An atomic entry. */
  atomic(name: EntryName): (...args: number[]) => number
  /** A process entry, wrapped for a fiber. */
  process(name: EntryName): ProcessEntry
  /** Where a word lies that both sides read. */
  address(name: (typeof SHARED)[number]): number
}

export interface AbiGroup<G extends keyof Calls = keyof Calls> {
  readonly name: G
  /**
   * Type of the capability behind the whole group, which a domain gets with it. A group without one works on what has a
   * device behind it, and each call looks for that.
   */
  readonly authority?: string
  /** Where a trace shows its calls: a category of tracer.ts, or of a class. Without one it does not. */
  readonly trace?: string
  /** Host side of the calls, for one domain. Its program does not exist yet. */
  calls(host: Host, exported: Exported): Calls[G]
}
