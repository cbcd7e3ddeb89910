/**
 * The rungs above verify for `drvport matrix`: packages go to a few processes, each reused for many, and what a package
 * does to its process becomes its row.
 *
 * Limits are the machine's own first (virtual time, counted work): those are the same in every run. Wall time and the
 * process' memory are bounded here as the last resort, and a row that ended so says so. A process that dies of neither
 * may have been ended by somebody else: its package gets one more, fresh process before that is the row.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunRung } from '../lab/run.ts'
import { besideFor } from '../lab/system/index.ts'
import { Interrupted } from '../pipeline/errors.ts'
import type { Ascent, Climber, ClimbJob } from '../pipeline/matrix/climb.ts'
import { rungIndex, type Rung } from '../pipeline/ladder.ts'
import type { MatrixTask } from './matrix-worker.ts'

export interface ClimberOptions {
  readonly seed: number
  /** Processes at once; as many as there are cores when not given. */
  readonly workers?: number
  /** Longest a package may take, wall ms. */
  readonly wallMsMax?: number
  /** Most resident memory of a process, bytes. */
  readonly memoryBytesMax?: number
  /** Told of each process as it starts. */
  readonly onStart?: (pid: number) => void
}

/** Last resorts: far beyond what a package needs that keeps to the machine's own limits, on a busy computer too. */
const WALL_MS_MAX = 300_000
/** The same of a test that is to do its work and not only to be started, and may compute for long. */
const TEST_WALL_MS_MAX = 2_400_000
const MEMORY_BYTES_MAX = 2 * 2 ** 30
/** JavaScript heap of a process, MiB; drivers' memories are outside of it. */
const HEAP_MB = 1024
/** Packages one process takes: compiled modules stay in it. */
const TASKS_MAX = 100
const WATCH_MS = 250
const TRIES = 2
/** What is kept of a process' stderr, bytes. */
const STDERR_MAX = 4096

// The same file is TypeScript in the repository and JavaScript in a published package.
const WORKER = fileURLToPath(new URL(`./matrix-worker${extname(import.meta.url)}`, import.meta.url))

type Ending =
  | { readonly ascent: Ascent }
  | { readonly died: string; readonly outOfMemory: boolean }
  | { readonly interrupted: true }

/** A process and the package it has. */
class Slot {
  tasks = 0
  gone = false
  #process: ChildProcess
  #stderr = ''
  #settle: ((ending: Ending) => void) | undefined

  constructor(onStart: ((pid: number) => void) | undefined) {
    const execArgv = [`--max-old-space-size=${HEAP_MB}`, '--disable-warning=ExperimentalWarning']
    this.#process = fork(WORKER, { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#process.stderr!.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-STDERR_MAX)
    })
    this.#process.on('message', (ascent) => this.#end({ ascent: ascent as Ascent }))
    this.#process.on('error', (error) => this.#lost(error.message))
    // Not `exit`: what it said last is read by then.
    this.#process.on('close', (code, signal) => this.#lost(signal ?? `exit status ${code}`))
    if (this.#process.pid !== undefined) onStart?.(this.#process.pid)
  }

  #lost(how: string): void {
    this.gone = true
    const outOfMemory = /heap out of memory|Allocation failed|out of memory/i.test(this.#stderr)
    const said = this.#stderr
      .trim()
      .split('\n')
      .findLast((line) => line !== '' && !/^\s|^Node\.js/.test(line))
    this.#end({ died: said === undefined ? how : `${how}: ${said}`, outOfMemory })
  }

  #end(ending: Ending): void {
    const settle = this.#settle
    this.#settle = undefined
    settle?.(ending)
  }

  /** Resident memory, bytes; 0 where the system does not tell. */
  get residentBytes(): number {
    try {
      const pages = readFileSync(`/proc/${this.#process.pid}/statm`, 'utf8').split(' ')[1]
      return Number(pages) * 4096
    } catch {
      return 0
    }
  }

  /** Let it have a package. */
  perform(task: MatrixTask, limits: Limits, signal: AbortSignal): Promise<Ending> {
    this.tasks++
    return new Promise((resolve) => {
      const started = performance.now()
      const stop = (ending: Ending): void => {
        this.kill()
        this.#end(ending)
      }
      const onAbort = (): void => stop({ interrupted: true })
      const watch = setInterval(() => {
        const over = overLimit(performance.now() - started, this.residentBytes, limits)
        if (over !== undefined) stop({ ascent: over })
      }, WATCH_MS)
      this.#settle = (ending) => {
        clearInterval(watch)
        signal.removeEventListener('abort', onAbort)
        resolve(ending)
      }
      signal.addEventListener('abort', onAbort)
      if (signal.aborted) onAbort()
      else if (this.gone) this.#lost('it had ended')
      else this.#process.send(task, (error) => error !== null && this.#lost(error.message))
    })
  }

  kill(): void {
    this.gone = true
    this.#process.kill('SIGKILL')
  }
}

