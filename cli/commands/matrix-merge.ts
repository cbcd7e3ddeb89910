/** `drvport matrix merge FILE...`: the parts that --shard made, as the one matrix that a single run would have made. */
import { UsageError } from '../../pipeline/errors.ts'
import { compareWithBaseline } from '../../pipeline/matrix/baseline.ts'
import { mergeMatrices } from '../../pipeline/matrix/merge.ts'
import { readMatrix } from '../../pipeline/matrix/read.ts'
import type { MatrixDocument } from '../../pipeline/matrix/types.ts'
import { parseReports, writeReports, type ReportSpec } from '../../pipeline/report/index.ts'
import type { Context } from '../context.ts'
import { count } from '../output.ts'
import { renderDiff } from './matrix-diff.ts'

function render({ summary, tree, interrupted }: MatrixDocument, parts: number): string {
  const rungs = Object.entries(summary.rungs).map(([rung, modules]) => `${count(modules)} ${rung}`)
  const whole = interrupted ? ', interrupted: not all modules were tried' : ''
  return [
    `${count(summary.modules)} modules of ${tree.name} (${tree.version}) from ${parts} parts${whole}: ${rungs.join(', ')}`,
    `digest ${summary.digest}`,
  ].join('\n')
}

/** `--output FILE` is short for `--report json=FILE`. */
function asked(argv: Record<string, unknown>): Promise<ReportSpec[]> {
  const output = argv['output'] as string | undefined
  const reports = (argv['report'] as string[] | undefined) ?? []
  return parseReports(output === undefined ? reports : [`json=${output}`, ...reports])
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
  const reports = await asked(argv)
  const parts = await Promise.all(files.map(async (file) => ({ file, document: await readMatrix(file) })))
  const document = mergeMatrices(parts)
  const baseline = argv['baseline'] as string | undefined
  const compared = baseline === undefined ? undefined : await compareWithBaseline(document, baseline)
  context.result(document, (result) =>
    [...(compared ? [renderDiff(compared.diff, context.verbose > 0)] : []), render(result, files.length)].join('\n'),
  )
  await writeReports(reports, document, compared && { baseline: compared.baseline })
  return compared === undefined || compared.diff.losses === 0 ? 0 : 1
}
