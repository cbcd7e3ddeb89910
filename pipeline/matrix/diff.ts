/**
 * What became of each module between two matrices: two kernel versions, two toolchains, two commits of drvport. Pure.
 *
 * A module is matched by its path, and by its name where the path moved. Rungs are compared up to the lower of the two
 * `until`, for above it only one side was asked. What only one side has is a loss only when both looked at the same tree
 * with the same selectors.
 */

import { rungIndex, type Rung } from '../ladder.ts'
import type { MatrixDocument, MatrixRow, MatrixSummary, Reason } from './types.ts'

export interface DiffSide {
  readonly tree: { readonly name: string; readonly version: string }
  readonly toolchain: { readonly name: string; readonly version: string }
  readonly drvport: string
  readonly selectors: readonly string[]
  readonly until: Rung
  readonly shard?: { readonly index: number; readonly of: number }
  readonly summary: MatrixSummary
}

export interface DiffState {
  readonly rung: Rung
  readonly reason: Reason | ''
  readonly detail: string
}

export interface DiffEntry {
  readonly module: string
  /** In B. */
  readonly path: string
  /** In A, where it moved. */
  readonly from?: string
  readonly before: DiffState
  readonly after: DiffState
  /** Symbols missing now that were not, and the other way round. */
  readonly nowMissing: readonly string[]
  readonly noLongerMissing: readonly string[]
}

export interface DiffOnly extends DiffState {
  readonly module: string
  readonly path: string
}

export interface DiffDirectory {
  readonly directory: string
  /** Modules in A, and in B. */
  readonly before: number
  readonly after: number
  readonly lost: number
  readonly gained: number
  readonly changed: number
  readonly vanished: number
  readonly appeared: number
}

export interface MatrixDiff {
  readonly schema: 'drvport.matrix-diff/1'
  readonly a: DiffSide
  readonly b: DiffSide
  /** Rungs were compared up to this one. */
  readonly until: Rung
  /** Lower in B. */
  readonly lost: readonly DiffEntry[]
  /** Higher in B. */
  readonly gained: readonly DiffEntry[]
  /** As high, for another reason. */
  readonly changed: readonly DiffEntry[]
  /** As high, for the same reason, with other specifics. */
  readonly detailed: readonly DiffEntry[]
  /** Interrupted in A or B: nothing is known. */
  readonly unfinished: readonly DiffEntry[]
  /** Only in A, only in B. */
  readonly vanished: readonly DiffOnly[]
  readonly appeared: readonly DiffOnly[]
  /** The same in both. */
  readonly same: number
  /** Only directories where something differs, by name. */
  readonly directories: readonly DiffDirectory[]
  /** Same tree, same selectors: what vanished should still be there. */
  readonly vanishedIsLoss: boolean
  /** How many losses; a CI job fails on the first. */
  readonly losses: number
}

/** `drivers/net` for drivers/net/ethernet/x/y.ko, `fs` for fs/ext4/ext4.ko: the subsystem, as people speak of it. */
export function subsystemOf(path: string): string {
  const [first = '', second = '', third] = path.split('/')
  if (second === '') return '.'
  return third !== undefined && ['drivers', 'sound', 'arch'].includes(first) ? `${first}/${second}` : first
}

interface Pair {
  readonly a: MatrixRow
  readonly b: MatrixRow
}

interface Matched {
  readonly pairs: readonly Pair[]
  readonly onlyA: readonly MatrixRow[]
  readonly onlyB: readonly MatrixRow[]
}

/** Rows by module name, where the name is not ambiguous. */
function byName(rows: readonly MatrixRow[]): Map<string, MatrixRow> {
  const names = new Map<string, MatrixRow | undefined>()
  for (const row of rows) names.set(row.module, names.has(row.module) ? undefined : row)
  return new Map([...names].flatMap(([name, row]) => (row === undefined ? [] : [[name, row]])))
}

function match(a: readonly MatrixRow[], b: readonly MatrixRow[]): Matched {
  const inA = new Map(a.map((row) => [row.path, row]))
  const inB = new Map(b.map((row) => [row.path, row]))
  const restA = a.filter(({ path }) => !inB.has(path))
  const restB = b.filter(({ path }) => !inA.has(path))
  const namedA = byName(restA)
  const namedB = byName(restB)
  const movedFrom = (row: MatrixRow) => (namedB.get(row.module) === row ? namedA.get(row.module) : undefined)
  const pairs = b.flatMap((row) => {
    const before = inA.get(row.path) ?? movedFrom(row)
    return before === undefined ? [] : [{ a: before, b: row }]
  })
  return {
    pairs,
    onlyA: restA.filter((row) => !namedA.has(row.module) || !namedB.has(row.module)),
    onlyB: restB.filter((row) => movedFrom(row) === undefined),
  }
}

