/**
 * A machine: the board, its devices, and the drivers on it, supervised.
 *
 * Nothing happens unless somebody runs it: `run`, or an operation on a driver. A driver that fails or does not answer while
 * the machine runs is restarted by policy, given its devices again, and its units' configuration is replayed; those that
 * need it are stopped before and started after it. `replace` does the same with another build, on request.
 */
import type { Costs } from '../kernel/costs.ts'
import { type DriverFault, FAULTS, type Symbolizer } from '../kernel/fault.ts'
import type { RunEnd } from '../kernel/kernel.ts'
import type { Pace } from '../kernel/pace.ts'
import type { DomainLimits } from '../kernel/program.ts'
import {
  type Decision,
  dependents,
  type Escalation,
  groupOf,
  type RestartPolicy,
  Supervisor,
} from '../kernel/supervisor.ts'
import type { PciFunction } from '../hw/pci/function.ts'
import { emptyBus } from '../hw/legacy.ts'
import { Board, type LogRecord } from './board.ts'
import { Driver, DriverEnded } from './driver.ts'
import { Matching } from './tree/matching.ts'
import type { DriverPackage } from './load/package.ts'
import { type Placement, placementOf, placementsOf, type Schedule } from './load/placement.ts'
import type { Observer } from './observe/observer.ts'
import { type DriverPolicy, driverPolicy, type Policies } from './supervise/policy.ts'
import { append } from './observe/newest.ts'
import { type PostMortem, postMortem } from './observe/post-mortem.ts'
import type { LoadOptions } from './load/core.ts'
import { type Replacement, replaceDriver } from './supervise/replace.ts'
import { Watch } from './supervise/watch.ts'

export interface MachineOptions {
  readonly seed?: number
  /** Refuse a package by throwing; runs before anything of it is compiled. */
  readonly verify?: (pack: DriverPackage) => void | Promise<void>
  /** Makes the symbolizer of a package: module offset to C function, file and line. */
  readonly symbolizer?: (pack: DriverPackage) => Symbolizer
  /** Firmware by file name. */
  readonly firmware?: Readonly<Record<string, Uint8Array>>
  /** For all drivers; `policies` says more. */
  readonly restarts?: RestartPolicy
  readonly limits?: DomainLimits
  /** Quotas, restarts, heartbeats and dependencies by driver. */
  readonly policies?: Policies
  /** Drivers serve each other's buses: what goes along with a bus's core is loaded. */
  readonly layered?: boolean
  /** What things cost in virtual time, where it is not what kernel/costs.ts says. */
  readonly costs?: Partial<Costs>
  /** Interrupt lines and messages of the board, where it has others than a PC. */
  readonly interrupts?: { readonly lines: number; readonly capacity: number }
  /** Priorities and partitions of drivers. */
  readonly schedule?: Schedule
  readonly onLog?: (record: LogRecord) => void
  /** Looks into the machine: see observer.ts. */
  readonly observer?: Observer
  /** Gets the record of each failure; without it none is made, which takes a few ms. */
  readonly onPostMortem?: (record: PostMortem) => void
  /** The command that comes to an event of this run again, for post-mortem records. */
  readonly againAt?: (event: number) => string
  /** Stops the machine between two events; `run` then throws the signal's reason. */
  readonly signal?: AbortSignal
  /** What virtual time follows; nothing when not given: it is as fast as the host. */
  readonly pace?: Pace
}

export interface Recovery {
  readonly driver: string
  readonly fault: DriverFault | undefined
  /** Virtual time from the fault to devices bound and configuration replayed. */
  readonly tookNs: number
  readonly attempt: number
  readonly ok: boolean
  readonly reason?: string
  /** What was tried because restarts had not helped. */
  readonly escalation?: Escalation
  /** Drivers that need it, restarted with it, in the order they started. */
  readonly dependents?: readonly string[]
}

