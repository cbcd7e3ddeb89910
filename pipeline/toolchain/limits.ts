/**
 * Running a native compiler within limits, and telling a compiler that died from one that refused its input.
 *
 * util-linux's prlimit holds the process to its share of CPU and memory; where there is none, only the clock does.
 */

import * as os from 'node:os'
import * as path from 'node:path'
import { InfrastructureError } from '../errors.ts'
import { findProgram, runProcess, type ProcessEnd } from './process.ts'
import type { Standbys } from './standby.ts'
import type { CompileLimits, RunOptions, ToolDeath, ToolRun } from './types.ts'

const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP', 'SIGSYS'])

/** A shell or a compiler driver tells its child's signal as 128 and its number. */
function signalOf({ status, signal }: Pick<ProcessEnd, 'status' | 'signal'>): string | undefined {
  if (signal !== null) return signal
  if (status === null || status <= 128) return undefined
  return Object.entries(os.constants.signals).find(([, number]) => number === status - 128)?.[0]
}

/** How a process died; undefined when it ended by itself. Throws InfrastructureError when somebody ended it. */
export function deathOf(end: Omit<ProcessEnd, 'stdout'>, tool: string, limits?: CompileLimits): ToolDeath | undefined {
  if (end.timedOut) return { reason: 'timeout', how: `${tool} was still running after ${limits?.wallSeconds} s` }
  const signal = signalOf(end)
  if (signal === undefined) return undefined
  if (signal === 'SIGXCPU')
    return { reason: 'timeout', how: `${tool} took more than ${limits?.cpuSeconds} s of CPU time` }
  // Nobody but the kernel, short of memory, kills a compiler like that.
  if (signal === 'SIGKILL') return { reason: 'out-of-memory', how: `${tool} was killed (SIGKILL)` }
  if (CRASHES.has(signal)) return { reason: 'compiler-crash', how: `${tool} crashed (${signal})` }
  if (end.signal === null) return undefined
  throw new InfrastructureError(`${tool} was ended by ${signal}`, { found: end.stderr.slice(-500) })
}

const limiters = new Map<string, Promise<string | undefined>>()

async function limiterIn(searchPath: string): Promise<string | undefined> {
  const known = limiters.get(searchPath) ?? findProgram('prlimit', searchPath)
  limiters.set(searchPath, known)
  return known
}

/**
 * What a compiler or linker takes from its environment beside its arguments: search paths, options, a date. An object would
 * depend on who made it, and its key says nothing of that.
 */
const MEDDLING =
  /^(?:CPATH|(?:C|CPLUS|OBJC|OBJCPLUS)_INCLUDE_PATH|LIBRARY_PATH|COMPILER_PATH|GCC_EXEC_PREFIX|CCC_.*|CLANG_.*|SOURCE_DATE_EPOCH|DEPENDENCIES_OUTPUT|SUNPRO_DEPENDENCIES|EMCC_CFLAGS|EMMAKEN_CFLAGS|LD_PRELOAD)$/

/** The environment without it. */
export const undisturbed = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !MEDDLING.test(name)))

/** Programs of a toolchain, run with an environment and within the limits that a run is given; by `standbys`, as far as they do. */
export function nativeRunner(given: NodeJS.ProcessEnv, standbys?: Pick<Standbys, 'run'>) {
  const env = undisturbed(given)
  return async (file: string, args: readonly string[], options: RunOptions): Promise<ToolRun> => {
    const start = performance.now()
    const { limits, ...others } = options
    const toRun = (end: ProcessEnd): ToolRun => {
      const death = deathOf(end, path.basename(file), limits)
      const output = end.stdout + end.stderr
      return { ok: end.status === 0, output, ms: performance.now() - start, ...(death && { death }) }
    }
    const stoodBy = await standbys?.run(file, { args, ...options })
    if (stoodBy !== undefined) return toRun(stoodBy)
    const limiter = limits === undefined ? undefined : await limiterIn(env['PATH'] ?? '')
    // The soft limit's signal is told apart from the kill of a process that takes too much memory.
    const prefix =
      limits === undefined || limiter === undefined
        ? []
        : [
            limiter,
            `--cpu=${limits.cpuSeconds}:${limits.cpuSeconds + 5}`,
            `--as=${limits.memoryBytes}`,
            '--core=0',
            '--',
          ]
    const [program = file, ...all] = [...prefix, file, ...args]
    const wall = limits === undefined ? {} : { wallSeconds: limits.wallSeconds }
    const end = await runProcess(program, all, { ...others, ...wall, env })
    const output = end.stdout + end.stderr
    if (limiter !== undefined && end.status !== 0 && /prlimit: failed to execute/.test(output))
      throw new InfrastructureError(`cannot run ${file}`, { found: output.trim(), todo: 'see `drvport doctor`' })
    return toRun(end)
  }
}
