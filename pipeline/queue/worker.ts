/**
 * A worker: looks for runs, checks that it would make the same rows, and takes their jobs until it is told to stop.
 *
 * A row is sent when it is made and after everything it stands on is in the shared store. A job that cannot be finished
 * here (interrupted, no disk) is given back in order; one whose worker just vanishes is given to another by BullMQ when
 * its lock has run out. How a row is made is passed in (`OpenRun`).
 */

import * as os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { WaitingError, Worker, type Job } from 'bullmq'
import { DrvportError, Interrupted } from '../errors.ts'
import type { MatrixRow } from '../matrix/types.ts'
import type { SharedStore } from '../store/remote.ts'
import { asQueueFailure, type Connection } from './connection.ts'
import { rowKey } from './coordinator.ts'
import { isAnnounced, liveRuns, PREFIX, queueName, removeRun, sayState, sendRow, type WorkerState } from './keys.ts'
import {
  describeDifferences,
  differences,
  failedRow,
  isLasting,
  poisonedRow,
  takeUp,
  type Agreement,
  type BatchData,
  type BatchProgress,
  type QueueModule,
  type RunRecord,
} from './protocol.ts'

/** What a worker needs to make rows of one run. */
export interface OpenedRun {
  readonly agreement: Agreement
  readonly store?: SharedStore
  /** Told of the modules of a job before the first of them is asked for. */
  prepare?(modules: readonly QueueModule[]): Promise<void>
  /** May be called concurrently. Throws only Interrupted and InfrastructureError. */
  row(module: QueueModule, signal: AbortSignal): Promise<MatrixRow>
  close(): Promise<void>
}

export type OpenRun = (run: RunRecord, say: (text: string) => void) => Promise<OpenedRun>

export interface WorkerOptions {
  readonly connection: Connection
  readonly open: OpenRun
  /** Jobs at once. */
  readonly jobs: number
  readonly signal: AbortSignal
  /** Silent for so long, its job goes to another. Default 30 s. */
  readonly lease_ms?: number
  /** Return when there was no run for so long. Default: never. */
  readonly idle_ms?: number
  readonly onNote?: (text: string) => void
  readonly onState?: (state: WorkerState, run: RunRecord) => void
}

const LOOK_MS = 1000
const LEASE_MS = 30_000
/** A run that was not there so many times is left: a Redis that forgot everything is told again before. */
const LEAVE_LOOKS = 15
/** A worker that is stopped waits so long for its jobs to be given back. */
const CLOSE_MS = 10_000

const NOTHING_LOST = Number.MAX_SAFE_INTEGER

/** Work until interrupted (throws Interrupted), idle, or unable to (throws InfrastructureError). */
export async function work(options: WorkerOptions): Promise<void> {
  const joined = new Map<string, JoinedRun>()
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  try {
    await Promise.race([lookForRuns(options, joined, failed.reject), failed.promise])
  } finally {
    await Promise.all([...joined.values()].map((run) => run.leave()))
  }
}

