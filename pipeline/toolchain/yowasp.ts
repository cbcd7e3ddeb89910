/**
 * LLVM compiled to WebAssembly, from npm: nothing to install, any platform, no root.
 *
 * The package's own API copies every input into a virtual file system, which a kernel's headers make slow. Its core
 * module is an ordinary WASI program, so it runs here on node:wasi against the real files, in a small pool of threads.
 */

import * as fs from 'node:fs/promises'
import { createRequire } from 'node:module'
import * as os from 'node:os'
import * as path from 'node:path'
import { Worker } from 'node:worker_threads'
import { checkInterrupted, InfrastructureError } from '../errors.ts'
import { identityOf } from './identity.ts'
import type { Probe, RunOptions, Toolchain, ToolDeath, ToolRun } from './types.ts'
import type { YowaspDone, YowaspJob } from './yowasp-worker.ts'

const PACKAGE = '@yowasp/clang'
const TODO = `run npm install in drvport's own folder (it brings ${PACKAGE}, 101 MB)`

interface Installed {
  readonly wasm: string
  /** Everything that it is made of. */
  readonly parts: readonly string[]
  readonly version: string
}

async function find(): Promise<Installed | undefined> {
  try {
    const bundle = createRequire(import.meta.url).resolve(PACKAGE)
    const { version } = JSON.parse(
      await fs.readFile(path.join(path.dirname(bundle), '..', 'package.json'), 'utf8'),
    ) as { version: string }
    const dir = path.dirname(bundle)
    const wasm = path.join(dir, 'llvm.core.wasm')
    await fs.access(wasm)
    const parts = (await fs.readdir(dir)).filter((name) => /\.(?:wasm|tar)$/.test(name)).toSorted()
    return { wasm, parts: parts.map((name) => path.join(dir, name)), version }
  } catch {
    return undefined
  }
}

export async function probeYowasp(): Promise<Probe> {
  const found = await find()
  if (found === undefined) return { name: 'yowasp', found: false, problem: `${PACKAGE} is not installed`, todo: TODO }
  return { name: 'yowasp', found: true, version: found.version, path: found.wasm }
}

interface Slot {
  readonly worker: Worker
  /** Taken: by whoever is told so first, though it has not begun. */
  busy: boolean
  waiting: { id: number; settle: (done: YowaspDone | Error) => void } | undefined
}

/** A fixed number of threads, each one job at a time, started when first needed. */
class Pool {
  readonly module: Promise<WebAssembly.Module>
  readonly width: number
  readonly scratch: Promise<string>
  readonly slots: Slot[] = []
  readonly queue: (() => void)[] = []
  sequence = 0

  constructor(wasm: string, width: number) {
    this.width = width
    this.module = fs.readFile(wasm).then((bytes) => WebAssembly.compile(bytes))
    this.scratch = fs.mkdtemp(path.join(os.tmpdir(), 'drvport-yowasp-'))
  }

  async start(): Promise<Slot> {
    const [module, scratch] = await Promise.all([this.module, this.scratch])
    // The same file is TypeScript in the repository and JavaScript in a published package.
    const file = new URL(`./yowasp-worker${path.extname(import.meta.url)}`, import.meta.url)
    const workerData = { module, scratch: path.join(scratch, `${++this.sequence}.txt`) }
    const slot: Slot = { worker: new Worker(file, { workerData }), busy: true, waiting: undefined }
    const settle = (result: YowaspDone | Error) => {
      const waiting = slot.waiting
      slot.waiting = undefined
      waiting?.settle(result)
    }
    slot.worker.on('message', settle)
    slot.worker.on('error', settle)
    slot.worker.on('exit', (code) => {
      this.slots.splice(this.slots.indexOf(slot), 1)
      settle(new Error(`the compiler's thread ended with ${code}`))
    })
    slot.worker.unref()
    return slot
  }

