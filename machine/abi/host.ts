/**
 * The host side of one driver domain: what the ABI's calls work on.
 *
 * Capabilities are the truth about what the domain holds; the tables here (pages, ports, interrupts) are what their
 * granting wrote and their ending clears, so that a register access is one look-up.
 */
import { type Capability, RIGHT } from '../../kernel/capability.ts'
import { E, IRQ } from '../../linux-api/generated/abi.ts'
import type { Domain } from '../../kernel/domain.ts'
import { Failure, type Symbolizer } from '../../kernel/fault.ts'
import type { Attachment } from '../../hw/interrupts.ts'
import type { Ports } from '../../hw/legacy.ts'
import type { MemoryBank } from '../../hw/iommu.ts'
import { BAR_FLAG_IO, type PciBar, type PciFunction } from '../../hw/pci/function.ts'
import type { MemoryObject } from '../../kernel/memory-object.ts'
import type { Resource } from '../../kernel/quota.ts'
import type { Grip, Grips } from '../reach/authority.ts'
import type { Board } from '../board.ts'
import type { DriverEntries } from '../class/device-class.ts'
import { Requests } from './requests.ts'
import { type Mapping, PageTable, PortTable, type Window } from '../reach/page-table.ts'

/** Modules of the program's that are loaded when it asks for them. */
export interface ModuleFinder {
  /** The one to be loaded next for a name: 'there' when all are, undefined when nobody has it. */
  next(name: string): NextModule | 'there' | undefined
}

export interface NextModule {
  /** Of its image. */
  readonly bytes: number
  /** Put it in its place: its image. */
  load(): Uint8Array
}

export interface PciObject {
  readonly type: 'pci'
  readonly label: string
  readonly function: PciFunction
  /** What the driver calls it. */
  readonly handle: number
}

interface DmaObject {
  readonly type: 'dma'
  readonly label: string
  readonly function: PciFunction
}

interface BarObject {
  readonly type: 'mmio' | 'port'
  readonly label: string
  readonly bar: PciBar
}

interface PortsObject {
  readonly type: 'port'
  readonly label: string
  readonly ports: Ports
}

interface MappingObject {
  readonly type: 'mapping'
  readonly label: string
  readonly mapping: Mapping
}

interface InterruptObject {
  readonly type: 'irq'
  readonly label: string
  readonly irq: number
}

/** What a domain may do with hardware: use it, and not pass it on. */
const OWN = RIGHT.READ | RIGHT.WRITE | RIGHT.MAP

export class Host {
  readonly board: Board
  readonly name: string
  /** Set once the program is instantiated: its imports exist before it does. */
  domain!: Domain
  bank!: MemoryBank
  /** The driver's entries, for services. */
  driver!: DriverEntries
  words!: Int32Array
  /** Where a kernel's own data begins. Below it a register's offset from a pointer that is NULL may lead. */
  dataStart = Infinity
  /** Where offsets of its module lie in the source. */
  symbolize: Symbolizer | undefined
  /** Files it has open. */
  files = 0
  /** What it may call that has no device behind it. */
  readonly grips: Grips
  /** Capabilities it was given under a name. */
  readonly named = new Map<string, Capability>()
  readonly pages = new PageTable()
  /** What the domain's clock is behind the machine's: it begins with the domain, ns. */
  #clockBehindNs = 0
  /** What the machine asks of the program, if it takes requests. */
  readonly requests = new Requests()
  /** Where modules are found by name, if any are. */
  modules: ModuleFinder | undefined
  /** Functions granted, by handle; a handle is not used again. */
  readonly functions: (Capability<PciObject> | undefined)[] = []
  /** What their windows hang on, by the same handles. */
  readonly #dma: (Capability<DmaObject> | undefined)[] = []
  #ports: PortTable | undefined
  /** Ranges of ports that are no device's. */
  readonly #forGood: Capability[] = []
  readonly #vectors = new Map<PciFunction, Capability>()
  /** Attachments by interrupt number. */
  readonly #lines = new Map<number, Attachment>()

  constructor(board: Board, name: string) {
    this.board = board
    this.name = name
    this.grips = board.authority.grips()
  }

