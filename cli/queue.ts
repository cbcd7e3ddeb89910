/** The coordinator's side of --queue: what `drvport matrix` needs to have its rows made by workers. */
import { UsageError } from '../pipeline/errors.ts'
import type { MakeRows } from '../pipeline/matrix/run.ts'
import type { Rung } from '../pipeline/ladder.ts'
import { agreementOf, connect, coordinate, type WorkerState } from '../pipeline/queue/index.ts'
import { sharedStore } from '../pipeline/store/shared.ts'
import type { Workspace } from '../pipeline/workspace.ts'
import type { Context } from './context.ts'

export interface Distribution {
  makeRows(workspace: Workspace, until: Rung): Promise<MakeRows>
  close(): void
}

/** "2 workers", "a:17 8139too mii", "b:4 fetching linux-6.1" */
export function describeWorkers(workers: readonly WorkerState[]): string[] {
  const there = workers.filter(({ state }) => state === 'working' || state === 'preparing')
  const each = there.map(({ worker, state, detail, current }) => {
    const doing = current.length > 0 ? current.join(' ') : state === 'preparing' ? state : 'idle'
    return `${worker} ${detail === '' || current.length > 0 ? doing : detail}`
  })
  return [`${there.length} worker${there.length === 1 ? '' : 's'}`, ...each]
}

/** Reach the queue before anything that takes time. Throws InfrastructureError within seconds when nobody is there. */
export async function distribute(context: Context, url: string): Promise<Distribution> {
  const { signal, progress, seed, tree } = context
  if (context.check !== undefined)
    throw new UsageError('workers build the plain configuration only', {
      found: `--queue with --check=${context.check}`,
      todo: 'leave one of them out; --shard divides a matrix with --check',
    })
  const onNote = (text: string): void => progress.note(text)
  const connection = await connect({ url, onNote, signal })
  return {
    close: () => connection.close(),
    async makeRows(workspace, until) {
      const agreement = await agreementOf(workspace, until)
      const store = sharedStore()
      const run = {
        tree,
        toolchain: workspace.toolchain.name,
        until,
        seed,
        agreement,
        ...(store && { store: store.where }),
      }
      return async (modules, { onRow, onCurrent }) =>
        coordinate({
          connection,
          run,
          modules: modules.map(({ name, path }) => ({ name, path })),
          ...(store && { store }),
          onRow,
          onWorkers: (workers) => onCurrent(describeWorkers(workers)),
          onNote,
          signal,
        })
    },
  }
}
