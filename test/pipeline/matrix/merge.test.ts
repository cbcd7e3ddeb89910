import test from 'ava'
import fc from 'fast-check'
import { UsageError } from '../../../pipeline/errors.ts'
import { mergeMatrices } from '../../../pipeline/matrix/merge.ts'
import type { MatrixPart } from '../../../pipeline/matrix/parts.ts'
import type { MatrixDocument } from '../../../pipeline/matrix/types.ts'
import { anyMatrix, matrix, row } from './_rows.ts'

/** The shards of a matrix, rows dealt out by `deal`. */
function shards(whole: MatrixDocument, of: number, deal: (i: number) => number): MatrixPart[] {
  return Array.from({ length: of }, (_, i) => ({
    file: `${i + 1}.json`,
    document: matrix(
      whole.rows.filter((_row, n) => deal(n) === i),
      { until: whole.until, shard: { index: i + 1, of } },
    ),
  }))
}

test('shards merged are the whole, however the rows were dealt and in whatever order they come', (t) => {
  fc.assert(
    fc.property(
      anyMatrix,
      fc.integer({ min: 1, max: 5 }),
      fc.infiniteStream(fc.nat()),
      fc.boolean(),
      (whole, of, dealer, turn) => {
        const deal = whole.rows.map(() => (dealer.next().value as number) % of)
        const parts = shards(whole, of, (i) => deal[i] as number)
        const merged = mergeMatrices(turn ? parts.toReversed() : parts)
        t.deepEqual(merged.rows, whole.rows)
        t.deepEqual(merged.summary, whole.summary)
        t.is(merged.shard, undefined)
      },
    ),
  )
})

const parts = (): MatrixPart[] =>
  shards(matrix(['a/a.ko', 'a/b.ko', 'b/c.ko', 'b/d.ko'].map((path) => row(path))), 4, (i) => i)
const changed = (part: MatrixPart, rest: Partial<MatrixDocument>): MatrixPart => ({
  ...part,
  document: { ...part.document, ...rest },
})

test('missing shards are named', (t) => {
  const [first, , third] = parts() as [MatrixPart, MatrixPart, MatrixPart]
  const error = t.throws(() => mergeMatrices([third, first]), { instanceOf: UsageError })
  t.is(error?.found, 'no shard 2/4, 4/4')
  t.regex(error?.todo ?? '', /--shard 2\/4/)
})

test('the same shard twice is harmless when it says the same', (t) => {
  const all = parts()
  t.is(mergeMatrices([...all, all[0] as MatrixPart]).rows.length, 4)
})

test('two results for a module are a conflict that names it and both files', (t) => {
  const all = parts()
  const other = {
    file: 'old.json',
    document: matrix([row('a/a.ko', { rung: 'parse', reason: 'compile-error' })], { shard: { index: 1, of: 4 } }),
  }
  const error = t.throws(() => mergeMatrices([...all, other]), { instanceOf: UsageError })
  t.regex(error?.expected ?? '', /a\/a\.ko/)
  t.is(error?.where, '1.json, old.json')
  t.is(error?.status, 2)
})

const strangers: Readonly<Record<string, Partial<MatrixDocument>>> = {
  tree: { tree: { name: 'linux-6.1', version: '6.1.193' } },
  toolchain: { toolchain: { name: 'emcc', version: '3' } },
  drvport: { drvport: '0.2.0' },
  until: { until: 'verify' },
  seed: { seed: 2 },
  selectors: { selectors: ['drivers/net/**'] },
  'number of shards': { shard: { index: 2, of: 5 } },
}
for (const [name, rest] of Object.entries(strangers)) {
  test(`parts of another ${name} are refused by name`, (t) => {
    const all = parts()
    all[1] = changed(all[1] as MatrixPart, rest)
    const error = t.throws(() => mergeMatrices(all), { instanceOf: UsageError })
    t.regex(error?.expected ?? '', new RegExp(name))
    t.is(error?.where, '1.json, 2.json')
  })
}

test('whole matrices of different selectors unite', (t) => {
  const a = { file: 'a', document: matrix([row('a/a.ko')], { selectors: ['a'], ms: 5, peakBytes: 10, cpuMs: 4 }) }
  const b = {
    file: 'b',
    document: matrix([row('b/b.ko')], { selectors: ['b'], ms: 7, peakBytes: 8, cpuMs: 4, interrupted: true }),
  }
  const { selectors, rows, ms, peakBytes, cpuMs, interrupted } = mergeMatrices([a, b])
  t.deepEqual([selectors, rows.length, ms, peakBytes, cpuMs, interrupted], [['a', 'b'], 2, 7, 10, 8, true])
})