const lower = (a: Rung, b: Rung): Rung => (rungIndex(a) <= rungIndex(b) ? a : b)

/** A row as if it had been asked for no more than `until`. */
function stateAt({ rung, reason, detail }: MatrixRow, until: Rung): DiffState {
  return rungIndex(rung) >= rungIndex(until) ? { rung: until, reason: '', detail: '' } : { rung, reason, detail }
}

function entryOf({ a, b }: Pair, until: Rung): DiffEntry {
  const [had, has] = [new Set(a.missing), new Set(b.missing)]
  return {
    module: b.module,
    path: b.path,
    ...(a.path !== b.path && { from: a.path }),
    before: stateAt(a, until),
    after: stateAt(b, until),
    nowMissing: b.missing.filter((symbol) => !had.has(symbol)),
    noLongerMissing: a.missing.filter((symbol) => !has.has(symbol)),
  }
}

type Kind = 'lost' | 'gained' | 'changed' | 'detailed' | 'unfinished' | 'same'

function kindOf({ before, after, nowMissing, noLongerMissing }: DiffEntry): Kind {
  if (before.reason === 'interrupted' || after.reason === 'interrupted')
    return before.reason === after.reason ? 'same' : 'unfinished'
  const climbed = rungIndex(after.rung) - rungIndex(before.rung)
  if (climbed !== 0) return climbed < 0 ? 'lost' : 'gained'
  if (before.reason !== after.reason) return 'changed'
  // Missing symbols above what was compared are another question.
  const symbols = before.reason !== '' && nowMissing.length + noLongerMissing.length > 0
  return symbols || before.detail !== after.detail ? 'detailed' : 'same'
}

const onlyOf = ({ module, path, rung, reason, detail }: MatrixRow): DiffOnly => ({ module, path, rung, reason, detail })

function sideOf({ tree, toolchain, drvport, selectors, until, shard, summary }: MatrixDocument): DiffSide {
  return { tree, toolchain, drvport, selectors, until, ...(shard && { shard }), summary }
}

type Counts = { -readonly [K in Exclude<keyof DiffDirectory, 'directory'>]: number }

function countDirectories(
  a: MatrixDocument,
  b: MatrixDocument,
  counted: Pick<MatrixDiff, 'lost' | 'gained' | 'changed' | 'vanished' | 'appeared'>,
): DiffDirectory[] {
  const directories = new Map<string, Counts>()
  const add = (what: keyof Counts, rows: readonly { readonly path: string }[]): void => {
    for (const { path } of rows) {
      const directory = subsystemOf(path)
      let counts = directories.get(directory)
      if (counts === undefined)
        directories.set(
          directory,
          (counts = { before: 0, after: 0, lost: 0, gained: 0, changed: 0, vanished: 0, appeared: 0 }),
        )
      counts[what] += 1
    }
  }
  add('before', a.rows)
  add('after', b.rows)
  const kinds = ['lost', 'gained', 'changed', 'vanished', 'appeared'] as const
  for (const kind of kinds) add(kind, counted[kind])
  return [...directories]
    .filter(([, counts]) => kinds.some((kind) => counts[kind] > 0))
    .toSorted(([x], [y]) => (x < y ? -1 : 1))
    .map(([directory, counts]) => ({ directory, ...counts }))
}

const sameSelection = (a: MatrixDocument, b: MatrixDocument): boolean =>
  a.tree.name === b.tree.name &&
  a.tree.version === b.tree.version &&
  a.tree.configuration === b.tree.configuration &&
  JSON.stringify(a.selectors) === JSON.stringify(b.selectors) &&
  JSON.stringify(a.shard) === JSON.stringify(b.shard)

/** What differs from A to B. */
export function diffMatrices(a: MatrixDocument, b: MatrixDocument): MatrixDiff {
  const until = lower(a.until, b.until)
  const { pairs, onlyA, onlyB } = match(a.rows, b.rows)
  const entries: Record<Kind, DiffEntry[]> = {
    lost: [],
    gained: [],
    changed: [],
    detailed: [],
    unfinished: [],
    same: [],
  }
  for (const pair of pairs) {
    const entry = entryOf(pair, until)
    entries[kindOf(entry)].push(entry)
  }
  const { same, ...differing } = entries
  const only = { vanished: onlyA.map(onlyOf), appeared: onlyB.map(onlyOf) }
  const vanishedIsLoss = sameSelection(a, b)
  return {
    schema: 'drvport.matrix-diff/1',
    a: sideOf(a),
    b: sideOf(b),
    until,
    ...differing,
    ...only,
    same: same.length,
    directories: countDirectories(a, b, { ...differing, ...only }),
    vanishedIsLoss,
    losses: differing.lost.length + (vanishedIsLoss ? only.vanished.length : 0),
  }
}
