/**
 * What every command that ends with a matrix does with it: `--report`, `--output`, `--baseline` and `--require`.
 *
 * The options are read, and refused, before the work begins; the result is printed before a report can fail.
 */
import type { Argv } from 'yargs'
import { DrvportError, UsageError } from '../pipeline/errors.ts'
import { diffMatrices } from '../pipeline/matrix/diff.ts'
import { readColumns } from '../pipeline/matrix/read.ts'
import { RUNGS, rungIndex, type Rung } from '../pipeline/ladder.ts'
import type { MatrixDocument } from '../pipeline/matrix/types.ts'
import {
  parseReports,
  REPORT_KINDS,
  writeReports,
  type ReportOptions,
  type ReportSpec,
} from '../pipeline/report/index.ts'
import { fallsShort } from '../pipeline/report/outcome.ts'
import { parseRequired } from './commands/matrix-many.ts'
import type { Context } from './context.ts'
import { renderDiff } from './matrix-diff-text.ts'

export const RUNG_CHOICES = RUNGS.filter((rung) => rung !== 'none')

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
    .option('require', {
      type: 'string',
      requiresArg: true,
      coerce: (given: string | string[]) => [given].flat(),
      describe: `exit with 1 when a module does not reach RUNG, or TREE=RUNG: ${RUNG_CHOICES.join(', ')}`,
    })

export interface Asked {
  readonly reports: readonly ReportSpec[]
  readonly baseline?: MatrixDocument
  /** All columns of the baseline, of which that of one tree is the only one. */
  readonly baselines?: readonly MatrixDocument[]
  readonly startTime?: string
  readonly required?: Rung
  /** By tree, over `required`. */
  readonly requiredFor?: ReadonlyMap<string, Rung>
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
  const required = parseRequired((argv['require'] as string | string[] | undefined) ?? [], RUNG_CHOICES)
  const baselines = baseline === undefined ? undefined : await readColumns(baseline)
  const [only] = baselines ?? []
  return {
    reports: await parseReports(output === undefined ? given : [`json=${output}`, ...given]),
    ...(baselines && { baselines }),
    ...(only && baselines?.length === 1 && { baseline: only }),
    ...(time !== undefined && { startTime: time }),
    ...required,
  }
}

/** Refuse a required rung above the one that is climbed to: no module could meet it. Throws UsageError. */
export function checkRequired({ required, requiredFor }: Asked, until: Rung): void {
  const all = [...(required === undefined ? [] : [required]), ...(requiredFor?.values() ?? [])]
  const tooHigh = all.find((rung) => rungIndex(rung) > rungIndex(until))
  if (tooHigh !== undefined)
    throw new UsageError(`--require ${tooHigh} cannot be met`, {
      found: `--until ${until}, which stops below it`,
      todo: `give --until ${tooHigh}`,
    })
}

/** Whether every module got as far as required; told to the person who required it. */
function meets(context: Context, { rows }: MatrixDocument, required: Rung | undefined): boolean {
  const short = required === undefined ? [] : rows.filter((row) => fallsShort(row, required))
  if (short.length === 0) return true
  const first = short.slice(0, 5).map(({ module, rung, reason }) => `${module} (${rung}: ${reason})`)
  const more = short.length > first.length ? ` and ${short.length - first.length} more` : ''
  context.progress.note(`drvport: ${short.length} modules did not reach ${required}: ${first.join(', ')}${more}`)
  return false
}

/**
 * Print the matrix, write its reports, and return the exit status: 3 for a report not written, 1 for a loss against the
 * baseline or a module below what was required.
 */
export async function conclude(
  context: Context,
  document: MatrixDocument,
  { reports, required, ...asked }: Asked,
  text: (document: MatrixDocument) => string,
  options: Pick<ReportOptions, 'exportedIn'> = {},
): Promise<number> {
  const baseline = asked.baseline ?? asked.baselines?.find(({ tree }) => tree.name === document.tree.name)
  const diff = baseline && diffMatrices(baseline, document)
  const compared = diff === undefined ? [] : ['', 'against the baseline', renderDiff(diff, context.verbose > 0)]
  context.result(document, (result) => [text(result), ...compared].join('\n'))
  const met = meets(context, document, asked.requiredFor?.get(document.tree.name) ?? required)
  const status = await toldOfFailures(
    writeReports(reports, document, { ...asked, ...(baseline && { baseline }), ...options }),
  )
  return status > 0 || (met && (diff?.losses ?? 0) === 0) ? status : 1
}

/** The result is printed by now, and stays the only document: what failed after it is told on stderr. */
export async function toldOfFailures(writing: Promise<void>): Promise<number> {
  try {
    await writing
    return 0
  } catch (error) {
    if (!(error instanceof DrvportError)) throw error
    process.stderr.write(`drvport: ${error.describe()}\n`)
    return error.status
  }
}
