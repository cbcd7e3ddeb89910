/**
 * A machine: the board, its devices and network, and the drivers on it, supervised.
 *
 * Nothing happens unless somebody runs it: `run`, or an operation on a driver. A driver that fails while the machine
 * runs is restarted by policy, given its devices again, and its interfaces' configuration is replayed.
 */
import { Supervisor, type RestartPolicy } from '../../kernel/supervisor.ts'
import type { DomainLimits } from '../../kernel/program.ts'
import type { DriverFault, Symbolizer } from '../../kernel/fault.ts'
import type { RunEnd } from '../../kernel/kernel.ts'
import type { PciFunction } from '../pci/function.ts'
import { Board, type LogRecord } from './board.ts'
import { Driver, DriverEnded } from './driver.ts'
import { Matching } from './matching.ts'
import { replay } from './net-control.ts'
import { NetService } from './net-service.ts'
import type { DriverPackage } from './package.ts'
import type { Probe } from './probe.ts'
import type { LoadOptions } from './program.ts'

export interface MachineOptions {
  readonly seed?: number
  /** Refuse a package by throwing; runs before anything of it is compiled. */
  readonly verify?: (pack: DriverPackage) => void
  /** Makes the symbolizer of a package: module offset to C function, file and line. */
  readonly symbolizer?: (pack: DriverPackage) => Symbolizer
  /** Firmware by file name. */
  readonly firmware?: Readonly<Record<string, Uint8Array>>
  readonly restarts?: RestartPolicy
  readonly limits?: DomainLimits
  readonly onLog?: (record: LogRecord) => void
  /** Looks into the machine: see probe.ts. */
  readonly probe?: Probe
  /** Stops the machine between two events; `run` then throws the signal's reason. */
  readonly signal?: AbortSignal
}

export interface Recovery {
  readonly driver: string
  readonly fault: DriverFault | undefined
  /** Virtual time from the fault to devices bound and configuration replayed. */
  readonly tookNs: number
  readonly attempt: number
  readonly ok: boolean
  readonly reason?: string
}

interface Slot {
  driver: Driver
  readonly pack: DriverPackage
  readonly args: readonly string[]
  readonly supervisor: Supervisor
  /** Ended, not yet dealt with: the functions it had. */
  orphans: readonly PciFunction[] | undefined
  failedAtNs: number
  failures: number
}

export class Machine {
  readonly seed: number
  readonly board: Board
  readonly net: NetService
  readonly recoveries: Recovery[] = []
  readonly faults: DriverFault[] = []
  readonly #options: MachineOptions
  readonly #matching: Matching
  readonly #slots = new Map<string, Slot>()

  constructor(options: MachineOptions = {}) {
    this.#options = options
    this.seed = options.seed ?? 1
    this.board = new Board(this.seed)
    this.board.onLog = options.onLog
    const { probe } = options
    if (probe !== undefined) this.board.pci.tap = (name, context) => probe.device?.(name, context) ?? context
    this.net = new NetService(this.board.kernel)
    this.#matching = new Matching(this.board.tree.registry)
  }

  /** Virtual ns since the start. */
  now(): number {
    return this.board.kernel.clock.now()
  }

