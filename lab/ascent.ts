/**
 * One package's way up the rungs above verify, in machines of its own: what the matrix asks of each module.
 *
 * - load: the engine compiled and instantiated the verified binary in a domain; nothing of it ran.
 * - init: in a machine without any device, module_init of it and of the modules it needs returned 0, a second passed
 *   (what init started in the background ran), Linux unloaded it, and nothing that it had of the machine was left
 *   (mappings, windows, vectors, interrupts, capabilities, interfaces). Memory and timers in its kernel are not
 *   counted. A module that Linux does not unload (an init without an exit, or in use by its kernel)
 *   may keep what it has.
 * - probe and above: a second machine with a device from the module's id table, and the scenario of run.ts, ended at
 *   the first check that fails.
 *
 * - operate, of one of the tree's own tests: all of its cases that ran passed, read from what its init said (tests.ts).
 *
 * The same package and seed give the same ascent. Must not know: the matrix, processes, wall-clock limits.
 */
import type { DriverFault, Symbolizer } from '../kernel/fault.ts'
import type { LogRecord } from '../machine/board.ts'
import { modelsFor, nounOf } from './classes.ts'
import { operate, withoutOthers } from './system/index.ts'
import { DriverEnded, InitRefused, isClean, leftList } from '../machine/driver.ts'
import { errnoName } from '../machine/linux/errno.ts'
import { createMachine, type Machine } from '../machine/machine.ts'
import { type DriverPackage, PackageError } from '../machine/load/package.ts'
import { placeOf } from './place.ts'
import { labPolicies, TEST_POLICIES } from './policies.ts'
import { runMachine, type RunReport, type RunRung } from './run.ts'
import { tallyOf, type TestEnding, type TestTally } from './tests.ts'

export type AscentReason =
  | ''
  | 'load-error'
  | 'init-failed'
  | 'no-hardware'
  | 'fault'
  | 'no-device-model'
  | 'not-bound'
  | 'check-failed'
  | 'timeout'
  | 'out-of-memory'

export interface PackageAscent {
  readonly rung: Exclude<RunRung, 'none'>
  readonly reason: AscentReason
  readonly detail: string
  /** Wall milliseconds by step. */
  readonly ms: Readonly<Record<string, number>>
  /** Of one of the tree's own tests: what became of its cases. */
  readonly tests?: TestTally
}

export interface AscentOptions {
  readonly until: RunRung
  readonly seed: number
  /** Module parameters, as `module.parameter=value`. */
  readonly args?: readonly string[]
  /** It is one of the tree's own tests: what its init says are results. */
  readonly isTest?: boolean
  /** and how it ends when it has passed. */
  readonly ending?: TestEnding
  /** It has reached init in a package of its own: here it operates, with these modules beside it. */
  readonly beside?: readonly string[] | undefined
  readonly symbolizer: (pack: DriverPackage) => Symbolizer
  readonly wallMs: () => number
}

/** How long a started module lives before it is unloaded: timers, work and threads that init began get their turn. */
const LIFE_NS = 1e9
/** Frames each way at the traffic rung: every few sizes, and more than any ring holds. */
const FRAMES = 2000
/** Breakages at the contain rung: each kind several times. */
const BREAKAGES = 20

const NO_RESTARTS = { limit: 0, windowNs: 60e9, backoffNs: 1e6, backoffMaxNs: 1e9 }

type Outcome = Omit<PackageAscent, 'ms'>

/** What an init came to, and what was said meanwhile. */
interface Started extends Outcome {
  readonly said: readonly string[]
  /** The error that it returned, by name. */
  readonly refusal?: string
}

