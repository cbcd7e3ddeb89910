/**
 * One PCI function on the bus: a device model, its configuration space, and the effect of that space on everything
 * around the model (decoding, bus mastering, interrupt routing, power, reset).
 *
 * It must not know drivers or domains. The kernel holds a PciFunction as the object behind a capability and decides
 * who may call what; `driverConfigWrite` is the one part of that policy that only this module can judge.
 */

import type { DmaSpace } from '../iommu.ts'
import type { InterruptController, LevelSink } from '../interrupts.ts'
import type { BarSpec, InterruptPort, PciDevice } from '../types.ts'
import { createConfigSpace } from './config.ts'
import type { ConfigSpace } from './config.ts'
import type { AddressDecoder, Claim } from './decode.ts'
import { Messages } from './messages.ts'
import * as R from './registers.ts'
import { MESSAGE_ADDRESS } from './registers.ts'

/** What a function drives unless its driver says less. */
const ADDRESS_BITS = 64

/** Flags of a BAR, as the driver ABI has them. */
export const BAR_FLAG_IO = 1
export const BAR_FLAG_MEM64 = 2
export const BAR_FLAG_PREFETCH = 4

export type VectorKind = 'intx' | 'msi' | 'msix'

/** Little-endian, as wide as the access. */
const fromRom = (rom: Uint8Array, offset: number, width: number): number => {
  let value = 0
  for (let i = 0; i < width; i++) value |= rom[offset + i]! << (8 * i)
  return value >>> 0
}

const romSpec = (bytes: number): BarSpec => ({ index: R.ROM_INDEX, kind: 'mem32', bytes, prefetchable: true })

/** What the bus gives a function. */
export interface BusSide {
  readonly location: number
  readonly interrupts: InterruptController
  /** Interrupt number its INTx pin is wired to. */
  readonly line: number
  readonly memory: AddressDecoder<PciBar>
  readonly ports: AddressDecoder<PciBar>
  readonly dma: DmaSpace
  trace(text: string): void
}

/** All ones, as wide as the access: what the bus reads when nobody answers. */
export const allOnes = (width: number): number => (width === 4 ? 0xffffffff : width === 2 ? 0xffff : 0xff)

/** A region of the device behind a BAR. Accesses are at offsets from its start and cost one call of the model. */
export class PciBar implements Claim {
  readonly index: number
  readonly bytes: number
  readonly flags: number
  readonly name: string
  readonly spec: BarSpec
  readonly function: PciFunction
  /** Bus address or first port, as the host placed it. */
  start = 0
  /** The address is claimed on the bus: false while the BAR holds an address that is taken or out of reach. */
  claimed = false
  /** The function answers here now. Kept, because every access asks: see `decode`. */
  decoded = false
  readonly #device: PciDevice
  readonly #messages: Messages | undefined
  readonly #io: boolean
  /** What is read here, where it is the expansion ROM. */
  readonly #rom: Uint8Array | undefined

