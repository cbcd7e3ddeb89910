/**
 * Running a native tool: output collected and bounded, the process ended when the build is interrupted.
 *
 * A tool that reports errors is a result; one that cannot be started is an infrastructure error. How one ended that was
 * killed is told by runProcess(); runTool() takes it for an infrastructure error.
 */

import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { InfrastructureError, Interrupted } from '../errors.ts'

/** Bytes of output kept; a template-sized flood of errors must not fill memory. */
const OUTPUT_LIMIT = 1 << 20

export interface ToolOutput {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface ToolOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
  readonly signal?: AbortSignal
  /** Called with each line of stdout as it arrives. */
  readonly onLine?: (line: string) => void
  /** After so long the process is killed, with all that it has started. */
  readonly wallSeconds?: number
}

export interface ProcessEnd extends Omit<ToolOutput, 'status'> {
  /** Null when a signal ended it. */
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly timedOut: boolean
}

/** Run a program to its end. Throws InfrastructureError when it cannot be started or dies by a signal. */
export async function runTool(file: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolOutput> {
  const { status, signal, stdout, stderr } = await runProcess(file, args, options)
  if (status !== null) return { status, stdout, stderr }
  throw new InfrastructureError(`${path.basename(file)} was ended by ${signal ?? 'a signal'}`, {
    found: stderr.slice(-500),
  })
}

/** Run a program to its end, whichever. Throws InfrastructureError when it cannot be started, Interrupted. */
export function runProcess(file: string, args: readonly string[], options: ToolOptions = {}): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted === true) return reject(new Interrupted())
    const limited = options.wallSeconds !== undefined
    const { spawn } = process.getBuiltinModule('node:child_process')
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      // A group of its own can be killed whole: a compiler driver may wait for a compiler.
      detached: limited,
    })
    const text = { stdout: '', stderr: '' }
    let partial = ''
    let timedOut = false
    const kill = (signal: NodeJS.Signals) => (limited ? killGroup(child.pid, signal) : child.kill(signal))
    const abort = () => kill('SIGTERM')
    const expire = () => {
      timedOut = true
      kill('SIGKILL')
    }
    const timer = limited ? setTimeout(expire, (options.wallSeconds ?? 0) * 1000) : undefined
    const end = () => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', abort)
    }
    options.signal?.addEventListener('abort', abort, { once: true })
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      if (text.stdout.length < OUTPUT_LIMIT) text.stdout += chunk
      if (options.onLine === undefined) return
      const lines = (partial + chunk).split('\n')
      partial = lines.pop() ?? ''
      lines.forEach(options.onLine)
    })
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      if (text.stderr.length < OUTPUT_LIMIT) text.stderr += chunk
    })
    if (options.input !== undefined) child.stdin?.on('error', () => undefined).end(options.input)
    child.on('error', (cause) => {
      end()
      reject(
        new InfrastructureError(`cannot run ${file}`, {
          where: options.cwd ?? process.cwd(),
          cause,
          todo: 'see `drvport doctor`',
        }),
      )
    })
    child.on('close', (status, signal) => {
      end()
      // Ctrl-C on a terminal reaches the tool too, which may be gone before we hear of it.
      if (options.signal?.aborted === true || signal === 'SIGINT') reject(new Interrupted())
      else resolve({ status, signal, timedOut, ...text })
    })
  })
}

/** Send a signal to a process, if there is one, and to all that it has started in its group. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // It has just ended.
  }
}

/** Full path of a program on PATH, or undefined. All such questions are asked at once: a start asks a hundred of them. */
export function findProgram(name: string, searchPath = process.env['PATH'] ?? ''): Promise<string | undefined> {
  const places = name.includes('/') ? [''] : searchPath.split(':').filter((dir) => dir !== '')
  return Promise.resolve(places.map((dir) => path.join(dir, name)).find(isProgram))
}

function isProgram(file: string): boolean {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Whether a file is a program of the processor's, and not a script that another one runs. Throws where it cannot be read. */
export async function isNative(file: string): Promise<boolean> {
  await using handle = await fs.open(file)
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
  return buffer.toString('latin1') === '\x7fELF'
}

/** Names on PATH that match, without directories. */
export function listPrograms(pattern: RegExp, searchPath = process.env['PATH'] ?? ''): Promise<string[]> {
  const dirs = new Set(searchPath.split(':').filter((dir) => dir !== '' && existsSync(dir)))
  const found = [...dirs].flatMap((dir) => namesIn(dir).filter((name) => pattern.test(name)))
  return Promise.resolve([...new Set(found)].toSorted())
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