/** Climb from verify to `until`. The package is verified already. Throws only for a bug of the machine's own. */
export async function ascend(pack: DriverPackage, options: AscentOptions): Promise<PackageAscent> {
  const { until, wallMs } = options
  const ms: Record<string, number> = {}
  const timed = async <T>(step: string, body: Promise<T>): Promise<T> => {
    const start = wallMs()
    const outcome = await body
    ms[step] = Math.round(wallMs() - start)
    return outcome
  }
  if (options.beside !== undefined) return { ...(await timed('operate', operated(pack, options, options.beside))), ms }
  if (until === 'load') return { ...(await timed('load', load(pack, options))), ms }
  const started = await timed('init', initAndExit(pack, options))
  if (options.isTest === true && until !== 'init') return { ...tested(pack.manifest.name, started, options.ending), ms }
  const { rung, reason, detail } = started
  if (reason !== '' || until === 'init') return { rung, reason, detail, ms }
  if (modelsFor(pack.manifest).length === 0) return { rung, reason: 'no-device-model', detail, ms }
  return { ...(await timed('run', drive(pack, options))), ms }
}

/** Of a test, what its cases came to is what counts. */
function tested(name: string, { said, refusal, rung, reason, detail }: Started, ending?: TestEnding): Outcome {
  // One that has passed may have itself unloaded at once, by an error that says so.
  const broke = reason !== '' && refusal === undefined
  const tests = tallyOf(name, said, { refusal, ...(broke && { fault: detail }) }, ending)
  const { passed, failed, cases } = tests
  if (broke) return { rung, reason, detail, tests }
  if (failed === 0 && passed > 0) return { rung: 'operate', reason: '', detail: '', tests }
  const first = cases.find(({ outcome }) => outcome === 'failed')
  if (first === undefined) return { rung, reason: 'check-failed', detail: 'every case was skipped', tests }
  const what = `${failed} of ${passed + failed} failed: ${first.suite}.${first.name}: ${first.detail}`
  return { rung, reason: 'check-failed', detail: what, tests }
}

const bare = (pack: DriverPackage, { seed, symbolizer, isTest }: AscentOptions): Machine => {
  const policies = labPolicies([pack], isTest === true ? TEST_POLICIES : {})
  return createMachine({ seed, symbolizer, restarts: NO_RESTARTS, policies })
}

async function load(pack: DriverPackage, options: AscentOptions): Promise<Outcome> {
  try {
    const driver = await bare(pack, options).open(pack)
    driver.domain.end()
    return { rung: 'load', reason: '', detail: '' }
  } catch (error) {
    if (!(error instanceof PackageError)) throw error
    return { rung: 'verify', reason: 'load-error', detail: error.message }
  }
}

async function initAndExit(pack: DriverPackage, options: AscentOptions): Promise<Started> {
  const machine = bare(pack, options)
  const outcome = await startAndStop(machine, pack, options)
  const said = machine.board.log.flatMap(({ text }) => text.trimEnd().split('\n'))
  return { ...outcome, said }
}

async function startAndStop(
  machine: Machine,
  pack: DriverPackage,
  options: AscentOptions,
): Promise<Omit<Started, 'said'>> {
  let step = 'init'
  try {
    await machine.load(pack, options.args)
    step = 'the second after init'
    await machine.sleep(LIFE_NS)
    const [fault] = machine.faults
    if (fault !== undefined) return faulted('load', fault, pack, step)
    step = 'exit'
    const left = await machine.unload(pack.manifest.name)
    if (isClean(left)) return { rung: 'init', reason: '', detail: '' }
    return { rung: 'load', reason: 'check-failed', detail: `left after exit: ${leftList(left)}` }
  } catch (error) {
    if (error instanceof InitRefused)
      return {
        rung: 'load',
        reason: ABSENT.has(errnoName(error.code)) ? 'no-hardware' : 'init-failed',
        detail: refusal(machine, error),
        refusal: errnoName(error.code),
      }
    if (error instanceof DriverEnded && error.fault !== undefined) return faulted('load', error.fault, pack, step)
    if (error instanceof PackageError) return { rung: 'verify', reason: 'load-error', detail: error.message }
    throw error
  }
}

