/**
 * A Redis server of a test's own: Debian's redis-server on a Unix socket in the test's directory, brought without
 * installing it, ended with the test. `restart` is what an operator or a crash does to it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { Redis } from 'ioredis'
import { ensureHostTools } from '../../pipeline/toolchain/host-packages.ts'

export interface TestRedis {
  readonly url: string
  /** A connection for looking at what is there. */
  readonly look: Redis
  stop(): Promise<void>
  start(): Promise<void>
  /** Ended as by a power cut, and started again: with what it had written down, or empty. */
  restart(): Promise<void>
  close(): Promise<void>
}

export interface TestRedisOptions {
  /** Write every change down before it is answered. */
  readonly persistent?: boolean
  readonly password?: string
}

export async function startRedis({ persistent = false, password }: TestRedisOptions = {}): Promise<TestRedis> {
  const { env } = await ensureHostTools(['redis'], { unprivileged: true })
  // Short: the path of a socket may have 107 characters.
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-redis-'))
  const socket = path.join(dir, 's')
  const login = password === undefined ? '' : `:${password}@localhost`
  const url = `unix://${login}${socket}`
  const args = ['--port', '0', '--unixsocket', socket, '--dir', dir, '--save', '']
  if (persistent) args.push('--appendonly', 'yes', '--appendfsync', 'always')
  if (password !== undefined) args.push('--requirepass', password)
  let server: ChildProcess | undefined
  const options = { path: socket, lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: () => 50 }
  const look = new Redis({ ...options, ...(password && { password }) })
  look.on('error', () => undefined)

  const start = async () => {
    const child = spawn('redis-server', args, { env, stdio: 'ignore' })
    server = child
    // From the first command on it connects, and tries again until the server listens.
    const died = once(child, 'exit').then(() => {
      throw new Error(`redis-server ended with ${child.exitCode ?? child.signalCode}`)
    })
    await Promise.race([look.ping(), died])
    died.catch(() => undefined)
  }
  const stop = async () => {
    const child = server
    server = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    await fs.rm(socket, { force: true })
  }
  await start()
  return {
    url,
    look,
    start,
    stop,
    async restart() {
      await stop()
      await start()
    },
    async close() {
      look.disconnect()
      await stop()
      await fs.rm(dir, { recursive: true, force: true })
    },
  }
}
