/**
 * The contents of the 82540EM's configuration EEPROM: SDM section 5.6. The part itself is in ../eeprom-93c46.ts.
 */

export const EEPROM_WORDS = 64

/** The first 64 words add up to this, modulo 2^16: SDM section 5.6.35. */
export const EEPROM_SUM = 0xbaba
const CHECKSUM_WORD = 0x3f

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
