/**
 * Compilers that stand by: a program is started once, and each of its jobs is a fork of what it has become by then.
 *
 * Of the processor time that a small file costs, a third is mapping, relocating and initialising the compiler's libraries.
 * standby.c, preloaded, has that done once for all files; it says how. The objects are the same to the byte, limits hold
 * as they do for a process of its own, and a job that dies takes nobody along. Where a program cannot be made to stand by
 * (another libc, no headers to compile standby.c with), who asks is told so and spawns it as ever.
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { constants as os } from 'node:os'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import type { Socket } from 'node:net'
import { cachePath, contentKey, exists } from '../cache.ts'
import { Interrupted } from '../errors.ts'
import { packageRoot } from '../root.ts'
import { isNative, killGroup, runTool, type ProcessEnd } from './process.ts'
import type { CompileLimits } from './types.ts'

const SOURCE = path.join(packageRoot, 'pipeline', 'toolchain', 'standby.c')

/** Bytes of `struct job` in standby.c. */
const JOB_BYTES = 24

/** A program is given up when it does not stand by so soon. */
const READY_MS = 20_000

/** Jobs of a program before it is worth having it stand by: starting it so costs as much as two of them. */
const JOBS_BEFORE = 4

/** Heaps of large pages: a fourth of a compile's page faults are left. */
const LARGE_PAGES = 'glibc.malloc.hugetlb=1'

export interface StandbyJob {
  readonly args: readonly string[]
  readonly cwd: string
  readonly limits?: CompileLimits
  readonly signal?: AbortSignal
}

export interface Standby {
  /** Undefined when it ended before the job did, which says nothing of the job. Throws Interrupted. */
  run(job: StandbyJob): Promise<ProcessEnd | undefined>
  /** End it, and what it still does. When that has happened, its time is counted among this process's children's. */
  close(): Promise<void>
}

/** The programs of one toolchain that stand by, each from when it is worth it. */
export interface Standbys {
  /** As Standby's, and undefined too where the program does not stand by, or not yet. */
  run(file: string, job: StandbyJob): Promise<ProcessEnd | undefined>
  close(): Promise<void>
}

/** `cc` compiles for this computer. */
export function openStandbys(cc: string, env: NodeJS.ProcessEnv): Standbys {
  const programs = new Map<string, { jobs: number; standby?: Standby }>()
  let closed = false
  const open = async (file: string, program: { standby?: Standby }): Promise<void> => {
    const standby = await openStandby(file, cc, env)
    if (standby === undefined) return
    if (closed) await standby.close()
    else program.standby = standby
  }
  return {
    run: (file, job) => {
      const program = programs.get(file) ?? { jobs: 0 }
      programs.set(file, program)
      if (++program.jobs === JOBS_BEFORE) void open(file, program)
      return program.standby?.run(job) ?? Promise.resolve(undefined)
    },
    close: async () => {
      closed = true
      await Promise.all([...programs.values()].map(({ standby }) => standby?.close()))
    },
  }
}

interface Running {
  readonly settle: (end: ProcessEnd | undefined) => void
  readonly started: (pid: number) => void
}

let objectsMade = 0

/** The shared object that is preloaded, made by `cc` when it is not there. Undefined where it cannot be. */
async function preloaded(cc: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const object = cachePath('standby', `${contentKey([await fs.readFile(SOURCE, 'utf8'), process.arch])}.so`)
  if (await exists(object)) return object
  const made = `${object}.${process.pid}.${++objectsMade}`
  await fs.mkdir(path.dirname(object), { recursive: true })
  const { status } = await runTool(cc, ['-O2', '-shared', '-fPIC', SOURCE, '-o', made], { env })
  if (status !== 0) return undefined
  await fs.rename(made, object)
  return object
}

/** Have a program stand by, in the given environment. Undefined where that cannot be. */
export async function openStandby(file: string, cc: string, env: NodeJS.ProcessEnv): Promise<Standby | undefined> {
  // What runs a script is another program than the script, with other arguments.
  if (process.platform !== 'linux' || !(await isNative(file).catch(() => false))) return undefined
  const object = await preloaded(cc, env).catch(() => undefined)
  if (object === undefined) return undefined
  const child = spawn(file, [], {
    env: { GLIBC_TUNABLES: LARGE_PAGES, ...env, LD_PRELOAD: object, LD_BIND_NOW: '1' },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS)
    const jobs = new Jobs(file, child, () => {
      clearTimeout(timer)
      resolve(jobs)
    })
    const none = (): void => {
      clearTimeout(timer)
      resolve(undefined)
    }
    child.on('error', none).on('close', none)
  })
}

/** Processes that stand by now: until one ends, what its jobs cost is counted as its own and not as this process's. */
export const standing = new Set<number>()

