/**
 * A loaded driver: one generation of one package in its domain, and the operations on it.
 *
 * Every operation is a request to the kernel in the domain, waited for to its end; when the domain ends instead, DriverEnded
 * carries the fault.
 */
import { E, nub as nubLayout, NUB } from '../linux-api/generated/abi.ts'
import type { Capability } from '../kernel/capability.ts'
import { type DriverFault, Failure } from '../kernel/fault.ts'
import type { Beat, Heartbeat } from '../kernel/heartbeat.ts'
import type { Node } from '../kernel/registry.ts'
import type { PciFunction } from '../hw/pci/function.ts'
import type { Board } from './board.ts'
import type { Nub } from './tree/nubs.ts'
import type { DriverEntries, Unit } from './class/device-class.ts'
import type { DriverPackage } from './load/package.ts'
import type { Request } from './abi/requests.ts'
import { imageOf, putImage } from './load/image.ts'
import { errnoName } from './linux/errno.ts'
import { System, SystemError } from './linux/system.ts'
import { type BoundPackage, type CoreProgram, loadCore, type LoadOptions } from './load/core.ts'
import { type CoreBeat, type Operation, Operations } from './load/operations.ts'
import { condemn } from './supervise/inquest.ts'

/** delete_module(2) of a module that its own kernel holds, as alarm timers hold the first clock that rings. */
const IN_USE = '-EAGAIN'

/** What messages call one. */
const SYSTEM_CALL = 'a system call'

export class DriverEnded extends Error {
  readonly fault: DriverFault | undefined
  constructor(driver: string, during: string, fault: DriverFault | undefined) {
    super(`${driver} ended during ${during}${fault === undefined ? '' : `: ${fault.kind}: ${fault.message}`}`)
    this.name = 'DriverEnded'
    this.fault = fault
  }
}

/** Init returned an error: the driver will not start. */
export class InitRefused extends Error {
  /** Negative errno. */
  readonly code: number
  /** Whose it was: the driver's own, or that of a module it stands on. */
  readonly module: string
  constructor(driver: string, code: number, module = driver) {
    super(`${driver}: init failed with ${code}`)
    this.name = 'InitRefused'
    this.code = code
    this.module = module
  }
}

/** What was still there after everything was given back; all zero when nothing leaked. */
export interface Leftovers {
  readonly mappings: number
  readonly windows: number
  readonly vectors: number
  readonly interrupts: number
  readonly units: number
  readonly capabilities: number
  /** What unloading said: an errno where it failed, 0 where Linux did it, keeps such a module for good, or has it in use. */
  readonly exit: number
}

export class Driver implements DriverEntries {
  readonly pack: DriverPackage
  readonly generation: number
  readonly program: CoreProgram
  /** Functions granted, by the driver's handle. */
  readonly devices = new Map<number, PciFunction>()
  /** Devices of other domains' buses, by its handle. */
  readonly nubs = new Map<number, { readonly node: Node; readonly bus: Capability }>()
  #nextNub = 1
  /** What it had of the last device that went, once its remove had returned: nothing is as it should be. */
  leftBehind = ''
  /** Held back while an operation runs, which has a limit of its own. */
  heartbeat: Heartbeat | undefined
  readonly #board: Board
  readonly #operations: Operations
  /** The last heartbeat. */
  #beat: CoreBeat | undefined

  private constructor(
    board: Board,
    pack: DriverPackage,
    generation: number,
    program: CoreProgram,
    operations: Operations,
  ) {
    this.#operations = operations
    this.#board = board
    this.pack = pack
    this.generation = generation
    this.program = program
    program.host.driver = this
  }

  /** Load a package; nothing of it has run yet. Throws PackageError. */
  static async open(board: Board, pack: DriverPackage, options: LoadOptions, generation = 1): Promise<Driver> {
    const modules = pack.on.modules.filter(({ along }) => along === undefined || options.layered)
    const grants = options.grants ?? [...pack.manifest.capabilities, ...modules.flatMap(({ along = [] }) => along)]
    const { core } = pack.on
    const program = await loadCore(board, core, { ...options, grants }, modules)
    const driver = new Driver(board, pack, generation, program, new Operations(program, modules, options.args))
    await driver.#boot(program, modules)
    return driver
  }

