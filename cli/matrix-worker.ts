/**
 * A process that takes packages up the rungs above verify, one after the other, for cli/matrix-machine.ts: a package
 * that takes the engine or the process with it takes this one. Told by IPC messages; ends when its parent does.
 */
import { Worker } from 'node:worker_threads'
import { ascend } from '../lab/ascent.ts'
import { PackageError } from '../machine/load/package.ts'
import { readPackage } from '../machine/load/package-files.ts'
import type { RunRung } from '../lab/run.ts'
import { endingOf } from '../pipeline/matrix/endings.ts'
import { parametersOf } from '../pipeline/matrix/parameters.ts'
import type { Ascent } from '../pipeline/matrix/climb.ts'
import { DriverFailure } from '../pipeline/errors.ts'
import { DEFAULT_ALLOWANCE } from '../pipeline/verify/index.ts'
import { symbolizerOf, verifyPackage } from './machine.ts'

/** One package's work, as a message. */
export interface MatrixTask {
  readonly dir: string
  readonly name: string
  readonly until: RunRung
  readonly seed: number
  readonly isTest: boolean
  readonly beside: readonly string[] | undefined
}

async function perform({ dir, name, until, seed, isTest, beside }: MatrixTask): Promise<Ascent> {
  try {
    const pack = await readPackage(dir, name)
    await verifyPackage(pack, DEFAULT_ALLOWANCE)
    const args = await parametersOf(pack.manifest.modules)
    const ending = isTest ? await endingOf(name) : undefined
    const how = { until, seed, isTest, ...(ending && { ending }), beside, args }
    const ascent = await ascend(pack, { ...how, symbolizer: symbolizerOf, wallMs: () => performance.now() })
    return args.length === 0 ? ascent : { ...ascent, parameters: args }
  } catch (error) {
    if (error instanceof DriverFailure) return { rung: 'link', reason: 'refused', detail: error.message, ms: {} }
    if (error instanceof PackageError) return { rung: 'verify', reason: 'load-error', detail: error.message, ms: {} }
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { rung: 'verify', reason: 'internal-error', detail, ms: {} }
  }
}

/**
 * Ends the process when its parent has gone, even while a driver keeps the main thread busy: a killed batch must not
 * leave anything running.
 */
function watchParent(): void {
  const watch = `const parent = ${process.ppid}
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL') }, 1000)`
  new Worker(watch, { eval: true, stdout: false, stderr: false }).unref()
}

// Ctrl-C reaches the whole process group; the parent decides what ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
process.on('disconnect', () => process.exit(0))
process.on('message', (task: MatrixTask) => {
  void perform(task).then((ascent) => process.send?.(ascent))
})
watchParent()
