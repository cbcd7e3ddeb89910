/**
 * The queue between real processes over a real Redis: workers and coordinators that are killed, stopped and started
 * again, a server that vanishes with and without what it knew. In the end every module has its one row. How a row is
 * made does not matter here (fixtures/queue-peer.ts); queue-build.test.ts compiles.
 */
import test, { type ExecutionContext } from 'ava'
import { spawn, type ChildProcess } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { InfrastructureError, UsageError } from '../../pipeline/errors.ts'
import { digestOf } from '../../pipeline/matrix/summary.ts'
import type { MatrixRow } from '../../pipeline/matrix/types.ts'
import { connect, type QueueModule } from '../../pipeline/queue/index.ts'
import { peerRow, type PeerOptions } from './fixtures/queue-peer.ts'
import { startRedis, type TestRedis } from './redis.ts'

const PEER = path.join(import.meta.dirname, 'fixtures/queue-peer.ts')
const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-queue-'))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

const modulesOf = (count: number): QueueModule[] =>
  Array.from({ length: count }, (_, n) => ({ name: `m${n}`, path: `drivers/test/m${n}.ko` }))

class Peer {
  readonly child: ChildProcess
  readonly lines: string[] = []
  readonly ended: Promise<number>
  private readonly listeners = new Set<() => void>()

  constructor(options: PeerOptions) {
    this.child = spawn(process.execPath, [PEER, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let rest = ''
    this.child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      this.lines.push(...lines)
      for (const listener of this.listeners) listener()
    })
    this.ended = new Promise((resolve) =>
      this.child.on('close', (code) => {
        for (const listener of this.listeners) listener()
        resolve(code ?? 137)
      }),
    )
  }

  of(kind: string): string[] {
    return this.lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1))
  }

  get rows(): MatrixRow[] {
    return this.of('row').map((text) => JSON.parse(text) as MatrixRow)
  }

  /** Once so many lines of a kind have been said, or a line matches. */
  async said(kind: string, what: number | RegExp = 1): Promise<void> {
    const enough = () =>
      typeof what === 'number' ? this.of(kind).length >= what : this.of(kind).some((l) => what.test(l))
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (enough()) resolve()
        else if (this.child.exitCode !== null || this.child.signalCode !== null)
          reject(new Error(`ended before '${kind} ${what}': ${this.lines.join('\n')}`))
        else return
        this.listeners.delete(look)
      }
      this.listeners.add(look)
      look()
    })
  }

  kill(signal: NodeJS.Signals): Promise<number> {
    this.child.kill(signal)
    return this.ended
  }
}

/** Who has to do with a server. */
const peers = new WeakMap<TestRedis, Peer[]>()

function peer(redis: TestRedis, options: PeerOptions): Peer {
  const made = new Peer(options)
  peers.set(redis, [...(peers.get(redis) ?? []), made])
  return made
}

const worker = (redis: TestRedis, options: Partial<PeerOptions> = {}) =>
  peer(redis, { role: 'worker', url: redis.url, ...options })
const coordinator = (redis: TestRedis, modules: readonly QueueModule[], options: Partial<PeerOptions> = {}) =>
  peer(redis, { role: 'coordinator', url: redis.url, modules, ...options })

/** Every module once, and what one process alone would say of it. */
function isWhole(t: ExecutionContext, rows: readonly MatrixRow[], modules: readonly QueueModule[]): void {
  t.is(rows.length, modules.length)
  t.is(digestOf(rows), digestOf(modules.map(peerRow)))
}

/** They wait more than they work: a few of these tests at once. */
const AT_ONCE = 3
const slots = Array.from({ length: AT_ONCE }, () => Promise.resolve())
let turn = 0

/** With a server, which is there until the end of the test, and so is nobody else. */
function withRedis(body: (redis: TestRedis) => Promise<void>, options = {}): Promise<void> {
  const slot = turn++ % AT_ONCE
  const run = (slots[slot] as Promise<void>).then(async () => {
    const redis = await startRedis(options)
    try {
      await body(redis)
    } finally {
      for (const each of peers.get(redis) ?? []) each.child.kill('SIGKILL')
      await redis.close()
    }
  })
  slots[slot] = run.catch(() => undefined)
  return run
}

async function stop(...workers: readonly Peer[]): Promise<number[]> {
  return Promise.all(workers.map((each) => each.kill('SIGINT')))
}

