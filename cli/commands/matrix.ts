/** `drvport matrix SELECTOR...`: how far every module gets up the ladder, and why not further. */
import { parseShard } from '../../pipeline/matrix/shard.ts'
import { runMatrix, type MatrixProgress } from '../../pipeline/matrix/run.ts'
import { RUNGS, type MatrixDocument, type Rung } from '../../pipeline/matrix/types.ts'
import { count, duration } from '../output.ts'
import type { Command, Context } from '../context.ts'
import { openClimber } from '../matrix-machine.ts'
import { workspaceOf } from '../workspace.ts'

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
  describe: 'the ladder over many modules',
  options: (argv) =>
    argv
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
      .option('shard', { type: 'string', describe: 'only part I of N, as in 2/4' }),
  async run(context, argv) {
    const shard = argv['shard'] === undefined ? undefined : parseShard(String(argv['shard']))
    const workspace = await workspaceOf(context)
    const climber = openClimber({ seed: context.seed })
    try {
      const document = await runMatrix({
        tree: workspace.tree,
        toolchain: workspace.toolchain,
        selectors: argv['selectors'] as string[],
        until: argv['until'] as Rung,
        seed: context.seed,
        climber,
        ...(shard && { shard }),
        signal: context.signal,
        progress: show(context),
      })
      context.result(document, render)
      return document.interrupted ? 130 : 0
    } finally {
      await climber.close()
      await workspace.close()
    }
  },
}
