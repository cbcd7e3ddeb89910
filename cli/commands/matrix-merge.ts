/** `drvport matrix merge FILE...`: the parts that --shard made, as the one matrix that a single run would have made. */
import { UsageError } from '../../pipeline/errors.ts'
import { mergeMatrices } from '../../pipeline/matrix/merge.ts'
import { readMatrix } from '../../pipeline/matrix/read.ts'
import type { MatrixDocument } from '../../pipeline/matrix/types.ts'
import type { Context } from '../context.ts'
import { askedReports, conclude } from '../matrix-reports.ts'
import { count } from '../output.ts'

function render({ summary, tree, interrupted }: MatrixDocument, parts: number): string {
  const rungs = Object.entries(summary.rungs).map(([rung, modules]) => `${count(modules)} ${rung}`)
  const whole = interrupted ? ', interrupted: not all modules were tried' : ''
  return [
    `${count(summary.modules)} modules of ${tree.name} (${tree.version}) from ${parts} parts${whole}: ${rungs.join(', ')}`,
    `digest ${summary.digest}`,
  ].join('\n')
}

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
  return conclude(context, mergeMatrices(parts), asked, (document) => render(document, files.length))
}