async function lookForRuns(
  options: WorkerOptions,
  joined: Map<string, JoinedRun>,
  onFailure: (error: unknown) => void,
): Promise<void> {
  const { connection, signal } = options
  const stopped = new Promise<'stopped'>((stop) => signal.addEventListener('abort', () => stop('stopped')))
  let busyAt = performance.now()
  while (!signal.aborted) {
    const live = await Promise.race([liveRuns(connection.redis), stopped])
    if (live === 'stopped') break
    for (const run of live) if (!joined.has(run.id)) joined.set(run.id, new JoinedRun(run, options, onFailure))
    for (const [id, run] of joined) {
      run.missed = live.some((each) => each.id === id) ? 0 : run.missed + 1
      if (run.missed < LEAVE_LOOKS) continue
      joined.delete(id)
      await run.leave()
    }
    if (joined.size > 0) busyAt = performance.now()
    if (options.idle_ms !== undefined && performance.now() - busyAt > options.idle_ms) return
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
  throw new Interrupted()
}

/** Being prepared only saves time. */
function passOwnBugs(error: unknown): void {
  if (error instanceof DrvportError) throw error
}

/** What is not the infrastructure's fault is ours, and a row. */
function rowOfBug(module: QueueModule, error: unknown): MatrixRow {
  if (error instanceof DrvportError) throw error
  return failedRow(module, error instanceof Error ? error.message : String(error))
}

/** One run, from being seen to being left. */
class JoinedRun {
  /** Looks in a row that did not find it. */
  missed = 0
  private readonly run: RunRecord
  private readonly options: WorkerOptions
  private readonly onFailure: (error: unknown) => void
  private readonly leaving = new AbortController()
  private readonly signal: AbortSignal
  private readonly current = new Set<string>()
  private readonly name = `${os.hostname()}:${process.pid}`
  private state: WorkerState['state'] = 'preparing'
  private detail = ''
  private beat = 0
  private rows = 0
  private opened: OpenedRun | undefined
  private worker: Worker<BatchData> | undefined
  private readonly joining: Promise<void>
  private readonly beating: Promise<void>

  constructor(run: RunRecord, options: WorkerOptions, onFailure: (error: unknown) => void) {
    this.run = run
    this.options = options
    this.onFailure = onFailure
    this.signal = AbortSignal.any([options.signal, this.leaving.signal])
    this.beating = this.keepBeating()
    this.joining = this.join()
  }

  private stateNow(): WorkerState {
    const { name: worker, beat, state, detail, rows } = this
    return { worker, beat, state, detail, current: [...this.current], rows }
  }

  private async keepBeating(): Promise<void> {
    while (!this.signal.aborted) {
      this.beat++
      this.options.onState?.(this.stateNow(), this.run)
      await sayState(this.options.connection.redis, this.run.id, this.stateNow()).catch(() => undefined)
      await sleep(LOOK_MS, undefined, { signal: this.signal }).catch(() => undefined)
    }
  }

  private async join(): Promise<void> {
    const { run, options } = this
    try {
      const say = (text: string) => (this.detail = text)
      this.opened = await options.open(run, say)
      const found = differences(run.agreement, this.opened.agreement)
      if (found.length > 0) return this.refuse(describeDifferences(found))
      const { store } = this.opened
      if (run.store !== undefined && (await store?.record('runs', run.id)) === undefined)
        return this.refuse(`store: ${store?.where ?? 'none'} here, ${run.store} there, and not the same`)
      if (this.signal.aborted) return
      this.state = 'working'
      this.detail = ''
      this.start()
    } catch (error) {
      if (error instanceof Interrupted || this.signal.aborted) return
      this.refuse(error instanceof DrvportError ? error.describe().replaceAll(/\s*\n\s*/g, '; ') : String(error))
    }
  }

  /** Not for this worker; others may do it. */
  private refuse(why: string): void {
    this.state = 'refused'
    this.detail = why
    this.options.onNote?.(`refused a run of ${this.run.tree}: ${why}`)
  }

  private start(): void {
    const { connection, jobs, lease_ms = LEASE_MS } = this.options
    this.worker = new Worker<BatchData>(queueName(this.run.id), (job, token) => this.batch(job, token), {
      connection: connection.another(),
      prefix: PREFIX,
      name: this.name,
      concurrency: jobs,
      lockDuration: lease_ms,
      stalledInterval: Math.ceil(lease_ms / 2),
      // How often a module may take a worker with it is counted here, by module.
      maxStalledCount: NOTHING_LOST,
    })
    // Connections are told of by Connection; a job that another has by now is no error.
    this.worker.on('error', () => undefined)
  }

  private async batch(job: Job<BatchData>, token: string | undefined): Promise<void> {
    const { progress, todo, poisoned } = takeUp(job.data, job.progress as Partial<BatchProgress>)
    let { done } = progress
    const { lost } = progress
    // A job that Redis has forgotten, or that another has by now, is still worth finishing: rows travel apart from jobs.
    const save = (current?: string) =>
      job.updateProgress({ done, lost, ...(current !== undefined && { current }) }).catch(() => undefined)
    try {
      for (const module of poisoned) {
        await this.send(poisonedRow(module, lost[module.path] ?? 0))
        done = [...done, module.path]
      }
      this.detail = 'preparing'
      await this.opened?.prepare?.(todo).catch(passOwnBugs)
      this.detail = ''
      for (const module of todo) {
        await save(module.path)
        await this.send(await this.make(module))
        done = [...done, module.path]
      }
    } catch (error) {
      await this.giveBack(job, token, save, error)
    }
  }

  private async make(module: QueueModule): Promise<MatrixRow> {
    const { store, row } = this.opened as OpenedRun
    this.current.add(module.name)
    try {
      if (this.signal.aborted) throw new Interrupted()
      const key = rowKey(this.run, module.path)
      const known = (await store?.record('rows', key)) as MatrixRow | undefined
      if (known?.path === module.path && isLasting(known)) return known
      const made = await row(module, this.signal).catch((error: unknown) => rowOfBug(module, error))
      // What was made while everything was being closed may say no more than that.
      if (made.reason === 'interrupted' || (this.signal.aborted && !isLasting(made))) throw new Interrupted()
      // What a row stands on is there before anybody can read the row.
      await store?.settled()
      if (isLasting(made)) await store?.publish({ kind: 'rows', key, value: made })
      return made
    } finally {
      this.current.delete(module.name)
    }
  }

  private async send(row: MatrixRow): Promise<void> {
    await sendRow(this.options.connection.redis, this.run.id, row)
    this.rows++
  }

  /** Interrupted, or this computer cannot: somebody else shall have the rest, and nothing counts against the module. */
  private async giveBack(
    job: Job<BatchData>,
    token: string | undefined,
    save: () => Promise<void>,
    error: unknown,
  ): Promise<never> {
    if (!(error instanceof Interrupted)) this.onFailure(asQueueFailure(error, this.options.connection.where))
    await save()
    await job.moveToWait(token).catch(() => undefined)
    throw new WaitingError()
  }

  /** Of a run that is over nothing stays, least of all what its workers said of themselves. */
  private async sayGoodbye(): Promise<void> {
    const { redis } = this.options.connection
    if (await isAnnounced(redis, this.run.id)) return sayState(redis, this.run.id, this.stateNow())
    await removeRun(redis, this.run.id, false)
    if (this.worker !== undefined) await redis.del(this.worker.toKey('meta'), this.worker.toKey('stalled-check'))
  }

  /** Stop taking jobs, give back those in hand, say goodbye. */
  async leave(): Promise<void> {
    this.leaving.abort(new Interrupted())
    this.state = 'leaving'
    const closing = async () => {
      await this.joining
      await this.worker?.close()
      await this.beating
      await this.sayGoodbye()
    }
    await Promise.race([closing().catch(() => undefined), sleep(CLOSE_MS, undefined, { ref: false })])
    await this.opened?.close()
  }
}
