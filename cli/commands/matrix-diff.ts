/** `drvport matrix diff A B`: what B lost and gained against A. Exit status 1 on a loss. */
import { UsageError } from '../../pipeline/errors.ts'
import { diffMatrices } from '../../pipeline/matrix/diff.ts'
import { readMatrix } from '../../pipeline/matrix/read.ts'
import { parseDiffReports, writeDiffReports } from '../../pipeline/report/index.ts'
import type { Context } from '../context.ts'
import { renderDiff } from '../matrix-diff-text.ts'
import { columnsToCompare } from './matrix-many.ts'
import { toldOfFailures } from '../matrix-reports.ts'

export async function runDiff(
  context: Context,
  files: readonly string[],
  argv: Record<string, unknown>,
): Promise<number> {
  const [a, b, third, ...more] = files
  if (a === undefined || b === undefined || more.length > 0)
    throw new UsageError('matrix diff compares two matrices', {
      expected: 'drvport matrix diff A B, or drvport matrix diff FILE TREE TREE',
      found: `${files.length} files`,
      todo: 'name the earlier matrix, then the later one',
    })
  const reports = await parseDiffReports(argv['report'] as string[] | undefined)
  const [before, after] =
    third === undefined ? [await readMatrix(a), await readMatrix(b)] : await columnsToCompare([a, b, third])
  const diff = diffMatrices(before, after)
  context.result(diff, (result) => renderDiff(result, context.verbose > 0))
  const status = await toldOfFailures(writeDiffReports(reports, { before, after, diff }))
  return status > 0 || diff.losses === 0 ? status : 1
}
