/**
 * The cache directory, and the few ways of writing into it that several processes can use at once.
 *
 * A file appears under its name whole or not at all; the same work is done by one process at a time; everything in the
 * cache can be deleted and is then made again. Knows nothing of what is stored.
 */

import { createHash, hash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cacheDir } from './cache-dir.ts'
import { asInfrastructure, checkInterrupted } from './errors.ts'

export { cacheDir }

/** What comes from outside and what is configured: costly to make, and the same for everybody. */
const COMMON = new Set(['trees', 'kbuild', 'debs', 'downloads', 'locks'])

/** A path in the cache. Trees and their configuration may lie in another one, which DRVPORT_TREES names. */
export function cachePath(...parts: string[]): string {
  const trees = process.env['DRVPORT_TREES']
  const base = trees && COMMON.has(parts[0] ?? '') ? path.resolve(trees) : cacheDir()
  return path.join(base, ...parts)
}

/** SHA-256 of bytes or text, in hex. */
export function sha256(data: string | NodeJS.ArrayBufferView): string {
  return hash('sha256', data)
}

/** SHA-256 of a file's content, in hex, without holding it in memory. */
export async function sha256File(file: string): Promise<string> {
  const whole = createHash('sha256')
  for await (const chunk of createReadStream(file)) whole.update(chunk as Buffer)
  return whole.digest('hex')
}

/** One hash over a list of named values; unlike joining strings, it cannot collide by shifting a boundary. */
export function contentKey(parts: readonly (string | number)[]): string {
  return sha256(JSON.stringify(parts))
}

/** Asked at once, and an answer all the same for those who wait: the event loop would take many times as long. */
export const exists = (file: string): Promise<boolean> => Promise.resolve(existsSync(file))

/** This process and thread among all that write into the cache: the process's number, and for a worker its thread's. */
export function writerName(): string {
  const { isMainThread, threadId } = process.getBuiltinModule('node:worker_threads')
  return isMainThread ? String(process.pid) : `${process.pid}-${threadId}`
}

let sequence = 0

/** A name beside `target` that no other writer uses; on the same file system, so that rename is atomic. */
export function temporaryName(target: string): string {
  sequence += 1
  return path.join(path.dirname(target), `.${path.basename(target)}.${writerName()}.${sequence}.tmp`)
}

/** Write a file so that readers see the old content or the new, never a part. */
export async function writeAtomic(file: string, data: string | Uint8Array): Promise<void> {
  const temporary = temporaryName(file)
  try {
    await fs.mkdir(path.dirname(file), { recursive: true })
    await fs.writeFile(temporary, data)
    await fs.rename(temporary, file)
  } catch (error) {
    await fs.rm(temporary, { force: true })
    throw asInfrastructure(error, file)
  }
}

/** A file's text; undefined when it cannot be read. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** What a JSON file of the cache holds; undefined when it is not there, or damaged: what is in the cache can be made again. */
export async function readKept<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch {
    return undefined
  }
}

/**
 * Make a directory so that it appears whole or not at all. `fill` writes into a temporary directory, which then takes
 * the name. If another process was faster, its result stays and ours goes.
 */
export async function makeDirectoryAtomic(dir: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryName(dir)
  try {
    await fs.mkdir(temporary, { recursive: true })
    await fill(temporary)
    await fs.rename(temporary, dir)
  } catch (error) {
    await fs.rm(temporary, { recursive: true, force: true })
    const code = (error as NodeJS.ErrnoException).code
    if ((code === 'ENOTEMPTY' || code === 'EEXIST') && (await exists(dir))) return
    throw asInfrastructure(error, dir)
  }
}

/** As makeDirectoryAtomic, but replaces what is there. */
export async function replaceDirectory(dir: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryName(dir)
  const old = temporaryName(`${dir}.old`)
  try {
    await fs.mkdir(temporary, { recursive: true })
    await fill(temporary)
    await fs.rename(dir, old).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    await fs.rename(temporary, dir)
  } catch (error) {
    // Another process put its own there in between: equally new.
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw asInfrastructure(error, dir)
  } finally {
    await fs.rm(temporary, { recursive: true, force: true })
    await fs.rm(old, { recursive: true, force: true })
  }
}

