/**
 * The machine's figures at two commits, in turn: what a change of the whole costs.
 *
 *   node bench/versions.ts BEFORE [AFTER] [--rounds 20] [--bench machine --bench kernel --bench restart]
 *
 * AFTER is this checkout as it is, unless told. Each commit gets a worktree of its own beside this one's dependencies, and builds the
 * drivers that its own benches ask for, before anything is timed. Then every round runs each bench at both commits, the first in turn
 * too. Printed is, for each row that both have, the ratio of the lower quartiles of all rounds, since what else a computer does only
 * ever adds, and between what it lies: 95 of 100 draws of as many rounds from these, with replacement. A process of the same code is
 * a tenth faster or slower than the next, by what its engine compiled when; so few rounds show little, and twenty are the default. A
 * row is worse where all of that interval is above 1.05, and unsure where a part of it is. Figures are of wall time where the bench's
 * are: ask this of a computer that does nothing else. `--raw FILE` keeps each round's.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { createRandom } from '../base/random.ts'
import { packageRoot } from '../pipeline/root.ts'

const run = promisify(execFile)

/** Arguments that keep each bench short: a round here is one process. */
const BENCHES: Readonly<Record<string, readonly string[]>> = {
  machine: ['--rounds', '2'],
  kernel: ['--rounds', '2'],
  restart: ['--times', '30', '--apart', '0'],
}
/** The same to have everything built. */
const TRIAL: Readonly<Record<string, readonly string[]>> = {
  machine: ['--rounds', '1'],
  kernel: ['--rounds', '1'],
  restart: ['--times', '2', '--apart', '0'],
}
/** What a row was and is in one round. */
type Pair = readonly [was: number, is: number]

/** The most that a row may be worse, wanted. */
const WORSE_MAX = 1.05

/** Rows of the tables that a bench prints, by name: what is in their column `median`. */
export function mediansOf(text: string): Map<string, number> {
  const found = new Map<string, number>()
  let column = -1
  for (const line of text.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim())
    if (cells.length < 3) column = -1
    else if (cells.includes('median')) column = cells.indexOf('median')
    else if (column > 0 && cells[1] !== '' && Number.isFinite(Number.parseFloat(cells[column] ?? '')))
      found.set(cells[1]!, Number.parseFloat(cells[column]!))
  }
  return found
}

async function bench(folder: string, name: string, args: readonly string[]): Promise<Map<string, number>> {
  const command = ['--disable-warning=ExperimentalWarning', `bench/${name}.ts`, ...args]
  const { stdout } = await run(process.execPath, command, { cwd: folder, maxBuffer: 1 << 26 })
  return mediansOf(stdout)
}

/** A checkout of a commit, with this one's dependencies. */
async function checkout(commit: string, folder: string): Promise<string> {
  await run('git', ['worktree', 'add', '--detach', folder, commit], { cwd: packageRoot })
  await symlink(join(packageRoot, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

async function compare(
  before: string,
  after: string,
  names: readonly string[],
  rounds: number,
): Promise<Map<string, Pair[]>> {
  for (const folder of [before, after])
    for (const name of names) {
      console.error(`building for ${name} in ${folder}`)
      await bench(folder, name, TRIAL[name]!)
    }
  const taken = new Map<string, Pair[]>()
  for (let round = 0; round < rounds; round++)
    for (const name of names) {
      console.error(`round ${round + 1}, ${name}`)
      const figures = new Map<string, Map<string, number>>()
      for (const folder of round % 2 === 0 ? [before, after] : [after, before])
        figures.set(folder, await bench(folder, name, BENCHES[name]!))
      for (const [row, was] of figures.get(before)!) {
        const is = figures.get(after)!.get(row)
        if (is === undefined || was === 0) continue
        const key = `${name}: ${row}`
        taken.set(key, [...(taken.get(key) ?? []), [was, is]])
      }
    }
  return taken
}

const DRAWS = 2000

/** Between what 95 of 100 draws of as many rounds, with replacement, see the ratio of lower quartiles. The same for the same pairs. */
export function intervalOf(pairs: readonly Pair[]): [low: number, high: number] {
  const random = createRandom(pairs.length)
  const ratios = Array.from({ length: DRAWS }, () => ratioOf(pairs.map(() => pairs[random.below(pairs.length)]!)))
  const sorted = ratios.toSorted((a, b) => a - b)
  return [sorted[Math.floor(DRAWS * 0.025)]!, sorted[Math.floor(DRAWS * 0.975)]!]
}

const quartile = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 2]!
const ratioOf = (pairs: readonly Pair[]): number =>
  quartile(pairs.map((pair) => pair[1])) / quartile(pairs.map((pair) => pair[0]))

function print(taken: ReadonlyMap<string, readonly Pair[]>): void {
  console.log(`| what | before, lower quartile | after, lower quartile | ratio | between | |
|---|---:|---:|---:|---|---|`)
  for (const [key, pairs] of taken) {
    const [was, is] = [quartile(pairs.map((pair) => pair[0])), quartile(pairs.map((pair) => pair[1]))]
    const [low, high] = intervalOf(pairs)
    const verdict = low > WORSE_MAX ? 'worse' : high > WORSE_MAX ? 'unsure' : ''
    console.log(
      `| ${key} | ${was} | ${is} | ${ratioOf(pairs).toFixed(3)} | ${low.toFixed(3)} to ${high.toFixed(3)} | ${verdict} |`,
    )
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '20' },
      raw: { type: 'string' },
      bench: { type: 'string', multiple: true, default: Object.keys(BENCHES) },
    },
  })
  const [before, after] = positionals
  if (before === undefined) throw new Error('which commit is to be compared with?')
  const base = await mkdtemp(join(tmpdir(), 'drvport-versions-'))
  const folders: string[] = []
  const at = async (commit: string, name: string): Promise<string> => {
    folders.push(join(base, name))
    return checkout(commit, join(base, name))
  }
  try {
    const [first, second] = [await at(before, 'before'), after === undefined ? packageRoot : await at(after, 'after')]
    const load = loadavg()[0]!.toFixed(1)
    console.log(
      `${before} and ${after ?? 'this checkout'}; ${cpus()[0]?.model}, Node ${process.version}, load ${load}\n`,
    )
    const taken = await compare(first, second, values.bench, Number(values.rounds))
    print(taken)
    if (values.raw !== undefined) await writeFile(values.raw, JSON.stringify(Object.fromEntries(taken)))
  } finally {
    for (const folder of folders)
      await run('git', ['worktree', 'remove', '--force', folder], { cwd: packageRoot }).catch(() => undefined)
    await rm(base, { recursive: true, force: true })
  }
}

if (import.meta.main) await main()
