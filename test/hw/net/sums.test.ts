import test from 'ava'
import fc from 'fast-check'
import { fcs } from '../../../hw/net/ethernet.ts'
import { frameOf, release } from '../../../hw/net/frame.ts'
import { fcsOf, sumOf } from '../../../hw/net/sums.ts'

/** RFC 1071, the slow and obvious way. */
const plainSum = (bytes: Uint8Array): number => {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

test('the FCS has its check value', (t) => {
  const frame = frameOf(new TextEncoder().encode('123456789'))
  t.is(fcsOf(frame), 0xcbf43926)
  release(frame)
})

test('of any length a frame has the FCS of a plain loop, whatever was summed before', (t) => {
  const bytes = Uint8Array.from({ length: 2108 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24)
  const frame = frameOf(bytes)
  const wrong = Array.from(bytes.keys()).filter((length) => fcsOf(frame, length) !== fcs(bytes, 0, length))
  t.deepEqual(wrong, [])
  t.is(fcsOf(frame), fcs(bytes, 0, 2108))
  release(frame)
})

test('sums in a frame of the store, and outside of it, are those of plain loops', (t) => {
  const content = fc.uint8Array({ minLength: 0, maxLength: 2100 })
  const long = fc.uint8Array({ minLength: 2200, maxLength: 9000 })
  fc.assert(
    fc.property(fc.oneof(content, long), fc.nat(40), fc.nat(40), (bytes, skip, cut) => {
      const frame = frameOf(bytes)
      const from = Math.min(skip, bytes.length)
      const to = Math.max(from, bytes.length - cut)
      const same =
        fcsOf(frame) === fcs(bytes, 0, bytes.length) && sumOf(frame, from, to) === plainSum(bytes.slice(from, to))
      release(frame)
      return same
    }),
  )
  const ones = frameOf(new Uint8Array(2108).fill(0xff))
  t.is(sumOf(ones, 0, 2108), 0xffff)
  t.throws(() => sumOf(ones, 0, 2113), { instanceOf: RangeError })
  release(ones)
})
