/**
 * The RTL8139's configuration registers CONFIG0-5, the EEPROM they are loaded from, and 9346CR that gives access to
 * both (data sheet sections 6.9 to 6.12 and 7).
 */

import { createEeprom93c46 } from '../eeprom-93c46.ts'
import * as B from './bits.ts'

/** Where things are in the EEPROM, in bytes. */
const EEPROM_CONFIG3 = 0x0d
const EEPROM_MAC = 0x0e
const EEPROM_CONFIG0 = 0x14
const EEPROM_CONFIG1 = 0x15
const EEPROM_CONFIG4 = 0x19
const EEPROM_CONFIG5 = 0x1f

/** Contents of a card's EEPROM: section 7, table of contents. */
export const rtl8139Eeprom = (mac: Uint8Array): Uint16Array => {
  const words = new Uint16Array(64).fill(0xffff)
  words.set([0x8129, 0x10ec, 0x8139, 0x10ec, 0x8139, 0x4020, 0xe112])
  const bytes = new Uint8Array(words.buffer)
  bytes.set(mac, EEPROM_MAC)
  bytes[EEPROM_CONFIG3] = 0x00
  bytes[EEPROM_CONFIG0] = 0x10
  bytes[EEPROM_CONFIG1] = B.CONFIG1_MEMMAP | B.CONFIG1_IOMAP | B.CONFIG1_PMEN
  bytes[EEPROM_CONFIG4] = 0x80
  bytes[EEPROM_CONFIG5] = 0x00
  return words
}

export class Config {
  /** CONFIG0 to CONFIG5. CONFIG2 does not exist. */
  readonly registers = new Uint8Array(6)
  readonly #words: Uint16Array
  readonly #eeprom: ReturnType<typeof createEeprom93c46>
  readonly #address: Uint8Array
  #mode = B.EEM_NORMAL
  #pins = 0

  /** `address` is IDR0-5, which loading fills. */
  constructor(words: Uint16Array, address: Uint8Array) {
    this.#words = words
    this.#eeprom = createEeprom93c46(words)
    this.#address = address
    this.load()
  }

  /** What the chip does after RST#, and when told to (auto-load). */
  load(): void {
    const byte = (at: number): number => (this.#words[at >> 1]! >> (8 * (at & 1))) & 0xff
    for (let i = 0; i < 6; i++) this.#address[i] = byte(EEPROM_MAC + i)
    this.registers.set([
      byte(EEPROM_CONFIG0),
      byte(EEPROM_CONFIG1) | B.CONFIG1_MEMMAP | B.CONFIG1_IOMAP,
      0,
      byte(EEPROM_CONFIG3),
      byte(EEPROM_CONFIG4),
      byte(EEPROM_CONFIG5),
    ])
    this.#mode = B.EEM_NORMAL
    this.#pins = 0
    this.#eeprom.pins(false, false, false)
  }

  /** 9346CR is in configuration write mode: CONFIG0-4 and the locked bits of BMCR can be written. */
  get unlocked(): boolean {
    return this.#mode === B.EEM_CONFIG_WRITE
  }

  /** 9346CR. */
  get control(): number {
    return (this.#mode << B.EEM_SHIFT) | this.#pins | (this.#eeprom.dataOut ? B.EEDO : 0)
  }

  set control(value: number) {
    this.#mode = value >> B.EEM_SHIFT
    if (this.#mode === B.EEM_AUTOLOAD) {
      this.load()
      return
    }
    // The pins are the EEPROM's only in programming mode; otherwise it is not selected.
    const on = this.#mode === B.EEM_PROGRAM
    this.#pins = on ? value & (B.EECS | B.EESK | B.EEDI) : 0
    this.#eeprom.pins((this.#pins & B.EECS) !== 0, (this.#pins & B.EESK) !== 0, (this.#pins & B.EEDI) !== 0)
  }

  /** Write CONFIGn. CONFIG5 needs no unlocking. */
  write(n: number, value: number): void {
    if (!this.unlocked && n !== 5) return
    const mask = B.CONFIG_WRITABLE[n]!
    this.registers[n] = (this.registers[n]! & ~mask) | (value & mask)
  }
}
