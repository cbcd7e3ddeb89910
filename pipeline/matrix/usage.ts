/**
 * What a run costs the computer: processor time of this process and of every tool it ran, and its own peak of memory.
 *
 * Node tells only of itself; Linux adds the children that have ended (proc(5), /proc/self/stat: cutime, cstime).
 */

import { readFileSync } from 'node:fs'
import { standing } from '../toolchain/standby.ts'

/** Linux gives times to user space in hundredths of a second, on every architecture. */
const TICK_MS = 10

/** Processor milliseconds of a process and of its children that have ended; undefined where nobody tells. */
function cpuMsOf(pid: number | 'self'): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // utime, stime, cutime, cstime are fields 14 to 17 of all, 11 to 14 of these.
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0)
  } catch {
    return undefined
  }
}

/** Processor milliseconds since the process began, those of its tools included; undefined where nobody tells. */
export function cpuMs(): number | undefined {
  const own = cpuMsOf('self')
  return own && [...standing].reduce((sum, pid) => sum + (cpuMsOf(pid) ?? 0), own)
}

/** Peak of this process's resident memory so far, in bytes. */
export const peakBytes = (): number => process.resourceUsage().maxRSS * 1024
