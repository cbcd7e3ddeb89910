/**
 * A hundred thousand hostile scripts on the tree's own kernel, as a run has it.
 *
 *   node test/hostile/run.ts [--count 100000] [--seed 1] [--jobs 1] [--only 1234]
 *
 * Trial N of a seed loads the hostile driver with a script and gives it others while it lives (trials.ts); the trials of a hundred
 * share a machine. Each must be contained or come to nothing beside drivers that must not notice; anything else is listed with the
 * command that repeats it, and the exit status is 1. Children do the work, so that a crash or a hang of the host is an outcome too.
 * What is reported is the fewest hundreds of trials, from the first on, that have so many scripts, however many children there are.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { openWorkspace } from '../../pipeline/workspace.ts'
import { buildSubjects, readSubjects, type Directories } from './packages.ts'
import { Trials, TRIALS_PER_SCENE, type Report } from './trials.ts'

/** Processor time that a trial may take of the host beyond the virtual time that it was charged, ms. */
const BEYOND_MS = 100
/** How long nothing may be heard of a child, ms. */
const SILENCE_MS = 120_000
/** Children that may end early before something else must be wrong. */
const FAILURES_MAX = 20

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
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

class Run {
  readonly #directories: Directories
  readonly #wanted: number
  /** Reports of each hundred. */
  readonly #groups: Report[][] = []
  #next = 0
  #failures = 0

  constructor(directories: Directories, wanted: number) {
    this.#directories = directories
    this.#wanted = wanted
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

  /** Hundred after hundred, with a new child after each crash or hang. */
  async lane(): Promise<void> {
    while (!this.#enough) {
      const group = this.#next++
      const reports: Report[] = (this.#groups[group] = [])
      let again = -1
      for (;;) {
        const stopped = await this.#child(group, reports)
        if (stopped === undefined) break
        if (reports.length === TRIALS_PER_SCENE) break
        const index = group * TRIALS_PER_SCENE + reports.length
        if (++this.#failures > FAILURES_MAX) throw new Error(`children end early; the last: ${stopped}`)
        // A computer that was asleep, or had too much to do, is no hang of the host: one that hangs does so again.
        console.error(`${index}: ${stopped}`)
        const outcome = { kind: 'escaped', message: stopped } as const
        if (again === index) reports.push({ index, what: '?', scripts: 1, outcome, cpuMs: 0, chargedMs: 0 })
        again = index
      }
    }
  }

  /** One child, until it ends or there is nothing more to do. Why it ended early; undefined when it did not. */
  #child(group: number, into: Report[]): Promise<string | undefined> {
    return new Promise((resolve) => {
      const args = ['--child', JSON.stringify(this.#directories), '--seed', String(seed)]
      const child: ChildProcess = fork(import.meta.filename, args, { execArgv: ['--max-old-space-size=1500'] })
      let [current, reports] = [group, into]
      let why: string | undefined
      let silence = setTimeout(hung, SILENCE_MS)
      function hung(): void {
        why = `no answer for ${SILENCE_MS / 1000} s`
        child.kill('SIGKILL')
      }
      const send = (): void => {
        const first = current * TRIALS_PER_SCENE + reports.length
        child.send({ first, end: (current + 1) * TRIALS_PER_SCENE })
      }
      child.on('message', (said: Report | 'ready' | 'done') => {
        clearTimeout(silence)
        silence = setTimeout(hung, SILENCE_MS)
        if (said === 'ready') return send()
        if (said !== 'done') return void note(reports, said)
        if (this.#enough) return void child.disconnect()
        current = this.#next++
        reports = this.#groups[current] = []
        send()
      })
      child.on('exit', (code, signal) => {
        clearTimeout(silence)
        resolve(why ?? (code === 0 ? undefined : `the host ended: ${signal ?? code}`))
      })
    })
  }
}

function note(reports: Report[], report: Report): void {
  reports.push(report)
  const { index, outcome } = report
  if (outcome.kind === 'escaped') console.error(`${index} escaped: ${outcome.message} (${report.what})`)
  if (index % 1000 === 999) console.error(`${index + 1} trials`)
}

const beyond = ({ cpuMs, chargedMs }: Report): number => cpuMs - chargedMs

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
  const most = Math.max(...reports.map(beyond))
  const dear = reports.filter((one) => beyond(one) > BEYOND_MS)
  console.log(
    `${(cpu / 1000).toFixed(0)} s of processor time; a trial took at most ${most.toFixed(0)} ms of it beyond the virtual time that passed`,
  )
  const bad = reports.filter(({ outcome }) => outcome.kind === 'escaped')
  for (const one of [...bad, ...dear]) {
    console.log(
      `\n${one.index} (${one.what}) ${one.cpuMs.toFixed(0)} ms, ${one.chargedMs.toFixed(0)} of them charged: node test/hostile/run.ts --seed ${seed} --only ${one.index}`,
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
  const run = new Run(directories, Number(values.count))
  // Interrupted, it says what is known so far.
  process.once('SIGINT', () => {
    tell(run.reports)
    process.exit(130)
  })
  await Promise.all(Array.from({ length: Number(values.jobs) }, () => run.lane()))
  process.exitCode = tell(run.reports) ? 0 : 1
}

if (values.child !== undefined) await work(JSON.parse(values.child) as Directories)
else await main()