/** A supervised driver, over its generations. */
export interface Slot {
  readonly name: string
  driver: Driver
  pack: DriverPackage
  /** What it ran before it was replaced. */
  previous: DriverPackage | undefined
  readonly args: readonly string[]
  readonly policy: DriverPolicy
  readonly supervisor: Supervisor
  watch: Watch | undefined
  /** Ended, not yet dealt with: the functions it had. */
  orphans: readonly PciFunction[] | undefined
  /** Down for good: nothing restarts it, and nothing that needs it. */
  stopped: boolean
  failedAtNs: number
  failures: number
}

/** Failures, recoveries and replacements that a machine remembers at least, of each. */
const KEPT = 1024

export class Machine {
  readonly seed: number
  readonly board: Board
  /** The newest of each, at least `KEPT`, oldest first. */
  readonly recoveries: Recovery[] = []
  readonly replacements: Replacement[] = []
  readonly faults: DriverFault[] = []
  readonly #options: MachineOptions
  readonly #matching: Matching
  readonly #placements: ReadonlyMap<string, Placement>
  readonly #slots = new Map<string, Slot>()
  /** A driver may have ended, or been complained of, since all were looked at. */
  #alarm = true

  constructor(options: MachineOptions = {}) {
    this.#options = options
    this.seed = options.seed ?? 1
    this.board = new Board(this.seed, options.costs, options.interrupts)
    this.board.onLog = options.onLog
    const { pacing } = this.board.kernel
    pacing.pace = options.pace
    options.signal?.addEventListener('abort', () => pacing.hurry())
    this.#placements = placementsOf(this.board.kernel.scheduler, options.schedule ?? {})
    const { observer } = options
    if (observer !== undefined) this.board.pci.tap = (name, context) => observer.device?.(name, context) ?? context
    this.#matching = new Matching(this.board.tree.registry)
  }

  /** Virtual ns since the start. */
  now(): number {
    return this.board.kernel.clock.now()
  }

  /** Load a package and run its init; it is supervised from then on. Throws when what it needs is not there. */
  async load(pack: DriverPackage, args: readonly string[] = []): Promise<Driver> {
    const { name } = pack.manifest
    if (this.#slots.has(name)) throw new Error(`${name} is loaded already`)
    const policy = this.#policy(pack)
    const missing = policy.needs.find((other) => this.#slots.get(other)?.driver.dead !== false)
    if (missing !== undefined) throw new Error(`${name} needs ${missing}, which does not run: load it first`)
    await this.#options.verify?.(pack)
    const driver = await this.#start(pack, args, 1)
    const supervisor = new Supervisor(policy.restarts)
    const slot: Slot = {
      name,
      driver,
      pack,
      previous: undefined,
      args,
      policy,
      supervisor,
      watch: undefined,
      orphans: undefined,
      stopped: false,
      failedAtNs: 0,
      failures: 0,
    }
    this.#slots.set(name, slot)
    this.#watch(slot)
    this.#matching.introduce(slot)
    return driver
  }

  #policy(pack: DriverPackage): DriverPolicy {
    const { limits, restarts, policies } = this.#options
    const common = { ...(limits && { limits }), ...(restarts && { restarts: { escalate: [], ...restarts } }) }
    const all = policies?.['*']
    return driverPolicy(pack.manifest, {
      ...policies,
      '*': { ...all, limits: { ...common.limits, ...all?.limits }, restarts: { ...common.restarts, ...all?.restarts } },
    })
  }

  /** Load a package and do not start it: what an engine makes of the binary. Throws PackageError. */
  async open(pack: DriverPackage, args: readonly string[] = []): Promise<Driver> {
    await this.#options.verify?.(pack)
    return this.#open(pack, pack.manifest.name, args, 1)
  }

  /** A domain for a driver, with all that its policy grants before its init. */
  async #open(pack: DriverPackage, name: string, args: readonly string[], generation: number): Promise<Driver> {
    const driver = await Driver.open(this.board, pack, this.#loadOptions(pack, name, args), generation)
    if (this.#policy(pack).legacyPorts && pack.manifest.capabilities.includes('pio')) driver.host.grantPorts(emptyBus)
    return driver
  }

  #loadOptions(pack: DriverPackage, name: string, args: readonly string[]): LoadOptions {
    const { symbolizer, firmware, observer, layered } = this.#options
    const { limits } = this.#policy(pack)
    const placement = placementOf(this.#placements, pack.manifest.name)
    return { name, args, firmware: firmware ?? {}, symbolize: symbolizer?.(pack), limits, placement, observer, layered }
  }

  async #start(pack: DriverPackage, args: readonly string[], generation: number): Promise<Driver> {
    const name = generation === 1 ? pack.manifest.name : `${pack.manifest.name}#${generation}`
    const driver = await this.#open(pack, name, args, generation)
    driver.domain.onFail = (_domain, fault) => this.#record(driver, fault)
    try {
      await driver.initialize()
    } catch (error) {
      if (error instanceof DriverEnded && error.fault !== undefined) append(this.faults, error.fault, KEPT)
      // One that refused is alive, and nobody's: it goes with all that it holds.
      driver.end()
      throw error
    }
    return driver
  }

  /** It has failed and holds everything still: write that down, for whoever wants to know. */
  #record(driver: Driver, fault: DriverFault): void {
    const { onPostMortem, againAt } = this.#options
    if (onPostMortem === undefined) return
    const { name } = driver.pack.manifest
    const earlier = this.faults.filter(({ domain }) => domain === name || domain.startsWith(`${name}#`))
    onPostMortem(postMortem(this.board, driver, fault, earlier, againAt))
  }

