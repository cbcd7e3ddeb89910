/**
 * Work over modules, so many at a time, in their order: by path, so that a directory's files are compiled together and
 * the headers they share are parsed once.
 *
 * The first failure stops the rest, since only the infrastructure fails here: a full disk fails for every module. What is
 * under way is finished first. Knows nothing of what the work is.
 */

import { inParallel } from '../cache.ts'

/** More modules than compilers: while one links or waits for a dependency, another compiles. */
const MODULES_PER_COMPILER = 3

/** Rejects with the first failure. */
export async function schedule<T>(
  items: readonly T[],
  compilers: number,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const stop = new AbortController()
  const until = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const failed = (error: unknown) => {
    stop.abort()
    throw error
  }
  const settled = await inParallel(items, compilers * MODULES_PER_COMPILER, (item) => work(item).catch(failed), until)
  for (const outcome of settled) if (outcome?.status === 'rejected') throw outcome.reason
}