/** Whether a process is still there (it may belong to another user). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The boot's identity and the process's start, so that a recycled process number is not taken for the owner. */
async function processIdentity(pid: number): Promise<string> {
  try {
    const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

async function tryLock(lock: string): Promise<boolean> {
  const owner = `${process.pid} ${await processIdentity(process.pid)}\n`
  // The content must be there from the first instant: write beside, then link, which fails if the name exists.
  const temporary = temporaryName(lock)
  await fs.writeFile(temporary, owner)
  try {
    await fs.link(temporary, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await fs.rm(temporary, { force: true })
  }
}

/** The content of a lock whose owner has died. */
async function staleContent(lock: string): Promise<string | undefined> {
  const text = await fs.readFile(lock, 'utf8').catch(() => '')
  const [pid, started] = text.trim().split(' ')
  if (pid === undefined || pid === '') return undefined // gone meanwhile: the next attempt decides
  if (!isAlive(Number(pid))) return text
  const recycled = started !== undefined && started !== '' && (await processIdentity(Number(pid))) !== started
  return recycled ? text : undefined
}

/** Remove a stale lock. Another process may have done so first and hold a new one: that is put back. */
async function breakLock(lock: string, stale: string): Promise<void> {
  const aside = temporaryName(lock)
  try {
    await fs.rename(lock, aside)
    if ((await fs.readFile(aside, 'utf8')) !== stale) await fs.link(aside, lock)
  } catch {
    // Somebody was faster: the next attempt decides.
  } finally {
    await fs.rm(aside, { force: true })
  }
}

const held = new Map<string, Promise<unknown>>()

export interface LockOptions {
  readonly signal?: AbortSignal
  /** Called once when somebody else holds the lock. */
  readonly onWait?: () => void
}

/**
 * Run `work` while no other process (and no other caller here) runs under the same name. A lock whose owner has died is
 * taken over. `name` becomes a file `<cache>/locks/<name>`.
 */
export async function withLock<T>(name: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const lock = cachePath('locks', name.replaceAll(/[^A-Za-z0-9._-]/g, '_'))
  const before = held.get(lock) ?? Promise.resolve()
  const run = before.then(() => lockAndRun(lock, work, options))
  const settled = run.catch(() => undefined)
  held.set(lock, settled)
  try {
    return await run
  } finally {
    if (held.get(lock) === settled) held.delete(lock)
  }
}

async function lockAndRun<T>(lock: string, work: () => Promise<T>, options: LockOptions): Promise<T> {
  await fs.mkdir(path.dirname(lock), { recursive: true }).catch((error: unknown) => {
    throw asInfrastructure(error, lock)
  })
  let told = false
  while (!(await tryLock(lock))) {
    const stale = await staleContent(lock)
    if (stale !== undefined) {
      await breakLock(lock, stale)
      continue
    }
    if (!told) options.onWait?.()
    told = true
    checkInterrupted(options.signal)
    await sleep(100)
  }
  try {
    return await work()
  } finally {
    await fs.rm(lock, { force: true })
  }
}

/**
 * Run `work` over items, at most `width` at a time, results in order. One failure does not stop the others: results are
 * settled. An abort lets what is running finish and leaves the rest undone (undefined).
 */
export async function inParallel<I, O>(
  items: readonly I[],
  width: number,
  work: (item: I, index: number) => Promise<O>,
  signal?: AbortSignal,
): Promise<(PromiseSettledResult<O> | undefined)[]> {
  const results = Array.from<PromiseSettledResult<O> | undefined>({ length: items.length })
  let next = 0
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) {
      if (signal?.aborted === true) return
      try {
        results[index] = { status: 'fulfilled', value: await work(items[index] as I, index) }
      } catch (reason) {
        results[index] = { status: 'rejected', reason }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(width, items.length)) }, worker))
  return results
}
