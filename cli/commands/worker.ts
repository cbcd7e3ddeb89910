/** `drvport worker --queue redis://...`: make rows for matrices that are started elsewhere. */
import * as os from 'node:os'
import { selectAll } from '../../pipeline/build/fresh.ts'
import { InfrastructureError, Interrupted, UsageError } from '../../pipeline/errors.ts'
import { openRows, type RowMaker } from '../../pipeline/matrix/run.ts'
import type { OpenRun, RunRecord, WorkerState } from '../../pipeline/queue/index.ts'
import { sharedStore } from '../../pipeline/store/shared.ts'
import { openWorkspace } from '../../pipeline/workspace.ts'
import type { Command, CommonArguments, Context } from '../context.ts'
import { openClimber } from '../matrix-machine.ts'
import { useStore } from '../store.ts'
import { endWithSupervisor, supervise } from '../supervise.ts'
import { reporting } from '../workspace.ts'

function positive(value: unknown, option: string): number {
  const number = Number(value)
  if (number > 0 && Number.isFinite(number)) return number
  throw new UsageError(`${option} takes a number above 0`, {
    found: String(value),
    todo: `give one, as in ${option} 4`,
  })
}

/** The run's own store, unless this worker was given one. */
async function storeFor(context: Context, run: RunRecord) {
  const store = sharedStore()
  if (store !== undefined || run.store === undefined) return store
  return useStore(context, run.store)
}

const opener =
  (context: Context): OpenRun =>
  async (run, say) => {
    const store = await storeFor(context, run)
    const { agreementOf } = await import('../../pipeline/queue/index.ts')
    const toolchain = run.toolchain as CommonArguments['toolchain']
    const workspace = await openWorkspace({ ...reporting(context), tree: run.tree, toolchain, onProgress: say })
    // Not before it is known that the rows would be the same: it may compile a kernel.
    let maker: Promise<RowMaker> | undefined
    const climber = openClimber({ seed: run.seed })
    const rows = { ...workspace, climber, until: run.until, seed: run.seed, signal: context.signal }
    return {
      agreement: await agreementOf(workspace, run.until),
      ...(store && { store }),
      async prepare(modules) {
        maker ??= openRows(rows)
        const { prepare } = await maker
        prepare(
          await selectAll(
            workspace.tree,
            modules.map(({ path }) => path),
          ),
        )
      },
      async row({ path }) {
        const [module] = await selectAll(workspace.tree, [path])
        if (module === undefined) throw new InfrastructureError(`no module ${path}`, { where: workspace.tree.view })
        maker ??= openRows(rows)
        const { row } = await maker
        return row(module)
      },
      close: async () => {
        await climber.close()
        await workspace.close()
      },
    }
  }

function show(context: Context): (state: WorkerState, run: RunRecord) => void {
  let shown = ''
  return ({ state, detail, current, rows }, run) => {
    const idle = detail === '' ? 'waiting for jobs' : detail
    const doing = state === 'working' ? (current.length === 0 ? idle : current.join(' ')) : state
    const text = `${run.tree} to ${run.until}: ${rows} rows, ${doing}${state === 'working' || detail === '' ? '' : `: ${detail}`}`
    if (text !== shown) context.progress.update(text)
    shown = text
  }
}

/** The same command line in a process of its own, which is started again when it dies. */
function superviseThis({ signal, progress }: Context): Promise<number> {
  return supervise({
    words: [...process.argv.slice(1), '--alone'],
    signal,
    onNote: (text) => progress.note(text),
  })
}

export const worker: Command = {
  usage: 'worker',
  describe: 'make rows of matrices that are started elsewhere with --queue',
  options: (argv) =>
    argv
      .option('queue', {
        type: 'string',
        demandOption: true,
        describe: 'redis://[:PASSWORD@]HOST:PORT[/DB]; rediss:// for TLS',
      })
      .option('store', { type: 'string', describe: "a directory, or s3://BUCKET/PREFIX (default: the run's own)" })
      .option('jobs', { type: 'number', default: os.availableParallelism(), describe: 'jobs at once' })
      .option('lease', {
        type: 'number',
        default: 30,
        describe: 'seconds of silence after which a job goes to another worker',
      })
      .option('idle', { type: 'number', describe: 'end after so many seconds without a run (default: never)' })
      .option('alone', {
        type: 'boolean',
        default: false,
        describe: 'work in this very process: nobody starts it again when it dies',
      }),
  async run(context, argv) {
    if (argv['alone'] !== true) return superviseThis(context)
    endWithSupervisor()
    const jobs = positive(argv['jobs'], '--jobs')
    const lease_ms = positive(argv['lease'], '--lease') * 1000
    const idle_ms = argv['idle'] === undefined ? undefined : positive(argv['idle'], '--idle') * 1000
    const { signal, progress } = context
    const onNote = (text: string): void => progress.note(text)
    await useStore(context, argv['store'])
    const { connect, work } = await import('../../pipeline/queue/index.ts')
    const connection = await connect({ url: String(argv['queue']), onNote, wait: true, signal })
    progress.note(`waiting for runs at ${connection.where}`)
    try {
      await work({
        connection,
        open: opener(context),
        jobs,
        signal,
        lease_ms,
        ...(idle_ms !== undefined && { idle_ms }),
        onNote,
        onState: show(context),
      })
      return 0
    } catch (error) {
      if (error instanceof Interrupted) return 130
      throw error
    } finally {
      progress.done()
      connection.close()
    }
  },
}
