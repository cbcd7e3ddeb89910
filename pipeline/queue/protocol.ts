/**
 * What coordinator and workers say to each other, as data and decisions. Pure: no Redis, no clock, no files.
 *
 * A **run** is one matrix being made. Its modules are cut into **batches**; a batch is one BullMQ job. Rows travel apart from
 * jobs, keyed by module: a job may be done twice, a row counts once. So nothing depends on a message arriving exactly once:
 * the coordinator enqueues whatever it has no row for, and takes whatever row comes.
 */

import { contentKey } from '../cache.ts'
import { lasting } from '../matrix/summary.ts'
import type { Rung } from '../ladder.ts'
import type { MatrixRow } from '../matrix/types.ts'

export const QUEUE_SCHEMA = 'drvport.queue/1'

/** A module to make a row of. */
export interface QueueModule {
  readonly name: string
  /** Path in the tree, ending in `.ko`. */
  readonly path: string
}

/** What must be equal on both sides, by name: equal agreements give equal rows. */
export type Agreement = Readonly<Record<string, string>>

/** What a worker is told of a run. */
export interface RunRecord {
  readonly schema: typeof QUEUE_SCHEMA
  readonly id: string
  readonly tree: string
  readonly toolchain: string
  readonly until: Rung
  readonly seed: number
  readonly agreement: Agreement
  /** Where the coordinator keeps packages and objects; a worker without --store uses it too. */
  readonly store?: string
  readonly modules: number
}

export interface BatchData {
  readonly modules: readonly QueueModule[]
}

/** Kept with a job, so that whoever takes it up next knows how far the last one came. */
export interface BatchProgress {
  /** Paths whose rows were sent. */
  readonly done: readonly string[]
  /** In hand when this was written; a worker that gives a job back in order clears it. */
  readonly current?: string
  /** How many workers were lost with this path in hand. */
  readonly lost: Readonly<Record<string, number>>
}

export interface Batch {
  readonly id: string
  readonly modules: readonly QueueModule[]
}

/** Enough modules of a directory to share a precompiled header, few enough that many workers find work until the end. */
const BATCH_MAX = 24
const BATCHES_WANTED = 64

/** Neighbours in the tree together, few directories in one batch; the same modules always give the same batches. */
export function batchesOf(modules: readonly QueueModule[]): Batch[] {
  const sorted = modules.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const size = Math.min(BATCH_MAX, Math.max(1, Math.ceil(sorted.length / BATCHES_WANTED)))
  const batches: QueueModule[][] = []
  let dir = ''
  for (const module of sorted) {
    const last = batches.at(-1)
    const here = module.path.slice(0, module.path.lastIndexOf('/'))
    const room = last !== undefined && last.length < (here === dir ? size : size / 2)
    if (room) last.push(module)
    else batches.push([module])
    dir = here
  }
  // BullMQ takes no number for a name.
  return batches.map((some) => ({ id: `b-${contentKey(some.map(({ path }) => path)).slice(0, 24)}`, modules: some }))
}

/** The name of a run: the same command started again finds what the one before left. */
export function runId(
  run: Omit<RunRecord, 'schema' | 'id' | 'store' | 'modules'>,
  modules: readonly QueueModule[],
): string {
  const { tree, toolchain, until, seed, agreement } = run
  const facts = [tree, toolchain, until, seed, JSON.stringify(Object.entries(agreement).toSorted())]
  return contentKey([...facts, ...modules.map(({ path }) => path).toSorted()]).slice(0, 24)
}

export interface Difference {
  readonly what: string
  /** The coordinator's. */
  readonly expected: string
  /** The worker's. */
  readonly found: string
}

/** By name, what keeps a worker from making the same rows. */
export function differences(coordinator: Agreement, worker: Agreement): Difference[] {
  const names = [...new Set([...Object.keys(coordinator), ...Object.keys(worker)])].toSorted()
  return names
    .map((what) => ({ what, expected: coordinator[what] ?? 'none', found: worker[what] ?? 'none' }))
    .filter(({ expected, found }) => expected !== found)
}

const SHOWN = 40
const short = (text: string) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text)

export const describeDifferences = (found: readonly Difference[]): string =>
  found.map((each) => `${each.what}: ${short(each.found)} here, ${short(each.expected)} there`).join('; ')

/** Workers that a module may take with it before it is a row of its own. */
export const WORKERS_LOST_MAX = 3

export interface TakenUp {
  readonly progress: BatchProgress
  /** Still to be made. */
  readonly todo: readonly QueueModule[]
  /** Lost too many workers: a row says so, nobody tries again. */
  readonly poisoned: readonly QueueModule[]
}

/** A job as its next worker finds it. What was in hand when the last one was lost counts against it. */
export function takeUp({ modules }: BatchData, left: Partial<BatchProgress> | undefined): TakenUp {
  const done = left?.done ?? []
  const lost = { ...left?.lost }
  const current = left?.current
  if (current !== undefined && !done.includes(current)) lost[current] = (lost[current] ?? 0) + 1
  const open = modules.filter(({ path }) => !done.includes(path))
  const isPoisoned = ({ path }: QueueModule) => (lost[path] ?? 0) >= WORKERS_LOST_MAX
  return { progress: { done, lost }, todo: open.filter((m) => !isPoisoned(m)), poisoned: open.filter(isPoisoned) }
}

/** A row for a module of which nothing else is known. */
export function failedRow({ name, path }: QueueModule, detail: string): MatrixRow {
  const none: readonly never[] = []
  return {
    module: name,
    path,
    rung: 'none',
    reason: 'internal-error',
    detail,
    ms: {},
    buses: none,
    classes: none,
    licenses: none,
    spdx: none,
    gplOnly: none,
    missing: none,
    pretends: none,
    traps: none,
    imports: none,
    capabilities: none,
    diagnostics: none,
    sources: 0,
    changedBytes: 0,
  }
}

export const poisonedRow = (module: QueueModule, times: number): MatrixRow =>
  failedRow(module, `${times} workers were lost while making this row; none tries it again`)

/** Reasons that may be the computer's: such a row is not kept for the next run. */
const PASSING: readonly string[] = ['timeout', 'out-of-memory', 'interrupted', 'internal-error', 'compiler-crash']

export const isLasting = ({ reason }: MatrixRow): boolean => !PASSING.includes(reason)

export type Accepted = 'new' | 'again' | 'differs' | 'unknown'

/** The rows that a coordinator has: each module once, whatever order and however often they come. */
export class RowBook {
  private readonly wanted: ReadonlySet<string>
  private readonly rows = new Map<string, MatrixRow>()

  constructor(modules: readonly QueueModule[]) {
    this.wanted = new Set(modules.map(({ path }) => path))
  }

  /** The first row of a module stays; `differs` is a second one that says something else. */
  accept(row: MatrixRow): Accepted {
    if (!this.wanted.has(row.path)) return 'unknown'
    const known = this.rows.get(row.path)
    if (known === undefined) {
      this.rows.set(row.path, row)
      return 'new'
    }
    return lasting(known) === lasting(row) ? 'again' : 'differs'
  }

  has(path: string): boolean {
    return this.rows.has(path)
  }

  get missing(): number {
    return this.wanted.size - this.rows.size
  }

  get size(): number {
    return this.rows.size
  }

  /** What of a batch has no row yet. */
  openOf({ modules }: Batch): QueueModule[] {
    return modules.filter(({ path }) => !this.rows.has(path))
  }
}
