/**
 * A hundred thousand hostile scripts on the tree's own kernel, as a run has it.
 *
 *   node test/hostile/run.ts [--count 100000] [--seed 1] [--jobs 1] [--journal FILE] [--only 1234]
 *
 * Trial N of a seed loads the hostile driver with a script and gives it others while it lives (trials.ts); the trials of a hundred
 * share a machine. Each must be contained or come to nothing beside drivers that must not notice; anything else is listed with the
 * command that repeats it, and the exit status is 1. Children do the work, so that a crash or a hang of the host is an outcome too.
 * What is reported is the fewest hundreds of trials, from the first on, that have so many scripts, however many children there are.
 * With a journal, the same command goes on where one that was killed stopped, as long as nothing of the project or of the drivers
 * has changed.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../../pipeline/root.ts'
import { openWorkspace } from '../../pipeline/workspace.ts'
import { buildSubjects, readSubjects, type Directories } from './packages.ts'
import { Trials, TRIALS_PER_SCENE, type Report } from './trials.ts'

/** Processor time that a step of the host (steps.ts) may take beyond the virtual time that was charged for it, ms. */
const BEYOND_MS = 100
/** How long nothing may be heard of a child, ms. */
const SILENCE_MS = 120_000
/** Hundreds that one child tries: a few megabytes that a machine leaves in the engine make collections, and so steps, longer after many. */
const HUNDREDS_MAX = 20
/** Children that may end early before something else must be wrong. */
const FAILURES_MAX = 20

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    journal: { type: 'string' },
    only: { type: 'string' },
    child: { type: 'string' },
  },
})
const seed = Number(values.seed)

async function packages(): Promise<Directories> {
  const workspace = await openWorkspace({
    tree: 'linux-6.1',
    toolchain: 'auto',
    onProgress: (text) => console.error(text),
  })
  const directories = await buildSubjects(workspace)
  await workspace.close()
  return directories
}

interface Task {
  readonly directories: Directories
  readonly first: number
  readonly end: number
}

/** In the child: the hundreds it is told to try, one after the other, and how each trial went. */
async function work(directories: Directories): Promise<void> {
  const trials = new Trials(await readSubjects(directories), seed)
  await trials.warm()
  process.on('message', ({ first, end }: Task) => {
    void (async () => {
      for (let index = first; index < end; index++) process.send!(await trials.run(index))
      process.send!('done')
    })()
  })
  process.send!('ready')
}

/** What is said of a trial in which the host ended. */
const NOTHING_KNOWN: Omit<Report, 'index' | 'outcome'> = {
  what: '?',
  scripts: 1,
  cpuMs: 0,
  chargedMs: 0,
  longest: { during: '', beyondMs: 0 },
  steps: 0,
  waitedMs: 0,
  shared: false,
}

