/** What several call groups read of their words: deadlines, widths, refusals as numbers. */
import { CapabilityError } from '../../kernel/capability.ts'
import { REFUSALS } from '../../kernel/message.ts'

export const two32 = 0x1_0000_0000

export const hex = (n: number): string => `0x${(n >>> 0).toString(16)}`

/** Two words as ns; all ones mean never. */
export const deadline = (low: number, high: number): number =>
  low === -1 && high === -1 ? Infinity : (low >>> 0) + (high >>> 0) * two32

/** What a call costs beside what it causes: seL4's fast path at a nanosecond a few cycles. */
export const MESSAGE_NS = 200
/** What a call costs that copies, beside the copy. */
export const COPY_NS = 50
/** A copy of this many bytes takes a nanosecond more. */
export const BYTES_A_NS = 8

/** What an operation on capabilities gives; its refusal as a number. */
export function refusable(work: () => number): number {
  try {
    return work()
  } catch (error) {
    if (error instanceof CapabilityError) return REFUSALS[error.refusal]
    throw error
  }
}

/** 1, 2 or 4; anything else moves nothing. */
export const checkedWidth = (width: number): number => (width === 1 || width === 2 || width === 4 ? width : 0)

/** Put the low `width` bytes of a value at `at`, little-endian. */
export const store = (into: Uint8Array, at: number, width: number, value: number): void => {
  for (let i = 0; i < width; i++) into[at + i] = value >>> (8 * i)
}

/** The `width` bytes at `at` as a value, little-endian. */
export const fetch = (bytes: Uint8Array, at: number, width: number): number => {
  let value = 0
  for (let i = 0; i < width; i++) value |= bytes[at + i]! << (8 * i)
  return value
}