  /** The domain's clock says `ns` now. */
  setClock(ns: number): void {
    this.#clockBehindNs = this.board.kernel.clock.now() - ns
  }

  /** Virtual time as the domain sees it. */
  nowNs(): number {
    return this.board.kernel.clock.now() - this.#clockBehindNs
  }

  /** A time of the domain's clock on the machine's. */
  machineNs(ns: number): number {
    return ns + this.#clockBehindNs
  }

  /** The program exists: from here on calls have something to work on. */
  attach(domain: Domain, bank: MemoryBank, groups: Iterable<string>): void {
    this.domain = domain
    this.bank = bank
    this.words = new Int32Array(bank.bytes.buffer)
    domain.capabilities.admits = (arriving) => this.#admits(arriving)
    domain.onAnswer = () => domain.raise(IRQ.MESSAGE)
    this.board.authority.grant(domain.capabilities, this.grips, groups)
    this.board.exchange.joined(this)
  }

  /** Its hold on a call group that has one capability behind it. */
  grip(group: string): Grip {
    return this.grips.get(group)!
  }

  /** Capabilities the machine gave it for good, which it need not give back. */
  get given(): number {
    const { capabilities } = this.domain
    const grips = [...this.grips.values()].map((grip) => grip.capability)
    const held = [...grips, ...this.named.values(), ...this.#forGood]
    return held.filter((capability) => capability?.space === capabilities).length
  }

  /** Memory that is moved here is its own from then on. */
  #admits(arriving: readonly Capability[]): boolean {
    let bytes = 0
    for (const { object, original } of arriving)
      if (object.type === 'memory' && original) bytes += (object as MemoryObject).size
    return bytes === 0 || this.may('memory', bytes)
  }

  get ports(): PortTable {
    this.#ports ??= new PortTable()
    return this.#ports
  }

  /**
   * Grant a PCI function with its BARs and interrupt line. Returns the handle the driver uses; NOSPC, and nothing was granted,
   * when it may not hold so many capabilities.
   */
  grant(fn: PciFunction): number {
    const handle = this.functions.length
    const { capabilities } = this.domain
    const label = fn.name
    const wanted = 2 + fn.bars.length + (fn.line >= 0 ? 1 : 0)
    if (!this.may('capabilities', wanted)) return E.NOSPC
    const object: PciObject = { type: 'pci', label, function: fn, handle }
    const root = this.board.hardware.create(object, { ended: () => this.#taken(handle, fn) })
    // A domain may drop its capability, and then nothing that came of it stays: the function is free for others.
    const held = capabilities.derive(root, object, { rights: OWN, ended: () => this.board.revoke(root), whole: true })
    this.functions[handle] = held
    // Its pin is heard by whoever attaches to it here, and by nobody else.
    fn.connect(this.#lines.get(fn.line) ?? null)
    for (const bar of fn.bars) this.#grantBar(held, bar)
    if (fn.line >= 0) this.#grantInterrupt(held, fn.line)
    this.#dma[handle] = capabilities.derive(
      held,
      { type: 'dma', label: `DMA of ${label}`, function: fn },
      { ended: () => void fn.dma.unmapAll() },
    )
    return handle
  }

  /** A granted function that may be given windows on the domain's memory; undefined when it is not granted. */
  dma(call: string, handle: number): PciFunction | undefined {
    // It came of the capability to the function, and ends with it.
    const held = this.#dma[handle]
    if (held?.alive === true) return held.object.function
    const target = this.function(handle)
    if (target !== undefined) this.refuse(call, target.name)
    return undefined
  }

  #grantBar(parent: Capability, bar: PciBar): void {
    const { capabilities } = this.domain
    if ((bar.flags & BAR_FLAG_IO) === 0) {
      capabilities.derive<BarObject>(parent, { type: 'mmio', label: bar.name, bar })
      return
    }
    const capability = capabilities.derive<BarObject>(
      parent,
      { type: 'port', label: bar.name, bar },
      { ended: () => this.ports.revoke(bar) },
    )
    this.ports.grant(bar, capability)
  }

  /** Grant a range of ports that is no device's. Nothing when it may not hold so many capabilities. */
  grantPorts(ports: Ports): void {
    if (!this.may('capabilities', 1)) return
    const object: PortsObject = { type: 'port', label: ports.name, ports }
    const root = this.board.hardware.create(object)
    const held = this.domain.capabilities.derive(root, object, {
      rights: OWN,
      ended: () => {
        this.ports.revoke(ports)
        this.board.revoke(root)
      },
    })
    this.ports.grant(ports, held)
    this.#forGood.push(held)
  }

  #grantInterrupt(parent: Capability, irq: number): Capability<InterruptObject> {
    return this.domain.capabilities.derive<InterruptObject>(
      parent,
      { type: 'irq', label: `interrupt ${irq}`, irq },
      { ended: () => this.#lost(irq), whole: true },
    )
  }

  /** A capability to an interrupt has ended; another function of the domain's may be on the same line. */
  #lost(irq: number): void {
    if (!this.#mayHear(irq)) this.domain.interrupts.remove(irq)
  }

  #mayHear(irq: number): boolean {
    const held = this.domain.capabilities.ofType('irq')
    return held.some((capability) => (capability.object as InterruptObject).irq === irq && capability.alive)
  }

