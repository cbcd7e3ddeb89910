/** `drvport matrix SELECTOR...`: how far every module gets up the ladder, and why not further. */
import { parseShard } from '../../pipeline/matrix/shard.ts'
import { runMatrix, type MatrixProgress } from '../../pipeline/matrix/run.ts'
import { RUNGS, type MatrixDocument, type Rung } from '../../pipeline/matrix/types.ts'
import { count, duration } from '../output.ts'
import type { Command, Context } from '../context.ts'
import type { Distribution } from '../queue.ts'
import { openClimber } from '../matrix-machine.ts'
import { askedReports, conclude, reportOptions } from '../matrix-reports.ts'
import { useStore } from '../store.ts'
import { workspaceOf } from '../workspace.ts'
import { runDiff } from './matrix-diff.ts'
import { runMerge } from './matrix-merge.ts'

/** Loaded when it is asked for: without --queue nothing of it is needed. */
const distribute = async (context: Context, url: string) => (await import('../queue.ts')).distribute(context, url)

function show(context: Context): (event: MatrixProgress) => void {
  let [done, total] = [0, 0]
  return (event) => {
    if (event.step === 'plan') total = event.modules
    else if (event.step === 'row')
      context.progress.update(`${++done} of ${total}: ${event.row.module} ${event.row.rung} ${event.row.reason}`)
  }
}

function render(document: MatrixDocument): string {
  const { summary, tree, toolchain } = document
  return [
    ...Object.entries(summary.rungs).map(([rung, modules]) => `${rung}  ${count(modules)}`),
    ...Object.entries(summary.reasons).map(([reason, modules]) => `${reason}  ${count(modules)}`),
    `${count(summary.modules)} modules of ${tree.name} (${tree.version}), ${toolchain.name} ${toolchain.version}, in ${duration(document.ms)}`,
  ].join('\n')
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
        choices: RUNGS.filter((rung) => rung !== 'none'),
        default: 'verify',
        describe: 'the last rung to climb',
      })
      .option('shard', { type: 'string', describe: 'only part I of N, as in 2/4' })
      .option('queue', { type: 'string', describe: 'have workers make the rows: redis://HOST:PORT[/DB]' })
      .option('store', { type: 'string', describe: 'share packages and objects: a directory, or s3://BUCKET/PREFIX' }),
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
  const workspace = await workspaceOf(context)
  const climber = openClimber({ seed: context.seed })
  try {
    const document = await runMatrix({
      tree: workspace.tree,
      toolchain: workspace.toolchain,
      selectors: argv['selectors'] as string[],
      until,
      seed: context.seed,
      climber,
      ...(shard && { shard }),
      ...(distribution && { makeRows: await distribution.makeRows(workspace, until) }),
      signal: context.signal,
      progress: show(context),
    })
    const exports = asked.reports.some(({ kind }) => kind === 'missing') ? await workspace.tree.exports() : undefined
    const facts = exports && { exportedIn: (symbol: string) => exports.get(symbol)?.source }
    const status = await conclude(context, document, asked, render, facts)
    return document.interrupted ? 130 : status
  } finally {
    await climber.close()
    await workspace.close()
  }
}
