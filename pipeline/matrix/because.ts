/**
 * Reasons of a matrix over several trees: a module that compiles for one of them and not for another does so because of
 * the kernel's API, and its row says of which part, instead of that it does not compile. So does a driver from outside of
 * the trees that compiles for none of them, where they complain of different things.
 *
 * Only the trees of the matrix are looked at, so that the same command says the same on every computer.
 */

import { compareTrials, type Verdict } from '../api/compare.ts'
import { tryModules, type Trial } from '../api/trial.ts'
import type { KernelTree } from '../build/index.ts'
import type { Toolchain } from '../toolchain/types.ts'
import { withRows, type MatricesDocument } from './many.ts'
import { oneLine } from './row.ts'
import { whoMayUse } from '../kbuild/namespaces.ts'
import { rungIndex } from '../ladder.ts'
import type { MatrixDocument, MatrixRow, Reason } from './types.ts'

export interface Tried {
  readonly tree: KernelTree
  readonly toolchain: Toolchain
}

/** Reasons that another tree may explain. */
const OPEN = new Set<Reason | ''>([
  'compile-error',
  'missing-header',
  'no-source',
  'needs-architecture',
  'not-exported',
  'gpl-only',
  'not-imported',
])

const compiles = (row: MatrixRow): boolean => rungIndex(row.rung) >= rungIndex('compile')

/** Modules that trees may tell something about: what they do for one, and for another not. */
function questionable({ columns }: MatricesDocument): ReadonlySet<string> {
  const all = Map.groupBy(
    columns.flatMap((column) => column.rows),
    ({ path }) => path,
  )
  const asked = [...all].filter(([, rows]) => rows.some(({ reason }) => OPEN.has(reason)) && differ(rows))
  return new Set(asked.map(([path]) => path))
}

/** The tree's own modules change with it: one that compiles for none says nothing of the API. */
function differ(rows: readonly MatrixRow[]): boolean {
  if (rows.some(compiles)) return true
  return rows.every(({ path }) => path.startsWith('external/')) && new Set(rows.map(({ detail }) => detail)).size > 1
}

/**
 * The columns whose trees are needed to say why: those in which such a module fails, and for each the nearest before it
 * (else after it) in which it does not; where there is no such one, all of them. Columns are the oldest kernel first.
 */
export function openQuestions(document: MatricesDocument): MatrixDocument[] {
  const { columns } = document
  const needed = new Set<MatrixDocument>()
  for (const module of questionable(document)) {
    const rows = columns.map((column) => column.rows.find(({ path }) => path === module))
    rows.forEach((row, i) => {
      if (row === undefined || !OPEN.has(row.reason)) return
      const good = (j: number) => rows[j] !== undefined && compiles(rows[j]) && !OPEN.has(rows[j].reason)
      const before = columns.findLastIndex((_, j) => j < i && good(j))
      const witness = before >= 0 ? before : columns.findIndex((_, j) => good(j))
      const told = witness >= 0 ? [columns[i], columns[witness]] : columns.filter((_, j) => rows[j] !== undefined)
      for (const column of told) if (column !== undefined) needed.add(column)
    })
  }
  return columns.filter((column) => needed.has(column))
}

/** Say why, where the trees tell; `tried` are the trees of the columns, or those of `openQuestions`. */
export async function withReasons(
  document: MatricesDocument,
  tried: readonly Tried[],
  selectors: readonly string[],
  signal?: AbortSignal,
): Promise<MatricesDocument> {
  const only = questionable(document)
  if (only.size === 0) return document
  const trials: Trial[] = []
  for (const one of tried) trials.push(await tryModules({ ...one, selectors, only, ...(signal && { signal }) }))
  const comparisons = new Map((await compareTrials(trials)).map((comparison) => [comparison.path, comparison.verdicts]))
  const columns = document.columns.map((column) => {
    const better = new Map<string, MatrixRow>()
    for (const row of column.rows) {
      const verdict = comparisons.get(row.path)?.find(({ version }) => version === column.tree.version)
      const said = verdict && OPEN.has(row.reason) ? reasonOf(verdict) : undefined
      if (said !== undefined) better.set(row.path, { ...row, ...said })
    }
    return withRows(column, better)
  })
  return { ...document, columns }
}

/** Symbols that another tree lets modules use. */
function exportReason(exports: Verdict['exports']): Pick<MatrixRow, 'reason' | 'detail'> {
  const said = exports.map(({ reason, name, namespace, expected, found }) => {
    const closed = reason === 'gpl-only' ? 'is for GPL-compatible modules only' : 'is not exported'
    const what = namespace === undefined ? closed : whoMayUse(namespace)
    return `${name} ${what} in ${found.version}, as it is in ${expected.tree} (${expected.version})`
  })
  return { reason: exports[0]?.reason ?? 'not-exported', detail: oneLine(said.join('; ')) }
}

/** The first explanation, and how many more there are. */
function reasonOf({ explanations, exports }: Verdict): Pick<MatrixRow, 'reason' | 'detail'> | undefined {
  const [first, ...others] = explanations
  if (first === undefined) return exports.length > 0 ? exportReason(exports) : undefined
  const { reason, name, kind, file, line, expected, found } = first
  const where = expected?.file === undefined ? '' : ` (${expected.tree}: ${expected.file}:${expected.line})`
  const change =
    kind === 'include'
      ? `${name} is no longer declared by what it includes, but in ${found?.file}`
      : reason === 'api-added'
        ? `${kind} ${name} comes with ${expected?.version}${where}`
        : reason === 'api-removed'
          ? `${kind} ${name} is gone in ${found?.version}${where}`
          : `${kind} ${name} is another in ${found?.version}: ${found?.text ?? ''}`
  const more = others.length > 0 ? `; and ${others.length} more` : ''
  return { reason, detail: oneLine(`${file}:${line}: ${change}${more}`) }
}
