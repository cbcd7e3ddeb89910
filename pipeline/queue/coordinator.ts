/**
 * The coordinator: has workers make the rows of a matrix, and loses none.
 *
 * It knows which modules it wants and which rows it has; every few seconds it enqueues what is neither there nor under
 * way. That one rule covers the first start, a job that failed, a coordinator that was started again and a Redis that
 * forgot everything. A row stays in Redis until the run is over, so a coordinator that is killed loses none.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { contentKey, inParallel } from '../cache.ts'
import { InfrastructureError } from '../errors.ts'
import type { MatrixRow } from '../matrix/types.ts'
import type { SharedStore } from '../store/remote.ts'
import { asQueueFailure, type Connection } from './connection.ts'
import {
  announceRun,
  PREFIX,
  queueName,
  removeRun,
  setAside,
  takenRows,
  waitingRows,
  workerStates,
  type WorkerState,
} from './keys.ts'
import {
  batchesOf,
  failedRow,
  isLasting,
  QUEUE_SCHEMA,
  RowBook,
  runId,
  type Batch,
  type BatchData,
  type QueueModule,
  type RunRecord,
} from './protocol.ts'

export interface CoordinatorOptions {
  readonly connection: Connection
  readonly run: Omit<RunRecord, 'schema' | 'id' | 'modules'>
  readonly modules: readonly QueueModule[]
  readonly store?: SharedStore
  /** A row that is new. */
  readonly onRow: (row: MatrixRow) => void
  /** Workers as they are now, about twice a second. */
  readonly onWorkers?: (workers: readonly WorkerState[]) => void
  readonly onNote?: (text: string) => void
  /** On abort, jobs that nobody has begun are removed and this returns. */
  readonly signal?: AbortSignal
  /** How long nobody may be at work before it is given up. Default: ten minutes. */
  readonly patience_ms?: number
}

const POLL_MS = 500
const RECONCILE_MS = 5000
/** A worker whose beat stands still for so long is not counted. */
const SILENT_MS = 20_000
const PATIENCE_MS = 10 * 60_000
/** Reads of the shared store at once. */
const READS_AT_ONCE = 32

/** Where a row is kept in the shared store. */
export const rowKey = (run: Pick<RunRecord, 'agreement' | 'until' | 'seed'>, path: string): string =>
  contentKey([JSON.stringify(Object.entries(run.agreement).toSorted()), run.until, run.seed, path])

/**
 * Have all rows made. Returns when every module has one, or on interruption. Throws InfrastructureError when nobody
 * does the work; rows that came until then were given to `onRow`.
 */
export async function coordinate(options: CoordinatorOptions): Promise<void> {
  const coordinator = new Coordinator(options)
  try {
    await coordinator.run()
  } catch (error) {
    throw asQueueFailure(error, options.connection.where)
  }
}

class Coordinator {
  private readonly options: CoordinatorOptions
  private readonly record: RunRecord
  private readonly book: RowBook
  private readonly batches: readonly Batch[]
  private readonly queue: Queue<BatchData>
  private readonly beats = new Map<string, { beat: number; at: number }>()
  private readonly told = new Set<string>()
  private workers: readonly WorkerState[] = []
  private activeAt = performance.now()

  constructor(options: CoordinatorOptions) {
    this.options = options
    const id = runId(options.run, options.modules)
    this.record = { schema: QUEUE_SCHEMA, id, ...options.run, modules: options.modules.length }
    this.book = new RowBook(options.modules)
    this.batches = batchesOf(options.modules)
    this.queue = new Queue(queueName(id), { connection: options.connection.another(), prefix: PREFIX })
    this.queue.on('error', () => undefined)
  }

  private tellOnce(text: string): void {
    if (this.told.has(text)) return
    this.told.add(text)
    this.options.onNote?.(text)
  }

  private accept(row: MatrixRow): void {
    const accepted = this.book.accept(row)
    if (accepted === 'new') this.options.onRow(row)
    if (accepted === 'differs')
      this.tellOnce(`warning: ${row.module} came twice, and not the same; the first row stays: ${row.detail}`)
  }

  /** Rows that an earlier run of the same left in Redis and in the shared store. */
  private async takeKnown(): Promise<void> {
    const left = await this.patiently(takenRows(this.options.connection.redis, this.record.id))
    for (const row of left ?? []) if (isLasting(row)) this.accept(row)
    await this.takeStored()
    if (this.book.size > 0) this.options.onNote?.(`${this.book.size} rows were made before`)
  }

  private async takeStored(): Promise<void> {
    const { store, modules, signal } = this.options
    if (store === undefined) return
    // What workers look for, to know that theirs is the same store.
    await store.publish({ kind: 'runs', key: this.record.id, value: this.record, replace: true })
    await store.settled()
    const settled = await inParallel(
      modules,
      READS_AT_ONCE,
      async ({ path }) => {
        const row = (await store.record('rows', rowKey(this.record, path))) as MatrixRow | undefined
        if (row?.path === path && isLasting(row)) this.accept(row)
      },
      signal,
    )
    for (const outcome of settled) if (outcome?.status === 'rejected') throw outcome.reason
  }

