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
/** Rows that a coordinator has had, for the one that is started after it. */
const takenKey = (run: string) => `${PREFIX}:${run}:taken`
const workersKey = (run: string) => `${PREFIX}:${run}:workers`

/** A coordinator that says nothing for so long is gone: workers take no more of its jobs. */
const ALIVE_S = 30
/** The rows of a run that did not end wait so long for it to be started again. */
const KEPT_S = 24 * 3600

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

/** Take a run away. Of a finished one nothing is kept, of one that was given up its rows. */
export async function removeRun(redis: Redis, run: string, finished: boolean): Promise<void> {
  await redis.hdel(runsKey, run)
  await redis.del(aliveKey(run), workersKey(run))
  if (finished) await redis.del(rowsKey(run), takenKey(run))
}

/** Send a row to the coordinator: it waits there until it is taken. */
export async function sendRow(redis: Redis, run: string, row: MatrixRow): Promise<void> {
  await redis.hset(rowsKey(run), row.path, JSON.stringify(row))
  await redis.expire(rowsKey(run), KEPT_S)
}

const rowsIn = async (redis: Redis, key: string): Promise<MatrixRow[]> =>
  Object.values(await redis.hgetall(key)).map((text) => JSON.parse(text) as MatrixRow)

/** Rows that nobody has taken yet. */
export const waitingRows = (redis: Redis, run: string): Promise<MatrixRow[]> => rowsIn(redis, rowsKey(run))

/** Rows that an earlier coordinator of the same run had. */
export const takenRows = (redis: Redis, run: string): Promise<MatrixRow[]> => rowsIn(redis, takenKey(run))

/** Put rows aside that were taken: they are looked at again only by a coordinator that starts. */
export async function setAside(redis: Redis, run: string, rows: readonly MatrixRow[]): Promise<void> {
  if (rows.length === 0) return
  const paths = rows.map(({ path }) => path)
  const texts = rows.flatMap((row) => [row.path, JSON.stringify(row)])
  await redis
    .multi()
    .hset(takenKey(run), ...texts)
    .expire(takenKey(run), KEPT_S)
    .hdel(rowsKey(run), ...paths)
    .exec()
}

export async function sayState(redis: Redis, run: string, state: WorkerState): Promise<void> {
  await redis.hset(workersKey(run), state.worker, JSON.stringify(state))
  await redis.expire(workersKey(run), KEPT_S)
}

export async function workerStates(redis: Redis, run: string): Promise<WorkerState[]> {
  return Object.values(await redis.hgetall(workersKey(run))).map((text) => JSON.parse(text) as WorkerState)
}
