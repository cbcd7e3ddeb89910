/**
 * Realtek RTL8139C: a 10/100 Mb/s Ethernet controller with four transmit buffers and one receive ring.
 *
 * Source: RTL8139C(L) data sheet, rev 1.4; section numbers in the parts below. This file is the chip: its identity, the
 * register map and what resets. The parts are in rtl8139/: receiver, transmitter, phy, config (with the EEPROM), timer.
 *
 * Differences from the hardware, on purpose: a frame is received and fetched in one go, so early receive never shows a
 * frame half written, and the transmit FIFO never runs dry; collisions do not happen; wake-up frames are stored, not acted on.
 */

import { parseMac } from '../bytes.ts'
import { type Frame, retain } from '../net/frame.ts'
import type { TimelineEvent } from '../../base/timeline.ts'
import type { DeviceContext, EthernetPort, PciDevice, PciIdentity, RegisterView } from '../types.ts'
import { createRegisterFile, DWORD, merge, register, valuesOf } from './register-file.ts'
import type { Register, RegisterFile } from './register-file.ts'
import * as B from './rtl8139/bits.ts'
import { Config, rtl8139Eeprom } from './rtl8139/config.ts'
import { Phy } from './rtl8139/phy.ts'
import { Receiver } from './rtl8139/receiver.ts'
import { Timer } from './rtl8139/timer.ts'
import { DESCRIPTORS, Transmitter } from './rtl8139/transmitter.ts'

export interface Rtl8139Options {
  /** Station address in the EEPROM: six bytes, or as 52:54:00:12:34:56. */
  readonly mac: Uint8Array | string
  /** Where the cable goes; no link without one. */
  readonly port?: EthernetPort
  /** From cable in (or restart) to link up. */
  readonly negotiationNs?: number
}

/** Bytes of registers behind either BAR. */
const REGISTER_BYTES = 256
/** RTL8139C: bits 30-26 are 11101. */
const HARDWARE_VERSION = 0x74000000
const REVISION = 0x10
/** Software reset takes so long. */
const RESET_NS = 10_000
/** Short for a wire, but long enough that nothing can rely on an immediate link. */
const NEGOTIATION_NS = 5_000_000

const identity: PciIdentity = {
  vendor: 0x10ec,
  device: 0x8139,
  subsystemVendor: 0x10ec,
  subsystemDevice: 0x8139,
  classCode: 0x020000,
  revision: REVISION,
  interruptPin: 1,
}

class Rtl8139 implements PciDevice {
  readonly model = 'rtl8139'
  readonly identity = identity
  readonly bars = [
    { index: 0, kind: 'io', bytes: REGISTER_BYTES },
    { index: 1, kind: 'mem32', bytes: REGISTER_BYTES },
  ] as const
  readonly capabilities = { powerManagement: true } as const
  readonly receiver: Receiver
  readonly transmitter: Transmitter
  readonly phy: Phy
  readonly config: Config
  readonly timer: Timer
  readonly #context: DeviceContext
  readonly #port: EthernetPort | undefined
  readonly #registers: RegisterFile
  readonly #resetDone: TimelineEvent
  #awake = true
  #status = 0
  #mask = 0
  #driven = false
  #media = 0
  #multiInterrupt = 0
  #cscr = B.CSCR_RESET
  #linkChanged = false
  /** Registers that only keep what is written: PHY parameters, wake-up frames and their CRCs. */
  readonly #plain = new Uint8Array(REGISTER_BYTES)

