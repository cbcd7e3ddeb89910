/**
 * What a `drvport.matrix-compact/1` document is short for: the vocabulary that compact.ts writes it with, and the way back.
 *
 * Pure, and free of Node: the page opens such files in a browser.
 */

export const COMPACT_SCHEMA = 'drvport.matrix-compact/1'

/** Lists whose names recur from row to row. */
export const INTERNED = [
  'licenses',
  'spdx',
  'gplOnly',
  'missing',
  'pretends',
  'traps',
  'imports',
  'capabilities',
] as const
export const isInterned = (key: string): key is (typeof INTERNED)[number] =>
  (INTERNED as readonly string[]).includes(key)

/** What a row has when its line does not say. */
export const DEFAULTS: Readonly<Record<string, unknown>> = {
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

export const moduleOfPath = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/\.ko$/, '')

/** How the build puts missing symbols in a line: the list says the same, and is there. */
export function usualDetail(missing: unknown): string {
  if (!Array.isArray(missing) || missing.length === 0) return ''
  return `${missing.length} missing: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', ...' : ''}`
}

function unpackRow(packed: Record<string, unknown>, names: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { stubs = packed['pretends'], ...now } = packed
  const row: Record<string, unknown> = { module: moduleOfPath(String(packed['path'])), ...DEFAULTS, ...now }
  // As it was called in documents of the first releases.
  if (stubs !== undefined) row['pretends'] = packed['pretends'] = stubs
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
