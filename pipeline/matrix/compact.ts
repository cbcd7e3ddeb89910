/**
 * A matrix small enough for git, and which git compares well: `drvport.matrix-compact/1`.
 *
 * One row a line, times left out, what is empty left out, and each name of a symbol, import or licence written once.
 * The short name that stands for it is made from the name alone, so that adding one symbol changes the lines that use it
 * and no others. Nothing else is lost: the digest of the rows stays the same. Pure.
 */

import { createHash } from 'node:crypto'
import { COMPACT_SCHEMA, DEFAULTS, INTERNED, isInterned, moduleOfPath, usualDetail } from './expand.ts'
import type { MatrixDocument, MatrixRow } from './types.ts'

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
