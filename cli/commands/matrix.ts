/** `drvport matrix SELECTOR...`: how far every module gets up the ladder, and why not further. */
import { UsageError } from '../../pipeline/errors.ts'
import { parseShard } from '../../pipeline/matrix/shard.ts'
import { runMatrix } from '../../pipeline/matrix/run.ts'
import { RUNGS, rungIndex, type MatrixDocument, type MatrixRow, type Rung } from '../../pipeline/matrix/types.ts'
import type { Command, Context } from '../context.ts'
import type { Distribution } from '../queue.ts'
import { openClimber } from '../matrix-machine.ts'
import { showMatrix } from '../matrix-display.ts'
import { askedReports, conclude, reportOptions } from '../matrix-reports.ts'
import { renderMatrix } from '../matrix-summary.ts'
import { useStore } from '../store.ts'
import { workspaceOf } from '../workspace.ts'
import { runDiff } from './matrix-diff.ts'
import { runMerge } from './matrix-merge.ts'

/** Loaded when it is asked for: without --queue nothing of it is needed. */
const distribute = async (context: Context, url: string) => (await import('../queue.ts')).distribute(context, url)

const RUNG_CHOICES = RUNGS.filter((rung) => rung !== 'none')

const HELP = `Every row of the result is one module: the highest rung that it reached, and where that is not the one asked for,
why. A module that fails is a row and no failure of the run: the exit status is 0 when the matrix was made, 1 when
--require or --baseline is not met, 2 for wrong usage, 3 when the infrastructure failed (no compiler, disk full), 130
when interrupted. Finished work is kept in every case, and the same command goes on from there.`

/** Modules below the rung that was required. */
function shortOf(document: MatrixDocument, required: Rung | undefined): MatrixRow[] {
  if (required === undefined) return []
  return document.rows.filter(({ rung }) => rungIndex(rung) < rungIndex(required))
}

/** Whether every module got as far as required; told to the person who required it. */
function meets(context: Context, document: MatrixDocument, required: Rung | undefined): boolean {
  const short = shortOf(document, required)
  if (short.length === 0) return true
  const first = short.slice(0, 5).map(({ module, rung, reason }) => `${module} (${rung}: ${reason})`)
  const more = short.length > first.length ? ` and ${short.length - first.length} more` : ''
  context.progress.note(`drvport: ${short.length} modules did not reach ${required}: ${first.join(', ')}${more}`)
  return false
}

function parseJobs(given: unknown): number | undefined {
  if (given === undefined) return undefined
  if (Number.isSafeInteger(given) && (given as number) > 0) return given as number
  throw new UsageError('--jobs takes a whole number above 0', {
    found: String(given),
    todo: 'give one, as in --jobs 2',
  })
}

export const matrix: Command = {
  usage: 'matrix <selectors..>',
  describe: 'the ladder over many modules; matrix merge FILE..., matrix diff A B',
  options: (argv) =>
    reportOptions(argv)
      .positional('selectors', {
        array: true,
        type: 'string',
        describe: 'module, path or glob in the tree, @set, a folder with a Kbuild file, or all',
      })
      .option('until', {
        choices: RUNG_CHOICES,
        default: 'verify',
        describe: 'the last rung to climb; above verify a machine runs the modules',
      })
      .option('require', { choices: RUNG_CHOICES, describe: 'exit with 1 when a module does not reach this rung' })
      .option('jobs', { type: 'number', describe: 'compilers at once; default one for each processor' })
      .option('shard', { type: 'string', describe: 'only part I of N, as in 2/4' })
      .option('queue', { type: 'string', describe: 'have workers make the rows: redis://HOST:PORT[/DB]' })
      .option('store', { type: 'string', describe: 'share packages and objects: a directory, or s3://BUCKET/PREFIX' })
      .epilogue(HELP),
  async run(context, argv) {
    const selectors = argv['selectors'] as string[]
    const [first, ...files] = selectors
    if (first === 'merge') return runMerge(context, files, argv)
    if (first === 'diff') return runDiff(context, files, argv)
    const asked = await askedReports(argv)
    await useStore(context, argv['store'])
    const { queue } = argv
    const distribution = queue === undefined ? undefined : await distribute(context, String(queue))
    try {
      return await climbAll(context, argv, asked, distribution)
    } finally {
      distribution?.close()
    }
  },
}

async function climbAll(
  context: Context,
  argv: Record<string, unknown>,
  asked: Awaited<ReturnType<typeof askedReports>>,
  distribution: Distribution | undefined,
): Promise<number> {
  const shard = argv['shard'] === undefined ? undefined : parseShard(String(argv['shard']))
  const until = argv['until'] as Rung
  const required = argv['require'] as Rung | undefined
  const jobs = parseJobs(argv['jobs'])
  if (required !== undefined && rungIndex(required) > rungIndex(until))
    throw new UsageError(`--require ${required} cannot be met`, {
      found: `--until ${until}, which stops below it`,
      todo: `give --until ${required}`,
    })
  const workspace = await workspaceOf(context)
  const climber = openClimber({ seed: context.seed })
  const display = showMatrix(context.progress, context.signal)
  try {
    const document = await runMatrix({
      tree: workspace.tree,
      toolchain: { ...workspace.toolchain, ...(jobs !== undefined && { width: jobs }) },
      selectors: argv['selectors'] as string[],
      until,
      seed: context.seed,
      climber,
      ...(shard && { shard }),
      ...(distribution && { makeRows: await distribution.makeRows(workspace, until) }),
      signal: context.signal,
      progress: display.hear,
    })
    display.close()
    const exports = asked.reports.some(({ kind }) => kind === 'missing') ? await workspace.tree.exports() : undefined
    const facts = exports && { exportedIn: (symbol: string) => exports.get(symbol)?.source }
    const status = await conclude(context, document, asked, renderMatrix, facts)
    if (document.interrupted) return 130
    return meets(context, document, required) ? status : 1
  } finally {
    display.close()
    await climber.close()
    await workspace.close()
  }
}
