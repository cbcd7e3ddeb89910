/**
 * The symbol tables of linux-api/symbols: which kernel symbol comes from where, and how completely.
 *
 * Tab-separated, with a header: symbol, status, provider, capability, note. Knows nothing of objects; a test holds the
 * tables against what the objects define.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { InfrastructureError } from '../errors.ts'

export type SymbolStatus = 'full' | 'partial' | 'stub' | 'trap'

export interface SymbolRow {
  readonly symbol: string
  readonly status: SymbolStatus
  /** `shim:FILE`, `tree:PATH` (or `tree:PATH|PATH` where it moved), `module:NAME`; empty for a trap. */
  readonly provider: string
  readonly capability: string
  readonly note: string
  /** File and line of the row. */
  readonly where: string
}

export type SymbolTable = ReadonlyMap<string, SymbolRow>

const STATUSES = new Set<string>(['full', 'partial', 'stub', 'trap'])
const HEADER = ['symbol', 'status', 'provider', 'capability', 'note']
const PROVIDER = /^(shim|tree|module):\S+$/

function problem(where: string, expected: string, found: string): InfrastructureError {
  return new InfrastructureError('malformed symbol table', { where, expected, found })
}

/** Rows of one table. Throws when a row is malformed. */
export function parseSymbols(text: string, file: string): SymbolRow[] {
  const lines = text.split('\n')
  const header = lines.findIndex((line) => line !== '' && !line.startsWith('#'))
  if (header < 0) return []
  const columns = (lines[header] ?? '').split('\t').map((name) => name.trim())
  if (HEADER.some((name, i) => columns[i] !== name))
    throw problem(`${file}:${header + 1}`, HEADER.join('<tab>'), lines[header] ?? '')
  const rows: SymbolRow[] = []
  for (let i = header + 1; i < lines.length; i++) {
    const line = lines[i] as string
    if (line.trim() === '' || line.startsWith('#')) continue
    const where = `${file}:${i + 1}`
    const [symbol = '', status = '', provider = '', capability = '', note = ''] = line
      .split('\t')
      .map((cell) => cell.trim())
    if (!/^[A-Za-z_]\w*$/.test(symbol)) throw problem(where, 'a C identifier', symbol)
    if (!STATUSES.has(status)) throw problem(where, 'full, partial, stub or trap', status)
    if (status !== 'trap' && !PROVIDER.test(provider))
      throw problem(where, 'shim:FILE, tree:PATH or module:NAME', provider)
    rows.push({
      symbol,
      status: status as SymbolStatus,
      provider,
      capability: capability === '-' ? '' : capability,
      note,
      where,
    })
  }
  return rows
}

const tablesIn = async (dir: string, below: string): Promise<string[]> =>
  (await fs.readdir(path.join(dir, below)).catch(() => []))
    .filter((name) => name.endsWith('.tsv'))
    .toSorted()
    .map((name) => path.join(below, name))

/**
 * All tables in a directory, as one. A symbol may have one row. Tables in a folder named like a configuration are of
 * symbols that only it has.
 */
export async function readSymbols(dir: string, configuration?: string): Promise<SymbolTable> {
  const table = new Map<string, SymbolRow>()
  const names = await tablesIn(dir, '')
  if (configuration !== undefined) names.push(...(await tablesIn(dir, configuration)))
  for (const name of names) {
    for (const row of parseSymbols(await fs.readFile(path.join(dir, name), 'utf8'), `symbols/${name}`)) {
      const before = table.get(row.symbol)
      if (before !== undefined)
        throw problem(row.where, 'one row for a symbol', `${row.symbol} is in ${before.where} too`)
      table.set(row.symbol, row)
    }
  }
  return table
}
