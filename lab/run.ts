/**
 * Scenarios: a machine with these drivers and devices, taken up the ladder. What `drvport run` and `drvport demo` do,
 * without printing and without files.
 *
 * Rungs as they are reached: load, init, probe, operate (opened and linked), traffic, reload (unloaded and bound again
 * without leaving anything), recover (killed and back), contain (broken again and again, and nobody else noticed).
 */
import type { DriverFault } from '../kernel/fault.ts'
import type { Accident } from '../kernel/kernel.ts'
import type { Node } from '../kernel/registry.ts'
import { type MachineRung, rungIndex } from '../pipeline/ladder.ts'
import type { LogRecord } from '../machine/board.ts'
import { type Driver, DriverEnded } from '../machine/driver.ts'
import type { DriverPackage } from '../machine/load/package.ts'
import { type Machine, type MachineOptions, createMachine, type Recovery } from '../machine/machine.ts'
import type { Replacement } from '../machine/supervise/replace.ts'
import type { Check } from './check.ts'
import type { DeviceModel, Exercise, Plugged } from './class-lab.ts'
import { type LabOptions, modelNamed, modelsFor, Worlds } from './classes.ts'
import { labPolicies } from './policies.ts'
import { STEPS } from './rungs.ts'

/** How far a module got in a machine: `none` when it was not loaded. */
export type RunRung = MachineRung

export interface ModuleRequest {
  readonly pack: DriverPackage
  /** Device model by name; by the module's id table when not given. */
  readonly device?: string
  /** Another build of it that takes over under traffic. */
  readonly replacement?: DriverPackage
  /** Module parameters, as `module.parameter=value`. */
  readonly args?: readonly string[]
}

export interface RunRequest extends MachineOptions, LabOptions {
  readonly modules: readonly ModuleRequest[]
  /** Items of work each way at the traffic rung; of an interface: frames. */
  readonly frames?: number
  /** Faults to inject into each driver, at the end. */
  readonly inject?: number
  /** The last rung to climb; all of them when not given. */
  readonly until?: RunRung
  /** End the scenario at the first check that fails: what comes after would only fail of it. */
  readonly stopAtFailure?: boolean
  /** A monotonic wall clock in ms, to time steps with; times are 0 without one. */
  readonly wallMs?: () => number
  /** Called with each check as it ends. */
  readonly onCheck?: (check: Check) => void
  /** Gets the event log, lines at a time: everything that happened, in order. */
  readonly onEvents?: (lines: readonly string[]) => void
  /** Sees the machine before anything is on it: who records it, replays it or traces it. */
  readonly observe?: (machine: Machine) => void
  readonly signal?: AbortSignal
}

export interface ModuleReport {
  readonly name: string
  readonly device: string
  readonly bound: boolean
  readonly rung: RunRung
  readonly reason?: string
  readonly faults: readonly DriverFault[]
  readonly counters: Readonly<Record<string, number>>
  /** Wall time: load to init done, and probe. */
  readonly ms: { readonly load: number; readonly probe: number }
}

export interface RunReport {
  readonly schema: 'drvport.run/1'
  readonly seed: number
  readonly machine: {
    /** With what its class says of each. */
    readonly devices: readonly Readonly<Record<string, string>>[]
    readonly events: number
    readonly eventHash: string
    /** What went wrong in the machine itself, and ended nobody: absent when nothing did. */
    readonly accidents?: readonly Accident[]
    /** Shares of the processor and what was used of it; absent when there is but one. */
    readonly partitions?: readonly { readonly name: string; readonly share: number; readonly usedMs: number }[]
  }
  readonly modules: readonly ModuleReport[]
  readonly checks: readonly Check[]
  readonly recoveries: readonly Recovery[]
  readonly replacements: readonly Replacement[]
  /** Stopped from outside: what is here was finished, the rest was not begun. */
  readonly interrupted: boolean
  readonly time: { readonly virtualMs: number; readonly wallMs: number }
  readonly log: readonly LogRecord[]
}

/** One module's way up. */
export interface Climber {
  readonly request: ModuleRequest
  readonly name: string
  readonly model: DeviceModel | undefined
  device: Plugged | undefined
  driver: Driver | undefined
  /** What its class asks of it, once it is bound. */
  exercise: Exercise | undefined
  rung: RunRung
  reason: string | undefined
  readonly ms: { load: number; probe: number }
}

/** State of a run, for those who want to go on from it (a demo, a bench). */
export interface Session {
  readonly machine: Machine
  readonly worlds: Worlds
  readonly climbers: readonly Climber[]
  readonly checks: Check[]
  check(check: Promise<Check>): Promise<Check>
  report(): RunReport
}

/** Ends a scenario early; what it found is in the report. */
const STOP = new Error('a check failed')

