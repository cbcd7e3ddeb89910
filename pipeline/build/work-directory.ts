/**
 * Directories for what a compile writes before it is whole, in the cache, so that a finished file only has to be
 * renamed. What a killed process leaves is removed by a later one.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, isAlive, writerName } from '../cache.ts'
import { asInfrastructure } from '../errors.ts'

/** A process of this number may be alive on another computer that shares the cache: nothing young is touched. */
const ABANDONED_MS = 3_600_000

const work = () => cachePath('objects', 'work')

let sequence = 0
let swept: string | undefined

/** Run `task` with a fresh directory, which is gone afterwards. */
export async function withWorkDirectory<T>(task: (dir: string) => Promise<T>): Promise<T> {
  if (swept !== work()) {
    swept = work()
    await sweepDirectories(swept)
  }
  const dir = path.join(work(), `${writerName()}-${++sequence}`)
  try {
    await fs.mkdir(dir, { recursive: true })
    return await task(dir)
  } catch (error) {
    throw asInfrastructure(error, dir)
  } finally {
    await fs.rm(dir, { recursive: true, force: true })
  }
}

/** Remove what processes that are no more have left in a directory of entries `PID` or `PID-N`. */
export async function sweepDirectories(dir: string, now: number = Date.now()): Promise<void> {
  for (const name of await fs.readdir(dir).catch(() => [])) {
    const pid = Number.parseInt(/^(?:\.[^.]+\.)?(\d+)/.exec(name)?.[1] ?? '', 10)
    if (Number.isNaN(pid) || isAlive(pid)) continue
    const file = path.join(dir, name)
    const age = now - ((await fs.stat(file).catch(() => undefined))?.mtimeMs ?? now)
    if (age > ABANDONED_MS) await fs.rm(file, { recursive: true, force: true }).catch(() => undefined)
  }
}
