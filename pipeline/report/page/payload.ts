/**
 * A matrix packed for the page: every string once, every distinct list of strings once, rows as columns of numbers.
 *
 * A list of symbols is thousands of long names repeated over thousands of rows; packed so, a whole tree's matrix parses
 * in tens of milliseconds. Runs in Node when the page is written and in the browser when a second file is opened, so it
 * may use neither's own functions.
 */
import type { MatrixDocument, MatrixRow } from '../../matrix/types.ts'

/** The columns that hold lists of strings, each an index into `lists`. */
export const LIST_COLUMNS = [
  'buses',
  'classes',
  'licenses',
  'spdx',
  'gplOnly',
  'missing',
  'pretends',
  'traps',
  'imports',
  'capabilities',
] as const satisfies readonly (keyof MatrixRow)[]
export type ListColumn = (typeof LIST_COLUMNS)[number]

/** One value for each of these columns. */
export function eachColumn<T>(valueOf: (column: ListColumn) => T): Record<ListColumn, T> {
  return Object.fromEntries(LIST_COLUMNS.map((column) => [column, valueOf(column)])) as Record<ListColumn, T>
}

/** file, line, message, source line (-1: none); all but the line index `strings`. */
export type PackedDiagnostic = readonly [file: number, line: number, message: number, source: number]

export interface Payload {
  /** All of the document but its rows. */
  readonly head: Omit<MatrixDocument, 'rows'>
  readonly strings: readonly string[]
  /** Distinct lists; members index `strings`. */
  readonly lists: readonly (readonly number[])[]
  readonly module: readonly string[]
  readonly path: readonly string[]
  /** Indices into `strings`, as are `reason`, `detail` and `licenseProblem`. */
  readonly rung: readonly number[]
  readonly reason: readonly number[]
  readonly detail: readonly number[]
  readonly columns: Readonly<Record<ListColumn, readonly number[]>>
  readonly diagnostics: readonly (readonly PackedDiagnostic[])[]
  readonly licenseProblem: readonly number[]
  readonly sources: readonly number[]
  readonly changedBytes: readonly number[]
  /** First hex digits of the SHA-256, '' where there is no binary. */
  readonly sha256: readonly string[]
  readonly bytes: readonly number[]
  /** Step names index `strings`; whole milliseconds. */
  readonly ms: readonly (readonly (readonly [step: number, ms: number])[])[]
}

/** Digits of a hash that the page shows; the whole of it would be a third of the file. */
const HASH_DIGITS = 16

/** Gives each distinct value a number, in order of first appearance. */
function interner<T>(keyOf: (value: T) => string) {
  const known = new Map<string, number>()
  const values: T[] = []
  const intern = (value: T): number => {
    const key = keyOf(value)
    const at = known.get(key)
    if (at !== undefined) return at
    known.set(key, values.length)
    return values.push(value) - 1
  }
  return { values, intern }
}

export function encode(document: MatrixDocument): Payload {
  const strings = interner<string>((text) => text)
  const lists = interner<readonly number[]>((list) => list.join())
  const { rows, ...head } = document
  const text = strings.intern
  const list = (names: readonly string[] | undefined) => lists.intern((names ?? []).map(text))
  const columns = eachColumn((column) => rows.map((row) => list(row[column])))
  return {
    head,
    strings: strings.values,
    lists: lists.values,
    module: rows.map((row) => row.module),
    path: rows.map((row) => row.path),
    rung: rows.map((row) => text(row.rung)),
    reason: rows.map((row) => text(row.reason)),
    detail: rows.map((row) => text(row.detail)),
    columns,
    diagnostics: rows.map((row) =>
      (row.diagnostics ?? []).map(
        ({ file, line, message, source }) =>
          [text(file), line, text(message), source === undefined ? -1 : text(source)] as const,
      ),
    ),
    licenseProblem: rows.map((row) => text(row.licenseProblem ?? '')),
    sources: rows.map((row) => row.sources ?? 0),
    changedBytes: rows.map((row) => row.changedBytes ?? 0),
    sha256: rows.map((row) => row.wasm?.sha256.slice(0, HASH_DIGITS) ?? ''),
    bytes: rows.map((row) => row.wasm?.bytes ?? 0),
    ms: rows.map((row) => Object.entries(row.ms ?? {}).map(([step, ms]) => [text(step), Math.round(ms)] as const)),
  }
}
