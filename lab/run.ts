/**
 * Scenarios: a machine with these drivers and devices, taken up the ladder. What `drvport run` and `drvport demo` do,
 * without printing and without files.
 *
 * Rungs as they are reached: load, init, probe, operate (opened and linked), traffic, reload (unloaded and bound again
 * without leaving anything), recover (killed and back), contain (broken again and again, and nobody else noticed).
 */
import type { DriverFault, Frame } from '../kernel/fault.ts'
import type { Node } from '../kernel/registry.ts'
import type { LogRecord } from '../machine/board.ts'
import * as checks from './net/checks.ts'
import type { Check } from './net/checks.ts'
import { modelsFor, nicModel, type NicModel } from './models.ts'
import { type Driver, DriverEnded, isClean, leftList } from '../machine/driver.ts'
import { inject } from './net/inject.ts'
import { Lan, type Nic } from './net/lan.ts'
import { type Machine, type MachineOptions, createMachine, type Recovery } from '../machine/machine.ts'
import { stats } from '../machine/class/net/control.ts'
import { interfacesOf } from '../machine/class/net/index.ts'
import type { NetInterface } from '../machine/class/net/interface.ts'
import type { DriverPackage } from '../machine/load/package.ts'
import type { Station } from './net/station.ts'
import type { Replacement } from '../machine/supervise/replace.ts'
import { replaceUnderTraffic } from './net/succession.ts'
import { startTraffic } from './net/traffic.ts'

const RUN_RUNGS = [
  'none',
  'verify',
  'load',
  'init',
  'probe',
  'operate',
  'traffic',
  'reload',
  'recover',
  'contain',
] as const
export type RunRung = (typeof RUN_RUNGS)[number]

export interface ModuleRequest {
  readonly pack: DriverPackage
  /** Device model by name; by the module's id table when not given. */
  readonly device?: string
  /** Another build of it that takes over under traffic. */
  readonly replacement?: DriverPackage
  /** Module parameters, as `module.parameter=value`. */
  readonly args?: readonly string[]
}

export interface RunRequest extends MachineOptions {
  readonly modules: readonly ModuleRequest[]
  /** Frames each way between every two interfaces. */
  readonly frames?: number
  /** Let `breakUnderTraffic` make the devices' buses flip bits. */
  readonly flakyBus?: boolean
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
  /** Gets the wire capture of a NIC. */
  readonly capture?: (nic: Nic) => ((bytes: Uint8Array) => void) | undefined
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
    readonly devices: readonly { readonly name: string; readonly location: string; readonly mac: string }[]
    readonly events: number
    readonly eventHash: string
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
  readonly model: NicModel | undefined
  nic: Nic | undefined
  driver: Driver | undefined
  net: NetInterface | undefined
  rung: RunRung
  reason: string | undefined
  readonly ms: { load: number; probe: number }
}

/** State of a run, for those who want to go on from it (a demo, a bench). */
export interface Session {
  readonly machine: Machine
  readonly lan: Lan
  readonly climbers: readonly Climber[]
  readonly peer: Station
  readonly checks: Check[]
  check(check: Promise<Check>): Promise<Check>
  report(): RunReport
}

const mac = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':')

/** Ends a scenario early; what it found is in the report. */
const STOP = new Error('a check failed')