  constructor(owner: PciFunction, spec: BarSpec, messages: Messages | undefined, rom?: Uint8Array) {
    this.index = spec.index
    this.bytes = spec.bytes
    this.spec = spec
    this.function = owner
    this.#rom = rom
    this.name = `${owner.name} ${rom === undefined ? `BAR ${spec.index}` : 'ROM'}`
    this.#io = spec.kind === 'io'
    this.flags =
      (this.#io ? BAR_FLAG_IO : 0) |
      (spec.kind === 'mem64' ? BAR_FLAG_MEM64 : 0) |
      (spec.prefetchable ? BAR_FLAG_PREFETCH : 0)
    this.#device = owner.device
    this.#messages = messages
  }

  /** Its place, or what the function answers to, has changed. */
  decode(): void {
    const { ioOn, memoryOn, romOn } = this.function
    this.decoded = this.claimed && (this.#io ? ioOn : memoryOn && (this.#rom === undefined || romOn))
  }

  /** Read 1, 2 or 4 bytes, unsigned; all ones when the function does not decode or the offset is outside. */
  read(offset: number, width: number): number {
    if (!this.decoded || offset < 0 || offset + width > this.bytes) return allOnes(width)
    if ((offset & (width - 1)) !== 0) return this.#readBytes(offset, width)
    if (this.#rom !== undefined) return fromRom(this.#rom, offset, width)
    if (this.#messages?.covers(this.index, offset)) return this.#messages.read(offset, width) >>> 0
    return this.#device.read(this.index, offset, width) >>> 0
  }

  /** Write 1, 2 or 4 bytes; dropped when nobody answers. */
  write(offset: number, width: number, value: number): void {
    if (!this.decoded || offset < 0 || offset + width > this.bytes) return
    if ((offset & (width - 1)) !== 0) {
      for (let i = 0; i < width; i++) this.write(offset + i, 1, (value >>> (8 * i)) & 0xff)
      return
    }
    if (this.#messages?.covers(this.index, offset)) this.#messages.write(offset, width, value)
    else if (this.#rom === undefined) this.#device.write(this.index, offset, width, value >>> 0)
  }

  /** The bus carries a misaligned access as byte lanes of two transfers. */
  #readBytes(offset: number, width: number): number {
    let value = 0
    for (let i = 0; i < width; i++) value |= this.read(offset + i, 1) << (8 * i)
    return value >>> 0
  }
}

const hex = (value: number): string => value.toString(16).padStart(2, '0')

/** Location as people write it: 0000:00:02.0. */
export const locationName = (location: number): string =>
  `0000:${hex(location >> 8)}:${hex((location >> 3) & 31)}.${location & 7}`

export class PciFunction implements InterruptPort {
  /** bus << 8 | device << 3 | function. */
  readonly location: number
  readonly name: string
  /** Windows of memory this function may reach. */
  readonly dma: DmaSpace
  /** Interrupt number of the INTx pin; -1 when the device has none. */
  line = -1
  /** What the command register and the power state allow now. */
  ioOn = false
  memoryOn = false
  /** The expansion ROM is enabled: it answers where memory does. */
  romOn = false
  /** Messages sent with an address or number that is not this function's. */
  strayMessages = 0
  readonly #bus: BusSide
  #device!: PciDevice
  #config!: ConfigSpace
  #messages!: Messages
  #bars: PciBar[] = []
  /** BARs that are being sized: register to what it reads. */
  readonly #sized = new Map<number, number>()
  /** The level the model drives its pin at. */
  #pin = false
  /** The line is held up by this function. */
  #asserting = false
  /** Who is told of its pin, and nobody else; null: nobody. */
  #listener: LevelSink | null | undefined
  #intxOn = true
  #present = true
  #power = 0
  #firstVector = -1
  #vectorCount = 0

  constructor(bus: BusSide) {
    this.#bus = bus
    this.location = bus.location
    this.name = locationName(bus.location)
    this.dma = bus.dma
  }

  /** Second half of construction: the model needs this function's ports before it exists. */
  install(device: PciDevice): void {
    this.#device = device
    const { rom } = device
    this.#config = createConfigSpace(device.model, device.identity, device.bars, device.capabilities, rom?.length)
    this.#messages = new Messages(this.#config, device.capabilities, (address, data) => this.#post(address, data))
    const messages = device.capabilities.msix ? this.#messages : undefined
    this.#bars = device.bars.map((spec) => new PciBar(this, spec, messages))
    if (rom !== undefined) this.#bars.push(new PciBar(this, romSpec(rom.length), undefined, rom))
    if (device.identity.interruptPin !== 0) this.line = this.#bus.line
    if (this.line >= 0) this.#config.write(R.INTERRUPT_LINE, 1, this.line)
  }

  get device(): PciDevice {
    return this.#device
  }

  /** False once it was pulled out. */
  get present(): boolean {
    return this.#present
  }

  get bars(): readonly PciBar[] {
    return this.#bars
  }

  /** The BAR with this index; undefined when not implemented. */
  bar(index: number): PciBar | undefined {
    return this.#bars.find((bar) => bar.index === index)
  }

  /** Interrupt numbers handed out by allocateVectors; -1 and 0 when there are none. */
  get firstVector(): number {
    return this.#firstVector
  }

  get vectorCount(): number {
    return this.#vectorCount
  }

  // Configuration space

  configRead(offset: number, width: number): number {
    if (!this.#present) return allOnes(width)
    if (this.#sized.size > 0 && width === 4) {
      const mask = this.#sized.get(offset)
      if (mask !== undefined) return mask
    }
    return this.#config.read(offset, width)
  }

  /**
   * A driver's kernel asks how large a BAR is: it writes ones, reads the mask, and writes back what was there (PCI Local Bus
   * Specification 6.2.5.1). The BAR belongs to the host and stays where it is; the answer is kept beside it meanwhile.
   */
  #size(offset: number, value: number): void {
    const register = offset & ~3
    this.#sized.delete(register)
    const asks = (value & 0xfffff800) >>> 0 === 0xfffff800
    if (!asks) return
    const before = this.#config.read(register, 4)
    this.#config.write(register, 4, value)
    this.#sized.set(register, this.#config.read(register, 4))
    this.#config.write(register, 4, before)
  }

  /** As the host writes it: everything the hardware lets be written. */
  configWrite(offset: number, width: number, value: number): void {
    if (!this.#present) return
    this.#config.write(offset, width, value)
    const touches = (at: number, bytes: number): boolean => offset < at + bytes && at < offset + width
    const { power, msi, msix } = this.#config.capabilities
    if (touches(R.COMMAND, 2) || touches(R.ROM_BAR, 4)) this.#apply()
    if (touches(R.BAR0, 24) || touches(R.ROM_BAR, 4)) this.#rebase()
    if ((msi && touches(msi, 24)) || (msix && touches(msix, 12))) this.#messagesChanged()
    if (power && touches(power + R.PMCSR, 2)) this.#powerChanged(this.#config.get16(power + R.PMCSR) & 3)
    if (this.resets(offset, width, value)) this.#functionLevelReset()
  }

  /** The write asks for a function-level reset: Initiate Function Level Reset, bit 15 of Device Control. */
  resets(offset: number, width: number, value: number): boolean {
    const { express } = this.#config.capabilities
    const at = express + R.EXP_DEVICE_CONTROL + 1
    return express !== 0 && offset <= at && at < offset + width && ((value >>> (8 * (at - offset))) & 0x80) !== 0
  }

  /** As a driver may: false when the register belongs to the host, and nothing is written then. */
  driverConfigWrite(offset: number, width: number, value: number): boolean {
    const touches = (at: number, bytes: number): boolean => offset < at + bytes && at < offset + width
    const { msi, msix } = this.#config.capabilities
    const hosts =
      offset < 0 ||
      offset + width > R.CONFIG_BYTES ||
      touches(R.BAR0, 24) ||
      (touches(R.ROM_BAR, 4) && !this.#enablesRom(offset, width, value)) ||
      touches(R.INTERRUPT_LINE, 1) ||
      (msi !== 0 && touches(msi + R.MSI_CONTROL, this.#device.capabilities.msi!.address64 ? 12 : 8)) ||
      (msix !== 0 && touches(msix + R.MSIX_CONTROL, 10))
    if (hosts && width === 4 && (touches(R.BAR0, 24) || touches(R.ROM_BAR, 4))) this.#size(offset, value)
    if (hosts) return false
    if (touches(R.ROM_BAR, 4)) this.#sized.delete(R.ROM_BAR)
    // The host restores what the driver may not: places of BARs, messages. Whoever resets finds the rest as well.
    if (this.resets(offset, width, value)) this.reset()
    else this.configWrite(offset, width, value)
    return true
  }

  /** The place of the ROM is the host's; whether it answers there is its driver's. */
  #enablesRom(offset: number, width: number, value: number): boolean {
    const now = this.#config.get32(R.ROM_BAR)
    return offset === R.ROM_BAR && width === 4 && ((value ^ now) & ~R.ROM_ENABLE) === 0
  }

  /** Command register, power state and the ROM's enable bit take effect on the bus. */
  #apply(): void {
    const command = this.#config.get16(R.COMMAND)
    const awake = this.#power === 0
    this.ioOn = awake && (command & R.COMMAND_IO) !== 0
    this.memoryOn = awake && (command & R.COMMAND_MEMORY) !== 0
    this.romOn = (this.#config.get32(R.ROM_BAR) & R.ROM_ENABLE) !== 0
    for (let i = 0; i < this.#bars.length; i++) this.#bars[i]!.decode()
    this.#intxOn = awake && (command & R.COMMAND_INTX_DISABLE) === 0
    this.dma.setEnabled(awake && (command & R.COMMAND_MASTER) !== 0)
    this.#route()
  }

  /** BARs were written: claim the new addresses. */
  #rebase(): void {
    for (const bar of this.#bars) {
      const start = this.#config.barAddress(bar.spec)
      if (start !== bar.start || !bar.claimed) this.#claim(bar, start)
    }
  }

  #claim(bar: PciBar, start: number): void {
    const space = bar.flags & BAR_FLAG_IO ? this.#bus.ports : this.#bus.memory
    if (bar.claimed) space.release(bar)
    bar.start = start
    bar.claimed = start !== 0 && space.claim(bar)
    bar.decode()
  }

  /** Give every BAR an address. Throws when a space is full. */
  assignAddresses(): void {
    // The biggest first, so that alignment wastes least.
    for (const bar of [...this.#bars].toSorted((a, b) => b.bytes - a.bytes)) {
      const space = bar.flags & BAR_FLAG_IO ? this.#bus.ports : this.#bus.memory
      // Memory BARs get pages of their own, so that a page can be granted without a neighbour's registers.
      const start = space.place(bar.flags & BAR_FLAG_IO ? bar.bytes : Math.max(bar.bytes, 4096))
      if (start < 0) throw new RangeError(`${bar.name}: no room for ${bar.bytes} bytes on the bus`)
      this.#config.setBarAddress(bar.spec, start)
      this.#claim(bar, start)
    }
    this.#firmware()
  }

  /** As the machine's firmware hands the function over. */
  #firmware(): void {
    if (this.#device.onBoard === true) this.configWrite(R.COMMAND, 2, R.COMMAND_IO | R.COMMAND_MEMORY)
  }

  // Interrupts

  get messageSignalled(): boolean {
    return this.#messages.enabled
  }

  setLevel(asserted: boolean): void {
    if (asserted === this.#pin) return
    this.#pin = asserted
    const status = this.#config.get16(R.STATUS) & ~R.STATUS_INTERRUPT
    this.#config.set16(R.STATUS, asserted ? status | R.STATUS_INTERRUPT : status)
    this.#route()
  }

  message(vector: number): void {
    this.#messages.send(vector)
  }

  /** Hold the line up exactly while the pin is driven and routed. */
  #route(): void {
    const assert = this.#pin && this.#intxOn && this.line >= 0 && !this.#messages.enabled
    if (assert === this.#asserting) return
    this.#asserting = assert
    this.#drive(assert)
  }

  #drive(assert: boolean): void {
    const to = this.#listener
    if (to === undefined) {
      if (assert) this.#bus.interrupts.assert(this.line)
      else this.#bus.interrupts.deassert(this.line)
    } else if (assert) to?.assert()
    else to?.deassert()
  }

  /**
   * Its pin goes to `listener` alone from now on, to nobody (null), or to the line as it is wired and all who share it
   * (undefined): what is asserted goes along.
   */
  connect(listener: LevelSink | null | undefined): void {
    if (this.#asserting) this.#drive(false)
    this.#listener = listener
    if (this.#asserting) this.#drive(true)
  }

  #messagesChanged(): void {
    this.#messages.configChanged()
    this.#route()
  }

  /**
   * A message is a memory write by the function, so it needs bus mastering; and like an interrupt remapper the bus lets
   * through only numbers that were allocated to this function.
   */
  #post(address: number, data: number): void {
    if (!this.dma.enabled) return
    const own = data >= this.#firstVector && data < this.#firstVector + this.#vectorCount
    if (address === MESSAGE_ADDRESS && own) this.#bus.interrupts.message(data)
    else this.strayMessages++
  }

  /**
   * Allocate interrupt vectors and switch the function to that kind. Returns the first of `count` consecutive interrupt
   * numbers, or -1: the device has not so many, none are left, or vectors are allocated already.
   */
  allocateVectors(kind: VectorKind, count: number): number {
    if (kind === 'intx') return count === 1 ? this.line : -1
    const most = (kind === 'msi' ? this.#device.capabilities.msi : this.#device.capabilities.msix)?.vectors ?? 0
    if (count < 1 || count > most || this.#vectorCount !== 0) return -1
    // MSI replaces the low bits of its data by the message number.
    const span = kind === 'msi' ? 2 ** Math.ceil(Math.log2(count)) : count
    const first = this.#bus.interrupts.allocate(span, kind === 'msi' ? span : 1)
    if (first < 0) return -1
    this.#firstVector = first
    this.#vectorCount = span
    if (kind === 'msi') this.#enableMsi(first, span)
    else this.#enableMsix(first, span)
    return first
  }

  #enableMsi(first: number, span: number): void {
    const at = this.#config.capabilities.msi
    const address64 = this.#device.capabilities.msi!.address64
    this.#config.write(at + R.MSI_ADDRESS, 4, MESSAGE_ADDRESS)
    if (address64) this.#config.write(at + R.MSI_ADDRESS + 4, 4, 0)
    this.#config.write(at + R.MSI_ADDRESS + (address64 ? 8 : 4), 2, first)
    this.configWrite(at + R.MSI_CONTROL, 2, R.MSI_ENABLE | (Math.log2(span) << 4))
  }

  #enableMsix(first: number, span: number): void {
    for (let i = 0; i < span; i++) this.#messages.program(i, MESSAGE_ADDRESS, first + i)
    this.configWrite(this.#config.capabilities.msix + R.MSIX_CONTROL, 2, R.MSIX_ENABLE)
  }

  /** Give message vectors back and return to INTx. Returns how many there were. */
  freeVectors(): number {
    const count = this.#vectorCount
    if (count === 0) return 0
    const { msi, msix } = this.#config.capabilities
    if (msi) this.configWrite(msi + R.MSI_CONTROL, 2, 0)
    if (msix) this.configWrite(msix + R.MSIX_CONTROL, 2, 0)
    this.#bus.interrupts.free(this.#firstVector, count)
    this.#firstVector = -1
    this.#vectorCount = 0
    return count
  }

  // Power and reset

  #powerChanged(state: number): void {
    if (state === this.#power) return
    this.#power = state
    this.#apply()
    this.#device.powerState?.(state)
  }

  /** As written to the express capability: the whole function forgets, and the host has to set it up again. */
  #functionLevelReset(): void {
    this.#config.reset(false)
    this.#afterReset()
    this.#rebase()
  }

  #afterReset(): void {
    this.#messages.reset()
    this.#power = 0
    this.#apply()
    this.#device.reset()
  }

  /** Reset the device and put its configuration back as it was, vectors included: what a driver asks for. */
  reset(): void {
    const command = this.#config.get16(R.COMMAND)
    this.#config.write(R.COMMAND, 2, 0)
    this.#apply()
    this.#device.reset()
    if (this.#config.capabilities.power) this.configWrite(this.#config.capabilities.power + R.PMCSR, 2, 0)
    this.#config.write(R.COMMAND, 2, command)
    this.#apply()
  }

  /**
   * Take the device away from whoever drives it: no decoding, no DMA, no interrupt, vectors freed, every window closed,
   * device reset. Only the BARs' places stay. Returns what was still held.
   */
  detach(): { windows: number; vectors: number } {
    this.#config.write(R.COMMAND, 2, 0)
    this.#apply()
    const vectors = this.freeVectors()
    this.#config.reset(true)
    this.#afterReset()
    this.#firmware()
    if (this.#listener !== undefined) this.connect(null)
    const windows = this.dma.unmapAll()
    // How far the next driver's device reaches is for that one to say.
    this.dma.setMask(ADDRESS_BITS)
    return { windows, vectors }
  }

  /**
   * Pulled out: nothing answers any more, no access to memory and no interrupt comes from it. Vectors and windows stay
   * with whoever set them up until they are given back.
   */
  vanish(): void {
    this.#present = false
    this.#config.write(R.COMMAND, 2, 0)
    this.#apply()
    this.#device.reset()
  }

  /** Nobody drives it any more: its addresses are free again. */
  leave(): void {
    this.detach()
    for (const bar of this.#bars) this.#claim(bar, 0)
  }

  /** The IOMMU refused an access: the function sees a master abort. */
  masterAbort(): void {
    this.#config.set16(R.STATUS, this.#config.get16(R.STATUS) | R.STATUS_MASTER_ABORT)
  }
}