interface Limits {
  readonly wallMs: number
  readonly memoryBytes: number
}

function overLimit(wallMs: number, bytes: number, limits: Limits): Ascent | undefined {
  const ended = { rung: 'verify', ms: {} } as const
  if (wallMs > limits.wallMs) {
    const detail = `ended from outside after ${limits.wallMs / 1000} s of wall time: a busy computer may see this where another does not`
    return { ...ended, reason: 'timeout', detail }
  }
  if (bytes > limits.memoryBytes) {
    const detail = `ended from outside: its process held more than ${limits.memoryBytes / 2 ** 20} MiB`
    return { ...ended, reason: 'out-of-memory', detail }
  }
  return undefined
}

/** Start no process yet: the first package does. */
export function openClimber(options: ClimberOptions): Climber {
  const width = options.workers ?? availableParallelism()
  const limits = {
    wallMs: options.wallMsMax ?? WALL_MS_MAX,
    memoryBytes: options.memoryBytesMax ?? MEMORY_BYTES_MAX,
  }
  const testWallMs = options.wallMsMax ?? TEST_WALL_MS_MAX
  const idle: Slot[] = []
  const all = new Set<Slot>()
  const waiting: (() => void)[] = []
  let busy = 0

  const take = async (): Promise<Slot> => {
    if (busy >= width) await new Promise<void>((resolve) => waiting.push(resolve))
    else busy++
    for (let slot = idle.pop(); slot !== undefined; slot = idle.pop()) if (!slot.gone) return slot
    const slot = new Slot(options.onStart)
    all.add(slot)
    return slot
  }
  const giveBack = (slot: Slot): void => {
    if (slot.gone || slot.tasks >= TASKS_MAX) {
      slot.kill()
      all.delete(slot)
    } else idle.push(slot)
    // Whoever waits takes this one's place.
    const next = waiting.shift()
    if (next === undefined) busy--
    else next()
  }

  const attempt = async (task: MatrixTask, signal: AbortSignal): Promise<Ending> => {
    const slot = await take()
    try {
      const isWork = task.isTest && rungIndex(task.until) > rungIndex('init')
      return await slot.perform(task, isWork ? { ...limits, wallMs: testWallMs } : limits, signal)
    } finally {
      giveBack(slot)
    }
  }

  const climb = async (
    { dir, name, isTest = false, beside }: ClimbJob,
    until: Rung,
    signal: AbortSignal,
  ): Promise<Ascent> => {
    let last = ''
    for (let tries = 0; tries < TRIES; tries++) {
      if (signal.aborted) throw new Interrupted()
      const ending = await attempt({ dir, name, until: until as RunRung, seed: options.seed, isTest, beside }, signal)
      if ('ascent' in ending) return ending.ascent
      if ('interrupted' in ending) throw new Interrupted()
      last = ending.died
      if (ending.outOfMemory) return { rung: 'verify', reason: 'out-of-memory', detail: last, ms: {} }
    }
    const detail = `the machine's process ended, in ${TRIES} tries: ${last}`
    return { rung: 'verify', reason: 'internal-error', detail, ms: {} }
  }

  return {
    climb,
    besideFor,
    close: async () => {
      for (const slot of all) slot.kill()
    },
  }
}