  #watch(slot: Slot): void {
    const { driver } = slot
    const alarm = (): void => void (this.#alarm = true)
    slot.watch = Watch.over(driver, slot.policy.heartbeat, alarm)
    driver.domain.onEnd = (domain) => {
      slot.watch?.stop()
      if (domain.fault === undefined) return
      append(this.faults, domain.fault, KEPT)
      slot.orphans = [...driver.devices.values()]
      alarm()
      slot.failedAtNs = this.now()
      slot.failures++
      for (const fn of slot.orphans) this.board.disown(fn)
      // What it had of other domains' buses is offered to its next generation like anything else.
      for (const { node } of driver.nubs.values()) {
        this.board.tree.registry.release(node)
        this.board.tree.registry.offer(node)
      }
    }
  }

  /** The driver's present generation. */
  driver(name: string): Driver | undefined {
    return this.#slots.get(name)?.driver
  }

  get drivers(): Driver[] {
    return [...this.#slots.values()].map((slot) => slot.driver)
  }

  /** Unload a driver for good. Throws while another needs it. */
  async unload(name: string): ReturnType<Driver['unload']> {
    const slot = this.#slot(name)
    const [other] = dependents(this.#needs, name)
    if (other !== undefined) throw new Error(`${name} cannot be unloaded: ${other} needs it; unload that first`)
    this.#matching.withdraw(name)
    const had = [...slot.driver.devices.values()]
    try {
      return await this.#unload(slot)
    } finally {
      // One that ends of it has gone as well: nobody starts it again.
      slot.driver.end()
      slot.orphans = undefined
      this.#slots.delete(name)
      for (const fn of had) this.#offer(fn)
    }
  }

  /** Somebody else may have a function that its driver has no more. */
  #offer(fn: PciFunction): void {
    const node = this.board.tree.node(fn)
    if (node !== undefined) this.board.tree.registry.offer(node)
  }

  /** Let drivers and devices find each other, now; `run` does it by itself. */
  async match(): Promise<void> {
    await this.board.tree.registry.settle()
  }

  async #unload(slot: Slot): ReturnType<Driver['unload']> {
    await slot.watch?.settle()
    const nubs = [...slot.driver.nubs.values()]
    const left = await slot.driver.unload()
    // What it had of other domains' buses goes to whoever wants it: its next generation, mostly.
    for (const { node } of nubs) this.board.tree.registry.offer(node)
    return left
  }