  /** A free thread; waits for one when all are busy. */
  async take(): Promise<Slot> {
    for (;;) {
      const free = this.slots.find((slot) => !slot.busy)
      if (free !== undefined) {
        free.busy = true
        return free
      }
      if (this.slots.length + this.starting < this.width) {
        this.starting += 1
        const slot = await this.start().finally(() => (this.starting -= 1))
        this.slots.push(slot)
        return slot
      }
      await new Promise<void>((resolve) => this.queue.push(resolve))
    }
  }
  starting = 0

  /** Run one tool; how it died when it neither succeeded nor refused its input. */
  async run(args: readonly string[], options: RunOptions): Promise<YowaspDone | ToolDeath> {
    const slot = await this.take()
    try {
      return await this.runIn(slot, args, options)
    } finally {
      slot.busy = false
      this.queue.shift()?.()
    }
  }

  private async runIn(slot: Slot, args: readonly string[], options: RunOptions): Promise<YowaspDone | ToolDeath> {
    checkInterrupted(options.signal)
    const job: YowaspJob = { id: ++this.sequence, args, cwd: options.cwd }
    const abort = () => void slot.worker.terminate()
    options.signal?.addEventListener('abort', abort, { once: true })
    const { limits } = options
    let timedOut = false
    const expire = () => {
      timedOut = true
      void slot.worker.terminate()
    }
    const timer = limits === undefined ? undefined : setTimeout(expire, limits.wallSeconds * 1000)
    try {
      return await new Promise<YowaspDone>((resolve, reject) => {
        slot.waiting = { id: job.id, settle: (done) => (done instanceof Error ? reject(done) : resolve(done)) }
        slot.worker.ref()
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        slot.worker.postMessage(job)
      })
    } catch (cause) {
      checkInterrupted(options.signal)
      if (timedOut) return { reason: 'timeout', how: `${args[0]} was still running after ${limits?.wallSeconds} s` }
      const isMemory = (cause as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
      return { reason: isMemory ? 'out-of-memory' : 'compiler-crash', how: String(cause) }
    } finally {
      clearTimeout(timer)
      slot.worker.unref()
      options.signal?.removeEventListener('abort', abort)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.slots.map((slot) => slot.worker.terminate()))
    await fs.rm(await this.scratch, { recursive: true, force: true })
  }
}

/** LLVM gives up with a trap when it cannot write its output; that is no crash of the compiler. */
function refuseFullDisk(args: readonly string[], output: string): void {
  const full = /no space left on device|disk quota exceeded|read-only file system/i.exec(output)?.[0]
  if (full === undefined) return
  throw new InfrastructureError(`cannot write: ${full}`, {
    where: args.at(-1) ?? '',
    found: full,
    todo: 'free space or move the cache with DRVPORT_CACHE',
  })
}

/** Open it: compiles the module (under a second); threads start with the first jobs. */
export async function openYowasp(): Promise<Toolchain> {
  const found = await find()
  if (found === undefined) throw new InfrastructureError('no yowasp toolchain', { expected: PACKAGE, todo: TODO })
  const width = os.availableParallelism()
  const pool = new Pool(found.wasm, width)
  const run = async (tool: string, args: readonly string[], options: RunOptions): Promise<ToolRun> => {
    const start = performance.now()
    const done = await pool.run([tool, ...args], options)
    if ('reason' in done) return { ok: false, output: '', ms: performance.now() - start, death: done }
    const { output, ms, crash } = done
    if (crash === undefined) return { ok: done.status === 0, output, ms }
    refuseFullDisk(args, output)
    return { ok: false, output, ms, death: { reason: 'compiler-crash', how: `${tool} crashed: ${crash}` } }
  }
  return {
    name: 'yowasp',
    version: found.version,
    llvmMajor: Number.parseInt(found.version, 10),
    how: `${PACKAGE} ${found.version} from npm`,
    id: await identityOf(`yowasp ${found.version}`, found.parts),
    precompiles: true,
    width,
    compile: (args, options) => run('clang', args, options),
    archive: (output, objects, options) => run('ar', ['rcsD', output, ...objects], options),
    link: (args, options) => run('wasm-ld', args, options),
    close: () => pool.close(),
  }
}
