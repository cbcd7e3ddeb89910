/**
 * A matrix small enough for git, and which git compares well: `drvport.matrix-compact/1`.
 *
 * One row a line, times left out, what is empty left out, and each name of a symbol, import or licence written once.
 * The short name that stands for it is made from the name alone, so that adding one symbol changes the lines that use it
 * and no others. Nothing else is lost: the digest of the rows stays the same. Pure.
 */

import { createHash } from 'node:crypto'
import type { MatrixDocument, MatrixRow } from './types.ts'

export const COMPACT_SCHEMA = 'drvport.matrix-compact/1'

/** Lists whose names recur from row to row. */
const INTERNED = ['licenses', 'spdx', 'gplOnly', 'missing', 'stubs', 'traps', 'imports', 'capabilities'] as const
const isInterned = (key: string): key is (typeof INTERNED)[number] => (INTERNED as readonly string[]).includes(key)

/** What a row has when its line does not say. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  reason: '',
  detail: '',
  ms: {},
  buses: [],
  classes: [],
  ...Object.fromEntries(INTERNED.map((key) => [key, []])),
  diagnostics: [],
  sources: 0,
  changedBytes: 0,
}

/** How the build puts missing symbols in a line: the list says the same, and is there. */
function usualDetail(missing: unknown): string {
  if (!Array.isArray(missing) || missing.length === 0) return ''
  return `${missing.length} missing: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', ...' : ''}`
}

const SHORT = 4

/** A short name for each name: the first characters of its hash, more of them where two begin alike. */
function shortNames(names: Iterable<string>): Map<string, string> {
  const hashes = [...new Set(names)].toSorted().map((name): [string, string] => [name, hashOf(name)])
  const taken = new Map<string, number>()
  for (const [, hash] of hashes) taken.set(hash.slice(0, SHORT), (taken.get(hash.slice(0, SHORT)) ?? 0) + 1)
  return new Map(
    hashes.map(([name, hash]) => [name, taken.get(hash.slice(0, SHORT)) === 1 ? hash.slice(0, SHORT) : hash]),
  )
}

/** 16 characters: enough that no two of a tree's names collide. */
const hashOf = (name: string): string => createHash('sha256').update(name).digest('base64url').slice(0, 16)

const moduleOfPath = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/\.ko$/, '')

function packRow(row: MatrixRow, short: ReadonlyMap<string, string>): Record<string, unknown> {
  const { path, module, ...rest } = row
  const packed: Record<string, unknown> = { path }
  if (module !== moduleOfPath(path)) packed['module'] = module
  const defaults = { ...DEFAULTS, detail: usualDetail(row.missing) }
  for (const [key, value] of Object.entries(rest)) {
    if (key === 'ms' || JSON.stringify(value) === JSON.stringify((defaults as Record<string, unknown>)[key])) continue
    packed[key] = isInterned(key) ? (value as readonly string[]).map((name) => short.get(name)).join(' ') : value
  }
  return packed
}

/** The document as text, one row and one name a line. */
export function compact(document: MatrixDocument): string {
  const { schema: _schema, rows, ms: _ms, cpuMs: _cpuMs, peakBytes: _peakBytes, ...head } = document
  const short = shortNames(rows.flatMap((row) => INTERNED.flatMap((key) => row[key])))
  const names = [...short].map(([name, id]) => `${JSON.stringify(id)}:${JSON.stringify(name)}`)
  const fields = Object.entries(head).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)},`)
  return [
    `{"schema":${JSON.stringify(COMPACT_SCHEMA)},`,
    ...fields,
    `"names":{`,
    names.join(',\n'),
    `},"rows":[`,
    rows.map((row) => JSON.stringify(packRow(row, short))).join(',\n'),
    `]}\n`,
  ].join('\n')
}

function unpackRow(packed: Record<string, unknown>, names: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const row: Record<string, unknown> = { module: moduleOfPath(String(packed['path'])), ...DEFAULTS, ...packed }
  for (const key of INTERNED) {
    const ids = packed[key]
    // A name that is not in the table stays undefined: whoever checks the rows refuses it.
    if (typeof ids === 'string')
      row[key] = ids.split(' ').map((id) => (Object.hasOwn(names, id) ? names[id] : undefined))
  }
  if (packed['detail'] === undefined) row['detail'] = usualDetail(row['missing'])
  return row
}

/** The plain document that a compact one stands for; unchecked, as whatever was read from a file is. */
export function expand(value: Record<string, unknown>): unknown {
  const { schema: _schema, names, rows, ...head } = value
  const isTable = typeof names === 'object' && names !== null
  if (!isTable || !Array.isArray(rows)) return { ...head, schema: 'drvport.matrix/1', rows: undefined, ms: 0 }
  const unpacked = rows.map((row: unknown) =>
    typeof row === 'object' && row !== null
      ? unpackRow(row as Record<string, unknown>, names as Record<string, unknown>)
      : row,
  )
  return { schema: 'drvport.matrix/1', ...head, rows: unpacked, ms: 0 }
}
