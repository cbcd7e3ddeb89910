/**
 * Matrices of one tree each, as jobs make them side by side, into one over several trees, or over several configurations of
 * one. Pure.
 *
 * The whole is what one run over these trees would have made, oldest kernel first, but for the reasons that come of
 * comparing trees (because.ts), which are not here. Columns that say nothing beside each other are refused by name.
 */

import { UsageError } from '../errors.ts'
import { compareVersions } from '../tree/names.ts'
import type { MatricesDocument } from './many.ts'
import { checkSame, refuseParts, SAME_RUN, treeText, type Common, type MatrixPart } from './parts.ts'
import type { MatrixDocument } from './types.ts'

const MESSAGE = 'these matrices are not columns of one'

/** A sample is drawn from what a tree has: how many that is may be another number in each. */
const COMMON: readonly Common[] = [
  ...SAME_RUN,
  ['selectors', ({ selectors }) => selectors.join(' ')],
  ['--sample', ({ sample }) => (sample === undefined ? 'none' : 'a sample')],
]

function checkWhole(parts: readonly MatrixPart[]): void {
  const shard = parts.find(({ document }) => document.shard !== undefined)
  if (shard === undefined) return
  const { index, of } = shard.document.shard ?? {}
  throw refuseParts(
    MESSAGE,
    [shard],
    `all of ${treeText(shard.document.tree)}`,
    `part ${index} of ${of}`,
    'put the parts of a tree together first: drvport matrix merge FILE... --output COLUMN',
  )
}

function checkDistinct(parts: readonly MatrixPart[]): void {
  const seen = new Map<string, MatrixPart>()
  for (const part of parts) {
    const name = treeText(part.document.tree)
    const before = seen.get(name)
    if (before !== undefined)
      throw refuseParts(MESSAGE, [before, part], 'each tree once', `${name} twice`, 'leave out one of the files')
    seen.set(name, part)
  }
}

/** Numbers of the release first: a candidate of it (`7.3.0-rc7`) is older than it is. Of one, the plain configuration first. */
const byVersion = (a: MatrixDocument, b: MatrixDocument): number => {
  const [left, right] = [a, b].map(({ tree }) => tree.version.replace('-rc', '~rc')) as [string, string]
  const named = ({ tree: { name, configuration = '' } }: MatrixDocument): string => `${name} ${configuration}`
  return compareVersions(left, right) || (named(a) < named(b) ? -1 : 1)
}

/** One document of all columns. Throws UsageError, which names the files, when they do not belong together. */
export function joinMatrices(parts: readonly MatrixPart[]): MatricesDocument {
  if (parts.length === 0) throw new UsageError('no matrix to join', { todo: 'name the files of its columns' })
  checkWhole(parts)
  checkSame(MESSAGE, parts, COMMON)
  checkDistinct(parts)
  return { schema: 'drvport.matrix/2', columns: parts.map(({ document }) => document).toSorted(byVersion) }
}