  /** The function is no longer the domain's: nothing it set up may act on. */
  #taken(handle: number, fn: PciFunction): void {
    this.functions[handle] = undefined
    this.#vectors.delete(fn)
    fn.detach()
  }

  /** Take a function back. */
  revoke(handle: number): void {
    const capability = this.functions[handle]
    if (capability !== undefined) this.board.revoke(capability)
  }

  /** A granted function, or undefined. */
  function(handle: number): PciFunction | undefined {
    const capability = this.functions[handle]
    return capability?.alive === true ? capability.object.function : undefined
  }

  /** Map part of a granted memory BAR; 0 when no capability covers it. */
  map(start: number, length: number): number {
    for (const capability of this.domain.capabilities.ofType('mmio')) {
      const { bar } = capability.object as BarObject
      const offset = start - bar.start
      if (offset < 0 || length === 0 || offset + length > Math.max(bar.bytes, 4096)) continue
      if ((capability.rights & RIGHT.READ) === 0 || !capability.alive) continue
      return this.mapWindow(capability, bar.name, bar, offset, Math.min(length, bar.bytes - offset))
    }
    return 0
  }

  /** Map a window that a capability stands for; 0 when no addresses are left. */
  mapWindow(capability: Capability, name: string, window: Window, offset: number, length: number): number {
    const mapping = this.pages.map(window, offset, length)
    this.worked(this.pages.searched >>> SEARCH_SHIFT)
    if (mapping === undefined) return 0
    mapping.capability = this.domain.capabilities.derive<MappingObject>(
      capability,
      { type: 'mapping', label: `${name} at 0x${mapping.address.toString(16)}`, mapping },
      { ended: () => this.pages.unmap(mapping) },
    )
    return mapping.address
  }

  unmap(address: number): boolean {
    const capability = this.pages.at(address)?.capability
    if (capability === undefined || capability.space !== this.domain.capabilities) return false
    this.domain.capabilities.delete(capability)
    return true
  }

  /** Allocate message vectors; the interrupts become capabilities. Negative when there are none. */
  vectors(handle: number, kind: 'msi' | 'msix', count: number): number {
    const root = this.functions[handle]
    if (root === undefined) return -1
    const fn = root.object.function
    const first = fn.allocateVectors(kind, count)
    if (first < 0) return first
    const irqs: Capability[] = []
    // One capability over the block, so that giving it back is one revocation.
    const block = this.domain.capabilities.derive(
      root,
      { type: 'vectors', label: `${fn.name} ${kind}` },
      {
        ended: () => {
          fn.freeVectors()
          // Another's soon: not even a domain that drops the block may keep them.
          for (const irq of irqs) this.board.revoke(irq)
        },
        whole: true,
      },
    )
    this.#vectors.set(fn, block)
    for (let irq = first; irq < first + count; irq++) irqs.push(this.#grantInterrupt(block, irq))
    return first
  }

  vectorsFree(handle: number): boolean {
    const fn = this.function(handle)
    const block = fn && this.#vectors.get(fn)
    if (fn === undefined || block === undefined) return false
    this.#vectors.delete(fn)
    this.board.revoke(block)
    return true
  }

  /** Whether it may have `more` of something; a no is counted. */
  may(resource: Resource, more: number): boolean {
    return this.domain.ledger.allows(resource, HELD[resource](this), more)
  }

  /** What of a call's work only the call could know: places looked at, bytes that were somebody else's. */
  worked(units: number): void {
    this.domain.charge(units)
  }

  /** Windows its devices have open, or bytes in them. */
  reached(what: 'windows' | 'mappedBytes'): number {
    let sum = 0
    for (let i = 0; i < this.functions.length; i++) {
      const dma = this.functions[i]?.object.function.dma
      if (dma !== undefined) sum += what === 'windows' ? dma.windows : dma.mappedBytes
    }
    return sum
  }

  /** Bytes of memory objects that count as the domain's: those it would be the one to give away. */
  get owned(): number {
    const { capabilities } = this.domain
    let bytes = 0
    // Asked for each one that is made: no list is.
    for (let slot = 0; slot < capabilities.size; slot++) bytes += sizeOfOwn(capabilities.at(slot))
    return bytes
  }

  /** Deliver a granted interrupt to the domain. False without a capability, or when it is attached already. */
  attachInterrupt(irq: number): boolean {
    if (!this.#mayHear(irq) || this.domain.interrupts.has(irq)) return false
    const source = this.board.interrupts.attach(irq, (number) => this.domain.notify(number))
    this.domain.interrupts.add(irq, {
      mask: () => source.mask(),
      unmask: () => source.unmask(),
      begin: () => source.begin(),
      end: () => source.end(),
      detach: () => {
        this.#listen(irq, undefined)
        source.detach()
      },
    })
    this.#listen(irq, source)
    // What was asserted before anybody listened was notified before there was anybody to note it.
    if (source.pending) this.domain.notify(irq)
    return true
  }

  /** Its functions' pins on a line lead to this attachment, or nowhere. */
  #listen(irq: number, source: Attachment | undefined): void {
    if (source === undefined) this.#lines.delete(irq)
    else this.#lines.set(irq, source)
    for (const capability of this.functions) {
      const fn = capability?.object.function
      if (fn !== undefined && fn.line === irq) fn.connect(source ?? null)
    }
  }

  /**
   * A piece of the program's memory; a failure of the program when it is not its memory. `length` is a word as the
   * program gave it, or a product of such words, which may be more than a word can hold.
   */
  bytes(call: string, address: number, length: number): Uint8Array {
    const at = address >>> 0
    const size = length < 0 ? length >>> 0 : length
    this.within(call, at, size)
    return this.bank.bytes.subarray(at, at + size)
  }

  /** The same for those who only ask. */
  within(call: string, at: number, size: number): void {
    if (at + size <= this.bank.bytes.length) return
    throw new Failure('memory-access', `${call}: 0x${at.toString(16)} + ${size} is outside of the domain's memory`)
  }

  text(call: string, address: number, length: number): string {
    return decoder.decode(this.bytes(call, address, length))
  }

  refuse(call: string, what: string): never {
    throw new Failure('no-capability', `${call} of ${what}: the domain holds no capability for it`)
  }
}

/** Pages or windows looked at for a unit of work, as a power of two. */
export const SEARCH_SHIFT = 2

const sizeOfOwn = (held: Capability | undefined): number =>
  held?.object.type === 'memory' && held.original ? (held.object as MemoryObject).size : 0

const decoder = new TextDecoder()

/** How much of each it has now: counted where it lives. */
const HELD: Readonly<Record<Resource, (host: Host) => number>> = {
  memory: (host) => host.bank.bytes.length + host.owned,
  fibers: ({ domain }) => domain.fibers.size,
  capabilities: ({ domain }) => domain.capabilities.count,
  dma: (host) => host.reached('mappedBytes'),
  windows: (host) => host.reached('windows'),
  log: ({ board, domain }) => board.logged(domain),
  units: (host) => host.board.services.unitsOf(host.driver).length,
  services: (host) => host.board.exchange.offeredBy(host),
  files: ({ files }) => files,
}
