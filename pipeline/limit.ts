/** Bounds on how many tasks run at once. Knows nothing of what they do. */

/** At most `width` of the given tasks run at once; the others wait, first come first served. */
export function limiter(width: number): <T>(task: () => Promise<T>) => Promise<T> {
  let free = width
  const waiting: (() => void)[] = []
  return async (task) => {
    if (free === 0) await new Promise<void>((go) => waiting.push(go))
    else free--
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
}
