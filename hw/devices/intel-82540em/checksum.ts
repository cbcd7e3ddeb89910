/** The Internet checksum (RFC 1071) as plain loops over bytes: it runs over every frame, and makes no object. */

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