/** Errors by which a driver says that its hardware is not there. */
const ABSENT = new Set(['-ENODEV', '-ENXIO'])

/** What init said when it returned an error: which module, the error's name, its last words. */
function refusal(machine: Machine, { code, module }: InitRefused): string {
  return `${module} returned ${errnoName(code)}${lastWords(machine.board.log)}`
}

function lastWords(log: readonly LogRecord[]): string {
  const said = log.findLast(({ text }) => text.trim() !== '')
  return said === undefined ? '' : `; it said: ${said.text.trim()}`
}

/** Faults by which the machine says that a budget was used up. */
const BUDGETS: Readonly<Partial<Record<DriverFault['kind'], AscentReason>>> = {
  'endless-loop': 'timeout',
  hang: 'timeout',
  'out-of-memory': 'out-of-memory',
}

function faulted(rung: Outcome['rung'], fault: DriverFault, pack: DriverPackage, during: string): Outcome {
  const at = placeOf(fault, pack)
  const place = at === undefined ? '' : ` at ${at.file}:${at.line} (${at.function})`
  const message = fault.message.split('\n', 1)[0]!
  return { rung, reason: BUDGETS[fault.kind] ?? 'fault', detail: `${fault.kind} in ${during}: ${message}${place}` }
}

/** A driver without a modelled device: whatever it has registered is used. */
async function operated(pack: DriverPackage, options: AscentOptions, beside: readonly string[]): Promise<Outcome> {
  const machine = bare(pack, options)
  const normal = (name: string): string => name.replaceAll('-', '_')
  const wanted = new Set(beside.map(normal))
  const names = withoutOthers(pack.on.modules)
    .slice(0, -1)
    .map(({ name }) => normal(name))
  const first = names.findLastIndex((name) => wanted.has(name)) + 1
  try {
    const { nothing, ok, detail } = await operate(machine, pack, options.args ?? [], first)
    if (nothing) return { rung: 'init', reason: 'no-device-model', detail: '' }
    if (ok) return { rung: 'operate', reason: '', detail }
    return { rung: 'init', reason: 'check-failed', detail: `${detail}${lastWords(machine.board.log)}` }
  } catch (error) {
    if (error instanceof InitRefused) return { rung: 'init', reason: 'check-failed', detail: refusal(machine, error) }
    if (error instanceof DriverEnded && error.fault !== undefined)
      return faulted('init', error.fault, pack, 'its operations')
    if (error instanceof PackageError) return { rung: 'init', reason: 'load-error', detail: error.message }
    throw error
  }
}

async function drive(pack: DriverPackage, { until, seed, args = [], symbolizer }: AscentOptions): Promise<Outcome> {
  const report = await runMachine({
    seed,
    modules: [{ pack, args }],
    until,
    stopAtFailure: true,
    frames: FRAMES,
    inject: BREAKAGES,
    symbolizer,
  })
  return outcomeOf(report, pack, until)
}

function outcomeOf({ modules, checks, log }: RunReport, pack: DriverPackage, until: RunRung): Outcome {
  const [one] = modules
  const rung = one!.rung as Outcome['rung']
  const failed = checks.find(({ ok }) => !ok)
  if (failed === undefined && rung === until) return { rung, reason: '', detail: '' }
  // From reload on the scenario itself breaks the driver: a fault there is not the answer, the check is.
  const fault = rung === 'reload' || rung === 'recover' ? undefined : one!.faults.at(-1)
  if (fault !== undefined) return faulted(rung, fault, pack, failed?.name ?? rung)
  if (rung === 'init')
    return { rung, reason: 'not-bound', detail: `${one!.device}: ${one!.reason ?? 'not bound'}${lastWords(log)}` }
  const detail =
    failed === undefined ? `it offers no ${nounOf(modelsFor(pack.manifest)[0])}` : `${failed.name}: ${failed.detail}`
  return { rung, reason: 'check-failed', detail }
}
