/**
 * The two sums the 82540EM computes: Ethernet's FCS (IEEE 802.3, 3.2.9) and the Internet checksum (RFC 1071).
 *
 * Both run once for each byte of a frame, so both are plain loops over bytes without a view or an object made.
 */

const POLYNOMIAL = 0xedb88320

/** Slicing-by-8 tables: entry [256 * k + b] is byte b, k bytes further back. */
const TABLE = makeTable()

function makeTable(): Int32Array {
  const table = new Int32Array(8 * 256)
  for (let b = 0; b < 256; b++) {
    let crc = b
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    table[b] = crc
  }
  for (let i = 256; i < table.length; i++) {
    const back = table[i - 256]!
    table[i] = (back >>> 8) ^ table[back & 0xff]!
  }
  return table
}

/** FCS of `bytes[from..to)`, as the 32-bit value whose little-endian bytes follow the frame. */
export function frameCheckSequence(bytes: Uint8Array, from: number, to: number): number {
  let crc = -1
  let i = from
  for (; i + 8 <= to; i += 8) {
    const low = crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24))
    crc =
      TABLE[1792 + (low & 0xff)]! ^
      TABLE[1536 + ((low >>> 8) & 0xff)]! ^
      TABLE[1280 + ((low >>> 16) & 0xff)]! ^
      TABLE[1024 + (low >>> 24)]! ^
      TABLE[768 + bytes[i + 4]!]! ^
      TABLE[512 + bytes[i + 5]!]! ^
      TABLE[256 + bytes[i + 6]!]! ^
      TABLE[bytes[i + 7]!]!
  }
  for (; i < to; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]!) & 0xff]!
  return ~crc >>> 0
}

/** Sum of the big-endian 16-bit words of `bytes[from..to)`, an odd last byte padded with zero; not folded. At most 64 KiB. */
export function sumWords(bytes: Uint8Array, from: number, to: number): number {
  let high = 0
  let low = 0
  let i = from
  for (; i + 4 <= to; i += 4) {
    high += bytes[i]! + bytes[i + 2]!
    low += bytes[i + 1]! + bytes[i + 3]!
  }
  for (; i < to; i += 2) {
    high += bytes[i]!
    if (i + 1 < to) low += bytes[i + 1]!
  }
  return high * 256 + low
}

/** Fold a sum to 16 bits, carries added back in. */
export function fold(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000)
  return folded
}
