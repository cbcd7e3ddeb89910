/**
 * Intel 82540EM gigabit Ethernet controller (8086:100e): the PCI function, its register decoding and its reset.
 *
 * The blocks are in the folder of this name: `registers` (the data sheet's table), `eeprom`, `phy`, `interrupts`,
 * `statistics`, `ring` (descriptors), `transmit`, `receive`, `checksum`. Here register accesses get their meaning,
 * and the blocks are wired together. Reference: Intel's "PCI/PCI-X Family of Gigabit Ethernet Controllers Software
 * Developer's Manual" (SDM), whose section numbers are in the register table.
 *
 * It knows register offsets, its DMA and interrupt ports, its end of a wire and virtual time; nothing of who drives it.
 * What is modelled and what is not: docs/devices.md.
 */
import type { TimelineEvent } from '../../base/timeline.ts'
import type {
  BarSpec,
  DeviceContext,
  EthernetPort,
  PciCapabilities,
  PciDevice,
  PciIdentity,
  RegisterValue,
  RegisterView,
} from '../types.ts'
import { parseMac } from '../bytes.ts'
import { type Frame, release } from '../net/frame.ts'
import { createEeprom93c46, type Eeprom } from './eeprom-93c46.ts'
import { EEPROM_WORDS, eepromImage } from './intel-82540em/eeprom.ts'
import { DelayTimer, Interrupts } from './intel-82540em/interrupts.ts'
import { Phy, SPEED_10, SPEED_100 } from './intel-82540em/phy.ts'
import { Receiver } from './intel-82540em/receive.ts'
import * as R from './intel-82540em/registers.ts'
import { Statistics, STATISTICS } from './intel-82540em/statistics.ts'
import { Transmitter } from './intel-82540em/transmit.ts'

const MODEL = 'intel-82540em'

/** PCI 2.2, 33/66 MHz; Intel PRO/1000 MT Desktop Adapter. */
const IDENTITY: PciIdentity = {
  vendor: 0x8086,
  device: 0x100e,
  subsystemVendor: 0x8086,
  subsystemDevice: 0x001e,
  classCode: 0x020000,
  revision: 2,
  interruptPin: 1,
}

const BAR_MEMORY = 0
const BAR_IO = 2
const BARS: readonly BarSpec[] = [
  { index: BAR_MEMORY, kind: 'mem32', bytes: R.MEMORY_BYTES },
  { index: BAR_IO, kind: 'io', bytes: 64 },
]

const CAPABILITIES: PciCapabilities = { powerManagement: true, msi: { vectors: 1, address64: true } }

/** I/O BAR: an address window and its data, SDM section 13.2.1. */
const IOADDR = 0
const IODATA = 4

/** One EERD read: 27 clocks of the part, ns. */
const EEPROM_READ_NS = 30_000
/** One MDIO transaction: 64 bits at 2.5 MHz, ns. */
const MDIO_NS = 25_600
/** The PHY's address on the MDIO bus. */
const PHY_ADDRESS = 1
/** KiB of packet buffer that PBA shares out. */
const PACKET_BUFFER_KIB = 64
/** One PAUSE quantum, bits: IEEE 802.3 annex 31B. */
const PAUSE_QUANTUM_BITS = 512

/** Base and next pages and gigabit training, ns: about as long as the hardware takes. */
const NEGOTIATION_NS = 1_200_000_000
const MBPS = 1000

export interface Intel82540emOptions {
  /** Station address in the EEPROM: six bytes, or as 52:54:00:12:34:56. */
  readonly mac: Uint8Array | string
  /** Where the cable goes; no link without one. Its callbacks are taken over. */
  readonly port?: EthernetPort
  /** From cable in (or restart) to link up. */
  readonly negotiationNs?: number
}

const hex = (value: number): string => value.toString(16)

const ALL_REGISTERS: readonly R.RegisterSpec[] = [...R.REGISTERS, ...STATISTICS]

const offsetOf = ({ offset, stride = 4 }: R.RegisterSpec, element: number): number => offset + element * stride
const elementName = ({ name, count }: R.RegisterSpec, element: number): string =>
  count === undefined ? name : `${name}[${element}]`

