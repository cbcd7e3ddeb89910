/**
 * The board: the kernel with the hardware around it, and what drivers write to its log. Knows no driver.
 */
import { LOG } from '../linux-api/generated/abi.ts'
import { type Capability, CNode, revoke } from '../kernel/capability.ts'
import type { Domain } from '../kernel/domain.ts'
import { type Costs, DEFAULT_COSTS } from '../kernel/costs.ts'
import { Failure } from '../kernel/fault.ts'
import { Kernel } from '../kernel/kernel.ts'
import { AUTHORITIES } from './abi/index.ts'
import { ClassServices } from './class/index.ts'
import { Authority } from './reach/authority.ts'
import { Exchange } from './reach/exchange.ts'
import type { DmaFault } from '../hw/iommu.ts'
import { createInterruptController, type InterruptController } from '../hw/interrupts.ts'
import type { PciFunction } from '../hw/pci/function.ts'
import { createPciBus, type PciBus } from '../hw/pci/bus.ts'
import { append } from './observe/newest.ts'
import { DeviceTree } from './tree/device-tree.ts'
import { Nubs } from './tree/nubs.ts'

export interface LogRecord {
  readonly atNs: number
  /** Domain name; empty for the machine. */
  readonly domain: string
  /** LOG_* */
  readonly level: number
  readonly text: string
}

export interface DmaRecord {
  readonly atNs: number
  readonly device: string
  readonly domain: string
  readonly text: string
}

/** Refused accesses kept, over all devices. */
const DMA_FAULTS_KEPT = 256
/** Log records that are remembered at least. */
const LOG_KEPT = 16_384
/** 2026-01-01T00:00:00Z: the virtual wall clock's start unless told, so that runs are the same. */
const WALL_START_NS = 1_767_225_600e9

export class Board {
  readonly kernel: Kernel
  readonly interrupts: InterruptController
  readonly pci: PciBus
  readonly tree: DeviceTree
  /** Devices behind drivers. */
  readonly nubs: Nubs
  readonly wallStartNs = WALL_START_NS
  readonly authority = new Authority(AUTHORITIES)
  /** What stands behind every function that is granted: a domain's capabilities to one all derive from it. */
  readonly hardware = new CNode('hardware', 65536)
  readonly exchange = new Exchange()
  /** What drivers offer to clients, by class. */
  readonly services: ClassServices
  /** The newest of all domains' records, oldest first. */
  readonly log: LogRecord[] = []
  /** Accesses the IOMMU refused: the first of them, and how many there were. */
  readonly dmaFaults: DmaRecord[] = []
  dmaFaultCount = 0
  /** Owners of devices that strayed, who are failed as soon as nothing of them is on the stack. */
  readonly #straying = new Set<Domain>()
  /** Which domain drives a function. */
  readonly owners = new Map<PciFunction, Domain>()
  /** Told of every log record as it is written. */
  onLog: ((record: LogRecord) => void) | undefined
  /** Characters written to the log, by domain. */
  readonly #volume = new WeakMap<Domain, number>()
  readonly #deviceKind: number

  /** `interrupts`: how many lines and messages the controller has, where that is not what a PC has. */
  constructor(
    seed: number,
    costs: Partial<Costs> = {},
    interrupts: Parameters<typeof createInterruptController>[0] = {},
  ) {
    this.kernel = new Kernel(seed, { ...DEFAULT_COSTS, ...costs })
    this.#deviceKind = this.kernel.log.kind('device')
    this.tree = new DeviceTree(this.kernel.log)
    this.nubs = new Nubs(this.tree, this.exchange)
    this.interrupts = createInterruptController(interrupts)
    this.pci = createPciBus({
      timeline: this.kernel.clock,
      random: this.kernel.random.fork(),
      interrupts: this.interrupts,
      trace: (text) => this.kernel.log.text(this.#deviceKind, 0, text),
      onPlug: (fn) => {
        // Nobody hears its pin until a domain that was granted it attaches.
        fn.connect(null)
        this.tree.plugged(fn)
      },
      onUnplug: (fn) => this.tree.unplugged(fn),
      onDmaFault: (fn, fault) => this.#strayed(fn, fault),
      onModelError: (fn, error) => this.#broken(fn, error),
    })
    this.services = new ClassServices(this.kernel)
  }

  /** A domain's log record; dropped, and counted as refused, when its quota is used up. */
  write(domain: Domain, level: number, text: string): void {
    const volume = this.logged(domain)
    // What is not kept is not kept in the event log either: that it was said is.
    if (!domain.ledger.allows('log', volume, text.length))
      return this.kernel.log.note(this.kernel.kinds.message, domain.id, text.length)
    this.kernel.log.text(this.kernel.kinds.message, domain.id, text)
    this.#volume.set(domain, volume + text.length)
    this.#record({ atNs: this.kernel.clock.now(), domain: domain.name, level, text })
  }

  /** Characters of log that a domain has written. */
  logged(domain: Domain): number {
    return this.#volume.get(domain) ?? 0
  }

  /** From now on a domain's first refusal of each kind is in the log. */
  tellRefusals(domain: Domain): void {
    domain.ledger.onRefusal = (_resource, text) =>
      this.#record({ atNs: this.kernel.clock.now(), domain: domain.name, level: LOG.WARNING, text })
  }

  /** Something the machine noticed about a domain. */
  note(domain: Domain, text: string): void {
    this.write(domain, LOG.WARNING, text)
  }

  #record(record: LogRecord): void {
    append(this.log, record, LOG_KEPT)
    this.onLog?.(record)
  }

  /** A function is driven by nobody any more. */
  disown(fn: PciFunction): void {
    this.owners.delete(fn)
    this.tree.release(fn)
  }

  revoke(capability: Capability): void {
    revoke(capability)
  }

  /**
   * A device model has a mistake that somebody's programming of it brought out: whoever drives the device loses it with the
   * domain, and nobody else hears of it.
   */
  #broken(fn: PciFunction, error: unknown): void {
    const owner = this.owners.get(fn)
    this.kernel.accident(`${fn.name}: an event of its model`, owner, error)
    const message = `the model of ${fn.name}: ${error instanceof Error ? error.message : String(error)}`
    if (owner === undefined) fn.detach()
    else this.kernel.post(() => owner.fail(Failure.apart('internal', message)))
  }

  /**
   * A device reached for memory nobody mapped for it. The IOMMU stopped it; whoever programmed the device has failed.
   * It is called from within the device's access: the domain ends when nothing of it is on the stack.
   */
  #strayed(fn: PciFunction, fault: DmaFault): void {
    const owner = this.owners.get(fn)
    this.dmaFaultCount++
    const kept = this.dmaFaults.length < DMA_FAULTS_KEPT
    const told = owner === undefined || owner.dead || this.#straying.has(owner)
    if (!kept && told) return
    const text = `${fault.direction} of ${fault.length} at 0x${fault.iova.toString(16)}: ${fault.reason}`
    if (kept) this.dmaFaults.push({ atNs: this.kernel.clock.now(), device: fn.name, domain: owner?.name ?? '', text })
    if (told) return
    this.#straying.add(owner)
    this.kernel.post(() => {
      this.#straying.delete(owner)
      owner.fail(Failure.apart('dma-stray', `${fn.name}: ${text}`))
    })
  }
}
