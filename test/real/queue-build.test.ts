/**
 * A matrix by several workers of the real command line, each with a cache of its own, against the same matrix by one
 * process alone: with a directory between them and a worker killed in mid-job, then with an S3 service. Only the fetched
 * tree and its configuration are shared (DRVPORT_TREES): objects, packages and links are made, or come from the store.
 */
import test, { type ExecutionContext } from 'ava'
import { spawn, type ChildProcess } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { cacheDir } from '../../pipeline/cache.ts'
import type { MatrixDocument } from '../../pipeline/matrix/types.ts'
import { startRedis } from './redis.ts'
import { startS3 } from './s3-server.ts'
import { testTreeName } from './workspace.ts'

const MAIN = path.resolve(import.meta.dirname, '../../cli/main.ts')
/** Small ones, with a few links each. */
const MODULES = ['nls_utf8', 'crc7', 'lz4_compress', 'mii', 'rtc-ds1307']
const PRIMED = 'nls_utf8'

const work = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-queue-build-')))
const running = new Set<ChildProcess>()
test.after.always(async () => {
  for (const child of running) child.kill('SIGKILL')
  await fs.rm(work, { recursive: true, force: true })
})

class Drvport {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly ended: Promise<number>
  private listeners: (() => void)[] = []

  constructor(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const trees = env['DRVPORT_CACHE'] === undefined ? {} : { DRVPORT_TREES: cacheDir() }
    this.child = spawn(process.execPath, [MAIN, ...words], {
      env: { ...process.env, ...trees, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(this.child)
    const heard = () => {
      for (const listener of this.listeners) listener()
    }
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      heard()
    })
    this.ended = new Promise((resolve) =>
      this.child.on('close', (code) => {
        running.delete(this.child)
        heard()
        resolve(code ?? 137)
      }),
    )
  }

  async said(what: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (what.test(this.stderr)) resolve()
        else if (!running.has(this.child)) reject(new Error(`ended before it said ${what}: ${this.stderr}`))
      }
      this.listeners.push(look)
      look()
    })
  }

  async document(t: ExecutionContext): Promise<MatrixDocument> {
    t.is(await this.ended, 0, this.stderr)
    return JSON.parse(this.stdout) as MatrixDocument
  }

  async stop(t: ExecutionContext): Promise<void> {
    this.child.kill('SIGINT')
    t.is(await this.ended, 130, this.stderr)
  }
}

const matrixOf = (modules: readonly string[]) => [
  'matrix',
  ...modules,
  '--tree',
  testTreeName,
  // Not further: a worker with a cache of its own would compile a kernel first, since what is shared are objects.
  '--until',
  'compile',
  '--json',
]
const cacheOf = (name: string) => ({ DRVPORT_CACHE: path.join(work, name) })

test('workers with caches of their own make the matrix that one process makes', async (t) => {
  const redis = await startRedis()
  const credentials = { bucket: 'drvport', region: 'us-east-1', accessKeyId: 'ID', secretAccessKey: 'secret' }
  const s3 = await startS3(credentials)
  try {
    const alone = await new Drvport(matrixOf(MODULES)).document(t)
    t.is(alone.rows.length, MODULES.length)

    // Somebody has worked with this store before: it has one of the modules.
    const store = path.join(work, 'store')
    await new Drvport([...matrixOf([PRIMED]), '--store', store]).document(t)
    const queue = ['--queue', redis.url]

    const worker = (name: string, env = {}, words: readonly string[] = []) =>
      new Drvport(['worker', ...queue, '--jobs', '1', '--lease', '5', ...words], { ...cacheOf(name), ...env })
    const victim = worker('a', {}, ['--alone'])
    const whole = new Drvport([...matrixOf(MODULES), ...queue, '--store', store], cacheOf('c'))
    const inHand = new RegExp(`rows, (${MODULES.join('|')})`)
    await victim.said(inHand)
    victim.child.kill('SIGKILL')
    const survivor = worker('b')
    const together = await whole.document(t)
    t.is(together.summary.digest, alone.summary.digest)
    t.deepEqual(together.summary, alone.summary)
    await survivor.stop(t)
    const made = await fs.readdir(path.join(work, 'c')).catch((): string[] => [])
    t.false(made.includes('objects'), 'the coordinator compiles nothing')

    // Again, over S3, with rows that nobody has there.
    const address = `s3://${credentials.bucket}/ci/drvport?endpoint=${s3.endpoint}`
    const env = { AWS_ACCESS_KEY_ID: 'ID', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'us-east-1' }
    const remote = worker('b', env)
    const over = new Drvport([...matrixOf(MODULES), ...queue, '--store', address], { ...cacheOf('c'), ...env })
    t.is((await over.document(t)).summary.digest, alone.summary.digest)
    await remote.stop(t)

    // A cache that is empty, and nobody at the queue: all there is to know is in the store.
    const before = s3.log.filter((line) => line.startsWith('PUT')).length
    const again = new Drvport([...matrixOf(MODULES), ...queue, '--store', address], { ...cacheOf('e'), ...env })
    t.is((await again.document(t)).summary.digest, alone.summary.digest)
    t.true(s3.log.filter((line) => line.startsWith('PUT')).length - before <= 1)
  } finally {
    for (const child of running) child.kill('SIGKILL')
    await redis.close()
    await s3.close()
  }
})
