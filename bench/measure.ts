/**
 * What a command costs: wall time, processor time of it and everything it started, and the most memory they held.
 *
 * Knows nothing of what it runs. Linux only: memory is read from /proc.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export interface Cost {
  /** Exit status; -1 when a signal ended it. */
  readonly status: number
  readonly wallMs: number
  /** User and system time of the command and of every process it waited for. */
  readonly cpuMs: number
  /** Largest sum of resident memory over all its processes at one moment; pages they share count once for each. */
  readonly peakBytes: number
  readonly stdout: string
  readonly stderr: string
}

/** Between two looks at memory, in ms: a compiler lives about as long, and looking costs time. */
const SAMPLE_MS = 250
const PAGE_BYTES = 4096

const readOr = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // it has ended
  }
}

/** Resident bytes of a process and its descendants. */
function residentBytes(root: number): number {
  const children = new Map<number, number[]>()
  const resident = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readOr(`/proc/${name}/stat`)
    // The program's name is in parentheses and may hold anything; state is the first field behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [pid, parent, pages] = [Number(name), Number(fields[1]), Number(fields[21])]
    children.set(parent, [...(children.get(parent) ?? []), pid])
    resident.set(pid, pages * PAGE_BYTES)
  }
  const sum = (pid: number): number =>
    (children.get(pid) ?? []).reduce((total, child) => total + sum(child), resident.get(pid) ?? 0)
  return sum(root)
}

/** Milliseconds of user and system time in the second line of what the shell's `times` prints: `0m1.50s 0m0.25s`. */
export function parseTimes(text: string): number {
  const parts = [...(text.trim().split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  if (parts.length !== 2) throw new Error(`the shell's times are not two lines of two: ${JSON.stringify(text)}`)
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000, 0)
}

/** Run a command to its end. Its status is part of the result. */
export async function cost(
  command: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<Cost> {
  const start = performance.now()
  // A shell adds up what its children used, which Node does not tell; file descriptor 3 carries it.
  const child = spawn('sh', ['-c', '"$@"; status=$?; times >&3; exit $status', 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: options.env ?? process.env,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  })
  const texts = ['', '', '']
  child.stdio.slice(1).forEach((stream, i) => stream?.on('data', (chunk: Buffer) => (texts[i] += chunk.toString())))
  let peakBytes = 0
  const look = (): void => {
    peakBytes = Math.max(peakBytes, residentBytes(child.pid as number))
  }
  const sampling = setInterval(look, SAMPLE_MS)
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? -1))
  })
  const wallMs = performance.now() - start
  clearInterval(sampling)
  const [stdout, stderr, times] = texts as [string, string, string]
  return { status, wallMs, cpuMs: parseTimes(times), peakBytes, stdout, stderr }
}
