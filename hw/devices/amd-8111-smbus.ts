/**
 * The AMD-8111 HyperTransport I/O hub's SMBus 2.0 controller: PCI function 1022:746a.
 *
 * Sources: AMD-8111 data sheet (24674), "SMBus 2.0 controller"; ACPI specification 2.0, chapter 12 (embedded controller
 * interface) and section 12.9 (SMBus host controller registers). Two ports of one I/O BAR are an embedded controller's data
 * and status/command registers; behind its read and write commands lie the 40 registers of an SMBus host. Writing the protocol
 * register starts a transfer, which takes the time its bits take at 100 kHz.
 *
 * Not there: interrupts (SCI, SMI and their control), alarms, packet error codes; a protocol with PEC ends as unsupported.
 */
import { createI2cBus, type I2cBus } from '../i2c.ts'
import type { TimelineEvent } from '../../base/timeline.ts'
import type { DeviceContext, PciDevice, PciIdentity } from '../types.ts'

const EC_DATA = 0
/** Status when read, command when written. */
const EC_STATUS = 4
const EC_OUTPUT_FULL = 0x01
const EC_READ = 0x80
const EC_WRITE = 0x81

const PROTOCOL = 0x00
const STATUS = 0x01
const ADDRESS = 0x02
const COMMAND = 0x03
const DATA = 0x04
const BYTES = 0x24
const REGISTERS = 0x28
const BLOCK_MAX = 32

const DONE = 0x80
const NO_ACKNOWLEDGE = 0x10
const UNSUPPORTED = 0x19
const PROTOCOL_PEC = 0x80
const READ = 1

/** Address or byte with its acknowledge, at 100 kHz; start and stop. */
const BYTE_NS = 90_000
const FRAME_NS = 20_000

const identity: PciIdentity = {
  vendor: 0x1022,
  device: 0x746a,
  subsystemVendor: 0x1022,
  subsystemDevice: 0x746a,
  classCode: 0x0c0500,
  revision: 2,
  interruptPin: 0,
}

/** What a transfer came to: its status code, and how many bytes went over the bus. */
interface Outcome {
  readonly status: number
  readonly bytes: number
}

export class Amd8111Smbus implements PciDevice {
  readonly model = 'amd-8111-smbus'
  readonly identity = identity
  readonly bars = [{ index: 0, kind: 'io', bytes: 32 }] as const
  readonly capabilities = {} as const
  readonly onBoard = true
  readonly bus: I2cBus = createI2cBus()
  readonly #registers = new Uint8Array(REGISTERS)
  readonly #done: TimelineEvent
  #outcome = 0
  /** Bytes the command still waits for: the address, then the value. */
  #command = 0
  #at = -1
  #output = -1

  constructor(context: DeviceContext) {
    this.#done = context.timeline.event('amd-8111-smbus transfer', () => this.#finish())
  }

  reset(): void {
    this.#registers.fill(0)
    this.#done.disarm()
    this.#command = 0
    this.#at = -1
    this.#output = -1
  }

  read(_bar: number, offset: number, width: number): number {
    if (width !== 1) return width === 2 ? 0xffff : 0xffffffff
    if (offset === EC_STATUS) return this.#output >= 0 ? EC_OUTPUT_FULL : 0
    if (offset !== EC_DATA) return 0
    const value = Math.max(0, this.#output)
    this.#output = -1
    return value
  }

  write(_bar: number, offset: number, width: number, value: number): void {
    if (width !== 1) return
    if (offset === EC_STATUS) {
      this.#command = value
      this.#at = -1
    } else if (offset === EC_DATA) this.#take(value)
  }

  /** A data byte for the command in progress. */
  #take(value: number): void {
    if (this.#command === EC_READ) {
      this.#output = this.#registers[value] ?? 0
      this.#command = 0
    } else if (this.#command === EC_WRITE && this.#at < 0) this.#at = value
    else if (this.#command === EC_WRITE) {
      this.#command = 0
      if (this.#at < REGISTERS) this.#registers[this.#at] = value
      if (this.#at === PROTOCOL && value !== 0) this.#start(value)
    }
  }

  #start(protocol: number): void {
    this.#registers[STATUS] = 0
    const { status, bytes } = this.#transfer(protocol)
    this.#outcome = status
    this.#done.armIn(FRAME_NS + bytes * BYTE_NS)
  }

  #finish(): void {
    this.#registers[PROTOCOL] = 0
    this.#registers[STATUS] = DONE | this.#outcome
  }

  #transfer(protocol: number): Outcome {
    const address = this.#registers[ADDRESS]! >> 1
    if ((protocol & PROTOCOL_PEC) !== 0) return { status: UNSUPPORTED, bytes: 0 }
    const kind = protocol & ~READ
    const read = (protocol & READ) !== 0
    const command = this.#registers[COMMAND]!
    if (protocol === 0x0d) return this.#exchange(address, [command, ...this.#block(true)], 'block')
    switch (kind) {
      case 0x02:
        return read ? this.#give(address, 0) : this.#put(address, [])
      case 0x04:
        return read ? this.#give(address, 1) : this.#put(address, [command])
      case 0x06:
        return read ? this.#exchange(address, [command], 1) : this.#put(address, [command, ...this.#data(1)])
      case 0x08:
        return read ? this.#exchange(address, [command], 2) : this.#put(address, [command, ...this.#data(2)])
      case 0x0a:
        return read ? this.#exchange(address, [command], 'block') : this.#put(address, [command, ...this.#block(true)])
      case 0x0c:
        return this.#exchange(address, [command, ...this.#data(2)], 2)
      case 0x4a: {
        const count = Math.min(this.#registers[BYTES]!, BLOCK_MAX)
        return read ? this.#exchange(address, [command], count) : this.#put(address, [command, ...this.#block(false)])
      }
      default:
        return { status: UNSUPPORTED, bytes: 0 }
    }
  }

  #data(count: number): number[] {
    return [...this.#registers.subarray(DATA, DATA + count)]
  }

  /** A block to be sent, with its length before it where the protocol has that. */
  #block(counted: boolean): number[] {
    const count = Math.min(this.#registers[BYTES]!, BLOCK_MAX)
    return counted ? [count, ...this.#data(count)] : this.#data(count)
  }

  #put(address: number, bytes: readonly number[]): Outcome {
    const acknowledged = this.bus.write(address, bytes)
    return { status: acknowledged > bytes.length ? 0 : NO_ACKNOWLEDGE, bytes: acknowledged + 1 }
  }

  /** Write, then read after a repeated start. */
  #exchange(address: number, bytes: readonly number[], count: number | 'block'): Outcome {
    const sent = this.#put(address, bytes)
    if (sent.status !== 0) return sent
    const received = this.#give(address, count)
    return { status: received.status, bytes: sent.bytes + received.bytes }
  }

  #give(address: number, count: number | 'block'): Outcome {
    const length = (bytes: readonly number[]): number =>
      count === 'block' ? 1 + Math.min(bytes[0] ?? BLOCK_MAX, BLOCK_MAX) : count
    const bytes = this.bus.read(address, (so) => so.length < length(so))
    if (bytes === undefined) return { status: NO_ACKNOWLEDGE, bytes: 1 }
    const data = count === 'block' ? bytes.slice(1) : bytes
    this.#registers.set(data, DATA)
    if (count === 'block') this.#registers[BYTES] = data.length
    return { status: 0, bytes: bytes.length + 1 }
  }
}

export const amd8111Smbus = (context: DeviceContext): Amd8111Smbus => new Amd8111Smbus(context)