  /** Load a package and run its init; it is supervised from then on. */
  async load(pack: DriverPackage, args: readonly string[] = []): Promise<Driver> {
    const { name } = pack.manifest
    if (this.#slots.has(name)) throw new Error(`${name} is loaded already`)
    this.#options.verify?.(pack)
    const driver = await this.#start(pack, args, 1)
    const supervisor = new Supervisor(this.#options.restarts)
    const slot: Slot = { driver, pack, args, supervisor, orphans: undefined, failedAtNs: 0, failures: 0 }
    this.#slots.set(name, slot)
    this.#watch(slot)
    this.#matching.introduce(slot)
    return driver
  }

  /** Load a package and do not start it: what an engine makes of the binary. Throws PackageError. */
  async open(pack: DriverPackage): Promise<Driver> {
    this.#options.verify?.(pack)
    return Driver.open(this.board, this.net, pack, this.#loadOptions(pack, pack.manifest.name, []))
  }

  #loadOptions(pack: DriverPackage, name: string, args: readonly string[]): LoadOptions {
    const { symbolizer, firmware, limits, probe } = this.#options
    return { name, args, firmware: firmware ?? {}, symbolize: symbolizer?.(pack), limits, probe }
  }

  async #start(pack: DriverPackage, args: readonly string[], generation: number): Promise<Driver> {
    const name = generation === 1 ? pack.manifest.name : `${pack.manifest.name}#${generation}`
    try {
      return await Driver.load(this.board, this.net, pack, this.#loadOptions(pack, name, args), generation)
    } catch (error) {
      if (error instanceof DriverEnded && error.fault !== undefined) this.faults.push(error.fault)
      throw error
    }
  }

  #watch(slot: Slot): void {
    const { driver } = slot
    driver.domain.onEnd = (domain) => {
      if (domain.fault === undefined) return
      this.faults.push(domain.fault)
      slot.orphans = [...driver.devices.values()]
      slot.failedAtNs = this.now()
      slot.failures++
      for (const fn of slot.orphans) this.board.disown(fn)
    }
  }

  /** The driver's present generation. */
  driver(name: string): Driver | undefined {
    return this.#slots.get(name)?.driver
  }

  get drivers(): Driver[] {
    return [...this.#slots.values()].map((slot) => slot.driver)
  }

  /** Unload a driver for good. */
  async unload(name: string): ReturnType<Driver['unload']> {
    const slot = this.#slots.get(name)
    if (slot === undefined) throw new Error(`${name} is not loaded`)
    this.#matching.withdraw(name)
    const had = [...slot.driver.devices.values()]
    const left = await slot.driver.unload()
    this.#slots.delete(name)
    for (const fn of had) this.#offer(fn)
    return left
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

  /** Run until `stop()` holds or `forNs` has passed, restarting what fails and matching what comes. */
  async run(stop: () => boolean, forNs = Infinity): Promise<RunEnd> {
    const limit = this.now() + forNs
    const { signal } = this.#options
    const { registry } = this.board.tree
    const aborted = (): boolean => signal?.aborted === true
    for (;;) {
      const work = (): boolean => registry.busy || this.#fallen() !== undefined
      const end = await this.board.kernel.run(() => stop() || aborted() || work(), limit)
      signal?.throwIfAborted()
      const fallen = this.#fallen()
      if (fallen !== undefined) await this.#recover(fallen)
      else if (registry.busy) await this.match()
      else return end
    }
  }

  /** Let time pass. */
  async sleep(ns: number): Promise<void> {
    await this.run(() => false, ns)
  }

  /** Restart what has failed, now. */
  async recover(): Promise<void> {
    for (let slot = this.#fallen(); slot !== undefined; slot = this.#fallen()) await this.#recover(slot)
  }

  #fallen(): Slot | undefined {
    for (const slot of this.#slots.values()) if (slot.orphans !== undefined) return slot
    return undefined
  }

  async #recover(slot: Slot): Promise<void> {
    const functions = slot.orphans ?? []
    slot.orphans = undefined
    const { fault } = slot.driver.domain
    const { name } = slot.pack.manifest
    const decision = slot.supervisor.failed(this.now())
    const outcome = (ok: boolean, attempt: number, reason?: string): void => {
      const tookNs = this.now() - slot.failedAtNs
      this.recoveries.push({ driver: name, fault, tookNs, attempt, ok, ...(reason === undefined ? {} : { reason }) })
    }
    if (!decision.restart) {
      this.#matching.withdraw(name)
      for (const fn of functions) this.#offer(fn)
      return outcome(false, this.recoveries.length, decision.reason)
    }
    const { afterNs, attempt } = decision
    await this.board.kernel.run(() => false, this.now() + afterNs)
    try {
      await this.#restart(slot, functions)
      outcome(true, attempt)
    } catch (error) {
      outcome(false, attempt, (error as Error).message)
      // It failed again while starting: what it was given is orphaned once more, and policy decides.
      if (slot.driver.dead) slot.orphans = functions
    }
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
    for (const net of slot.driver.interfaces) await replay(net)
  }
}

export const createMachine = (options: MachineOptions = {}): Machine => new Machine(options)