test('several workers share the work, and leave nothing behind', async (t) => {
  const modules = modulesOf(30)
  await withRedis(async (redis) => {
    const workers = [worker(redis, { jobs: 2 }), worker(redis, { jobs: 2 })]
    const whole = coordinator(redis, modules)
    t.is(await whole.ended, 0)
    isWhole(t, whole.rows, modules)
    const begun = workers.flatMap((each) => each.of('start'))
    t.deepEqual(begun.toSorted(), modules.map(({ path: at }) => at).toSorted(), 'each begun once')
    for (const each of workers) t.true(each.of('start').length > 0, 'both had work')
    t.deepEqual(await stop(...workers), [130, 130])
    t.deepEqual(await redis.look.keys('*'), [])
  })
})

test('a worker that is killed in mid-job is replaced by another', async (t) => {
  const modules = modulesOf(12)
  await withRedis(async (redis) => {
    const victim = worker(redis, { row_ms: 60_000 })
    const whole = coordinator(redis, modules)
    await victim.said('start')
    const inHand = victim.of('start')
    await victim.kill('SIGKILL')
    const other = worker(redis, { jobs: 4 })
    t.is(await whole.ended, 0)
    isWhole(t, whole.rows, modules)
    for (const at of inHand) t.true(other.of('start').includes(at), 'what was in hand is made by the other')
    await stop(other)
  })
})

test('a worker that is stopped gives its job back, long before its lease is over', async (t) => {
  const modules = modulesOf(4)
  await withRedis(async (redis) => {
    const first = worker(redis, { row_ms: 3_600_000, lease_ms: 3_600_000, jobs: 2 })
    const whole = coordinator(redis, modules)
    await first.said('start', 2)
    t.is(await first.kill('SIGINT'), 130)
    const second = worker(redis, { lease_ms: 3_600_000 })
    t.is(await whole.ended, 0)
    isWhole(t, whole.rows, modules)
    await stop(second)
  })
})

for (const persistent of [false, true])
  test(`a Redis restarted in mid-run, ${persistent ? 'remembering everything' : 'remembering nothing'}`, async (t) => {
    const modules = modulesOf(24)
    await withRedis(
      async (redis) => {
        const workers = [worker(redis, { row_ms: 300 }), worker(redis, { row_ms: 300 })]
        const whole = coordinator(redis, modules)
        await whole.said('row', 4)
        await redis.restart()
        await whole.said('note', /connected to .* again/)
        t.is(await whole.ended, 0)
        isWhole(t, whole.rows, modules)
        await stop(...workers)
      },
      { persistent },
    )
  })

test('a coordinator that is killed goes on where it was, with and without a store', async (t) => {
  const modules = modulesOf(16)
  for (const store of [undefined, path.join(work, 'resume')]) {
    await withRedis(async (redis) => {
      const shared = store === undefined ? {} : { store }
      const workers = [worker(redis, shared), worker(redis, shared)]
      const first = coordinator(redis, modules, shared)
      await first.said('row', 3)
      await first.kill('SIGKILL')
      const second = coordinator(redis, modules, shared)
      t.is(await second.ended, 0)
      isWhole(t, second.rows, modules)
      await stop(...workers)
      const begun = workers.flatMap((each) => each.of('start'))
      t.is(begun.length, modules.length, 'nothing is made twice')
    })
  }
})

test('a finished run is taken from the store, without a worker', async (t) => {
  const modules = modulesOf(5)
  await withRedis(async (redis) => {
    const shared = { store: path.join(work, 'finished') }
    const one = worker(redis, shared)
    t.is(await coordinator(redis, modules, shared).ended, 0)
    await stop(one)
    const again = coordinator(redis, modules, shared)
    t.is(await again.ended, 0)
    isWhole(t, again.rows, modules)
  })
})

test('a module that ends every worker becomes a row, and the rest is made', async (t) => {
  const modules = modulesOf(6)
  await withRedis(async (redis) => {
    const whole = coordinator(redis, modules)
    let deaths = 0
    let last: Peer | undefined
    const staff = async (): Promise<void> => {
      for (;;) {
        last = worker(redis, { deadly: 'm3', lease_ms: 1000, row_ms: 20 })
        if ((await last.ended) !== 137) return
        deaths++
      }
    }
    const staffed = staff()
    t.is(await whole.ended, 0)
    last?.child.kill('SIGINT')
    await staffed
    const { rows } = whole
    const deadly = rows.find(({ module }) => module === 'm3')
    t.is(deadly?.reason, 'internal-error')
    t.regex(deadly?.detail ?? '', /3 workers were lost/)
    t.is(deaths, 3)
    isWhole(
      t,
      rows.map((row) => (row === deadly ? peerRow({ name: row.module, path: row.path }) : row)),
      modules,
    )
  })
})

