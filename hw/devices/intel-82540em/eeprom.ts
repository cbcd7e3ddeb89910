/**
 * The 82540EM's configuration EEPROM: its contents (SDM section 5.6), and a 93C46-class Microwire part of 64 words of
 * 16 bits behind it, driven bit by bit through EECD (SDM section 13.4.3) or word by word through EERD (13.4.4).
 *
 * Microwire, as the part's own data sheet has it: with CS high, DI is sampled on SK's rising edge. A command is a start
 * bit (1), two opcode bits and six address bits, most significant first. READ puts a dummy 0 on DO and then one data
 * bit for each further rising edge. WRITE and ERASE are carried out when CS falls, take a while, and are refused unless
 * EWEN came first; with CS high again, DO is low while busy and high when done.
 */
import type { Timeline } from '../../types.ts'
import { EECD_CS, EECD_DI, EECD_DO, EECD_SK } from './registers.ts'

export const EEPROM_WORDS = 64
const ADDRESS_BITS = 6
const COMMAND_BITS = 2 + ADDRESS_BITS

/** The first 64 words add up to this, modulo 2^16: SDM section 5.6.35. */
export const EEPROM_SUM = 0xbaba
const CHECKSUM_WORD = 0x3f

/** Time a WRITE or ERASE keeps the part busy, ns; typical of the family. */
const WRITE_NS = 1_000_000

const OPCODE_CONTROL = 0
const OPCODE_WRITE = 1
const OPCODE_READ = 2
const OPCODE_ERASE = 3

const CONTROL_DISABLE = 0
const CONTROL_WRITE_ALL = 1
const CONTROL_ERASE_ALL = 2
const CONTROL_ENABLE = 3

/** What the image says of the board. */
export interface EepromContents {
  readonly mac: Uint8Array
  readonly vendor: number
  readonly device: number
  readonly subsystemVendor: number
  readonly subsystemDevice: number
}

/** The word that makes the first 64 words add up to 0xBABA. */
export function eepromChecksum(words: Uint16Array): number {
  let sum = 0
  for (let i = 0; i < CHECKSUM_WORD; i++) sum += words[i]!
  return (EEPROM_SUM - sum) & 0xffff
}

/** A valid image: SDM section 5.6, table 5-2. Wake-on-LAN is off, because nothing here wakes a machine. */
export function eepromImage(contents: EepromContents): Uint16Array {
  const words = new Uint16Array(EEPROM_WORDS).fill(0xffff)
  const { mac } = contents
  for (let i = 0; i < 3; i++) words[i] = mac[2 * i]! | (mac[2 * i + 1]! << 8)
  words[0x03] = 0x0000 // compatibility: client NIC
  words[0x04] = 0xffff // identification LED: defaults
  words[0x05] = 0x0100 // image version 1.0
  words[0x08] = 0xa784 // printed board assembly number
  words[0x09] = 0x0030
  words[0x0a] = 0x4403 // initialization control 1: signature 01b, full duplex, load device and subsystem ids
  words[0x0b] = contents.subsystemDevice
  words[0x0c] = contents.subsystemVendor
  words[0x0d] = contents.device
  words[0x0e] = contents.vendor
  words[0x0f] = 0x3000 // initialization control 2: advertise symmetric and asymmetric pause
  words[0x21] = 0x7841 // LED configuration
  words[0x23] = 0x0000
  words[0x24] = 0x0000 // initialization control 3: APM wake-up off
  words[CHECKSUM_WORD] = eepromChecksum(words)
  return words
}

export class Eeprom {
  readonly words: Uint16Array
  readonly #timeline: Timeline
  #pins = 0
  /** Bits of the command so far, after the start bit; -1 while no start bit was seen. */
  #command = 0
  #commandBits = -1
  #reading = false
  /** READ: the word being shifted out and what is left of it. WRITE: the word being shifted in. */
  #data = 0
  #dataBits = 0
  #dataOut = true
  #writeEnabled = false
  #busyUntilNs = 0

  constructor(timeline: Timeline, words: Uint16Array) {
    this.#timeline = timeline
    this.words = words
  }