  constructor(context: DeviceContext, options: Rtl8139Options) {
    const { timeline } = context
    const { port } = options
    const raise = (bits: number): void => this.raise(bits)
    this.#context = context
    this.receiver = new Receiver(context.dma, raise)
    this.transmitter = new Transmitter({
      timeline,
      dma: context.dma,
      raise,
      send: (frame) => this.#toWire(frame),
      loopback: (frame) => this.receiver.receive(frame),
      mbps: () => (this.#port?.mbps === Infinity ? Infinity : this.phy.mbps),
    })
    const mac = typeof options.mac === 'string' ? parseMac(options.mac) : options.mac
    this.config = new Config(rtl8139Eeprom(mac), this.receiver.address)
    this.timer = new Timer(timeline, () => this.raise(B.INT_TIMEOUT))
    this.#resetDone = timeline.event('rtl8139 reset', () => {})
    const negotiationNs = options.negotiationNs ?? NEGOTIATION_NS
    this.phy = new Phy({ timeline, port, negotiationNs, onChange: () => this.#linkChange() })
    if (port) port.onFrame = (frame) => this.#fromWire(frame)
    this.#port = port
    this.#registers = createRegisterFile(REGISTER_BYTES, this.#map())
  }

  /** Registers by offset, for documentation and tests. */
  get registers(): readonly Register[] {
    return this.#registers.registers
  }

  readonly view: RegisterView = {
    name: (_bar, offset) => this.#registers.at(offset)?.name,
    values: () => valuesOf(this.registers),
  }

  read(_bar: number, offset: number, width: number): number {
    return this.#registers.read(offset, width)
  }

  write(_bar: number, offset: number, width: number, value: number): void {
    this.#registers.write(offset, width, value)
  }

  /** RST#: everything to its reset value, the EEPROM loaded again, the link negotiated again. */
  reset(): void {
    this.#awake = true
    this.#softReset()
    this.#resetDone.disarm()
    this.receiver.hash.fill(0)
    this.#media = 0
    this.#multiInterrupt = 0
    this.#cscr = B.CSCR_RESET
    this.#plain.fill(0)
    this.config.load()
    this.timer.reset()
    this.phy.reset()
    this.#linkChanged = false
    this.#status = 0
    this.#drive()
  }

  /** CR.RST: transmitter and receiver off, FIFOs and pointers reset, interrupts off; addresses and CONFIG stay. */
  #softReset(): void {
    this.receiver.reset()
    this.transmitter.reset()
    this.#status = 0
    this.#mask = 0
    this.#drive()
    this.#resetDone.armIn(RESET_NS)
  }

  powerState(state: number): void {
    this.#awake = state === 0
  }

  #fromWire(frame: Frame): void {
    if (this.#awake && this.phy.up) this.receiver.receive(frame)
  }

  #toWire(frame: Frame): boolean {
    if (!this.phy.up || this.#port === undefined) return false
    frame.atNs = this.#context.timeline.now()
    return this.#port.pass(retain(frame))
  }

  // Interrupts: ISR and IMR, sections 6.5 and 6.6

  raise(bits: number): void {
    this.#status |= bits
    this.#drive()
  }

  #drive(): void {
    const level = (this.#status & this.#mask) !== 0
    if (level === this.#driven) return
    this.#driven = level
    this.#context.interrupts.setLevel(level)
  }

  /** The link came up or went down: there is no bit of its own for it. */
  #linkChange(): void {
    this.#linkChanged = true
    const { up, mbps, fullDuplex } = this.phy
    this.#context.trace(up ? `link up, ${mbps} Mb/s ${fullDuplex ? 'full' : 'half'} duplex` : 'link down')
    this.raise(B.INT_PUN)
  }

  #acknowledge(bits: number): void {
    this.#status &= ~bits
    if (bits & B.INT_PUN) this.#linkChanged = false
    this.#drive()
  }

  // Command register, section 6.4

  #readCommand(): number {
    return (
      (this.#resetDone.armed ? B.CR_RST : 0) |
      (this.receiver.enabled ? B.CR_RE : 0) |
      (this.transmitter.enabled ? B.CR_TE : 0) |
      (this.receiver.empty ? B.CR_BUFE : 0)
    )
  }

  #writeCommand(value: number): void {
    if (value & B.CR_RST) return this.#softReset()
    this.receiver.enable((value & B.CR_RE) !== 0)
    this.transmitter.enable((value & B.CR_TE) !== 0)
  }

  // The register map, section 6