/** Everything that trials depend on. */
async function identity(directories: Directories): Promise<string> {
  const files = await Promise.all(
    ['base', 'kernel', 'hw', 'machine', 'lab', 'linux-api', 'cli', 'test/hostile'].map(async (folder) =>
      (await readdir(join(packageRoot, folder), { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
        .map((entry) => join(entry.parentPath, entry.name)),
    ),
  )
  const { hostile, ...others } = await readSubjects(directories)
  // Where the hostile driver's folder was is in its binary: what it is made of is among the files.
  const drivers = [hostile.on?.core.sha256, ...Object.values(others).map(({ manifest }) => manifest.wasm.sha256)]
  const hash = createHash('sha256').update(JSON.stringify([seed, process.version, drivers]))
  for (const file of files.flat().toSorted()) hash.update(await readFile(file))
  return hash.digest('hex')
}

/** Hundreds of trials that are done, a line each behind the one that says what they are trials of. */
class Journal {
  readonly known = new Map<number, readonly Report[]>()
  readonly #file: string

  constructor(file: string, of: string) {
    this.#file = file
    if (!existsSync(file)) writeFileSync(file, `${of}\n`)
    const [first, ...lines] = readFileSync(file, 'utf8').split('\n')
    if (first !== of) throw new Error(`${file} is of another seed, engine or version: delete it, or name another`)
    // The last line may be half of one: it goes.
    const whole = lines.slice(0, -1)
    writeFileSync(file, [of, ...whole, ''].join('\n'))
    for (const line of whole) {
      const [group, reports] = JSON.parse(line) as [number, Report[]]
      this.known.set(group, reports)
    }
  }

  keep(group: number, reports: readonly Report[]): void {
    appendFileSync(this.#file, `${JSON.stringify([group, reports])}\n`)
  }
}

class Run {
  readonly #directories: Directories
  readonly #wanted: number
  /** Reports of each hundred. */
  readonly #groups: Report[][] = []
  #next = 0
  #failures = 0

  readonly #journal: Journal | undefined

  constructor(directories: Directories, wanted: number, journal: Journal | undefined) {
    this.#directories = directories
    this.#wanted = wanted
    this.#journal = journal
  }

  /** The hundreds that count. */
  get reports(): Report[] {
    const counted: Report[] = []
    let scripts = 0
    for (const group of this.#groups) {
      if (scripts >= this.#wanted) break
      counted.push(...group)
      for (const one of group) scripts += one.scripts
    }
    return counted
  }

  get #enough(): boolean {
    let scripts = 0
    for (const group of this.#groups.slice(0, this.#next)) for (const one of group ?? []) scripts += one.scripts
    return scripts >= this.#wanted
  }

  /** The next hundred that is not in the journal. */
  #take(): number {
    for (;;) {
      const group = this.#next++
      const known = this.#journal?.known.get(group)
      this.#groups[group] = known === undefined ? [] : [...known]
      if (known === undefined || this.#enough) return group
    }
  }

  #note(group: number, report: Report): void {
    const reports = this.#groups[group]!
    reports.push(report)
    note(report)
    if (reports.length === TRIALS_PER_SCENE) this.#journal?.keep(group, reports)
  }

  /** Hundred after hundred, with a new child after each crash or hang. */
  async lane(): Promise<void> {
    while (!this.#enough) {
      const group = this.#take()
      const reports = this.#groups[group]!
      let again = -1
      for (;;) {
        const stopped = await this.#child(group)
        if (stopped === undefined || reports.length === TRIALS_PER_SCENE) break
        const index = group * TRIALS_PER_SCENE + reports.length
        if (++this.#failures > FAILURES_MAX) throw new Error(`children end early; the last: ${stopped}`)
        // A computer that was asleep, or had too much to do, is no hang of the host: one that hangs does so again.
        console.error(`${index}: ${stopped}`)
        const outcome = { kind: 'escaped', message: stopped } as const
        if (again === index) this.#note(group, { ...NOTHING_KNOWN, index, outcome })
        again = index
      }
    }
  }

  /** One child, until it ends or there is nothing more to do. Why it ended early; undefined when it did not. */
  #child(first: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const args = ['--child', JSON.stringify(this.#directories), '--seed', String(seed)]
      const child: ChildProcess = fork(import.meta.filename, args, { execArgv: ['--max-old-space-size=1500'] })
      let group = first
      let hundreds = 0
      let why: string | undefined
      let silence = setTimeout(hung, SILENCE_MS)
      function hung(): void {
        why = `no answer for ${SILENCE_MS / 1000} s`
        child.kill('SIGKILL')
      }
      const send = (): void => {
        const from = group * TRIALS_PER_SCENE + this.#groups[group]!.length
        child.send({ first: from, end: (group + 1) * TRIALS_PER_SCENE })
      }
      child.on('message', (said: Report | 'ready' | 'done') => {
        clearTimeout(silence)
        silence = setTimeout(hung, SILENCE_MS)
        if (said === 'ready') return send()
        if (said !== 'done') return this.#note(group, said)
        if (++hundreds === HUNDREDS_MAX || this.#enough) return void child.disconnect()
        group = this.#take()
        send()
      })
      child.on('exit', (code, signal) => {
        clearTimeout(silence)
        resolve(why ?? (code === 0 ? undefined : `the host ended: ${signal ?? code}`))
      })
    })
  }
}

function note(report: Report): void {
  const { index, outcome } = report
  if (outcome.kind === 'escaped') console.error(`${index} escaped: ${outcome.message} (${report.what})`)
  if (index % 1000 === 999) console.error(`${index + 1} trials`)
}

const isDear = ({ longest }: Report): boolean => longest.beyondMs > BEYOND_MS

/**
 * Trials with a step that took too long, each once more behind all that came before it on its machine. A computer that has too much to
 * do makes steps longer; what is the host's own doing is so again.
 */
async function again(directories: Directories, reports: readonly Report[]): Promise<Report[]> {
  const dear = reports.filter(isDear)
  if (dear.length === 0) return [...reports]
  console.error(`${dear.length} steps took too long: once more`)
  const subjects = await readSubjects(directories)
  const calmer = new Map<number, Report>()
  for (const one of dear) {
    const trials = new Trials(subjects, seed)
    await trials.warm()
    let repeated = one
    for (let index = one.index - (one.index % TRIALS_PER_SCENE); index <= one.index; index++)
      repeated = await trials.run(index)
    if (repeated.longest.beyondMs < one.longest.beyondMs) calmer.set(one.index, { ...one, longest: repeated.longest })
  }
  return reports.map((one) => calmer.get(one.index) ?? one)
}

function tell(reports: readonly Report[]): boolean {
  const scripts = reports.reduce((sum, one) => sum + one.scripts, 0)
  console.log(
    `${scripts} hostile scripts in ${reports.length} trials, seed ${seed}, Node ${process.version}, ${cpus()[0]?.model}`,
  )
  const outcomes = new Map<string, number>()
  for (const { outcome } of reports) {
    const key = outcome.kind === 'contained' ? `contained ${outcome.fault}` : outcome.kind
    outcomes.set(key, (outcomes.get(key) ?? 0) + 1)
  }
  for (const [key, count] of [...outcomes].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${String(count).padStart(6)} ${key}`)
  const cpu = reports.reduce((sum, one) => sum + one.cpuMs, 0)
  const steps = reports.reduce((sum, one) => sum + one.steps, 0)
  const most = reports.reduce((a, b) => (b.longest.beyondMs > a.longest.beyondMs ? b : a)).longest
  const dear = reports.filter(isDear)
  const waited = (shared: boolean): string =>
    Math.max(0, ...reports.filter((one) => one.shared === shared).map((one) => one.waitedMs)).toFixed(1)
  console.log(`${(cpu / 1000).toFixed(0)} s of processor time in ${steps} steps of the host`)
  console.log(
    `${dear.length} of them longer than ${BEYOND_MS} ms beyond what was charged; the longest ${most.beyondMs.toFixed(0)} ms, in ${most.during}`,
  )
  console.log(
    `the bystander waited ${waited(true)} ms of virtual time for the processor at most where it has a share, ${waited(false)} ms where it has none`,
  )
  const bad = reports.filter(({ outcome }) => outcome.kind === 'escaped')
  for (const one of [...bad, ...dear]) {
    console.log(
      `\n${one.index} (${one.what}) ${one.longest.beyondMs.toFixed(0)} ms in ${one.longest.during}: node test/hostile/run.ts --seed ${seed} --only ${one.index}`,
    )
    if (one.outcome.kind === 'escaped') console.log(one.outcome.message)
  }
  return bad.length + dear.length === 0
}

async function main(): Promise<void> {
  const directories = await packages()
  if (values.only !== undefined) {
    const trials = new Trials(await readSubjects(directories), seed)
    await trials.warm()
    process.exitCode = tell([await trials.run(Number(values.only))]) ? 0 : 1
    return
  }
  const journal = values.journal === undefined ? undefined : new Journal(values.journal, await identity(directories))
  const run = new Run(directories, Number(values.count), journal)
  // Interrupted, it says what is known so far.
  process.once('SIGINT', () => {
    tell(run.reports)
    process.exit(130)
  })
  await Promise.all(Array.from({ length: Number(values.jobs) }, () => run.lane()))
  process.exitCode = tell(await again(directories, run.reports)) ? 0 : 1
}

if (values.child !== undefined) await work(JSON.parse(values.child) as Directories)
else await main()
