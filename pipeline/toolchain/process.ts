/**
 * Running a native tool: output collected and bounded, the process ended when the build is interrupted.
 *
 * A tool that reports errors is a result; a tool that cannot be started, or is killed, is an infrastructure error.
 */

import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
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
}

/** Run a program to its end. Throws InfrastructureError when it cannot be started or dies by a signal. */
export function runTool(file: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolOutput> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted === true) return reject(new Interrupted())
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    const text = { stdout: '', stderr: '' }
    let partial = ''
    const abort = () => child.kill('SIGTERM')
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
      options.signal?.removeEventListener('abort', abort)
      reject(
        new InfrastructureError(`cannot run ${file}`, {
          where: options.cwd ?? process.cwd(),
          cause,
          todo: 'see `drvport doctor`',
        }),
      )
    })
    child.on('close', (status, signal) => {
      options.signal?.removeEventListener('abort', abort)
      // Ctrl-C on a terminal reaches the tool too, which may be gone before we hear of it.
      if (options.signal?.aborted === true || signal === 'SIGINT') reject(new Interrupted())
      else if (status === null)
        reject(
          new InfrastructureError(`${path.basename(file)} was ended by ${signal ?? 'a signal'}`, {
            found: text.stderr.slice(-500),
          }),
        )
      else resolve({ status, ...text })
    })
  })
}

/** Full path of a program on PATH, or undefined. */
export async function findProgram(name: string, searchPath = process.env['PATH'] ?? ''): Promise<string | undefined> {
  const places = name.includes('/') ? [''] : searchPath.split(':').filter((dir) => dir !== '')
  for (const dir of places) {
    const file = path.join(dir, name)
    const usable = await fs.access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (usable && (await fs.stat(file)).isFile()) return file
  }
  return undefined
}

/** Names on PATH that match, without directories. */
export async function listPrograms(pattern: RegExp, searchPath = process.env['PATH'] ?? ''): Promise<string[]> {
  const found = new Set<string>()
  for (const dir of searchPath.split(':').filter((entry) => entry !== '')) {
    for (const name of await fs.readdir(dir).catch(() => [])) if (pattern.test(name)) found.add(name)
  }
  return [...found].toSorted()
}