/** Name of the register at an offset: told to people only, so it may be slow. */
function nameAt(offset: number): string | undefined {
  const at = offset & ~3
  for (const spec of ALL_REGISTERS) {
    const element = (at - spec.offset) / (spec.stride ?? 4)
    if (element >= 0 && element < (spec.count ?? 1) && Number.isInteger(element)) return elementName(spec, element)
  }
  return undefined
}

type Read = (index: number) => number
type Write = (index: number, value: number) => void

/** Makes an 82540EM: a `PciDeviceFactory<Intel82540emOptions>`. */
export function intel82540em(context: DeviceContext, options: Intel82540emOptions): Intel82540em {
  return new Intel82540em(context, options)
}

export class Intel82540em implements PciDevice {
  readonly model = MODEL
  readonly identity = IDENTITY
  readonly bars = BARS
  readonly capabilities = CAPABILITIES

  readonly phy: Phy
  readonly eeprom: Eeprom
  readonly #context: DeviceContext
  readonly #port: EthernetPort | undefined
  /** The register file: plain registers live here, and the blocks read their tables here. */
  readonly #registers = new Uint32Array(R.MEMORY_BYTES / 4)
  readonly #writable = new Uint32Array(R.MEMORY_BYTES / 4)
  /** Which of the handlers serves a register. */
  readonly #handler = new Uint8Array(R.MEMORY_BYTES / 4)
  readonly #reads: Read[] = []
  readonly #writes: Write[] = []

  readonly #interrupts: Interrupts
  readonly #statistics: Statistics
  readonly #transmitter: Transmitter
  readonly #receiver: Receiver
  readonly #receiveDelay: DelayTimer
  readonly #transmitDelay: DelayTimer
  readonly #mdioDone: TimelineEvent

  #ioAddress = 0
  #mdioReadyNs = 0
  #eerdReadyNs = 0
  #linkUp = false
  #awake = true