  #map(): Register[] {
    return [
      ...this.#addressRegisters(),
      ...this.#transmitRegisters(),
      ...this.#receiveRegisters(),
      ...this.#controlRegisters(),
      ...this.#configRegisters(),
      ...this.#phyRegisters(),
      ...this.#plainRegisters(),
    ]
  }

  /** IDR0-5 and MAR0-7: read in any width, written only four bytes at once. */
  #addressRegisters(): Register[] {
    const dword = (offset: number, name: string, bytes: Uint8Array, first: number): Register =>
      register(
        offset,
        4,
        name,
        () => {
          let value = 0
          for (let i = 0; i < 4; i++) value |= (bytes[first + i] ?? 0) << (8 * i)
          return value >>> 0
        },
        (value, lanes) => {
          if (lanes !== DWORD) return
          for (let i = 0; i < 4 && first + i < bytes.length; i++) bytes[first + i] = value >>> (8 * i)
        },
      )
    const { address, hash } = this.receiver
    return [
      dword(0x00, 'IDR0-3', address, 0),
      dword(0x04, 'IDR4-5', address, 4),
      dword(0x08, 'MAR0-3', hash, 0),
      dword(0x0c, 'MAR4-7', hash, 4),
    ]
  }

  #transmitRegisters(): Register[] {
    const tx = this.transmitter
    const list: Register[] = []
    for (let i = 0; i < DESCRIPTORS; i++) {
      const status = (): number => tx.status[i]!
      const address = (): number => tx.addresses[i]!
      list.push(
        register(0x10 + 4 * i, 4, `TSD${i}`, status, (value, lanes) => {
          if (lanes === DWORD) tx.writeStatus(i, value)
        }),
        register(0x20 + 4 * i, 4, `TSAD${i}`, address, (value, lanes) => {
          if (lanes === DWORD) tx.addresses[i] = value
        }),
      )
    }
    list.push(
      register(
        0x40,
        4,
        'TCR',
        () => tx.config | HARDWARE_VERSION,
        (value, lanes) => tx.writeConfig(merge(tx.config, value, lanes)),
      ),
      register(0x60, 2, 'TSAD', () => tx.summary),
    )
    return list
  }

  #receiveRegisters(): Register[] {
    const rx = this.receiver
    const setStart = (value: number, lanes: number): void => {
      if (lanes === DWORD) rx.start = value
    }
    const setConfig = (value: number, lanes: number): void => rx.configure(merge(rx.config, value, lanes))
    return [
      register(0x30, 4, 'RBSTART', () => rx.start, setStart),
      register(0x34, 2, 'ERBCR', () => rx.earlyCount),
      register(
        0x36,
        1,
        'ERSR',
        () => rx.earlyStatus,
        (value) => (rx.earlyStatus &= ~value),
      ),
      register(
        0x38,
        2,
        'CAPR',
        () => rx.capr,
        (value, lanes) => (rx.capr = merge(rx.capr, value, lanes)),
      ),
      register(0x3a, 2, 'CBR', () => rx.written),
      register(0x44, 4, 'RCR', () => rx.config, setConfig),
      register(
        0x4c,
        4,
        'MPC',
        () => rx.missed,
        () => rx.clearMissed(),
      ),
    ]
  }

  #controlRegisters(): Register[] {
    const { timer } = this
    return [
      register(
        0x37,
        1,
        'CR',
        () => this.#readCommand(),
        (value) => this.#writeCommand(value),
      ),
      register(
        0x3c,
        2,
        'IMR',
        () => this.#mask,
        (value, lanes) => {
          this.#mask = merge(this.#mask, value, lanes) & B.INT_ALL
          this.#drive()
        },
      ),
      register(
        0x3e,
        2,
        'ISR',
        () => this.#status,
        (value) => this.#acknowledge(value),
      ),
      register(
        0x48,
        4,
        'TCTR',
        () => timer.count,
        () => timer.restart(),
      ),
      register(
        0x54,
        4,
        'TimerInt',
        () => timer.compare,
        (value, lanes) => (timer.compare = merge(timer.compare, value, lanes)),
      ),
      register(
        0x5c,
        2,
        'MULINT',
        () => this.#multiInterrupt,
        (value, lanes) => (this.#multiInterrupt = merge(this.#multiInterrupt, value, lanes) & 0x0fff),
      ),
    ]
  }

  #configRegisters(): Register[] {
    const { config } = this
    const numbered = (offset: number, n: number): Register =>
      register(
        offset,
        1,
        `CONFIG${n}`,
        () => config.registers[n]!,
        (value) => config.write(n, value),
      )
    return [
      register(
        0x50,
        1,
        '9346CR',
        () => config.control,
        (value) => (config.control = value),
      ),
      numbered(0x51, 0),
      numbered(0x52, 1),
      numbered(0x59, 3),
      numbered(0x5a, 4),
      register(0x5b, 1, 'HLTCLK', () => 0),
      register(0x5e, 1, 'RERID', () => REVISION),
      numbered(0xd8, 5),
    ]
  }

  #phyRegisters(): Register[] {
    const { phy, config } = this
    return [
      register(
        0x58,
        1,
        'MSR',
        () => this.#media | (phy.mbps === 10 ? B.MSR_SPEED_10 : 0) | (phy.up ? 0 : B.MSR_LINKB),
        (value) => (this.#media = value & B.MSR_WRITABLE),
      ),
      register(
        0x62,
        2,
        'BMCR',
        () => phy.control,
        (value, lanes) => phy.writeControl(merge(phy.control, value, lanes), config.unlocked),
      ),
      register(
        0x64,
        2,
        'BMSR',
        () => phy.readStatus(),
        undefined,
        () => phy.status,
      ),
      register(
        0x66,
        2,
        'ANAR',
        () => phy.advertised,
        (value, lanes) => (phy.advertised = merge(phy.advertised, value, lanes)),
      ),
      register(0x68, 2, 'ANLPAR', () => phy.partner),
      register(0x6a, 2, 'ANER', () => phy.expansion),
      register(
        0x6c,
        2,
        'DIS',
        () => phy.readDisconnects(),
        undefined,
        () => phy.disconnects,
      ),
      register(
        0x74,
        2,
        'CSCR',
        () => this.#readCscr(),
        (value, lanes) => (this.#cscr = merge(this.#cscr, value, lanes) & B.CSCR_WRITABLE),
      ),
    ]
  }

  #readCscr(): number {
    const link = this.phy.up ? B.CSCR_LINK_OK | B.CSCR_CONNECTED : 0
    return this.#cscr | link | (this.#linkChanged ? B.CSCR_LINK_CHANGED : 0)
  }

  /** PHY1_PARM, TW_PARM, PHY2_PARM (78h to 83h); CRC0-7, Wakeup0-7, LSBCRC0-7 (84h to d3h). */
  #plainRegisters(): Register[] {
    const bytes = this.#plain
    const list: Register[] = []
    for (let at = 0x78; at < 0xd4; at++)
      list.push(
        register(
          at,
          1,
          `byte ${at.toString(16)}h`,
          () => bytes[at]!,
          (value) => (bytes[at] = value),
        ),
      )
    return list
  }
}

export type { Rtl8139 }

/** Make the chip; its port's callbacks are taken over. */
export const rtl8139 = (context: DeviceContext, options: Rtl8139Options): Rtl8139 => new Rtl8139(context, options)
