/**
 * What of the tree's own kernel is answered by the lower half instead, or compiled differently: the table
 * linux-api/overrides.tsv. Each row has its reason.
 */

import * as fs from 'node:fs/promises'
import { UsageError } from '../errors.ts'
import { OVERRIDES_FILE } from '../tables.ts'

export interface Overrides {
  /** Files that are not linked. */
  readonly files: ReadonlyMap<string, string>
  /** Symbols that give way to one of the lower half's, by file. */
  readonly symbols: ReadonlyMap<string, ReadonlySet<string>>
  /** Flags of a file besides its own. */
  readonly flags: ReadonlyMap<string, readonly string[]>
}

/** Read the table's text. Throws UsageError with the line of a row that makes no sense. */
export function parseOverrides(text: string): Overrides {
  const files = new Map<string, string>()
  const symbols = new Map<string, Set<string>>()
  const flags = new Map<string, readonly string[]>()
  text.split('\n').forEach((line, index) => {
    if (index === 0 || line === '') return
    const [kind, name = '', where = '', reason = ''] = line.split('\t')
    const refuse = (expected: string): never => {
      throw new UsageError('linux-api/overrides.tsv makes no sense', {
        where: `line ${index + 1}`,
        found: line.slice(0, 80),
        expected,
      })
    }
    if (reason.length < 20 || /not done yet|TODO/i.test(reason)) refuse('a reason that a reader can act on')
    if (kind === 'file') files.set(name, reason)
    else if (kind === 'symbol') symbols.set(where, (symbols.get(where) ?? new Set()).add(name))
    else if (kind === 'flags') flags.set(name, where.split(' '))
    else refuse('file, symbol or flags')
  })
  return { files, symbols, flags }
}

export const readOverrides = async (): Promise<Overrides> => parseOverrides(await fs.readFile(OVERRIDES_FILE, 'utf8'))
