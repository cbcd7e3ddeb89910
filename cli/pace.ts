/**
 * The wall clock as a machine's pace: virtual time follows it at a ratio. The only place where a machine meets the host's
 * clock; what comes of it enters the machine as recorded inputs (kernel/record.ts).
 */
import { UsageError } from '../pipeline/errors.ts'
import type { Pace } from '../kernel/pace.ts'

/** Timers of the host are no finer, and no longer, ms. */
const FINEST_MS = 1
const LONGEST_MS = 0x7fff_ffff

/** What a pace needs of the host. */
export interface HostClock {
  nowMs(): number
  /** Call back after so many ms, or at the host's next turn for 0; returns how to call it off. */
  after(ms: number, call: () => void): () => void
}

export const hostClock: HostClock = {
  nowMs: () => performance.now(),
  after(ms, call) {
    if (ms < FINEST_MS) {
      const soon = setImmediate(call)
      return () => clearImmediate(soon)
    }
    const timer = setTimeout(call, Math.min(ms, LONGEST_MS))
    return () => clearTimeout(timer)
  },
}

/** `ratio` virtual seconds in a second of the wall. */
export function wallPace(ratio: number, clock: HostClock = hostClock): Pace {
  /** Where virtual time was when the wall was at `from`. */
  let base = 0
  let from = clock.nowMs()
  let still = false
  let wake: (() => void) | undefined
  const now = (): number => (still ? base : base + (clock.nowMs() - from) * 1e6 * ratio)
  return {
    now,
    hurry: () => wake?.(),
    hold(hold) {
      base = now()
      from = clock.nowMs()
      still = hold
    },
    wait: (ns) =>
      new Promise((resolve) => {
        const left = (ns - now()) / 1e6 / ratio
        const cancel = left === Infinity ? () => {} : clock.after(left, () => wake?.())
        wake = () => {
          wake = undefined
          cancel()
          resolve()
        }
      }),
  }
}

/** `real`, or virtual seconds in a second of the wall. Throws UsageError. */
export function parsePace(text: unknown): number | undefined {
  if (text === undefined) return undefined
  const ratio = text === 'real' ? 1 : Number(text)
  if (ratio > 0 && ratio < Infinity) return ratio
  throw new UsageError('--pace takes real, or how many seconds of virtual time go with one of the wall', {
    found: String(text),
    todo: 'give one, as in --pace real or --pace 0.1',
  })
}