  /** The word at this address; the part wraps. */
  word(address: number): number {
    return this.words[address & (EEPROM_WORDS - 1)]!
  }

  /** EECD's four pins as read: SK, CS and DI as last driven, DO as the part drives it. */
  get pins(): number {
    return this.#pins | (this.#output() ? EECD_DO : 0)
  }

  /** Drive SK, CS and DI. */
  drive(eecd: number): void {
    const before = this.#pins
    this.#pins = eecd & (EECD_SK | EECD_CS | EECD_DI)
    if ((this.#pins & EECD_CS) === 0) {
      if ((before & EECD_CS) !== 0) this.#deselected()
    } else if ((before & EECD_SK) === 0 && (this.#pins & EECD_SK) !== 0) {
      this.#clocked((this.#pins & EECD_DI) === 0 ? 0 : 1)
    }
  }

  /** Interface back to idle; contents stay. */
  reset(): void {
    this.#pins = 0
    this.#idle()
    this.#writeEnabled = false
  }

  #output(): boolean {
    if ((this.#pins & EECD_CS) === 0) return true // pulled up
    if (this.#reading) return this.#dataOut
    return this.#timeline.now() >= this.#busyUntilNs
  }

  #idle(): void {
    this.#command = 0
    this.#commandBits = -1
    this.#reading = false
    this.#data = 0
    this.#dataBits = 0
    this.#dataOut = true
  }

  #clocked(bit: number): void {
    if (this.#reading) {
      this.#shiftOut()
    } else if (this.#commandBits < 0) {
      if (bit === 1 && this.#timeline.now() >= this.#busyUntilNs) this.#commandBits = 0
    } else if (this.#commandBits < COMMAND_BITS) {
      this.#command = (this.#command << 1) | bit
      if (++this.#commandBits === COMMAND_BITS && this.#opcode() === OPCODE_READ) this.#startRead()
    } else {
      this.#data = ((this.#data << 1) | bit) & 0xffff
      this.#dataBits++
    }
  }

  #opcode(): number {
    return this.#command >> ADDRESS_BITS
  }

  #address(): number {
    return this.#command & (EEPROM_WORDS - 1)
  }

  #startRead(): void {
    this.#reading = true
    this.#dataOut = false
    this.#data = this.word(this.#address())
    this.#dataBits = 16
  }

  /** Next data bit; after the last one the following word, as the part allows sequential reading. */
  #shiftOut(): void {
    if (this.#dataBits === 0) {
      this.#command = (this.#command & ~(EEPROM_WORDS - 1)) | ((this.#address() + 1) & (EEPROM_WORDS - 1))
      this.#data = this.word(this.#address())
      this.#dataBits = 16
    }
    this.#dataBits--
    this.#dataOut = ((this.#data >> this.#dataBits) & 1) === 1
  }

  /** CS fell: carry out a complete command. */
  #deselected(): void {
    if (this.#commandBits === COMMAND_BITS && !this.#reading) this.#execute()
    this.#idle()
  }

  #execute(): void {
    const opcode = this.#opcode()
    if (opcode === OPCODE_CONTROL) this.#control(this.#address() >> (ADDRESS_BITS - 2))
    else if (opcode === OPCODE_ERASE) this.#program(this.#address(), 1, 0xffff)
    else if (opcode === OPCODE_WRITE && this.#dataBits >= 16) this.#program(this.#address(), 1, this.#data)
  }

  #control(operation: number): void {
    if (operation === CONTROL_ENABLE) this.#writeEnabled = true
    else if (operation === CONTROL_DISABLE) this.#writeEnabled = false
    else if (operation === CONTROL_ERASE_ALL) this.#program(0, EEPROM_WORDS, 0xffff)
    else if (operation === CONTROL_WRITE_ALL && this.#dataBits >= 16) this.#program(0, EEPROM_WORDS, this.#data)
  }

  #program(address: number, count: number, value: number): void {
    if (!this.#writeEnabled) return
    this.words.fill(value, address, address + count)
    this.#busyUntilNs = this.#timeline.now() + WRITE_NS
  }
}