  /** Those that need a driver, in the order to start them in. */
  dependents(name: string): string[] {
    return dependents(this.#needs, name)
  }

  #slot(name: string): Slot {
    const slot = this.#slots.get(name)
    if (slot === undefined) throw new Error(`${name} is not loaded`)
    return slot
  }

  /**
   * Replace a running driver by another build, its devices and units handed over. When the other one does not take
   * them, the present one gets them back. Throws only for a driver that is not loaded or does not run.
   */
  async replace(name: string, pack: DriverPackage): Promise<Replacement> {
    const slot = this.#slot(name)
    if (slot.driver.dead) throw new Error(`${name} does not run: it cannot hand anything over`)
    const nubs = [...slot.driver.nubs.values()]
    const done = await replaceDriver(this, slot, pack, {
      start: async (build, generation) => {
        await this.#options.verify?.(build)
        return this.#start(build, slot.args, generation)
      },
      adopt: (driver) => {
        slot.driver = driver
        this.#watch(slot)
        // Its id tables may name other devices than those of the build before it.
        this.#matching.withdraw(name)
        this.#matching.introduce(slot)
      },
    })
    for (const { node } of nubs) if (node.client === undefined) this.board.tree.registry.offer(node)
    append(this.replacements, done, KEPT)
    return done
  }

  // ---- running and recovering ----

  /** Run until `stop()` holds or `forNs` has passed, restarting what fails and matching what comes. */
  async run(stop: () => boolean, forNs = Infinity): Promise<RunEnd> {
    const limit = this.now() + forNs
    const { signal } = this.#options
    const { registry } = this.board.tree
    const failed = (): boolean => this.#alarm && this.#look()
    const wanted = (): boolean => registry.busy || failed()
    for (;;) {
      this.#alarm = true
      const end = await this.board.kernel.run(() => stop() || signal?.aborted === true || wanted(), limit)
      signal?.throwIfAborted()
      if (failed()) await this.recover()
      else if (registry.busy) await this.match()
      else return end
    }
  }

  /**
   * Freeze the whole machine at the next turn of whoever runs it, or let it go on: no time passes in between, timers keep
   * what they had left, fibers stay where they are. Both are recorded, as inputs from outside.
   */
  freeze(): void {
    this.board.kernel.pacing.freeze()
  }

  thaw(): void {
    this.board.kernel.pacing.thaw()
  }

  get frozen(): boolean {
    return this.board.kernel.pacing.frozen
  }

  /** Let time pass. */
  async sleep(ns: number): Promise<void> {
    await this.run(() => false, ns)
  }