/** Boot a machine with the request's devices, load the drivers and bind them. */
export async function boot(request: RunRequest): Promise<Session> {
  const machine = createMachine(request)
  request.observe?.(machine)
  const lan = new Lan(machine, request.flakyBus)
  machine.board.kernel.log.sink = request.onEvents
  const wall = request.wallMs ?? ((): number => 0)
  const started = wall()
  const climbers = request.modules.map(climber)
  for (const one of climbers) {
    if (one.model === undefined) continue
    one.nic = lan.plug(one.model)
    const sink = request.capture?.(one.nic)
    if (sink !== undefined) lan.capture(one.nic.wire, sink)
  }
  const peer = lan.station('peer')
  const done: Check[] = []
  const session: Session = {
    machine,
    lan,
    climbers,
    peer,
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
  const model = request.device === undefined ? modelsFor(manifest)[0] : nicModel(request.device)
  return {
    request,
    name: manifest.name,
    model,
    nic: undefined,
    driver: undefined,
    net: undefined,
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
async function match({ machine, climbers }: Session, wall: () => number): Promise<void> {
  const { registry, node: nodeOf } = machine.board.tree
  for (let started = wall(), node = await registry.step(); node !== undefined; node = await registry.step()) {
    const one = climbers.find(({ nic }) => nic !== undefined && nodeOf(nic.fn) === node)
    if (one !== undefined) one.ms.probe += wall() - started
    started = wall()
  }
  for (const one of climbers) if (one.rung === 'init' && one.nic !== undefined) settled(one, nodeOf(one.nic.fn))
}

/** What became of a device, for the driver it was plugged in for. */
function settled(one: Climber, node: Node | undefined): void {
  if (node?.client?.driver === one.name) {
    one.rung = 'probe'
    const { nic, driver } = one
    const offered = driver === undefined ? [] : interfacesOf(driver)
    one.net = offered.find((net) => mac(net.mac) === mac(nic!.mac)) ?? offered[0]
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
  const frames = request.frames ?? 1000
  const { machine } = session
  const { until = 'contain' } = request
  const wanted = (rung: RunRung): boolean => RUN_RUNGS.indexOf(rung) <= RUN_RUNGS.indexOf(until)
  for (const one of session.climbers) {
    const name = `${one.name}: bound to ${one.model?.name ?? 'a device'}`
    const detail = one.reason ?? `${one.net?.name ?? 'no interface'}, ${one.net === undefined ? '' : mac(one.net.mac)}`
    await session.check(Promise.resolve({ name, ok: one.rung === 'probe', detail }))
    if (one.net === undefined || !wanted('operate')) continue
    if ((await session.check(checks.linkUp(machine, one.net))).ok) one.rung = 'operate'
  }
  if (wanted('traffic')) await passTraffic(session, frames)
  for (const one of session.climbers) {
    const { replacement } = one.request
    if (replacement !== undefined && one.rung === 'traffic')
      await session.check(replaceUnderTraffic(session, one, replacement))
  }
  if (wanted('reload')) for (const one of session.climbers) await operations(session, one)
  if (wanted('reload')) for (const one of session.climbers) await hotPlug(session, one)
  if (wanted('reload')) for (const one of session.climbers) await reload(session, one)
  if (wanted('recover')) for (const one of session.climbers) await kill(session, one)
  if (wanted('contain')) for (const one of session.climbers) await contain(session, one, request.inject ?? 0)
}

const operating = (session: Session): Climber[] => session.climbers.filter((one) => one.rung === 'operate')

/** Traffic between every two interfaces, or with the peer when there is one; statistics held against the wires. */
async function passTraffic(session: Session, frames: number): Promise<void> {
  const { machine, peer } = session
  const up = operating(session)
  const pairs =
    up.length < 2 ? up.map((one) => [one, undefined] as const) : up.slice(1).map((one, i) => [up[i]!, one] as const)
  const passed = new Map(up.map((one) => [one, true]))
  const before = new Map<Climber, { stats: Awaited<ReturnType<typeof stats>>; wire: { out: number; in: number } }>()
  for (const one of up) {
    try {
      before.set(one, { stats: await stats(one.net!), wire: checks.wireCounts(one.nic!) })
    } catch {
      passed.set(one, false)
    }
  }
  for (const [a, b] of pairs) {
    const check = await session.check(checks.traffic(machine, a.net!, b?.net ?? peer, { frames }))
    for (const one of [a, b]) if (one !== undefined && !check.ok) passed.set(one, false)
  }
  for (const one of up) {
    const from = before.get(one)
    if (from !== undefined) await session.check(checks.statistics(bench(session, one), from.stats, from.wire))
    if (passed.get(one)) one.rung = 'traffic'
  }
}

const bench = (session: Session, one: Climber): checks.Bench => ({
  machine: session.machine,
  nic: one.nic!,
  net: one.net!,
  peer: session.peer,
})

/** Everything an administrator does with an interface. */
async function operations(session: Session, one: Climber): Promise<void> {
  if (one.net?.driver === undefined) return
  const on = bench(session, one)
  for (const operation of [checks.cable, checks.mtu, checks.promiscuous, checks.multicast, checks.selfTest]) {
    await session.check(operation(on))
    await session.machine.recover()
  }
}

/** Pulled out and plugged in again, while it works. */
async function hotPlug(session: Session, one: Climber): Promise<void> {
  if (one.net?.driver === undefined) return
  const { lan, machine } = session
  const check = await session.check(checks.hotPlug(bench(session, one), { lan, driver: machine.driver(one.name)! }))
  if (!check.ok && one.rung === 'traffic') one.rung = 'operate'
  await machine.recover()
}

/** Unload, see that nothing is left, load and bind again, pass traffic. */
async function reload(session: Session, one: Climber): Promise<void> {
  if (one.net === undefined) return
  const { machine, peer } = session
  const check = await session.check(
    checks.attempt(`${one.name}: unload leaves nothing, and it binds again`, async () => {
      // Those that need it go before it and come after it.
      const others = machine
        .dependents(one.name)
        .flatMap((name) => session.climbers.filter((each) => each.name === name))
      for (const each of others.toReversed()) await machine.unload(each.name)
      const left = await machine.unload(one.name)
      for (const each of [one, ...others]) {
        each.driver = await machine.load(each.request.pack, each.request.args)
        await machine.match()
        if (each.nic !== undefined && !each.driver.drives(each.nic.fn))
          return [false, `${each.name} does not bind again`]
      }
      for (const each of others) if (each.net !== undefined) await checks.linkUp(machine, each.net)
      const again = await checks.linkUp(machine, one.net!)
      const moved = await checks.traffic(machine, one.net!, peer, { frames: 100 })
      const what = isClean(left) ? 'nothing left' : `left: ${leftList(left)}`
      return [isClean(left) && again.ok && moved.ok, `${what}; ${again.detail}; ${moved.detail}`]
    }),
  )
  if (check.ok && one.rung === 'traffic') one.rung = 'reload'
}

/** Where it failed: the innermost frame in one of the driver's own files, else in any file. */
export function placeOf({ frames }: DriverFault, { manifest }: DriverPackage): Frame | undefined {
  const own = new Set(manifest.sources.map((source) => source.path))
  return frames.find((frame) => own.has(frame.file)) ?? frames.find((frame) => frame.file !== '')
}

function describePlace(fault: DriverFault | undefined, pack: DriverPackage): string {
  if (fault === undefined) return 'no fault'
  const at = placeOf(fault, pack)
  return at === undefined ? fault.kind : `${fault.kind} in ${at.function} (${at.file}:${at.line})`
}

/** How long a driver may leave its device alone before it notices that it has lost it. */
const NOTICE_NS = 5e9

/**
 * Take the driver's registers away in the middle of traffic. Its next access is refused and ends it; the supervisor
 * brings it back, configuration and traffic resume.
 */
async function kill(session: Session, one: Climber): Promise<void> {
  if (one.net?.driver === undefined) return
  const { machine, peer } = session
  const check = await session.check(
    checks.attempt(`${one.name}: registers revoked under traffic, restarted`, async () => {
      const net = one.net!
      const frames = 400
      const running = startTraffic(machine.board.kernel, net, peer, machine.seed, { frames })
      await machine.run(() => running.received >= frames / 2, 10e9)
      const before = machine.recoveries.length
      const victim = machine.driver(one.name)!
      victim.revokeRegisters()
      await machine.run(() => machine.recoveries.length > before, NOTICE_NS)
      const left = Object.entries(victim.domain.remains()).filter(([, count]) => count !== 0)
      const recovery = machine.recoveries[before]
      one.driver = machine.driver(one.name)
      const [up, link] = await checks.carrier(machine, net, true)
      net.kick()
      await checks.finish(machine, running, frames)
      const { reports } = running
      running.stop()
      const after = await checks.traffic(machine, net, peer, { frames: 100 })
      const ok = recovery?.ok === true && up && after.ok && left.length === 0
      const took = recovery === undefined ? '' : `${(recovery.tookNs / 1e6).toFixed(3)} ms`
      const lost = reports.reduce((sum, r) => sum + r.lost, 0)
      return [
        ok,
        `${describePlace(recovery?.fault, one.request.pack)}; ${recovery?.reason ?? `restarted in ${took}`}; ${link}; ${lost} frames lost meanwhile; then ${after.detail}`,
      ]
    }),
  )
  if (check.ok && one.rung === 'reload') one.rung = 'recover'
}

/** Break the driver `count` times in seeded ways; two stations that it does not serve must not notice. */
async function contain(session: Session, one: Climber, count: number): Promise<void> {
  if (one.net === undefined || count === 0) return
  const { machine, lan, peer } = session
  const other =
    session.climbers.find((climber) => climber !== one && climber.net?.ready)?.net ?? lan.station('bystander')
  const third = lan.station('third')
  const check = await session.check(
    checks.attempt(`${one.name}: ${count} injected faults contained`, async () => {
      const done = await inject(machine, one.name, one.net!, peer, [other, third], count)
      const bad = done.filter(({ bystander, recovered }) => !bystander || !recovered)
      const counts = Map.groupBy(done, ({ name, outcome }) => `${name}: ${outcome}`)
      const list = [...counts].map(([what, these]) => `${these.length} ${what}`).join(', ')
      const failed = bad.map(({ name, bystander }) => `${name}: ${bystander ? 'not recovered' : 'a bystander noticed'}`)
      return [bad.length === 0, [list, ...failed].join('; ')]
    }),
  )
  one.driver = machine.driver(one.name)
  if (check.ok && one.rung === 'recover') one.rung = 'contain'
}

function partitionsOf({ board }: Machine): Pick<RunReport['machine'], 'partitions'> {
  const { partitions } = board.kernel.scheduler
  if (partitions.length === 1) return {}
  return { partitions: partitions.map(({ name, share, total }) => ({ name, share, usedMs: total / 1e6 })) }
}

function reportOf(session: Session, wallMs: number, interrupted: boolean): RunReport {
  const { machine, lan, climbers, checks: done } = session
  const { log } = machine.board.kernel
  log.drain()
  lan.flushCaptures()
  const own = (name: string): DriverFault[] =>
    machine.faults.filter(({ domain }) => domain === name || domain.startsWith(`${name}#`))
  return {
    schema: 'drvport.run/1',
    seed: machine.seed,
    machine: {
      devices: lan.nics.map((nic) => ({ name: nic.model.name, location: nic.fn.name, mac: mac(nic.mac) })),
      events: log.count,
      eventHash: log.hash,
      ...partitionsOf(machine),
    },
    modules: climbers.map((one) => ({
      name: one.name,
      device: one.model?.name ?? '',
      bound: one.rung !== 'none' && one.rung !== 'init' && one.rung !== 'load',
      rung: one.rung,
      ...(one.reason === undefined ? {} : { reason: one.reason }),
      faults: own(one.name),
      counters: { ...one.net?.counters },
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
