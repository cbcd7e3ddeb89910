/**
 * A watchdog for the machine from outside: a thread of its own that sees whether the machine's thread gets on.
 *
 * The kernel bounds what programs do by counting their work; what is left is this side's own: a device model or a piece of
 * the machine in a loop, a module that does not count. Nothing on that thread can end it. The kernel writes where it is
 * into memory that both threads see; when that has not changed for long enough, the watchdog says where and ends the
 * process. Whoever started it (`watched`) turns that into an exit status.
 */
import { spawn } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import type { Domain } from '../kernel/domain.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { UsageError } from '../pipeline/errors.ts'

/** Set in the process that is watched from outside. */
const WATCHED = 'DRVPORT_WATCHED'

export interface WatchdogRecord {
  readonly schema: 'drvport.watchdog/1'
  readonly stalled_ms: number
  /** Where the machine was: turn of its loop, virtual time, events in its log, who ran last. */
  readonly turn: number
  readonly virtualNs: number
  readonly events: number
  readonly domain: string
  readonly fiber: number
}

export interface Watchdog {
  /** Watch this kernel from now on. */
  watch(kernel: Kernel): void
  stop(): Promise<number>
}

/** Start one. When a kernel it watches stands still for `limit_ms`, it writes a record to stderr and kills the process. */
export function startWatchdog(limit_ms: number): Watchdog {
  const vitals = new Float64Array(new SharedArrayBuffer(8 * Float64Array.BYTES_PER_ELEMENT))
  const extension = import.meta.filename.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./watchdog-thread.${extension}`, import.meta.url), {
    workerData: { vitals, limit_ms },
  })
  worker.unref()
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  const told = ({ id, name }: Domain): void => worker.postMessage({ id, name })
  return {
    watch(kernel) {
      kernel.vitals = vitals
      kernel.domains.forEach(told)
      kernel.onDomain = told
    },
    stop: () => worker.terminate(),
  }
}

/** Seconds of a --watchdog option as ms. Throws UsageError. */
export function parseWatchdog(value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 86_400) return value * 1000
  throw new UsageError('--watchdog takes seconds', { found: String(value), todo: 'give some, as in --watchdog 30' })
}

/**
 * Run this very command in a process of its own, which a watchdog may end. Returns its status: 3 when it was ended so.
 * Undefined in that process itself: go on.
 */
export async function watched(signal: AbortSignal): Promise<number | undefined> {
  if (process.env[WATCHED] !== undefined) return undefined
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [WATCHED]: '1' },
    detached: true,
  })
  const pass = (): void => void child.kill('SIGINT')
  signal.addEventListener('abort', pass)
  const freeze = (): void => void child.kill('SIGUSR2')
  process.on('SIGUSR2', freeze)
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('exit', (status) => resolve(status ?? 3))
    })
  } finally {
    signal.removeEventListener('abort', pass)
    process.off('SIGUSR2', freeze)
  }
}
