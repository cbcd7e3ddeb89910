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

const SLICES = 8
const POLYNOMIAL = 0xedb88320

/** Table k gives the effect of a byte that k more bytes follow. */
const tables = (): readonly Int32Array[] => {
  const made = Array.from({ length: SLICES }, () => new Int32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    made[0]![byte] = crc
  }
  for (let byte = 0; byte < 256; byte++)
    for (let k = 1; k < SLICES; k++) {
      const before = made[k - 1]![byte]!
      made[k]![byte] = (before >>> 8) ^ made[0]![before & 0xff]!
    }
  return made
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = tables() as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]

/** The CRC-32 register after these bytes, all ones before them, not inverted; eight bytes a step. */
const crcRegister = (data: Uint8Array, at: number, length: number): number => {
  let crc = -1
  const end = at + length
  const whole = at + (length & ~7)
  let i = at
  for (; i < whole; i += 8) {
    const x = crc ^ (data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24))
    crc =
      T7[x & 0xff]! ^
      T6[(x >>> 8) & 0xff]! ^
      T5[(x >>> 16) & 0xff]! ^
      T4[x >>> 24]! ^
      T3[data[i + 4]!]! ^
      T2[data[i + 5]!]! ^
      T1[data[i + 6]!]! ^
      T0[data[i + 7]!]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ T0[(crc ^ data[i]!) & 0xff]!
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
