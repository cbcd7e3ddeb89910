/** `drvport matrix merge FILE...`: the parts that --shard made, as the one matrix that a single run would have made. */
import { UsageError } from '../../pipeline/errors.ts'
import { mergeMatrices } from '../../pipeline/matrix/merge.ts'
import { readMatrix } from '../../pipeline/matrix/read.ts'
import type { Context } from '../context.ts'
import { askedReports, checkRequired, conclude } from '../matrix-reports.ts'
import { renderMatrix } from '../matrix-summary.ts'

export async function runMerge(
  context: Context,
  files: readonly string[],
  argv: Record<string, unknown>,
): Promise<number> {
  if (files.length === 0)
    throw new UsageError('matrix merge needs the parts of a matrix', {
      expected: 'drvport matrix merge FILE...',
      found: 'no file',
      todo: 'name the files that --shard I/N --report json=FILE made',
    })
  const asked = await askedReports(argv)
  const parts = await Promise.all(files.map(async (file) => ({ file, document: await readMatrix(file) })))
  const merged = mergeMatrices(parts)
  checkRequired(asked, merged.until)
  return conclude(context, merged, asked, (document) => `${renderMatrix(document)}\nfiles merged: ${files.length}`)
}