  private aborted(): boolean {
    return this.options.signal?.aborted === true
  }

  async run(): Promise<void> {
    try {
      await this.takeKnown()
      let reconciledAt = -Infinity
      while (this.book.missing > 0 && !this.aborted()) {
        if (performance.now() - reconciledAt >= RECONCILE_MS) {
          await this.patiently(this.reconcile())
          reconciledAt = performance.now()
        }
        await this.patiently(this.takeRows())
        await this.patiently(this.lookAtWorkers())
        if (this.book.missing > 0 && !this.aborted()) await this.pause()
      }
    } finally {
      await this.end()
    }
  }

  private async pause(): Promise<void> {
    const { signal } = this.options
    await sleep(POLL_MS, undefined, { ...(signal && { signal }) }).catch(() => undefined)
  }

  /** Commands wait while the connection is away: for as long as patience lasts, or the user. */
  private async patiently<T>(work: Promise<T>): Promise<T | undefined> {
    const patience = this.options.patience_ms ?? PATIENCE_MS
    const over = new AbortController()
    const left = Math.max(0, this.activeAt + patience - performance.now())
    const ends = [over.signal, ...(this.options.signal ? [this.options.signal] : [])]
    const waiting = sleep(left, 'late' as const, { signal: AbortSignal.any(ends) }).catch(() => 'ended' as const)
    try {
      work.catch(() => undefined)
      const first = await Promise.race([work.then((value) => ({ value })), waiting])
      if (first === 'late') throw this.nobody(patience)
      return first === 'ended' ? undefined : first.value
    } finally {
      over.abort()
    }
  }

  private nobody(patience_ms: number): InfrastructureError {
    const refused = this.workers.filter(({ state }) => state === 'refused')
    const found = refused.map(({ worker, detail }) => `${worker} refused: ${detail}`)
    return new InfrastructureError('no worker takes part', {
      where: this.options.connection.where,
      expected: `a row or a working worker within ${Math.round(patience_ms / 60_000)} minutes`,
      found: found.length > 0 ? found.join('; ') : 'none',
      todo: 'start `drvport worker --queue ...` with the same drvport, tree and toolchain, then run this again: finished rows are kept',
    })
  }

  private async takeRows(): Promise<void> {
    const { redis } = this.options.connection
    const rows = await waitingRows(redis, this.record.id)
    for (const row of rows) this.accept(row)
    await setAside(redis, this.record.id, rows)
    if (rows.length > 0) this.activeAt = performance.now()
  }

  /** Enqueue what has no row and is not under way. */
  private async reconcile(): Promise<void> {
    const { redis } = this.options.connection
    await announceRun(redis, this.record)
    const open = this.batches.filter((batch) => this.book.openOf(batch).length > 0)
    // A worker sends its rows before its job goes: a job that is gone by now has its rows among those taken after.
    const there = await Promise.all(open.map(({ id }) => redis.exists(this.queue.toKey(id))))
    await this.takeRows()
    await this.giveUpFailed()
    const jobs = open.flatMap((batch, i) => {
      const modules = this.book.openOf(batch)
      if (there[i] === 1 || modules.length === 0) return []
      return [{ name: 'batch', data: { modules }, opts: { jobId: batch.id, removeOnComplete: true } }]
    })
    if (jobs.length > 0) await this.queue.addBulk(jobs)
  }

  /** A job that BullMQ itself has given up; workers give none up. */
  private async giveUpFailed(): Promise<void> {
    for (const job of await this.queue.getFailed(0, 100)) {
      const why = `the job failed: ${job.failedReason ?? 'no reason given'}`
      const modules = job.data.modules.filter(({ path }) => !this.book.has(path))
      for (const module of modules) this.accept(failedRow(module, why))
      await job.remove()
    }
  }

  private async lookAtWorkers(): Promise<void> {
    const now = performance.now()
    const heard = await workerStates(this.options.connection.redis, this.record.id)
    this.workers = heard.filter(({ worker, beat }) => {
      const last = this.beats.get(worker)
      if (last?.beat !== beat) this.beats.set(worker, { beat, at: now })
      return last === undefined || last.beat !== beat || now - last.at < SILENT_MS
    })
    for (const { worker, state, detail } of this.workers)
      if (state === 'refused') this.tellOnce(`worker ${worker} refused: ${detail}`)
    const busy = this.workers.some(({ state }) => state === 'working' || state === 'preparing')
    if (busy) this.activeAt = now
    else this.tellOnce(`waiting for workers: start \`drvport worker --queue ${this.options.connection.where}\``)
    this.options.onWorkers?.(this.workers)
  }

  /** No job of a run that is over stays in Redis; rows that are there are still taken. */
  private async end(): Promise<void> {
    const finishing = async () => {
      await this.queue.obliterate({ force: true, count: 10_000 })
      await this.takeRows()
      await removeRun(this.options.connection.redis, this.record.id, this.book.missing === 0)
    }
    // With the connection away there is nothing to wait for: what is left goes by itself.
    await Promise.race([finishing().catch(() => undefined), sleep(END_MS)])
    await Promise.race([this.queue.close().catch(() => undefined), sleep(END_MS)])
  }
}

const END_MS = 3000
