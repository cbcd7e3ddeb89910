/** Totals and identity of a matrix, from its rows. Pure. */

import { contentKey } from '../cache.ts'
import { RUNGS, type Rung } from '../ladder.ts'
import type { MatrixRow, MatrixSummary, Reason } from './types.ts'

/** By path, in code-unit order: the same everywhere, whatever the locale. */
export const byPath = (a: MatrixRow, b: MatrixRow): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)

/** A row less what differs from run to run. */
export function lasting({ ms: _ms, ...row }: MatrixRow): string {
  return JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

export function digestOf(rows: readonly MatrixRow[]): string {
  return contentKey(rows.toSorted(byPath).map(lasting))
}

export function summarize(rows: readonly MatrixRow[]): MatrixSummary {
  const rungs: Partial<Record<Rung, number>> = {}
  const reasons: Partial<Record<Reason, number>> = {}
  for (const { rung } of rows) rungs[rung] = (rungs[rung] ?? 0) + 1
  for (const { reason } of rows) if (reason !== '') reasons[reason] = (reasons[reason] ?? 0) + 1
  const ordered = RUNGS.filter((rung) => rungs[rung] !== undefined).map((rung) => [rung, rungs[rung]] as const)
  const named = Object.entries(reasons).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    modules: rows.length,
    rungs: Object.fromEntries(ordered),
    reasons: Object.fromEntries(named),
    digest: digestOf(rows),
  }
}