/** Boot a machine with the request's devices, load the drivers and bind them. */
export async function boot(request: RunRequest): Promise<Session> {
  const packs = request.modules.map(({ pack }) => pack)
  const machine = createMachine({ ...request, policies: labPolicies(packs, request.policies) })
  request.observe?.(machine)
  const worlds = new Worlds(machine, request)
  machine.board.kernel.log.sink = request.onEvents
  const wall = request.wallMs ?? ((): number => 0)
  const started = wall()
  const climbers = request.modules.map(climber)
  for (const one of climbers) if (one.model !== undefined) one.device = worlds.with(one.model).plug(one.model)
  for (const world of worlds.all) world.complete()
  const done: Check[] = []
  const session: Session = {
    machine,
    worlds,
    climbers,
    checks: done,
    check: async (promise) => {
      const check = await promise
      // A check that was cut off says nothing of the driver.
      request.signal?.throwIfAborted()
      done.push(check)
      request.onCheck?.(check)
      if (!check.ok && request.stopAtFailure === true) throw STOP
      return check
    },
    report: () => reportOf(session, wall() - started, request.signal?.aborted === true),
  }
  for (const one of climbers) await start(session, one, wall)
  await match(session, wall)
  return session
}

function climber(request: ModuleRequest): Climber {
  const { manifest } = request.pack
  const model = request.device === undefined ? modelsFor(manifest)[0] : modelNamed(request.device)
  return {
    request,
    name: manifest.name,
    model,
    device: undefined,
    driver: undefined,
    exercise: undefined,
    rung: 'none',
    reason: model === undefined ? 'no-device-model' : undefined,
    ms: { load: 0, probe: 0 },
  }
}

/** Load and init. */
async function start({ machine }: Session, one: Climber, wall: () => number): Promise<void> {
  const started = wall()
  try {
    one.driver = await machine.load(one.request.pack, one.request.args)
    one.rung = 'init'
    one.ms.load = wall() - started
  } catch (error) {
    one.reason = reasonOf(error)
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof DriverEnded && error.fault !== undefined) return `${error.fault.kind}: ${error.fault.message}`
  return `load: ${(error as Error).message}`
}

/** Devices and drivers find each other. */
async function match(session: Session, wall: () => number): Promise<void> {
  const { machine, climbers } = session
  const { registry, node: nodeOf } = machine.board.tree
  for (let started = wall(), node = await registry.step(); node !== undefined; node = await registry.step()) {
    const one = climbers.find(({ device }) => device !== undefined && nodeOf(device.fn) === node)
    if (one !== undefined) one.ms.probe += wall() - started
    started = wall()
  }
  for (const one of climbers)
    if (one.rung === 'init' && one.device !== undefined) settled(session, one, nodeOf(one.device.fn))
}

/** What became of a device, for the driver it was plugged in for. */
function settled({ worlds }: Session, one: Climber, node: Node | undefined): void {
  if (node?.client?.driver === one.name) {
    one.rung = 'probe'
    one.exercise = worlds.with(one.model!).exercise(one.driver!, one.device!)
    return
  }
  const own = node?.attempts.find(({ driver }) => driver === one.name)?.refusal
  const taken =
    node?.client === undefined ? 'probe-failed: no id of it names the device' : `${node.client.driver} drives it`
  one.reason = own ?? taken
}

/** The whole scenario. An abort ends it where it is: the report holds what was finished. */
export async function runMachine(request: RunRequest): Promise<RunReport> {
  const session = await boot(request)
  try {
    await scenario(session, request)
  } catch (error) {
    if (error !== STOP && request.signal?.aborted !== true) throw error
  }
  return session.report()
}

async function scenario(session: Session, request: RunRequest): Promise<void> {
  const top = rungIndex(request.until ?? 'contain')
  for (const { rung, climb } of STEPS) if (rungIndex(rung) <= top) await climb(session, request)
}

function partitionsOf({ board }: Machine): Pick<RunReport['machine'], 'partitions'> {
  const { partitions } = board.kernel.scheduler
  if (partitions.length === 1) return {}
  return { partitions: partitions.map(({ name, share, total }) => ({ name, share, usedMs: total / 1e6 })) }
}

function reportOf(session: Session, wallMs: number, interrupted: boolean): RunReport {
  const { machine, worlds, climbers, checks: done } = session
  const { log, accidents } = machine.board.kernel
  log.drain()
  for (const world of worlds.all) world.flush()
  const own = (name: string): DriverFault[] =>
    machine.faults.filter(({ domain }) => domain === name || domain.startsWith(`${name}#`))
  return {
    schema: 'drvport.run/1',
    seed: machine.seed,
    machine: {
      devices: worlds.all.flatMap((world) =>
        world.plugged.map((device) => ({
          name: device.model.name,
          location: device.fn.name,
          ...world.describe(device),
        })),
      ),
      events: log.count,
      eventHash: log.hash,
      ...(accidents.length > 0 && { accidents }),
      ...partitionsOf(machine),
    },
    modules: climbers.map((one) => ({
      name: one.name,
      device: one.model?.name ?? '',
      bound: one.rung !== 'none' && one.rung !== 'init' && one.rung !== 'load',
      rung: one.rung,
      ...(one.reason === undefined ? {} : { reason: one.reason }),
      faults: own(one.name),
      counters: { ...one.exercise?.unit.counters },
      ms: one.ms,
    })),
    checks: done,
    recoveries: machine.recoveries,
    replacements: machine.replacements,
    interrupted,
    time: { virtualMs: machine.now() / 1e6, wallMs },
    log: machine.board.log,
  }
}