test('a worker that would make other rows refuses by name, and the right one does the work', async (t) => {
  const modules = modulesOf(4)
  await withRedis(async (redis) => {
    const agreement = { tree: 'linux-6.1', toolchain: 'clang 19.1.7' }
    const wrong = worker(redis, { agreement: { ...agreement, toolchain: 'clang 22.0.0' } })
    const whole = coordinator(redis, modules, { agreement })
    await whole.said('note', /refused: toolchain: clang 22\.0\.0 here, clang 19\.1\.7 there/)
    const right = worker(redis, { agreement })
    t.is(await whole.ended, 0)
    isWhole(t, whole.rows, modules)
    t.deepEqual(wrong.of('start'), [])
    await stop(wrong, right)
  })
})

test('a worker with another store refuses: its packages would be nowhere', async (t) => {
  const modules = modulesOf(2)
  await withRedis(async (redis) => {
    const lost = worker(redis, { store: path.join(work, 'elsewhere') })
    const whole = coordinator(redis, modules, { store: path.join(work, 'here') })
    await whole.said('note', /refused: store:.*elsewhere here.*here there/)
    const right = worker(redis)
    t.is(await whole.ended, 0)
    t.deepEqual(lost.of('start'), [])
    await stop(lost, right)
  })
})

test('an interrupted coordinator keeps its rows and takes its jobs away', async (t) => {
  const modules = modulesOf(40)
  await withRedis(async (redis) => {
    const one = worker(redis, { row_ms: 200 })
    const whole = coordinator(redis, modules)
    await whole.said('row', 3)
    t.is(await whole.kill('SIGINT'), 0)
    const had = whole.rows.length
    t.true(had >= 3 && had < modules.length)
    await stop(one)
    t.true(one.of('start').length < modules.length)
    const left = await redis.look.keys('*')
    t.true(
      left.every((key) => /:(taken|rows)$/.test(key)),
      `rows only: ${left.join(' ')}`,
    )
    for (const key of left) t.true((await redis.look.ttl(key)) > 0)
    const other = worker(redis, { jobs: 4 })
    const again = coordinator(redis, modules)
    t.is(await again.ended, 0)
    isWhole(t, again.rows, modules)
    const begun = other.of('start')
    for (const { path: at } of whole.rows) t.false(begun.includes(at), 'what was had is not made again')
    await stop(other)
    t.deepEqual(await redis.look.keys('*'), [])
  })
})

test('nobody who does the work: an error that says what to start, in bounded time', async (t) => {
  await withRedis(async (redis) => {
    const refused = worker(redis, { agreement: { tree: 'other' } })
    const alone = coordinator(redis, modulesOf(3), { patience_ms: 6000 })
    t.is(await alone.ended, 3)
    t.regex(alone.of('note').join('\n'), /no worker takes part/)
    t.regex(alone.lines.join('\n'), /refused: tree: other here, test there/)
    t.regex(alone.lines.join('\n'), /drvport worker --queue/)
    await stop(refused)
  })
})

test('no server there: told within seconds, with what to do', async (t) => {
  const start = performance.now()
  for (const url of ['redis://127.0.0.1:9', `unix://${work}/nobody`]) {
    const error = await t.throwsAsync(connect({ url }), { instanceOf: InfrastructureError })
    t.is(error?.status, 3)
    t.regex(error?.describe() ?? '', /ECONNREFUSED|ENOENT/)
    t.regex(error?.describe() ?? '', /to do:.*redis-server/)
  }
  t.true(performance.now() - start < 20_000)
})

test('a password is used, asked for, and never told', async (t) => {
  await withRedis(
    async (redis) => {
      const bare = redis.url.replace(/\/\/.*@localhost/, '//')
      for (const url of [bare, bare.replace('//', '//:wrongword@localhost')]) {
        const error = await t.throwsAsync(connect({ url, env: {} }), { instanceOf: UsageError })
        t.regex(error?.describe() ?? '', /NOAUTH|WRONGPASS/)
        t.notRegex(error?.describe() ?? '', /wrongword/)
      }
      for (const request of [{ url: redis.url }, { url: bare, env: { REDISCLI_AUTH: 'pass word' } }]) {
        const connection = await connect(request)
        t.is(await connection.redis.ping(), 'PONG')
        t.notRegex(connection.where, /pass/)
        connection.close()
      }
    },
    { password: 'pass word' },
  )
})
