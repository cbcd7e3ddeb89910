/**
 * What a row is in the words of CI systems, decided once for every report: passed, failed, ended by an error of the
 * tools, or skipped. Pure.
 */

import { rungIndex, type Rung } from '../ladder.ts'
import type { MatrixRow, Reason } from '../matrix/types.ts'

/** `miss`: never got its turn. */
export type Outcome = 'pass' | 'fail' | 'error' | 'skip' | 'miss'

/** Reasons that say nothing against the module. Every other is a failure: it was tried, and this rung is not for it. */
const NOT_FAILURES: Readonly<Partial<Record<Reason, Outcome>>> = {
  'compiler-crash': 'error',
  timeout: 'error',
  'out-of-memory': 'error',
  'wrong-output': 'error',
  'internal-error': 'error',
  interrupted: 'miss',
  'no-device-model': 'skip',
  'no-hardware': 'skip',
  excluded: 'skip',
}

/** `until` is the rung that was asked for. A row below it without a reason is a mistake of drvport, never a pass. */
export function outcomeOf(row: Pick<MatrixRow, 'rung' | 'reason'>, until: Rung): Outcome {
  if (row.reason !== '') return NOT_FAILURES[row.reason] ?? 'fail'
  return rungIndex(row.rung) >= rungIndex(until) ? 'pass' : 'error'
}

/** Whether it stays below a rung that it must reach: one that is not for this kernel need not. */
export const fallsShort = ({ rung, reason }: Pick<MatrixRow, 'rung' | 'reason'>, required: Rung): boolean =>
  reason !== 'excluded' && rungIndex(rung) < rungIndex(required)

/** Why it did not pass, in one line: `reason: detail`. */
export function whyNot({ rung, reason, detail }: Pick<MatrixRow, 'rung' | 'reason' | 'detail'>): string {
  const why = reason === '' ? `stopped at ${rung} without a reason` : reason
  return detail === '' ? why : `${why}: ${detail}`
}

/** What a reader needs to act: where the compiler stopped, and which symbols are missing. One text a line. */
export function specifics(row: MatrixRow): string[] {
  const said = row.diagnostics.flatMap(({ file, line, message, source }) => [
    `${line > 0 ? `${file}:${line}` : file}: ${message}`,
    ...(source === undefined ? [] : [`    ${source.trim()}`]),
  ])
  return row.missing.length === 0 ? said : [...said, `missing: ${row.missing.join(' ')}`]
}

/** Steps that `total` is made of, where a row has one. */
const IN_TOTAL = new Set(['parse', 'compile', 'link', 'verify'])

/** Wall milliseconds that a module took, all steps. */
export function msOf({ ms: { total, ...steps } }: MatrixRow): number {
  const rest = Object.entries(steps).filter(([step]) => total === undefined || !IN_TOTAL.has(step))
  return rest.reduce((sum, [, ms]) => sum + ms, total ?? 0)
}

/** Directory of a module in the tree; `.` at the top. */
export const directoryOf = (path: string): string => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.')

/** Rows by directory, both in the order of paths. */
export function byDirectory(rows: readonly MatrixRow[]): [directory: string, rows: MatrixRow[]][] {
  const directories = new Map<string, MatrixRow[]>()
  for (const row of rows) {
    const directory = directoryOf(row.path)
    const list = directories.get(directory)
    if (list === undefined) directories.set(directory, [row])
    else list.push(row)
  }
  return [...directories].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/**
 * Characters that no report format takes, as text: controls become `\x1b`, halves of surrogate pairs and the two
 * non-characters U+FFFD. Tab, newline and carriage return stay.
 */
export const printable = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[\ufffe\uffff]/g, '\ufffd')
    // oxlint-disable-next-line no-control-regex -- these are what it is about
    .replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** The same on one line. */
export const oneLine = (text: string): string =>
  printable(text)
    .replaceAll(/[\s\u2028\u2029]+/g, ' ')
    .trim()
