/**
 * Ten thousand hostile modules: mutations of real packages, and hand-made ones that the verifier accepts.
 *
 *   node test/hostile/run.ts [--count 10000] [--seed 1] [--only 1234] [--real]
 *
 * With --real they are hand-made ones only, and go the way that a run's go, with its limits (real.ts).
 *
 * Each is refused with a reason or contained beside a driver that must not notice; anything else is listed with the
 * command that repeats it, and the exit status is 1. A child process does the work, so that a crash or a hang of the
 * host is an outcome too. Knows the packages it mutates by name only.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { openWorkspace } from '../../pipeline/workspace.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { createRealTrials } from './real.ts'
import { createTrials, type Report, type Subjects } from './trials.ts'

/** Modules that are mutated, and the driver that looks on, with its device. */
const MUTATED = ['8139too', 'ne2k-pci', 'rtc-ds1307']
const BYSTANDER = { name: 'e1000', model: 'intel-82540em' }
/** Processor time one module may take of the host, and how long nothing may be heard of a child, ms. */
const BUDGET_MS = 2000
const SILENCE_MS = 60_000
/** Children that may end early before something else must be wrong. */
const FAILURES_MAX = 20

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    child: { type: 'string' },
    real: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)

/** Packages, as directories: built here if they are not in the store yet. */
async function packages(): Promise<Subjects> {
  const workspace = await openWorkspace({
    tree: 'linux-6.1',
    toolchain: 'auto',
    onProgress: (text) => console.error(text),
  })
  const selectors = [...MUTATED, BYSTANDER.name]
  const { modules } = await buildModules({ tree: workspace.tree, selectors, toolchain: workspace.toolchain })
  await workspace.close()
  const found = (name: string): { directory: string; name: string } => {
    const module = modules.find((one) => one.name === name)
    if (module?.package === undefined) throw new Error(`${name} was not built: ${module?.reason} ${module?.detail}`)
    return { directory: module.package, name }
  }
  return { mutated: MUTATED.map(found), bystander: { ...found(BYSTANDER.name), model: BYSTANDER.model } }
}

/** In the child: try what it is told to, and say how it went. */
async function work(subjects: Subjects, first: number, count: number): Promise<void> {
  const trials = values.real ? await createRealTrials(seed) : await createTrials(subjects, seed)
  for (let index = first; index < first + count; index++) process.send!(await trials.run(index))
}

interface Tally {
  readonly outcomes: Map<string, number>
  readonly reports: Report[]
  slowest: Report | undefined
  cpuMs: number
  /** Most processor time beyond the virtual time that passed. */
  beyondMs: number
}

/** Run [first, end) in children, a new one after each crash or hang. */
async function supervise(subjects: Subjects, first: number, end: number, tally: Tally): Promise<void> {
  let next = first
  const again = new Set<number>()
  for (let failures = 0; next < end;) {
    const stopped = await new Promise<string | undefined>((resolve) => {
      const args = [
        '--child',
        JSON.stringify({ subjects, first: next, count: Math.min(500, end - next) }),
        '--seed',
        String(seed),
        ...(values.real ? ['--real'] : []),
      ]
      const child: ChildProcess = fork(import.meta.filename, args, { execArgv: ['--max-old-space-size=1500'] })
      let why: string | undefined
      let silence = setTimeout(hung, SILENCE_MS)
      function hung(): void {
        why = `no answer for ${SILENCE_MS / 1000} s`
        child.kill('SIGKILL')
      }
      child.on('message', (report: Report) => {
        clearTimeout(silence)
        silence = setTimeout(hung, SILENCE_MS)
        note(tally, report)
        next = report.index + 1
        if (next % 500 === 0) console.error(`${next} of ${end}`)
      })
      child.on('exit', (code, signal) => {
        clearTimeout(silence)
        resolve(why ?? (code === 0 ? undefined : `the host ended: ${signal ?? code}`))
      })
    })
    if (stopped === undefined) continue
    // A computer that was asleep, or had too much to do, is no hang of the host: one that hangs does so again.
    if (!again.has(next)) {
      again.add(next)
      console.error(`${next}: ${stopped}; again`)
      continue
    }
    if (++failures > FAILURES_MAX) throw new Error(`${failures} children ended early; the last: ${stopped}`)
    note(tally, { index: next, what: '?', outcome: { kind: 'escaped', message: stopped }, cpuMs: 0 })
    next++
  }
}

function note(tally: Tally, report: Report): void {
  const { outcome } = report
  const detail = outcome.kind === 'refused' ? outcome.code : outcome.kind === 'contained' ? outcome.fault : ''
  const key = `${outcome.kind} ${detail}`.trim()
  tally.outcomes.set(key, (tally.outcomes.get(key) ?? 0) + 1)
  tally.cpuMs += report.cpuMs
  if (report.cpuMs > (tally.slowest?.cpuMs ?? 0)) tally.slowest = report
  const beyond = report.cpuMs - (report.chargedMs ?? 0)
  tally.beyondMs = Math.max(tally.beyondMs, beyond)
  if (outcome.kind !== 'escaped' && beyond <= BUDGET_MS) return
  tally.reports.push(report)
  console.error(`${report.index} ${outcome.kind} after ${report.cpuMs.toFixed(0)} ms (${report.what})`)
}

async function main(): Promise<void> {
  const subjects = values.real ? { mutated: [] } : await packages()
  const tally: Tally = { outcomes: new Map(), reports: [], slowest: undefined, cpuMs: 0, beyondMs: 0 }
  const [first, end] =
    values.only === undefined ? [0, Number(values.count)] : [Number(values.only), Number(values.only) + 1]
  await supervise(subjects, first, end, tally)
  const sorted = [...tally.outcomes].toSorted(([a], [b]) => (a < b ? -1 : 1))
  console.log(`${end - first} hostile modules, seed ${seed}, Node ${process.version}, ${cpus()[0]?.model}`)
  for (const [key, count] of sorted) console.log(`${String(count).padStart(6)} ${key}`)
  const { slowest } = tally
  console.log(
    `${(tally.cpuMs / 1000).toFixed(1)} s of processor time; the slowest ${slowest?.cpuMs.toFixed(0)} ms: ${slowest?.index} ${slowest?.what}`,
  )
  console.log(`at most ${tally.beyondMs.toFixed(0)} ms of it beyond the virtual time that passed`)
  for (const { index, what, outcome, cpuMs } of tally.reports) {
    console.log(
      `\n${index} (${what}) ${cpuMs.toFixed(0)} ms: node test/hostile/run.ts ${values.real ? '--real ' : ''}--seed ${seed} --only ${index}`,
    )
    console.log(outcome.kind === 'escaped' ? outcome.message : `${outcome.kind}, but beyond ${BUDGET_MS} ms`)
  }
  process.exitCode = tally.reports.length > 0 ? 1 : 0
}

if (values.child !== undefined) {
  const { subjects, first, count } = JSON.parse(values.child) as { subjects: Subjects; first: number; count: number }
  await work(subjects, first, count)
  process.disconnect()
} else await main()
