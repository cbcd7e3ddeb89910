/**
 * Which headers to precompile together, for which files.
 *
 * Pure: sets of headers in, a forest of clusters out. A cluster's headers are read by every one of its members, and a
 * child's headers contain its parent's; each is worth more, in text not parsed again, than making it costs.
 */

import * as path from 'node:path'
import type { Header } from './headers.ts'
import { push } from './pch-rules.ts'

export interface Cluster<U> {
  /** Ids of headers that all members read. */
  readonly headers: ReadonlySet<number>
  parent: Cluster<U> | undefined
  /** Files whose largest cluster this is. */
  readonly members: U[]
}

export interface PlanInput<U> {
  readonly units: readonly U[]
  /** Ids of headers a unit surely reads. */
  headersOf(unit: U): ReadonlySet<number>
  readonly headers: readonly Header[]
  /** Headers that reading this one reads too, itself included. */
  closure(id: number): readonly number[]
  /** Whether nothing else the unit does changes what these headers mean. */
  accepts(unit: U, headers: ReadonlySet<number>): boolean
}

/** Making a precompiled header: its text is read about this many times, */
const READ_TIMES = 2.2
/** and this many characters more would be read in the time that two processes take to start. */
const START_COST = 600_000
/** What using one saves of the reading that it replaces. */
const SAVED = 0.85
/** Fewer members than this never pay. */
const MEMBERS_MIN = 3

const worth = (members: number, size: number, beyond: number): number =>
  members * SAVED * (size - beyond) - READ_TIMES * size - START_COST

/** Clusters worth making, parents before children. */
export function planClusters<U>(input: PlanInput<U>): Cluster<U>[] {
  const planner = new Planner(input)
  planner.split(input.units, undefined, 0)
  return planner.clusters
}

class Planner<U> {
  readonly clusters: Cluster<U>[] = []
  private readonly input: PlanInput<U>

  constructor(input: PlanInput<U>) {
    this.input = input
  }

  private sizeOf(ids: Iterable<number>): number {
    let size = 0
    for (const id of ids) size += this.input.headers[id]?.facts.size ?? 0
    return size
  }

  /** Cluster units that so far have `parent`; returns those that stay with it. */
  split(units: readonly U[], parent: Cluster<U> | undefined, parentSize: number): U[] {
    let rest = [...units]
    const alone: U[] = []
    while (rest.length >= MEMBERS_MIN) {
      const found = this.best(rest, parent?.headers ?? new Set(), parentSize)
      if (found === undefined) break
      const inside = found.units.filter((unit) => this.input.accepts(unit, found.headers))
      const refused = found.units.filter((unit) => !inside.includes(unit))
      const cluster: Cluster<U> = { headers: found.headers, parent, members: [] }
      const at = this.clusters.length
      const size = this.sizeOf(found.headers)
      this.clusters.push(cluster)
      const own = inside.length > 0 ? this.split(inside, cluster, size) : []
      if (worth(own.length, size, parentSize) > 0) {
        cluster.members.push(...own)
        rest = rest.filter((unit) => !found.units.includes(unit))
      } else {
        // Only its children pay: they hang from the parent, and its own members go on looking.
        this.clusters.splice(at, 1)
        for (const child of this.clusters) if (child.parent === cluster) child.parent = parent
        const placed = new Set(inside.filter((unit) => !own.includes(unit)))
        rest = rest.filter((unit) => !placed.has(unit) && !own.includes(unit) && !refused.includes(unit))
        alone.push(...own)
      }
      alone.push(...refused)
    }
    return [...rest, ...alone]
  }

  /** The set of headers that is worth most over the units that read all of it. */
  private best(
    units: readonly U[],
    base: ReadonlySet<number>,
    baseSize: number,
  ): { headers: Set<number>; units: U[] } | undefined {
    const headers = new Set(base)
    let size = baseSize
    let inside = [...units]
    let best: { headers: Set<number>; units: U[]; worth: number } | undefined
    while (inside.length >= MEMBERS_MIN) {
      const counts = this.count(inside, headers)
      for (const [id, count] of counts) {
        if (count < inside.length) continue
        headers.add(id)
        size += this.input.headers[id]?.facts.size ?? 0
      }
      const gain = worth(inside.length, size, baseSize)
      if (gain > (best?.worth ?? 0)) best = { headers: new Set(headers), units: inside, worth: gain }
      const next = this.step(counts, headers, size, inside.length)
      if (next === undefined) break
      inside = inside.filter((unit) => this.input.headersOf(unit).has(next))
    }
    return best
  }

  private count(units: readonly U[], without: ReadonlySet<number>): Map<number, number> {
    const counts = new Map<number, number>()
    for (const unit of units)
      for (const id of this.input.headersOf(unit))
        if (!without.has(id) && this.input.headers[id]?.facts.counts === false)
          counts.set(id, (counts.get(id) ?? 0) + 1)
    return counts
  }

  /** The header whose addition leaves the most text for the most units. */
  private step(
    counts: ReadonlyMap<number, number>,
    headers: ReadonlySet<number>,
    size: number,
    units: number,
  ): number | undefined {
    let best: number | undefined
    let most = 0
    for (const [id, count] of counts) {
      if (count >= units || count < MEMBERS_MIN || count * 4 < units) continue
      const added = this.input
        .closure(id)
        .reduce((sum, other) => sum + (headers.has(other) ? 0 : (this.input.headers[other]?.facts.size ?? 0)), 0)
      const value = count * (size + added)
      if (value <= most) continue
      most = value
      best = id
    }
    return best
  }
}

/** Files of one directory are planned together, up to so many. */
const GROUP_MAX = 800
/** Neighbouring directories are planned together, up to so many files. */
const SMALL_MAX = 400

/**
 * The highest directories that hold at most GROUP_MAX of the sources, or hold them themselves; small neighbours together,
 * because what a few files share is hardly worth precompiling.
 */
export function groupByDirectory<T extends { readonly source: string }>(sources: readonly T[]): T[][] {
  const counts = new Map<string, number>()
  const parents = (source: string): string[] => {
    const dirs: string[] = []
    for (let dir = path.dirname(source); dir !== path.dirname(dir); dir = path.dirname(dir)) dirs.push(dir)
    return dirs
  }
  for (const { source } of sources) for (const dir of parents(source)) counts.set(dir, (counts.get(dir) ?? 0) + 1)
  const byDir = new Map<string, T[]>()
  for (const item of sources) {
    const dirs = parents(item.source)
    push(byDir, dirs.findLast((dir) => (counts.get(dir) ?? 0) <= GROUP_MAX) ?? dirs[0] ?? '', item)
  }
  const groups: T[][] = []
  for (const [, items] of [...byDir].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const last = groups.at(-1)
    if (last !== undefined && last.length + items.length <= SMALL_MAX) last.push(...items)
    else groups.push(items)
  }
  return groups
}
