/** `drvport matrix SELECTOR...`: how far every module gets up the ladder, and why not further. */
import { UsageError } from '../../pipeline/errors.ts'
import { parseSample } from '../../pipeline/matrix/sample.ts'
import { parseShard } from '../../pipeline/matrix/shard.ts'
import { runMatrix } from '../../pipeline/matrix/run.ts'
import type { Rung } from '../../pipeline/ladder.ts'
import type { MatrixDocument } from '../../pipeline/matrix/types.ts'
import type { Workspace } from '../../pipeline/workspace.ts'
import { announce } from '../announce.ts'
import type { Command, Context } from '../context.ts'
import type { Distribution } from '../queue.ts'
import { openClimber } from '../matrix-machine.ts'
import { showMatrix } from '../matrix-display.ts'
import { askedReports, checkRequired, conclude, reportOptions, RUNG_CHOICES, type Asked } from '../matrix-reports.ts'
import { renderMatrix } from '../matrix-summary.ts'
import { useStore } from '../store.ts'
import { treesOf } from '../trees.ts'
import { workspaceOf } from '../workspace.ts'
import { runDiff } from './matrix-diff.ts'
import { runJoin } from './matrix-join.ts'
import { runMany, type MakeColumn } from './matrix-many.ts'
import { runMerge } from './matrix-merge.ts'

/** Loaded when it is asked for: without --queue nothing of it is needed. */
const distribute = async (context: Context, url: string) => (await import('../queue.ts')).distribute(context, url)

const HELP = `Every row of the result is one module: the highest rung that it reached, and where that is not the one asked for,
why. A module that fails is a row and no failure of the run: the exit status is 0 when the matrix was made, 1 when
--require or --baseline is not met, 2 for wrong usage, 3 when the infrastructure failed (no compiler, disk full), 130
when interrupted. Finished work is kept in every case, and the same command goes on from there.`

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
  describe: 'the ladder over many modules; matrix merge FILE..., matrix join FILE..., matrix diff A B',
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
      .option('jobs', { type: 'number', describe: 'compilers at once; default one for each processor' })
      .option('sample', { type: 'number', describe: 'only so many of the modules, drawn by --seed' })
      .option('shard', { type: 'string', describe: 'only part I of N, as in 2/4' })
      .option('queue', { type: 'string', describe: 'have workers make the rows: redis://HOST:PORT[/DB]' })
      .option('store', { type: 'string', describe: 'share packages and objects: a directory, or s3://BUCKET/PREFIX' })
      .option('explain', { type: 'boolean', describe: 'with join: bring the trees that can say why' })
      .epilogue(HELP),
  async run(context, argv) {
    const selectors = argv['selectors'] as string[]
    const [first, ...files] = selectors
    if (first === 'merge') return runMerge(context, files, argv)
    if (first === 'join') return runJoin(context, files, argv)
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
  asked: Asked,
  distribution: Distribution | undefined,
): Promise<number> {
  const shard = argv['shard'] === undefined ? undefined : parseShard(String(argv['shard']))
  const until = argv['until'] as Rung
  const sample = argv['sample'] === undefined ? undefined : parseSample(argv['sample'])
  const jobs = parseJobs(argv['jobs'])
  checkRequired(asked, until)
  const trees = treesOf(context)
  await announce(context, trees, until)
  const selectors = argv['selectors'] as string[]
  const climber = openClimber({ seed: context.seed })
  const makeColumn = async (workspace: Workspace): Promise<MatrixDocument> => {
    const display = showMatrix(context.progress, context.signal)
    const rows = runMatrix({
      tree: workspace.tree,
      toolchain: { ...workspace.toolchain, ...(jobs !== undefined && { width: jobs }) },
      selectors,
      until,
      seed: context.seed,
      climber,
      ...(sample !== undefined && { sample }),
      ...(shard && { shard }),
      ...(distribution && { makeRows: await distribution.makeRows(workspace, until) }),
      signal: context.signal,
      progress: display.hear,
    })
    return rows.finally(() => display.close())
  }
  try {
    if (trees.length > 1) return await runMany(context, trees, selectors, asked, makeColumn)
    return await runOne(context, asked, makeColumn)
  } finally {
    await climber.close()
  }
}

async function runOne(context: Context, asked: Asked, makeColumn: MakeColumn): Promise<number> {
  const workspace = await workspaceOf(context)
  try {
    const document = await makeColumn(workspace)
    const exports = asked.reports.some(({ kind }) => kind === 'missing') ? await workspace.tree.exports() : undefined
    const facts = exports && { exportedIn: (symbol: string) => exports.get(symbol)?.source }
    const status = await conclude(context, document, asked, renderMatrix, facts)
    return document.interrupted ? 130 : status
  } finally {
    await workspace.close()
  }
}
