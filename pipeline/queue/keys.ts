/**
 * Where a run is kept in Redis, beside BullMQ's own keys (`drvport:<queue>:...`), and how those are written.
 *
 * Everything here can vanish at any time (a restarted server without persistence): the coordinator writes it again. What
 * nobody renews goes by itself.
 */

import type { Redis } from 'ioredis'
import type { MatrixRow } from '../matrix/types.ts'
import { QUEUE_SCHEMA, type RunRecord } from './protocol.ts'

/** In front of every key of ours and BullMQ's. */
export const PREFIX = 'drvport'

/** BullMQ's queue of a run. */
export const queueName = (run: string) => `run-${run}`

const runsKey = `${PREFIX}:runs`
const aliveKey = (run: string) => `${PREFIX}:${run}:alive`
const rowsKey = (run: string) => `${PREFIX}:${run}:rows`
const workersKey = (run: string) => `${PREFIX}:${run}:workers`

/** A coordinator that says nothing for so long is gone: workers take no more of its jobs. */
const ALIVE_S = 30
/** A killed coordinator's rows wait so long for it to come again. */
const KEPT_S = 7 * 24 * 3600

/** What a worker says of itself. */
export interface WorkerState {
  /** HOST:PID. */
  readonly worker: string
  /** Counts up while it lives; clocks of several computers are not compared. */
  readonly beat: number
  readonly state: 'preparing' | 'working' | 'refused' | 'leaving'
  /** What it is preparing, or why it refused. */
  readonly detail: string
  /** Names of modules in hand. */
  readonly current: readonly string[]
  readonly rows: number
}

export async function announceRun(redis: Redis, run: RunRecord): Promise<void> {
  await redis.hset(runsKey, run.id, JSON.stringify(run))
  await redis.set(aliveKey(run.id), '1', 'EX', ALIVE_S)
}

/** Runs whose coordinator lives. */
export async function liveRuns(redis: Redis): Promise<RunRecord[]> {
  const all = Object.values(await redis.hgetall(runsKey)).flatMap((text) => {
    const run = JSON.parse(text) as RunRecord
    return run.schema === QUEUE_SCHEMA ? [run] : []
  })
  const alive = await Promise.all(all.map(({ id }) => redis.exists(aliveKey(id))))
  return all.filter((_, i) => alive[i] === 1)
}

/** Whether a coordinator has announced this run and not removed it. */
export const isAnnounced = async (redis: Redis, run: string): Promise<boolean> =>
  (await redis.hexists(runsKey, run)) === 1

/** Forget a run: it is finished, or was given up. */
export async function removeRun(redis: Redis, run: string): Promise<void> {
  await redis.hdel(runsKey, run)
  await redis.del(aliveKey(run), rowsKey(run), workersKey(run))
}

/** Send a row to the coordinator: it waits there until it is taken. */
export async function sendRow(redis: Redis, run: string, row: MatrixRow): Promise<void> {
  await redis.hset(rowsKey(run), row.path, JSON.stringify(row))
  await redis.expire(rowsKey(run), KEPT_S)
}

/** Rows that wait. They stay until `dropRows`: taking them is done only when they are kept elsewhere. */
export async function waitingRows(redis: Redis, run: string): Promise<MatrixRow[]> {
  return Object.values(await redis.hgetall(rowsKey(run))).map((text) => JSON.parse(text) as MatrixRow)
}

export async function dropRows(redis: Redis, run: string, rows: readonly MatrixRow[]): Promise<void> {
  if (rows.length > 0) await redis.hdel(rowsKey(run), ...rows.map(({ path }) => path))
}

export async function sayState(redis: Redis, run: string, state: WorkerState): Promise<void> {
  await redis.hset(workersKey(run), state.worker, JSON.stringify(state))
  await redis.expire(workersKey(run), KEPT_S)
}

export async function workerStates(redis: Redis, run: string): Promise<WorkerState[]> {
  return Object.values(await redis.hgetall(workersKey(run))).map((text) => JSON.parse(text) as WorkerState)
}