  constructor(context: DeviceContext, options: Intel82540emOptions) {
    const { timeline, dma } = context
    const mac = typeof options.mac === 'string' ? parseMac(options.mac) : options.mac
    const name = `${MODEL} ${Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':')}`
    this.#context = context
    this.#port = options.port
    this.eeprom = createEeprom93c46(eepromImage({ ...IDENTITY, mac }))
    this.phy = new Phy({
      timeline,
      name,
      mbps: options.port?.mbps ?? MBPS,
      negotiationNs: options.negotiationNs ?? NEGOTIATION_NS,
      linkChanged: () => this.#updateLink(),
    })
    this.#mdioDone = timeline.event(`${name} MDIO`, () => this.#interrupts.raise(R.ICR_MDAC))
    const interrupts = new Interrupts(timeline, context.interrupts, name)
    const statistics = new Statistics(this.#registers)
    this.#interrupts = interrupts
    this.#statistics = statistics
    this.#receiveDelay = new DelayTimer(timeline, `${name} receive delay`, () => interrupts.raise(R.ICR_RXT0))
    this.#transmitDelay = new DelayTimer(timeline, `${name} transmit delay`, () => interrupts.raise(R.ICR_TXDW))
    const trace = (text: string): void => context.trace(text)
    const line = { transmit: (frame: Frame) => this.#transmit(frame) }
    const common = { name, timeline, dma, interrupts, statistics, trace }
    this.#transmitter = new Transmitter({ ...common, delay: this.#transmitDelay, line })
    const pause = (quanta: number): void => this.#pause(quanta)
    this.#receiver = new Receiver({ ...common, delay: this.#receiveDelay, registers: this.#registers, pause })

    this.#describe(trace)
    this.#bindGeneral()
    this.#bindInterrupts()
    this.#bindReceive()
    this.#bindTransmit()
    if (options.port) this.#connect(options.port)
    this.reset()
  }

  #connect(port: EthernetPort): void {
    port.onFrame = (frame) => this.#arrive(frame)
    port.onLink = (up) => {
      this.phy.carrier = up
    }
    this.phy.carrier = port.up
  }

  // ---- bus

  read(bar: number, offset: number, width: number): number {
    if (bar === BAR_MEMORY) {
      if (width === 4) return this.#readRegister(offset)
      return (this.#readRegister(offset & ~3) >>> (8 * (offset & 3))) & (width === 2 ? 0xffff : 0xff)
    }
    if (offset === IOADDR) return this.#ioAddress
    return offset === IODATA ? this.#readRegister(this.#ioAddress) : 0
  }

  /** Registers are written 32 bits at a time: SDM section 13.1. Anything narrower is lost. */
  write(bar: number, offset: number, width: number, value: number): void {
    if (width !== 4) this.#context.trace(`${width}-byte write at 0x${offset.toString(16)} ignored`)
    else if (bar === BAR_MEMORY) this.#writeRegister(offset, value)
    else if (offset === IOADDR) this.#ioAddress = value & (R.MEMORY_BYTES - 4)
    else if (offset === IODATA) this.#writeRegister(this.#ioAddress, value)
  }

  /** RST#: MAC, PHY and EEPROM interface. */
  reset(): void {
    this.#ioAddress = 0
    this.#awake = true
    this.#receiver.running = true
    this.#registers[R.PBA >>> 2] = this.#resetValue(R.PBA)
    this.#resetMac()
    this.phy.hardwareReset(false)
  }

  /** D0 resumes from a reset, as PMCSR's No_Soft_Reset is clear; in any other state nothing moves. */
  powerState(state: number): void {
    const awake = state === 0
    if (awake === this.#awake) return
    this.#awake = awake
    if (awake) this.#resetMac()
    this.#receiver.running = awake
    this.#updateLink()
  }

  #readRegister(offset: number): number {
    const index = (offset & (R.MEMORY_BYTES - 1)) >>> 2
    return this.#reads[this.#handler[index]!]!(index)
  }

  #writeRegister(offset: number, value: number): void {
    const index = (offset & (R.MEMORY_BYTES - 1)) >>> 2
    this.#writes[this.#handler[index]!]!(index, value >>> 0)
  }

  // ---- as people see it

  readonly view: RegisterView = {
    name: (bar, offset) => {
      if (bar === BAR_MEMORY) return nameAt(offset)
      if (offset === IOADDR) return 'IOADDR'
      return offset === IODATA ? nameAt(this.#ioAddress) : undefined
    },
    values: () => this.#values(),
  }

  /** Of an array, the elements that hold something: some have thousands, and few do. */
  #values(): RegisterValue[] {
    const values: RegisterValue[] = []
    for (const spec of ALL_REGISTERS) {
      if (spec.access === 'wo') continue
      for (let element = 0; element < (spec.count ?? 1); element++) {
        const value = this.#kept(spec, offsetOf(spec, element))
        if (value !== 0 || spec.count === undefined) values.push({ name: elementName(spec, element), value })
      }
    }
    return values
  }

  /** Reading a counter or ICR clears it: those are looked at in place. */
  #kept({ access }: R.RegisterSpec, at: number): number {
    if (access !== 'rc') return this.#readRegister(at) >>> 0
    return (at === R.ICR ? this.#interrupts.cause : this.#register(at)) >>> 0
  }

  // ---- register decoding

  /** Enter the register table: handler 0 is for offsets that are no register, 1 for plain ones, 2 for write-only ones. */
  #describe(trace: (text: string) => void): void {
    this.#reads.push((index) => {
      trace(`read of reserved register 0x${hex(index * 4)}`)
      return 0
    })
    this.#writes.push((index, value) => trace(`write of 0x${hex(value)} to reserved register 0x${hex(index * 4)}`))
    this.#reads.push((index) => this.#registers[index]!)
    this.#writes.push((index, value) => this.#store(index, value))
    this.#reads.push(() => 0)
    this.#writes.push((index, value) => this.#store(index, value))
    for (const spec of R.REGISTERS) {
      for (let i = 0; i < (spec.count ?? 1); i++) {
        const index = (spec.offset + i * (spec.stride ?? 4)) >>> 2
        this.#handler[index] = spec.access === 'wo' ? 2 : 1
        this.#writable[index] = spec.writable
      }
    }
    for (const spec of STATISTICS) this.#on(spec.offset, (index) => this.#statistics.read(index * 4), null)
  }

  /** Give an access a meaning beyond storing bits; null keeps the plain one. */
  #on(offset: number, read: Read | null, write: Write | null): void {
    const index = offset >>> 2
    const plain = this.#handler[index]!
    this.#handler[index] = this.#reads.length
    this.#reads.push(read ?? this.#reads[plain]!)
    this.#writes.push(write ?? this.#writes[plain]!)
  }

  /** After the bits are stored, do this with the register's new value. */
  #after(offset: number, effect: (stored: number, written: number) => void): void {
    this.#on(offset, null, (index, value) => {
      this.#store(index, value)
      effect(this.#registers[index]!, value)
    })
  }

  #store(index: number, value: number): void {
    const mask = this.#writable[index]!
    this.#registers[index] = (this.#registers[index]! & ~mask) | (value & mask)
  }

  #register(offset: number): number {
    return this.#registers[offset >>> 2]!
  }

  #resetValue(offset: number): number {
    return R.REGISTERS.find((spec) => spec.offset === offset)?.reset ?? 0
  }

  // ---- general registers

  #bindGeneral(): void {
    const control: Write = (_index, value) => this.#writeControl(value)
    this.#on(R.CTRL, null, control)
    this.#on(R.CTRL_DUP, () => this.#register(R.CTRL), control)
    this.#on(R.STATUS, () => this.#readStatus(), null)
    this.#on(
      R.EECD,
      () => this.#readEecd(),
      (_index, value) => this.#writeEecd(value),
    )
    this.#on(
      R.EERD,
      () => this.#readEerd(),
      (_index, value) => this.#writeEerd(value),
    )
    this.#on(
      R.MDIC,
      () => this.#readMdic(),
      (_index, value) => this.#writeMdic(value),
    )
    this.#after(R.CTRL_EXT, (_stored, written) => {
      if ((written & R.CTRL_EXT_EE_RST) !== 0) this.#loadEeprom()
    })
    this.#after(R.PBA, (stored) => this.#sharePacketBuffer(stored & 0xffff))
    this.#after(R.VET, (stored) => {
      this.#receiver.vlanType = stored
      this.#transmitter.vlanType = stored
    })
  }

  /** CTRL, 13.4.1: RST and PHY_RST act; SLU, forced speed and duplex, flow control and VLAN mode take effect at once. */
  #writeControl(value: number): void {
    if ((value & R.CTRL_RST) !== 0) {
      this.#resetMac()
      return
    }
    const before = this.#register(R.CTRL)
    this.#store(R.CTRL >>> 2, value)
    const changed = before ^ value
    if ((changed & R.CTRL_PHY_RST) !== 0) this.phy.hardwareReset((value & R.CTRL_PHY_RST) !== 0)
    this.#receiver.flowControl = (value & R.CTRL_RFCE) !== 0
    this.#receiver.vlanMode = (value & R.CTRL_VME) !== 0
    this.#transmitter.vlanMode = (value & R.CTRL_VME) !== 0
    this.#updateLink()
  }

  /** STATUS, 13.4.2: link, duplex and speed as the MAC uses them. */
  #readStatus(): number {
    const control = this.#register(R.CTRL)
    const fullDuplex = (control & R.CTRL_FRCDPX) !== 0 ? (control & R.CTRL_FD) !== 0 : this.phy.fullDuplex
    let status = R.STATUS_PCI66 | (this.#speed() << R.STATUS_SPEED_SHIFT)
    if (fullDuplex) status |= R.STATUS_FD
    if (this.#linkUp) status |= R.STATUS_LU
    if (this.#transmitter.paused) status |= R.STATUS_TXOFF
    return status
  }

  /** 0, 1, 2 for 10, 100, 1000 Mb/s: forced by CTRL, else the PHY's. */
  #speed(): number {
    const control = this.#register(R.CTRL)
    const speed = (control & R.CTRL_FRCSPD) !== 0 ? (control >>> R.CTRL_SPEED_SHIFT) & 3 : this.phy.speed
    return Math.min(speed, 2)
  }

  /** PBA, 13.4.16: the receive share is written, the transmit share follows; both hold after the next reset. */
  #sharePacketBuffer(receiveKib: number): void {
    const share = Math.min(receiveKib, PACKET_BUFFER_KIB)
    this.#registers[R.PBA >>> 2] = ((PACKET_BUFFER_KIB - share) << 16) | share
  }

  /** EECD, 13.4.3: the pins work only while access is granted, which nobody else here contends for. */
  #readEecd(): number {
    const stored = this.#register(R.EECD)
    const granted = (stored & R.EECD_REQ) !== 0 ? R.EECD_GNT : 0
    return stored | granted | (this.eeprom.dataOut ? R.EECD_DO : 0)
  }

  #writeEecd(value: number): void {
    this.#store(R.EECD >>> 2, value)
    if ((value & R.EECD_REQ) === 0) return
    this.eeprom.pins((value & R.EECD_CS) !== 0, (value & R.EECD_SK) !== 0, (value & R.EECD_DI) !== 0)
  }

  #eepromWord(address: number): number {
    return this.eeprom.words[address % EEPROM_WORDS]!
  }

  /** EERD, 13.4.4. */
  #writeEerd(value: number): void {
    this.#store(R.EERD >>> 2, value)
    if ((value & R.EERD_START) !== 0) this.#eerdReadyNs = this.#context.timeline.now() + EEPROM_READ_NS
  }

  #readEerd(): number {
    const stored = this.#register(R.EERD)
    if ((stored & R.EERD_START) === 0 || this.#context.timeline.now() < this.#eerdReadyNs) return stored
    return ((stored & 0xff00) | R.EERD_DONE | (this.#eepromWord(stored >>> 8) << 16)) >>> 0
  }

  /** MDIC, 13.4.7: the transaction is over, and READY set, one MDIO frame later. */
  #writeMdic(value: number): void {
    const register = (value >>> 16) & 31
    const present = ((value >>> 21) & 31) === PHY_ADDRESS
    let data = value & 0xffff
    if (!present) data = 0xffff
    else if ((value & R.MDIC_OP_READ) !== 0) data = this.phy.read(register)
    else if ((value & R.MDIC_OP_WRITE) !== 0) this.phy.write(register, data)
    this.#registers[R.MDIC >>> 2] = (value & 0x2fff0000) | data | (present ? 0 : R.MDIC_ERROR)
    this.#mdioReadyNs = this.#context.timeline.now() + MDIO_NS
    if ((value & R.MDIC_INT_EN) !== 0) this.#mdioDone.armIn(MDIO_NS)
  }

  #readMdic(): number {
    const ready = this.#context.timeline.now() >= this.#mdioReadyNs
    return this.#register(R.MDIC) | (ready ? R.MDIC_READY : 0)
  }

  // ---- interrupts

  #bindInterrupts(): void {
    const interrupts = this.#interrupts
    this.#on(
      R.ICR,
      () => interrupts.readCause(),
      (_index, value) => interrupts.clearCause(value),
    )
    this.#on(R.ICS, null, (_index, value) => interrupts.raise(value & R.ICR_ALL))
    this.#on(
      R.IMS,
      () => interrupts.mask,
      (_index, value) => interrupts.enable(value & R.ICR_ALL),
    )
    this.#on(R.IMC, null, (_index, value) => interrupts.disable(value))
    this.#after(R.ITR, (stored) => interrupts.setThrottle(stored))
  }

  // ---- receive

  #bindReceive(): void {
    const receiver = this.#receiver
    const { ring } = receiver
    const place = (): void => ring.place(this.#register(R.RDBAL), this.#register(R.RDBAH), this.#register(R.RDLEN))
    this.#after(R.RDBAL, place)
    this.#after(R.RDBAH, place)
    this.#after(R.RDLEN, place)
    this.#on(
      R.RDH,
      () => ring.head,
      (_index, value) => ring.setHead(value & 0xffff),
    )
    this.#on(
      R.RDT,
      () => ring.tail,
      (_index, value) => {
        ring.setTail(value & 0xffff)
        receiver.kick()
      },
    )
    this.#after(R.RCTL, (stored) => {
      receiver.control = stored
      this.#updateLink()
    })
    this.#after(R.RXCSUM, (stored) => {
      receiver.checksums = stored
    })
    this.#after(R.RDTR, (stored, written) => {
      this.#receiveDelay.setPacketDelay(stored)
      if ((written & R.DELAY_FPD) !== 0) this.#receiveDelay.flush()
    })
    this.#after(R.RADV, (stored) => this.#receiveDelay.setAbsoluteDelay(stored))
    this.#on(R.RDFPC, () => receiver.waiting, null)
  }

  // ---- transmit

  #bindTransmit(): void {
    const transmitter = this.#transmitter
    const { ring } = transmitter
    const place = (): void => ring.place(this.#register(R.TDBAL), this.#register(R.TDBAH), this.#register(R.TDLEN))
    this.#after(R.TDBAL, place)
    this.#after(R.TDBAH, place)
    this.#after(R.TDLEN, place)
    this.#on(
      R.TDH,
      () => ring.head,
      (_index, value) => ring.setHead(value & 0xffff),
    )
    this.#on(
      R.TDT,
      () => ring.tail,
      (_index, value) => {
        ring.setTail(value & 0xffff)
        transmitter.kick()
      },
    )
    this.#after(R.TCTL, (stored) => {
      transmitter.control = stored
    })
    this.#after(R.TIDV, (stored, written) => {
      this.#transmitDelay.setPacketDelay(stored)
      if ((written & R.DELAY_FPD) !== 0) this.#transmitDelay.flush()
    })
    this.#after(R.TADV, (stored) => this.#transmitDelay.setAbsoluteDelay(stored))
    this.#after(R.TXDCTL, (stored) => {
      transmitter.lowThreshold = (stored >>> R.TXDCTL_LWTHRESH_SHIFT) * 8
    })
  }

  // ---- reset and link

  /** CTRL.RST, 13.4.1: everything of the MAC but PBA; the PHY and the PCI configuration stay. */
  #resetMac(): void {
    const buffer = this.#register(R.PBA)
    this.#registers.fill(0)
    for (const spec of R.REGISTERS) {
      if (spec.reset !== 0) this.#registers[spec.offset >>> 2] = spec.reset
    }
    this.#registers[R.PBA >>> 2] = buffer
    this.#interrupts.reset()
    this.#receiveDelay.reset()
    this.#transmitDelay.reset()
    this.#mdioDone.disarm()
    this.#transmitter.reset()
    this.#receiver.reset()
    this.#receiver.fifoKib = buffer & 0xffff
    this.eeprom.pins(false, false, false)
    this.#loadEeprom()
    this.#linkUp = false
    this.#transmitter.running = false
    this.#transmitter.vlanType = this.#register(R.VET)
    this.#receiver.vlanType = this.#register(R.VET)
  }

  /** The station address comes from the EEPROM: 13.5.2. */
  #loadEeprom(): void {
    const [low, middle, high] = [this.#eepromWord(0), this.#eepromWord(1), this.#eepromWord(2)]
    this.#registers[R.RA >>> 2] = low | (middle << 16)
    this.#registers[(R.RA >>> 2) + 1] = high | R.RAH_AV
  }

  /** The MAC has link when the PHY has and CTRL.SLU lets it see so: 13.4.1. LSC tells of every change. */
  #updateLink(): void {
    const up = this.phy.link && (this.#register(R.CTRL) & R.CTRL_SLU) !== 0
    const speed = this.#speed()
    const bitNs = speed === SPEED_10 ? 100 : speed === SPEED_100 ? 10 : 1
    this.#transmitter.bitNs = this.#port?.mbps === Infinity ? 0 : bitNs
    this.#transmitter.running = (up || this.#loopsInMac()) && this.#awake
    if (up !== this.#linkUp) {
      this.#linkUp = up
      this.#context.trace(up ? `link up, ${10 ** (speed + 1)} Mb/s` : 'link down')
      this.#interrupts.raise(R.ICR_LSC)
    }
    this.#transmitter.kick()
  }

  // ---- line

  #loopsInMac(): boolean {
    return (this.#register(R.RCTL) & R.RCTL_LBM_MASK) !== 0
  }

  /** A frame leaves: to the wire, or back in the MAC (RCTL.LBM) or the PHY. */
  #transmit(frame: Frame): void {
    if (this.#port !== undefined && !this.phy.loopback && !this.#loopsInMac()) {
      frame.atNs = this.#context.timeline.now()
      this.#port.pass(frame)
      return
    }
    if (this.phy.loopback || this.#loopsInMac()) this.#receiver.receive(frame)
    release(frame)
  }

  /** A frame comes from the wire: heard only with link and without loopback. */
  #arrive(frame: Frame): void {
    if (this.#linkUp && !this.phy.loopback && !this.#loopsInMac()) this.#receiver.receive(frame)
  }

  #pause(quanta: number): void {
    this.#transmitter.pause(quanta * PAUSE_QUANTUM_BITS * this.#transmitter.bitNs)
  }
}
