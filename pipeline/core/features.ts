/**
 * What a tree has, for the lower half: the table linux-api/features.tsv. A macro is defined where a line of the tree's header
 * matches, so that a release is known by what it does and never by its number.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { UsageError } from '../errors.ts'
import { FEATURES_FILE } from '../tables.ts'

export interface Feature {
  readonly macro: string
  /** Path under include/. */
  readonly header: string
  readonly pattern: RegExp
}

/** Read the table's text. Throws UsageError with the line of a row that makes no sense. */
export function parseFeatures(text: string): Feature[] {
  const rows = text.split('\n').map((line, index) => ({ line, number: index + 1 }))
  return rows.slice(1).flatMap(({ line, number }) => {
    if (line === '') return []
    const [macro = '', header = '', pattern = '', what = ''] = line.split('\t')
    if (/^TREE_[A-Z_]+$/.test(macro) && header.endsWith('.h') && pattern !== '' && what !== '')
      return [{ macro, header, pattern: new RegExp(pattern, 'm') }]
    throw new UsageError('linux-api/features.tsv makes no sense', {
      where: `line ${number}`,
      found: line.slice(0, 80),
      expected: 'a macro TREE_..., a header under include/, a pattern of a line of it, and what it says',
    })
  })
}

/** Flags that tell the lower half of the tree in `view`. */
export async function featureFlags(view: string): Promise<string[]> {
  const features = parseFeatures(await fs.readFile(FEATURES_FILE, 'utf8'))
  const found = await Promise.all(
    features.map(async ({ macro, header, pattern }) => {
      const text = await fs.readFile(path.join(view, 'include', header), 'utf8').catch(() => '')
      return pattern.test(text) ? [`-D${macro}`] : []
    }),
  )
  return found.flat()
}