  /** End what does not answer and restart what has failed, now. */
  async recover(): Promise<void> {
    for (let slot = this.#silent(); slot !== undefined; slot = this.#silent()) await slot.watch!.condemn()
    for (let slot = this.#fallen(); slot !== undefined; slot = this.#fallen()) await this.#recover(slot)
  }

  /** Whether one has ended or is to end. It is asked at every turn, so all are looked at only when one may have. */
  #look(): boolean {
    return (this.#alarm = this.#fallen() !== undefined || this.#silent() !== undefined)
  }

  #fallen(): Slot | undefined {
    for (const slot of this.#slots.values()) if (slot.orphans !== undefined) return slot
    return undefined
  }

  #silent(): Slot | undefined {
    for (const slot of this.#slots.values()) if (slot.watch?.complaint !== undefined) return slot
    return undefined
  }

  get #needs(): Map<string, readonly string[]> {
    return new Map([...this.#slots.values()].map(({ name, policy }) => [name, policy.needs]))
  }

  async #recover(slot: Slot): Promise<void> {
    const { name, driver } = slot
    const { fault } = driver.domain
    const clients = dependents(this.#needs, name)
    const group = groupOf(this.#needs, name)
    const possible: Escalation[] = []
    if (slot.previous !== undefined) possible.push('previous')
    if (group.length > 1) possible.push('group')
    const futile = fault !== undefined && FAULTS[fault.kind].follows === 'never'
    const decision: Decision = futile
      ? { restart: false, reason: `no restart after ${fault.kind}` }
      : slot.supervisor.failed(this.now(), possible)
    const outcome = (ok: boolean, attempt: number, reason?: string): void => {
      const escalation = decision.restart ? decision.escalation : undefined
      const done: Recovery = {
        driver: name,
        fault,
        tookNs: this.now() - slot.failedAtNs,
        attempt,
        ok,
        ...(reason === undefined ? {} : { reason }),
        ...(escalation === undefined ? {} : { escalation }),
        ...(clients.length === 0 ? {} : { dependents: clients }),
      }
      append(this.recoveries, done, KEPT)
    }
    const functions = slot.orphans ?? []
    slot.orphans = undefined
    const others = decision.restart && decision.escalation === 'group' ? group.filter((one) => one !== name) : clients
    const stopped = await this.#stopAll(others, name)
    if (!decision.restart) {
      slot.stopped = true
      this.#matching.withdraw(name)
      for (const fn of functions) this.#offer(fn)
      return outcome(false, slot.failures, decision.reason)
    }
    await this.board.kernel.run(() => false, this.now() + decision.afterNs)
    if (decision.escalation === 'previous') [slot.pack, slot.previous] = [slot.previous!, undefined]
    stopped.set(name, functions)
    try {
      for (const one of group) {
        const devices = stopped.get(one)
        if (devices !== undefined) await this.#restart(this.#slot(one), devices)
        stopped.delete(one)
      }
      outcome(true, decision.attempt)
    } catch (error) {
      outcome(false, decision.attempt, (error as Error).message)
      this.#fellAgain(slot, stopped)
    }
  }

  /** Something failed while starting: what was to be given to it and to those after it is orphaned, and policy decides. */
  #fellAgain(first: Slot, waiting: ReadonlyMap<string, readonly PciFunction[]>): void {
    for (const [name, functions] of waiting) {
      const slot = this.#slot(name)
      if (slot.driver.dead && (slot === first || slot.orphans === undefined)) slot.orphans = functions
    }
  }

  /** Stop those that need one that has gone, the furthest first. Returns the devices each had. */
  async #stopAll(names: readonly string[], gone: string): Promise<Map<string, readonly PciFunction[]>> {
    const had = new Map<string, readonly PciFunction[]>()
    for (const name of names.toReversed()) {
      const slot = this.#slot(name)
      if (slot.stopped) continue
      had.set(name, slot.orphans ?? [...slot.driver.devices.values()])
      slot.orphans = undefined
      if (slot.driver.dead) continue
      this.board.note(slot.driver.domain, `${gone} has gone: stopped until it is back`)
      // One that fails while it stops has stopped as well; its fault is in the list.
      await this.#unload(slot).catch((error: unknown) => {
        if (!(error instanceof DriverEnded)) throw error
      })
      slot.orphans = undefined
    }
    return had
  }

  async #restart(slot: Slot, functions: readonly PciFunction[]): Promise<void> {
    slot.driver = await this.#start(slot.pack, slot.args, slot.driver.generation + 1)
    this.#watch(slot)
    for (const fn of functions) {
      // It may have gone meanwhile, or be another's.
      const node = this.board.tree.node(fn)
      if (node === undefined || node.gone || node.client !== undefined) continue
      const code = await slot.driver.bind(fn)
      if (code < 0) throw new Error(`${slot.driver.name}: probe of ${fn.name} failed with ${code}`)
    }
    for (const unit of slot.driver.units) await unit.replay()
  }
}

export const createMachine = (options: MachineOptions = {}): Machine => new Machine(options)
