/**
 * What every command that ends with a matrix does with it: `--report`, `--output` and `--baseline`.
 *
 * The options are read, and refused, before the work begins; the result is printed before a report can fail.
 */
import type { Argv } from 'yargs'
import { UsageError } from '../pipeline/errors.ts'
import { diffMatrices } from '../pipeline/matrix/diff.ts'
import { readMatrix } from '../pipeline/matrix/read.ts'
import type { MatrixDocument } from '../pipeline/matrix/types.ts'
import {
  parseReports,
  REPORT_KINDS,
  writeReports,
  type ReportOptions,
  type ReportSpec,
} from '../pipeline/report/index.ts'
import { renderDiff } from './commands/matrix-diff.ts'
import type { Context } from './context.ts'

/** Options of such a command. */
export const reportOptions = (argv: Argv): Argv =>
  argv
    .option('report', {
      type: 'string',
      requiresArg: true,
      coerce: (given: string | string[]) => [given].flat(),
      describe: `write KIND=FILE (repeatable): ${REPORT_KINDS.join(', ')}`,
    })
    .option('output', { type: 'string', requiresArg: true, describe: 'the matrix itself, as --report json=FILE' })
    .option('baseline', { type: 'string', requiresArg: true, describe: 'an earlier matrix; exit status 1 on a loss' })

export interface Asked {
  readonly reports: readonly ReportSpec[]
  readonly baseline?: MatrixDocument
  readonly startTime?: string
}

/** SOURCE_DATE_EPOCH, in seconds, as other tools that write reproducible files take it. */
function startTime(): string | undefined {
  const given = process.env['SOURCE_DATE_EPOCH']
  if (given === undefined || given === '') return undefined
  const time = new Date(/^\d{1,12}$/.test(given) ? Number(given) * 1000 : Number.NaN)
  if (Number.isNaN(time.getTime()))
    throw new UsageError('SOURCE_DATE_EPOCH is no time', {
      expected: 'seconds since 1970',
      found: given,
      todo: 'unset or correct it',
    })
  return time.toISOString()
}

/** What the options ask for, checked. Throws UsageError. */
export async function askedReports(argv: Record<string, unknown>): Promise<Asked> {
  const [output, baseline] = [argv['output'], argv['baseline']] as readonly (string | undefined)[]
  const given = (argv['report'] as string[] | undefined) ?? []
  const time = startTime()
  return {
    reports: await parseReports(output === undefined ? given : [`json=${output}`, ...given]),
    ...(baseline !== undefined && { baseline: await readMatrix(baseline) }),
    ...(time !== undefined && { startTime: time }),
  }
}

/** Print the matrix, write its reports, and say whether anything was lost: the exit status. Throws InfrastructureError. */
export async function conclude(
  context: Context,
  document: MatrixDocument,
  { reports, ...asked }: Asked,
  text: (document: MatrixDocument) => string,
  options: Pick<ReportOptions, 'exportedIn'> = {},
): Promise<number> {
  const diff = asked.baseline && diffMatrices(asked.baseline, document)
  const compared = diff === undefined ? [] : ['', 'against the baseline', renderDiff(diff, context.verbose > 0)]
  context.result(document, (result) => [text(result), ...compared].join('\n'))
  await writeReports(reports, document, { ...asked, ...options })
  return diff === undefined || diff.losses === 0 ? 0 : 1
}
