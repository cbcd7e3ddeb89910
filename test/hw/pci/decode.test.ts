import test from 'ava'
import fc from 'fast-check'
import { createDecoder } from '../../../hw/pci/decode.ts'

const START = 0x10000
const BYTES = 0x10000

const operation = fc.oneof(
  fc.record({
    op: fc.constant('claim' as const),
    bits: fc.integer({ min: 4, max: 14 }),
    at: fc.nat(0x1ffff),
    aligned: fc.boolean(),
  }),
  fc.record({ op: fc.constant('release' as const), pick: fc.nat() }),
  fc.record({ op: fc.constant('place' as const), bits: fc.integer({ min: 4, max: 15 }) }),
)

test('claims, releases and look-ups agree with a list that is searched', (t) => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 60 }),
      fc.array(fc.nat(0x2ffff), { maxLength: 40 }),
      (operations, probes) => {
        type Range = { start: number; bytes: number; name: string }
        const decoder = createDecoder<Range>(START, BYTES, 4096)
        let list: Range[] = []
        const overlaps = (start: number, bytes: number) =>
          list.some((r) => start < r.start + r.bytes && r.start < start + bytes)
        for (const step of operations) {
          if (step.op === 'release') {
            const range = list[step.pick % list.length]
            if (!range) continue
            decoder.release(range)
            list = list.filter((other) => other !== range)
            continue
          }
          const bytes = 2 ** step.bits
          if (step.op === 'place') {
            const start = decoder.place(bytes)
            if (start < 0) continue
            t.true(start % bytes === 0 && start >= START && start + bytes <= START + BYTES && !overlaps(start, bytes))
            continue
          }
          const start = START - 0x8000 + (step.aligned ? step.at - (step.at % bytes) : step.at)
          const legal =
            start >= START && start + bytes <= START + BYTES && start % bytes === 0 && !overlaps(start, bytes)
          const range = { start, bytes, name: 'r' }
          t.is(decoder.claim(range), legal)
          if (legal) list.push(range)
        }
        const addresses = [
          ...probes,
          ...list.flatMap((r) => [r.start - 1, r.start, r.start + r.bytes - 1, r.start + r.bytes]),
        ]
        for (const address of addresses)
          t.is(
            decoder.find(address),
            list.find((r) => address >= r.start && address < r.start + r.bytes),
          )
        t.is(decoder.claims.length, list.length)
      },
    ),
  )
})

test('place fills the space completely and then says so', (t) => {
  const decoder = createDecoder(START, BYTES, 4096)
  for (let i = 0; i < 16; i++) {
    const start = decoder.place(4096)
    t.true(decoder.claim({ start, bytes: 4096, name: `${i}` }))
  }
  t.is(decoder.place(16), -1)
})
