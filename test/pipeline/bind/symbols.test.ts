/** The file of symbols: what goes in comes out, and what is no such file is refused. */
import fc from 'fast-check'
import test from 'ava'
import { decodeSymbols, encodeSymbols, type CoreSymbols } from '../../../pipeline/bind/index.ts'
import { WasmError } from '../../../pipeline/wasm/bytes.ts'

const word = fc.nat(2 ** 32 - 1)
const name = fc.string({ unit: fc.constantFrom(...'abcs_01'), minLength: 1, maxLength: 12 })
const type = fc.stringMatching(/^[iIfF]{0,4}>[iIfF]?$/)
const symbols: fc.Arbitrary<CoreSymbols> = fc.record({
  functions: fc
    .array(
      fc.tuple(
        name,
        fc.record(
          { type, slot: word, gplOnly: fc.boolean(), depth: fc.nat(1 << 20) },
          { requiredKeys: ['type', 'slot', 'gplOnly'] },
        ),
      ),
    )
    .map((list) => new Map(list)),
  data: fc.array(fc.tuple(name, fc.record({ address: word, gplOnly: fc.boolean() }))).map((list) => new Map(list)),
  tableEnd: word,
  dataStart: word,
  heapBase: word,
})

const sorted = <T>(map: ReadonlyMap<string, T>): [string, T][] => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))

test('symbols come out as they went in, sorted', (t) => {
  fc.assert(
    fc.property(symbols, (given) => {
      const found = decodeSymbols(encodeSymbols(given))
      t.deepEqual(
        [...found.functions],
        sorted(given.functions).map(([text, f]) => [text, { ...f }]),
      )
      t.deepEqual(
        [...found.data],
        sorted(given.data).map(([text, d]) => [text, { ...d }]),
      )
      t.deepEqual([found.tableEnd, found.dataStart, found.heapBase], [given.tableEnd, given.dataStart, given.heapBase])
    }),
    { numRuns: 200, seed: 1 },
  )
})

test('a damaged file is refused or read, never more', (t) => {
  const good = encodeSymbols({
    functions: new Map([
      ['kfree', { type: 'i>', slot: 4096, gplOnly: false, depth: 512 }],
      ['kmalloc', { type: 'ii>i', slot: 4097, gplOnly: true }],
    ]),
    data: new Map([['jiffies', { address: 0x800000, gplOnly: false }]]),
    tableEnd: 5000,
    dataStart: 0x800000,
    heapBase: 0x900000,
  })
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, value, cut) => {
      const bytes = good.slice(0, cut % 3 === 0 ? cut : good.length)
      if (at < bytes.length) bytes[at] = value
      try {
        decodeSymbols(bytes)
      } catch (error) {
        if (!(error instanceof WasmError)) throw error
      }
    }),
    { numRuns: 3000, seed: 1 },
  )
  t.throws(() => decodeSymbols(good.with(0, 0)), { message: /bad magic/ })
  t.throws(() => decodeSymbols(good.with(4, 99)), { message: /version 99/ })
  t.throws(() => decodeSymbols(Uint8Array.from([...good, 0])), { message: /1 bytes too many/ })
})