  /** A kernel that is up, and the modules' code and data in their place. */
  async #boot(program: CoreProgram, modules: readonly BoundPackage[]): Promise<void> {
    putImage(program, await imageOf(this.pack.on.core, program.memory.buffer.byteLength))
    for (const module of modules) if (!module.onCall) await program.instantiate(module)
  }

  /** Load a package and run its init. Throws PackageError, DriverEnded, InitRefused. */
  static async load(...what: Parameters<typeof Driver.open>): Promise<Driver> {
    const driver = await Driver.open(...what)
    await driver.initialize()
    return driver
  }

  /**
   * Run its init. Of a driver of several modules on a kernel, with `modules`, only of the first so many; a later call runs the
   * others. Throws DriverEnded, InitRefused.
   */
  async initialize(modules = Infinity): Promise<void> {
    for (const step of this.#operations.loads(this.#loaded, this.pack.on.modules.slice(0, modules))) {
      const code = await this.#answer('init', step)
      if (code < 0) throw new InitRefused(this.name, code, this.#operations.nameOf(this.#loaded))
      this.#loaded++
    }
  }

  #loaded = 0

  /** Modules that its kernel asked for by name, and that its package has not. */
  get missedModules(): readonly string[] {
    return this.#operations.missed
  }

  get name(): string {
    return this.domain.name
  }

  get host(): CoreProgram['host'] {
    return this.program.host
  }

  get domain(): CoreProgram['domain'] {
    return this.program.domain
  }

  get dead(): boolean {
    return this.domain.dead
  }

  call(name: Operation, ...args: number[]): Promise<number> {
    return this.#answer(name, () => this.#operations.ask(name, args))
  }

  /** For messages to those who hold on to a generation that has gone. */
  get #called(): string {
    return this.dead ? `${this.pack.manifest.name} (generation ${this.generation}, which has ended)` : this.name
  }

  /** Ask it to show that it does its work. */
  pulse(): Beat {
    return (this.#beat = this.#operations.heartbeat())
  }

  /** A task of its kernel that has waited for longer than an operation may take, as its last answer to a heartbeat told. */
  stuck(): string | undefined {
    const { fibers, limits, processor } = this.domain
    for (const { fiber, name } of this.#beat?.waiting ?? []) {
      const waitsNs = processor.clock.now() - (fibers.get(fiber)?.stoppedNs ?? Infinity)
      if (waitsNs > limits.entryNs) return `${name} has waited for ${Math.floor(waitsNs / 1e9)} s`
    }
    return undefined
  }

  /** System calls into its kernel. */
  get system(): System {
    const operations = this.#operations
    return new System({
      send: (kind, data) => {
        this.#alive(SYSTEM_CALL)
        return operations.raw(kind, data)
      },
      wait: async (answer, patienceNs) => {
        const request = answer as Request
        if (await this.#until(request, patienceNs)) return request.result!
        // Who waits for what does not come is no hang, unless it does not return when it is told to.
        if (!this.dead) operations.cancel(request)
        return this.#finished(SYSTEM_CALL, request)
      },
    })
  }

  /** Run until a request has been carried out. Throws DriverEnded. */
  #answer(what: string, send: () => Request): Promise<number> {
    this.#alive(what)
    return this.#finished(what, send())
  }

  #alive(what: string): void {
    if (this.dead) throw new DriverEnded(this.#called, what, this.domain.fault)
  }

  async #finished(what: string, request: Request): Promise<number> {
    if (!(await this.#until(request)) && !this.dead)
      await condemn(this, `${what} has not returned after ${this.domain.limits.entryNs / 1e9} s`)
    if (this.dead) throw new DriverEnded(this.name, what, this.domain.fault)
    return request.result!
  }

  /** Whether it is carried out within the time. */
  async #until(request: Request, limitNs = this.domain.limits.entryNs): Promise<boolean> {
    const { kernel } = this.#board
    if (this.heartbeat !== undefined) this.heartbeat.operations++
    await kernel.run(() => request.result !== undefined || this.dead, kernel.clock.now() + limitNs)
    if (this.heartbeat !== undefined) this.heartbeat.operations--
    return request.result !== undefined
  }

  /**
   * Show an attribute, CLASS/DEVICE/ATTRIBUTE, or store a text in it; of a shorter path, the names below it, a line each.
   * A negative errno when it cannot be.
   */
  attribute(path: string, value?: string): Promise<string | number> {
    return attributeOf(this.system, `/sys/class/${path}`, value)
  }

  /** Grant a PCI function and probe it. 0 when bound; otherwise the error, and the function is taken back. */
  async bind(fn: PciFunction): Promise<number> {
    const handle = this.host.grant(fn)
    if (handle < 0) return handle
    this.#board.owners.set(fn, this.domain)
    this.devices.set(handle, fn)
    const code = await this.#answer('probe', () => this.#operations.ask('pci_add', [handle]))
    if (code < 0) this.#giveBack(handle, fn)
    else
      this.#board.tree.attach(fn, { driver: this.pack.manifest.name, stop: () => this.#enduring(() => this.#stop(fn)) })
    return code
  }

  /** Remove the device from the driver and take the function back. Returns what it left behind. */
  async unbind(fn: PciFunction): Promise<Pick<Leftovers, 'mappings' | 'windows' | 'vectors' | 'interrupts' | 'units'>> {
    const handle = [...this.devices].find(([, device]) => device === fn)?.[0]
    if (handle === undefined) throw new Error(`${this.name} does not drive ${fn.name}`)
    await this.#answer('remove', () => this.#operations.ask('pci_remove', [handle]))
    const left = {
      mappings: this.host.pages.count,
      windows: fn.dma.windows,
      vectors: fn.vectorCount,
      interrupts: this.domain.interrupts.count,
      units: this.units.length,
    }
    this.#giveBack(handle, fn)
    // Memory that a device may still reach would go back to the allocator.
    if (left.windows > 0) {
      this.domain.fail(new Failure('leak', `${left.windows} DMA windows of ${fn.name} left open by remove`))
      throw new DriverEnded(this.name, 'remove', this.domain.fault)
    }
    return left
  }

  /** Grant a device of another domain's bus and probe it. 0 when bound; otherwise the error, and it is taken back. */
  async bindNub(node: Node, nub: Nub): Promise<number> {
    const handle = this.#nextNub++
    const bus = nub.grant(this.host)
    if (bus === undefined) return E.NOSPC
    const bytes = new Uint8Array(nubLayout.size)
    const view = new DataView(bytes.buffer)
    view.setUint32(nubLayout.kind.offset, NUB.I2C, true)
    view.setUint32(nubLayout.handle.offset, handle, true)
    view.setUint32(nubLayout.endpoint.offset, bus.slot, true)
    view.setUint32(nubLayout.address.offset, nub.address, true)
    new TextEncoder().encodeInto(nub.name, bytes.subarray(nubLayout.name.offset, nubLayout.size - 1))
    this.nubs.set(handle, { node, bus })
    const code = await this.#answer('probe', () => this.#operations.nub(bytes))
    if (code < 0) this.#giveNubBack(handle)
    else {
      this.#board.tree.registry.attach(node, {
        driver: this.pack.manifest.name,
        stop: () => this.#enduring(() => this.unbindNub(handle)),
      })
    }
    return code
  }

  async unbindNub(handle: number): Promise<void> {
    await this.#answer('remove', () => this.#operations.ask('nub_remove', [handle]))
    this.#giveNubBack(handle)
  }

  #giveNubBack(handle: number): void {
    const held = this.nubs.get(handle)
    if (held === undefined) return
    this.nubs.delete(handle)
    this.#board.tree.registry.release(held.node)
    this.#board.revoke(held.bus)
  }

  /** A driver that ends of giving a device up has given it up too. */
  async #enduring(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof DriverEnded)) throw error
    }
  }

  /** The device has gone, or goes to another. */
  async #stop(fn: PciFunction): Promise<void> {
    const left = Object.entries(await this.unbind(fn)).filter(([, count]) => count !== 0)
    const what = left.map(([name, count]) => `${name} ${count}`).join(', ')
    if (what !== '') this.#board.note(this.domain, `removal of ${fn.name} left ${what}`)
    this.leftBehind = what
  }

  /** Take its registers away while it runs: its next access of one is refused, and ends it. */
  revokeRegisters(): void {
    const { capabilities } = this.domain
    for (const capability of [...capabilities.ofType('mmio'), ...capabilities.ofType('port')]) {
      this.#board.revoke(capability)
    }
  }

  drives(fn: PciFunction): boolean {
    return [...this.devices.values()].includes(fn)
  }

  #giveBack(handle: number, fn: PciFunction): void {
    this.devices.delete(handle)
    this.#board.disown(fn)
    this.host.revoke(handle)
  }

  /** What it offers to clients now. */
  get units(): Unit[] {
    return this.#board.services.unitsOf(this)
  }

  /** Stop it without asking, whatever it is at: it has nothing any more. */
  end(): void {
    for (const [handle, fn] of this.devices) this.#giveBack(handle, fn)
    for (const handle of this.nubs.keys()) this.#giveNubBack(handle)
    this.domain.end()
  }

  /** Unbind everything, run exit, end the domain. Returns what was left behind. */
  async unload(): Promise<Leftovers> {
    const left = { mappings: 0, windows: 0, vectors: 0, interrupts: 0, units: 0 }
    for (const handle of this.nubs.keys()) await this.unbindNub(handle)
    for (const fn of this.devices.values()) {
      const these = await this.unbind(fn)
      for (const key of Object.keys(left) as (keyof typeof left)[]) left[key] += these[key]
    }
    const said = await this.#exit()
    // What a whole kernel keeps for itself is no driver's: what it took of the machine is counted above.
    const kept = (said === E.BUSY && this.#operations.permanent) || errnoName(said) === IN_USE
    const capabilities = this.domain.remains().capabilities - this.host.given
    this.domain.end()
    return { ...left, capabilities, exit: kept ? 0 : Math.min(0, said) }
  }

  /** Unload its modules: the first refusal, 0 when there is none. */
  async #exit(): Promise<number> {
    for (const step of this.#operations.unloads()) {
      const code = await this.#answer('exit', step)
      if (code < 0) return code
    }
    return 0
  }
}

async function attributeOf(system: System, path: string, value: string | undefined): Promise<string | number> {
  try {
    if (value !== undefined) await system.writeFile(path, new TextEncoder().encode(value))
    else if (await system.isDirectory(path)) return (await system.list(path)).map(({ name }) => name).join('\n')
    else return new TextDecoder().decode(await system.readFile(path))
    return ''
  } catch (error) {
    if (error instanceof SystemError) return error.code
    throw error
  }
}

/** Nothing was left. */
export const isClean = (left: Leftovers): boolean => Object.values(left).every((count) => count === 0)

/** What was left, in words. */
export const leftList = (left: Leftovers): string =>
  Object.entries(left)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')