class Jobs implements Standby {
  readonly #file: string
  readonly #child: ChildProcess
  readonly #input: Socket
  readonly #output: Socket
  readonly #running = new Map<number, Running>()
  #last = 0
  #ended = false

  constructor(file: string, child: ChildProcess, ready: () => void) {
    this.#file = file
    this.#child = child
    this.#input = child.stdin as Socket
    this.#output = child.stdout as Socket
    this.#input.on('error', () => undefined)
    this.#output.on(
      'data',
      reader((line, text) => (line === 'r' ? this.#ready(ready) : this.#heard(line, text))),
    )
    const pid = child.pid ?? 0
    standing.add(pid)
    const end = (): void => {
      this.#ended = true
      standing.delete(pid)
      for (const job of this.#running.values()) job.settle(undefined)
    }
    child.on('error', end).on('close', end)
  }

  run({ args, cwd, limits, signal }: StandbyJob): Promise<ProcessEnd | undefined> {
    if (signal?.aborted === true) return Promise.reject(new Interrupted())
    if (this.#ended) return Promise.resolve(undefined)
    const id = ++this.#last
    this.#hold(true)
    return new Promise((resolve, reject) => {
      let pid: number | undefined
      let timedOut = false
      const kill = (name: NodeJS.Signals): void => killGroup(pid, name)
      const abort = (): void => kill('SIGTERM')
      const expire = (): void => {
        timedOut = true
        kill('SIGKILL')
      }
      const timer = limits && setTimeout(expire, limits.wallSeconds * 1000)
      signal?.addEventListener('abort', abort, { once: true })
      const settle = (end: ProcessEnd | undefined): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', abort)
        this.#running.delete(id)
        if (this.#running.size === 0) this.#hold(false)
        if (signal?.aborted === true || end?.signal === 'SIGINT') reject(new Interrupted())
        else resolve(end && { ...end, timedOut })
      }
      const started = (of: number): void => {
        pid = of
        if (signal?.aborted === true) abort()
        if (timedOut) expire()
      }
      this.#running.set(id, { settle, started })
      this.#input.write(messageOf(id, [cwd, this.#file, ...args], limits))
    })
  }

  async close(): Promise<void> {
    if (this.#ended) return
    this.#hold(true)
    this.#input.end()
    await once(this.#child, 'close')
  }

  #ready(tell: () => void): void {
    this.#hold(false)
    tell()
  }

  /** This process may end while the program stands by, not while it works. */
  #hold(held: boolean): void {
    for (const part of [this.#child, this.#input, this.#output]) {
      if (held) part.ref()
      else part.unref()
    }
  }

  #heard(line: string, text: string): void {
    const [kind, id, value] = line.split(' ')
    const job = this.#running.get(Number(id))
    if (kind === 's') job?.started(Number(value))
    else job?.settle({ ...endOf(Number(value)), stdout: '', stderr: text, timedOut: false })
  }
}

/** Calls with each line, and with the bytes that a line of an end says come after it. */
function reader(onLine: (line: string, text: string) => void): (chunk: Buffer) => void {
  let kept: Buffer = Buffer.alloc(0)
  return (chunk) => {
    kept = kept.length === 0 ? chunk : Buffer.concat([kept, chunk])
    for (let end = kept.indexOf(10); end >= 0; end = kept.indexOf(10)) {
      const line = kept.toString('latin1', 0, end)
      const bytes = line.startsWith('e') ? Number(line.split(' ')[3]) : 0
      if (kept.length < end + 1 + bytes) return
      const text = kept.toString('utf8', end + 1, end + 1 + bytes)
      kept = kept.subarray(end + 1 + bytes)
      onLine(line, text)
    }
  }
}

function messageOf(id: number, texts: readonly string[], limits?: CompileLimits): Buffer {
  const body = Buffer.from(texts.map((text) => `${text}\0`).join(''))
  const head = Buffer.alloc(JOB_BYTES)
  const words = [id, body.length, texts.length, limits?.cpuSeconds ?? 0]
  words.forEach((word, i) => head.writeUInt32LE(word, 4 * i))
  head.writeBigUInt64LE(BigInt(limits?.memoryBytes ?? 0), 16)
  return Buffer.concat([head, body])
}

/** What wait() says of an end: a signal in the lower seven bits, or else a status above them. */
function endOf(wait: number): Pick<ProcessEnd, 'status' | 'signal'> {
  const number = wait & 0x7f
  if (number === 0) return { status: (wait >> 8) & 0xff, signal: null }
  const name = Object.entries(os.signals).find(([, value]) => value === number)?.[0]
  return { status: null, signal: (name ?? 'SIGKILL') as NodeJS.Signals }
}
