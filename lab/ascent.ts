/**
 * One package's way up the rungs above verify, in machines of its own: what the matrix asks of each module.
 *
 * - load: the engine compiled and instantiated the verified binary in a domain; nothing of it ran.
 * - init: in a machine without any device, module_init of it and of the modules it needs returned 0, a second passed
 *   (what init started in the background ran), module_exit ran, and nothing was left. A driver that leaves memory, a
 *   timer or a registration behind has a bug, and does not reach the rung. A module that Linux cannot unload (an init
 *   without an exit) may keep what it has.
 * - probe and above: a second machine with a device from the module's id table, and the scenario of run.ts, ended at
 *   the first check that fails.
 *
 * The same package and seed give the same ascent. Must not know: the matrix, processes, wall-clock limits.
 */
import type { DriverFault, Symbolizer } from '../kernel/fault.ts'
import type { LogRecord } from '../machine/board.ts'
import { modelsFor, nounOf } from './classes.ts'
import { DriverEnded, InitRefused, isClean, leftList } from '../machine/driver.ts'
import { errnoName } from '../machine/linux/errno.ts'
import { createMachine, type Machine } from '../machine/machine.ts'
import { type DriverPackage, PackageError } from '../machine/load/package.ts'
import { placeOf } from './place.ts'
import { labPolicies } from './policies.ts'
import { runMachine, type RunReport, type RunRung } from './run.ts'

export type AscentReason =
  | ''
  | 'load-error'
  | 'init-failed'
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
}

export interface AscentOptions {
  readonly until: RunRung
  readonly seed: number
  /** Module parameters, as `module.parameter=value`. */
  readonly args?: readonly string[]
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

/** Climb from verify to `until`. The package is verified already. Throws only for a bug of the machine's own. */
export async function ascend(pack: DriverPackage, options: AscentOptions): Promise<PackageAscent> {
  const { until, wallMs } = options
  const ms: Record<string, number> = {}
  const timed = async (step: string, body: Promise<Outcome>): Promise<Outcome> => {
    const start = wallMs()
    const outcome = await body
    ms[step] = Math.round(wallMs() - start)
    return outcome
  }
  let outcome = await timed('load', load(pack, options))
  if (outcome.reason === '' && until !== 'load') outcome = await timed('init', initAndExit(pack, options))
  if (outcome.reason === '' && until !== 'load' && until !== 'init') {
    if (modelsFor(pack.manifest).length === 0) outcome = { rung: 'init', reason: 'no-device-model', detail: '' }
    else outcome = await timed('run', drive(pack, options))
  }
  return { ...outcome, ms }
}

const bare = (pack: DriverPackage, { seed, symbolizer }: AscentOptions): Machine =>
  createMachine({ seed, symbolizer, restarts: NO_RESTARTS, policies: labPolicies([pack]) })

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

async function initAndExit(pack: DriverPackage, options: AscentOptions): Promise<Outcome> {
  const machine = bare(pack, options)
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
      return { rung: 'load', reason: 'init-failed', detail: refusal(machine, error, pack) }
    if (error instanceof DriverEnded && error.fault !== undefined) return faulted('load', error.fault, pack, step)
    throw error
  }
}

/** Errors by which a driver says that its hardware is not there. */
const ABSENT = new Set(['-ENODEV', '-ENXIO'])

/** What init said when it returned an error: which module, the error's name, its last words. */
function refusal(machine: Machine, { code }: InitRefused, { manifest }: DriverPackage): string {
  const name = errnoName(code)
  const absent = ABSENT.has(name) ? ' (no such hardware here: Linux without it answers the same)' : ''
  // The last line is the shim's own: which of the modules it was.
  const own = machine.board.log.at(-1)?.text ?? ''
  const culprit = /^(\S+): init failed: -?\d+$/.exec(own.trim())?.[1] ?? manifest.name
  return `${culprit} returned ${name}${absent}${lastWords(machine.board.log.slice(0, -1))}`
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
