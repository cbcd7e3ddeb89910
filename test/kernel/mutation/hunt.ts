/**
 * Mutation of the kernel: which mistakes do the reference models catch?
 *
 *   node test/kernel/mutation/hunt.ts [--file ipc.ts] [--sample N] [--seed N] [--shard I/N] [--all]
 *
 * Prints every mutant that nobody catches and that equivalent.tsv does not explain; exit status 1 when there is one.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { placeOf } from './judges.ts'
import { type Mutant, mutantsOf, strip } from './mutants.ts'
import type { Effort, Order, Verdict } from './worker.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** What is mutated. */
export const FILES = ['capability.ts', 'cspace.ts'] as const
/** Most die of the first; what lives through it meets the others. */
const EFFORTS: readonly Effort[] = [
  { runs: 10, length: 60 },
  { runs: 150, length: 100 },
  { runs: 400, length: 100 },
]
/** Mutants one process loads before it is replaced: module copies are never given back. */
const PER_WORKER = 60
/** A process that says nothing this long is stuck where no loop counts. */
const STUCK_MS = 180_000

export interface Case {
  readonly file: string
  readonly mutant: Mutant
}

export interface Outcome extends Case {
  readonly caught: string | undefined
  readonly ms: number
}

export function cases(files: readonly string[] = FILES): Case[] {
  return files.flatMap((file) => {
    const code = strip(readFileSync(root + placeOf(file), 'utf8'))
    return mutantsOf(file, code).map((mutant) => ({ file, mutant }))
  })
}

/** Key -> why nobody can tell it from the kernel. */
export function explained(): Map<string, string> {
  const text = readFileSync(new URL('equivalent.tsv', import.meta.url), 'utf8')
  const rows = text.split('\n').filter((row) => row !== '' && !row.startsWith('#'))
  return new Map(rows.map((row) => row.split('\t') as [string, string]))
}

class Hand {
  #worker: ChildProcess | undefined
  #used = 0

  async ask(order: Order): Promise<Verdict> {
    if (this.#used++ % PER_WORKER === 0) this.close()
    // A process, not a thread: a mutant that takes memory without end ends it, and not the hunt.
    const worker = (this.#worker ??= fork(new URL('worker.ts', import.meta.url), [root], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=1024'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    }))
    return new Promise((resolve) => {
      const done = (verdict: Verdict): void => {
        clearTimeout(timer)
        worker.off('message', done).off('exit', ended)
        resolve(verdict)
      }
      const ended = (): void => broken('the process ended')
      const broken = (how: string): void => {
        this.close()
        done({ caught: how, ms: 0 })
      }
      const timer = setTimeout(() => broken('the process was stuck'), STUCK_MS)
      worker.once('message', done)
      worker.once('exit', ended)
      worker.send(order)
    })
  }

  close(): void {
    this.#worker?.kill('SIGKILL')
    this.#worker = undefined
  }
}

/** Ask the judges about each; `undefined` for a mutant means the kernel as it is, which must not be caught. */
export async function hunt(
  wanted: readonly Case[],
  seed: number,
  onOutcome?: (outcome: Outcome) => void,
  efforts: readonly Effort[] = EFFORTS,
): Promise<Outcome[]> {
  const hand = new Hand()
  const outcomes: Outcome[] = []
  try {
    for (const one of wanted) {
      const verdict = await hand.ask({ ...one, seed, efforts })
      outcomes.push({ ...one, ...verdict })
      onOutcome?.(outcomes.at(-1)!)
    }
  } finally {
    hand.close()
  }
  return outcomes
}

/** The kernel as it is, under the same eyes. Returns what they say of it: nothing. */
export async function healthy(seed: number, files: readonly string[] = FILES): Promise<string[]> {
  const hand = new Hand()
  try {
    const said: string[] = []
    for (const file of files) {
      const { caught } = await hand.ask({ file, mutant: undefined, seed, efforts: EFFORTS })
      if (caught !== undefined) said.push(`${file}: ${caught}`)
    }
    return said
  } finally {
    hand.close()
  }
}

/** `count` of them, drawn by the seed. */
export function sample(all: readonly Case[], count: number, seed: number): Case[] {
  let state = (seed * 2_654_435_761) >>> 0 || 1
  const below = (n: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % n
  }
  const rest = [...all]
  return Array.from({ length: Math.min(count, rest.length) }, () => rest.splice(below(rest.length), 1)[0]!)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      file: { type: 'string', multiple: true },
      sample: { type: 'string' },
      shard: { type: 'string', default: '1/1' },
      seed: { type: 'string', default: '1' },
      // Hunt those that equivalent.tsv explains, too: one that is caught is not equivalent.
      all: { type: 'boolean', default: false },
      verbose: { type: 'boolean', short: 'v', default: false },
    },
  })
  const seed = Number(values.seed)
  const [index, shards] = values.shard.split('/').map(Number) as [number, number]
  const known = explained()
  const every = cases(values.file ?? FILES)
  const drawn = values.sample === undefined ? every : sample(every, Number(values.sample), seed)
  const mine = drawn.filter((_, i) => i % shards === index - 1)
  const wanted = mine.filter(({ mutant }) => values.all || !known.has(mutant.key))
  const show = ({ file, mutant, caught, ms }: Outcome): void => {
    if (caught === undefined && !known.has(mutant.key))
      console.log(
        `lives: ${placeOf(file)}:${mutant.line}\t${mutant.key}\t=> ${mutant.replacement.replaceAll(/\s+/g, ' ')}`,
      )
    else if (values.verbose) console.log(`${ms.toFixed(0)} ms\t${mutant.key}\t${caught ?? 'listed'}`)
  }
  const sick = await healthy(seed, values.file ?? FILES)
  if (sick.length > 0) throw new Error(`the kernel itself is caught: ${sick.join('; ')}`)
  const outcomes = await hunt(wanted, seed, show)
  for (const file of values.file ?? FILES) {
    const of = outcomes.filter((o) => o.file === file)
    const caught = of.filter((o) => o.caught !== undefined)
    const listed = mine.filter((c) => c.file === file && known.has(c.mutant.key))
    const total = new Set([...of.map((o) => o.mutant.key), ...listed.map((c) => c.mutant.key)]).size
    const wrong = caught.filter((o) => known.has(o.mutant.key))
    for (const { mutant } of wrong) console.log(`listed as equivalent, but caught: ${mutant.key}`)
    console.log(`${file}: ${total} mutants, ${caught.length} caught, ${listed.length} equivalent`)
  }
  if (outcomes.some((o) => o.caught === undefined && !known.has(o.mutant.key))) process.exitCode = 1
}

if (import.meta.main) await main()
