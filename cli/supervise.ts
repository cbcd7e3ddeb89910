/**
 * Keeping a command at work: it runs in a process of its own, which is started again when it dies of something that it
 * could not report (a signal, no memory). Knows nothing of what the command does.
 */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { InfrastructureError } from '../pipeline/errors.ts'

export interface SuperviseOptions {
  /** Arguments after the program: a script and its words. */
  readonly words: readonly string[]
  /** Passed on as one SIGINT. */
  readonly signal: AbortSignal
  readonly onNote: (text: string) => void
  /** First pause before it is started again, doubled each time that it dies young. */
  readonly pause_ms?: number
}

/** Statuses with which a command says all there is to say. */
const ENDINGS: ReadonlySet<number | null> = new Set([0, 1, 2, 3, 130])
const PAUSE_MS = 1000
const YOUNG_MS = 30_000
const YOUNG_DEATHS_MAX = 5

interface Death {
  readonly status: number | null
  readonly by: NodeJS.Signals | null
  readonly age_ms: number
}

/** Run once. A process group of its own, so that Ctrl-C reaches it through us only, and once. */
function runOnce({ words, signal }: SuperviseOptions): Promise<Death> {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    const stdio: ('inherit' | 'ipc')[] = ['inherit', 'inherit', 'inherit', 'ipc']
    const child = spawn(process.execPath, [...process.execArgv, ...words], { stdio, detached: true })
    const pass = () => child.kill('SIGINT')
    signal.addEventListener('abort', pass)
    child.on('error', reject)
    child.on('exit', (status, by) => {
      signal.removeEventListener('abort', pass)
      resolve({ status, by, age_ms: performance.now() - start })
    })
  })
}

/** Returns the status it ended with. Throws InfrastructureError when it dies young again and again. */
export async function supervise(options: SuperviseOptions): Promise<number> {
  const { signal, onNote, pause_ms = PAUSE_MS } = options
  for (let young = 0; ;) {
    if (signal.aborted) return 130
    const { status, by, age_ms } = await runOnce(options)
    if (ENDINGS.has(status)) return status as number
    const how = by === null ? `status ${status}` : by
    young = age_ms < YOUNG_MS ? young + 1 : 0
    if (young >= YOUNG_DEATHS_MAX)
      throw new InfrastructureError('the worker dies as soon as it is started', {
        found: `${how}, ${young} times in a row`,
        todo: 'give it more memory, or fewer --jobs; --alone shows how it dies',
      })
    onNote(`the worker died (${how}): starting it again`)
    await sleep(pause_ms * 2 ** young, undefined, { signal }).catch(() => undefined)
  }
}

/** In the process that is supervised: without its supervisor it ends as if interrupted. */
export function endWithSupervisor(): void {
  if (process.connected !== true) return
  process.on('disconnect', () => process.kill(process.pid, 'SIGINT'))
  // The channel alone shall not keep it alive.
  process.channel?.unref()
}
