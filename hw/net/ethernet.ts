/**
 * Ethernet by numbers: frame sizes, time on the wire, the frame check sequence and the multicast hash.
 * IEEE 802.3 clauses 3 and 4. Frames in this machine carry no FCS; whoever needs one computes it here.
 */

export const HEADER_BYTES = 14
export const FCS_BYTES = 4
/** Shortest frame without FCS. */
export const MIN_FRAME = 60
/** Preamble and start delimiter. */
const PREAMBLE_BYTES = 8
/** Gap before the next frame. */
const GAP_BYTES = 12

/** How long a frame (without FCS) occupies the wire, preamble to last bit of the FCS, in ns. */
export const frameTimeNs = (length: number, mbps: number): number =>
  Math.ceil(((length + FCS_BYTES + PREAMBLE_BYTES) * 8000) / mbps)

/** The same with the gap that must follow. */
export const frameSlotNs = (length: number, mbps: number): number =>
  Math.ceil(((length + FCS_BYTES + PREAMBLE_BYTES + GAP_BYTES) * 8000) / mbps)

/** Bytes a step of the CRC takes. */
export const CRC_SLICES = 16
const POLYNOMIAL = 0xedb88320

/** Entry 256 k + b: the effect of byte b when k more bytes of the step follow it. */
const slices = (): Int32Array => {
  const table = new Int32Array(CRC_SLICES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    table[byte] = crc
  }
  for (let at = 256; at < table.length; at++) {
    const before = table[at - 256]!
    table[at] = (before >>> 8) ^ table[before & 0xff]!
  }
  return table
}

/** 256 entries for each byte of a step, the last byte's first. */
export const CRC_TABLE = slices()
const T = CRC_TABLE

/** The CRC-32 register after these bytes, all ones before them, not inverted. */
const crcRegister = (data: Uint8Array, at: number, length: number): number => {
  let crc = -1
  const end = at + length
  const whole = end - (length % CRC_SLICES)
  let i = at
  for (; i < whole; i += CRC_SLICES) {
    const x = crc ^ (data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24))
    crc =
      T[0xf00 + (x & 0xff)]! ^
      T[0xe00 + ((x >>> 8) & 0xff)]! ^
      T[0xd00 + ((x >>> 16) & 0xff)]! ^
      T[0xc00 + (x >>> 24)]! ^
      T[0xb00 + data[i + 4]!]! ^
      T[0xa00 + data[i + 5]!]! ^
      T[0x900 + data[i + 6]!]! ^
      T[0x800 + data[i + 7]!]! ^
      T[0x700 + data[i + 8]!]! ^
      T[0x600 + data[i + 9]!]! ^
      T[0x500 + data[i + 10]!]! ^
      T[0x400 + data[i + 11]!]! ^
      T[0x300 + data[i + 12]!]! ^
      T[0x200 + data[i + 13]!]! ^
      T[0x100 + data[i + 14]!]! ^
      T[data[i + 15]!]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ T[(crc ^ data[i]!) & 0xff]!
  return crc
}

/** Frame check sequence, unsigned; sent least significant byte first. */
export const fcs = (data: Uint8Array, at: number, length: number): number => ~crcRegister(data, at, length) >>> 0

/**
 * The CRC of a destination address with its most significant bit first, not inverted: what hash filters of Ethernet
 * controllers take their index from (its top six bits).
 */
export const addressHash = (frame: Uint8Array, at = 0): number => {
  const crc = crcRegister(frame, at, 6)
  let reversed = 0
  for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((crc >>> bit) & 1)
  return reversed >>> 0
}

export const isMulticast = (frame: Uint8Array): boolean => (frame[0]! & 1) !== 0

export const isBroadcast = (frame: Uint8Array): boolean =>
  (frame[0]! & frame[1]! & frame[2]! & frame[3]! & frame[4]! & frame[5]!) === 0xff

/** The frame's destination equals six bytes. */
export const isFor = (frame: Uint8Array, mac: Uint8Array): boolean =>
  frame[5] === mac[5] &&
  frame[4] === mac[4] &&
  frame[3] === mac[3] &&
  frame[2] === mac[2] &&
  frame[1] === mac[1] &&
  frame[0] === mac[0]
