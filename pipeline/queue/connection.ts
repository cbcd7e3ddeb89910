/**
 * The connection to Redis: addresses, first contact, and staying in touch.
 *
 * First contact either works within seconds or says why not. After that a lost connection is made again for as long as it
 * takes, commands wait meanwhile, and the user is told. Passwords never show.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { checkInterrupted, InfrastructureError, UsageError } from '../errors.ts'

export interface ConnectionRequest {
  /** redis://[[USER]:PASSWORD@]HOST[:PORT][/DB], rediss:// for TLS, or unix:///PATH. */
  readonly url: string
  readonly env?: NodeJS.ProcessEnv
  /** Connection lost, made again. */
  readonly onNote?: (text: string) => void
  /** Keep trying when there is nobody yet; else that is an error after a few seconds. */
  readonly wait?: boolean
  readonly signal?: AbortSignal
}

export interface Connection {
  readonly redis: Redis
  /** The address without its password. */
  readonly where: string
  /** Another connection to the same place, for BullMQ, whose blocking commands need their own. */
  another(): Redis
  /** Ends this connection and all the others, without waiting for a server that is away. */
  close(): void
}

const CONNECT_TIMEOUT_MS = 5000
const RETRY_MS = 1000
/** BullMQ 6 uses commands from 6.2 on. */
const REDIS_WANTED = '6.2'

/** What ioredis needs to know of an address. */
export interface Address {
  readonly host?: string
  readonly port?: number
  readonly path?: string
  readonly db?: number
  readonly username?: string
  readonly password?: string
  readonly tls?: { readonly servername: string }
}

/** Options for ioredis. Throws UsageError for what is no address. */
export function parseRedis(url: string, env: NodeJS.ProcessEnv = process.env): { options: Address; where: string } {
  const refuse = (found: string): never => {
    throw new UsageError('not the address of a Redis server', {
      expected: 'redis://HOST:PORT, with /DB, :PASSWORD@ before the host, or rediss:// for TLS; or unix:///PATH',
      found,
      todo: 'correct --queue',
    })
  }
  const parsed = URL.parse(url)
  if (parsed === null) return refuse(url === '' ? 'nothing' : url.replace(/\/\/.*@/, '//...@'))
  const secret = parsed.password === '' ? env['REDISCLI_AUTH'] : decodeURIComponent(parsed.password)
  const login = {
    ...(parsed.username !== '' && { username: decodeURIComponent(parsed.username) }),
    ...(secret && { password: secret }),
  }
  if (parsed.protocol === 'unix:') {
    if (parsed.pathname === '') refuse('no path')
    return { options: { path: decodeURIComponent(parsed.pathname), ...login }, where: `unix://${parsed.pathname}` }
  }
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:') return refuse(`the protocol ${parsed.protocol}`)
  if (parsed.hostname === '') return refuse('no host')
  const [, db = ''] = parsed.pathname.split('/')
  if (!/^\d*$/.test(db)) return refuse(`the database ${db}, which is no number`)
  const port = parsed.port === '' ? 6379 : Number(parsed.port)
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1')
  const options = {
    host,
    port,
    db: Number(db),
    ...login,
    ...(parsed.protocol === 'rediss:' && { tls: { servername: host } }),
  }
  return { options, where: `${parsed.protocol}//${parsed.hostname}:${port}${db === '' ? '' : `/${db}`}` }
}

/** Connect. Throws UsageError (no address, wrong password) and, unless it is to wait, InfrastructureError. */
export async function connect(request: ConnectionRequest): Promise<Connection> {
  const { options, where } = parseRedis(request.url, request.env)
  for (let told = false; ; told = true) {
    checkInterrupted(request.signal)
    const error = await firstContact(options)
    if (error === undefined) break
    refuseLogin(error, where)
    if (request.wait !== true) throw unreachable(error, where)
    if (!told) request.onNote?.(`waiting for a Redis server at ${where} (${error.message})`)
    await sleep(RETRY_MS, undefined, { ...(request.signal && { signal: request.signal }) }).catch(() => undefined)
  }
  return keepConnected(options, where, request.onNote ?? (() => undefined))
}

async function firstContact(options: Address): Promise<Error | undefined> {
  const redis = new Redis({
    ...options,
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
  })
  // The last error event says more than the rejection, which is only that the connection was closed.
  let said: Error | undefined
  redis.on('error', (error: Error) => (said = error))
  try {
    await redis.connect()
    const info = await redis.info('server')
    requireVersion(/redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown')
    return undefined
  } catch (error) {
    if (error instanceof InfrastructureError) throw error
    return said ?? (error as Error)
  } finally {
    redis.disconnect()
  }
}

function requireVersion(found: string): void {
  const [major = 0, minor = 0] = found.split('.').map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = REDIS_WANTED.split('.').map(Number)
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return
  throw new InfrastructureError('this Redis server is too old', {
    expected: `${REDIS_WANTED} or later`,
    found,
    todo: 'use another server for --queue',
  })
}

function refuseLogin(error: Error, where: string): void {
  if (!/NOAUTH|WRONGPASS|NOPERM|invalid password|invalid DB index/i.test(error.message)) return
  throw new UsageError('the Redis server refuses us', {
    where,
    found: error.message,
    todo: 'correct user, password or database in --queue; the password may also be in REDISCLI_AUTH',
  })
}

/** What Redis answers when it cannot (no memory, no disk, read-only) is the infrastructure's; anything else passes. */
export function asQueueFailure(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return error
  return new InfrastructureError('the queue failed', {
    where,
    expected: 'a Redis server that takes what it is given',
    found: error.message,
    cause: error,
    todo: 'look at its memory (maxmemory, with the policy noeviction), its disk and its log, then run this again',
  })
}

const unreachable = (error: Error, where: string) =>
  new InfrastructureError('no Redis server for the queue', {
    where,
    expected: 'a Redis server that answers',
    found: error.message === '' ? String((error as NodeJS.ErrnoException).code ?? error.name) : error.message,
    todo: 'start one there (Debian: apt-get install redis-server), or correct --queue; without --queue none is needed',
  })

function keepConnected(options: Address, where: string, note: (text: string) => void): Connection {
  const open = new Set<Redis>()
  const another = (): Redis => {
    const redis = new Redis({
      ...options,
      maxRetriesPerRequest: null,
      retryStrategy: () => RETRY_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
    })
    // Told below, once for all of them; without a listener it would end the process.
    redis.on('error', () => undefined)
    open.add(redis)
    return redis
  }
  const redis = another()
  let closing = false
  let lost = false
  redis.on('close', () => {
    if (!closing && !lost) note(`lost the connection to ${where}: trying again until it is back`)
    lost = true
  })
  redis.on('ready', () => {
    if (lost) note(`connected to ${where} again`)
    lost = false
  })
  return {
    redis,
    where,
    another,
    close() {
      closing = true
      for (const each of open) each.disconnect()
    },
  }
}
