/**
 * Kill a matrix at random moments and go on: is the result that of a run which nobody disturbed?
 *
 *   node bench/kill.ts SELECTOR... [--tree NAME] [--until RUNG] [--times N] [--seed N]
 *
 * Both runs begin with empty caches (the trees are shared, read-only). The moments are drawn from the seed, over as long
 * as the undisturbed run took; each kill is a SIGKILL of drvport alone, so that its compilers are left behind as a crash
 * leaves them. Prints what it did; exit status 1 when the results differ.
 */

import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { cacheDir } from '../pipeline/cache.ts'
import type { MatrixDocument } from '../pipeline/matrix/types.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tree: { type: 'string', default: 'linux-6.1' },
    until: { type: 'string', default: 'link' },
    times: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
  },
})
const seed = Number(values.seed)
const main = path.join(import.meta.dirname, '..', 'cli', 'main.ts')
const args = ['matrix', ...positionals, '--tree', values.tree, '--until', values.until, '--json']

/** xorshift: the moments are the same for the same seed. */
function random(state: number): () => number {
  let x = (state * 2_654_435_761) >>> 0 || 1
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) / 2 ** 32
  }
}

interface Run {
  /** Ends when the process has; false when it was killed. */
  readonly ended: Promise<boolean>
  kill(): void
  readonly output: string
}

function start(cache: string, name: string): Run {
  const output = path.join(cache, `${name}.json`)
  const env = { ...process.env, DRVPORT_CACHE: cache, DRVPORT_TREES: process.env['DRVPORT_TREES'] ?? cacheDir() }
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  child.stdout.pipe(createWriteStream(output))
  const ended = new Promise<boolean>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => {
      if (signal === 'SIGKILL') resolve(false)
      else if (status === 0) resolve(true)
      else reject(new Error(`drvport ended with ${status ?? signal}`))
    })
  })
  return { ended, output, kill: () => void child.kill('SIGKILL') }
}

async function matrixOf(run: Run): Promise<MatrixDocument> {
  await run.ended
  return JSON.parse(await fs.readFile(run.output, 'utf8')) as MatrixDocument
}

const log = (text: string) => process.stdout.write(`${text}\n`)
const home = await fs.mkdtemp(path.join(process.env['TMPDIR'] ?? os.tmpdir(), 'drvport-kill-'))
const cache = async (name: string) => {
  const dir = path.join(home, name)
  await fs.mkdir(dir)
  return dir
}

try {
  log(`seed ${seed}: drvport ${args.join(' ')}`)
  const undisturbed = await matrixOf(start(await cache('undisturbed'), 'matrix'))
  const { modules, digest } = undisturbed.summary
  log(`undisturbed: ${modules} modules in ${(undisturbed.ms / 1000).toFixed(1)} s, digest ${digest}`)

  const next = random(seed)
  const disturbed = await cache('disturbed')
  const times = Number(values.times)
  for (let i = 1; i <= times; i++) {
    const run = start(disturbed, `killed-${i}`)
    // Starting up takes a part of each run, and what was done before is not done again.
    const wait = 1000 + next() * 1.6 * (undisturbed.ms / times)
    const done = await Promise.race([run.ended, sleep(wait, false, { ref: false })])
    run.kill()
    await run.ended
    log(done ? `${i}: had ended before it could be killed` : `${i}: killed after ${(wait / 1000).toFixed(1)} s`)
  }
  const resumed = await matrixOf(start(disturbed, 'resumed'))
  log(
    `resumed: ${resumed.summary.modules} modules in ${(resumed.ms / 1000).toFixed(1)} s, digest ${resumed.summary.digest}`,
  )
  const same = resumed.summary.digest === digest && !resumed.interrupted
  log(same ? 'the same' : 'NOT THE SAME')
  if (!same) await fs.writeFile('kill-differs.json', JSON.stringify({ undisturbed, resumed }))
  process.exitCode = same ? 0 : 1
} finally {
  await fs.rm(home, { recursive: true, force: true })
}
