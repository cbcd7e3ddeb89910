import test from 'ava'
import fc from 'fast-check'
import { missingTsv, rankMissing } from '../../../pipeline/report/missing.ts'
import { anyMatrix, matrix, row } from '../matrix/_rows.ts'

const lacking = (lists: readonly (readonly string[])[]) =>
  matrix(lists.map((missing, i) => row(`m/m${i}.ko`, { rung: 'compile', reason: 'unresolved-symbol', missing })))

test('each number is what counting gives, for any matrix', (t) => {
  fc.assert(
    fc.property(anyMatrix, (document) => {
      const { symbols, blocked } = rankMissing(document)
      const sets = document.rows.map(({ missing }) => new Set(missing)).filter((set) => set.size > 0)
      t.is(blocked, sets.length)
      t.deepEqual(
        symbols.map(({ symbol }) => symbol).toSorted(),
        [...new Set(sets.flatMap((set) => [...set]))].toSorted(),
      )
      const given = new Set<string>()
      for (const { symbol, modules, alone, cumulative } of symbols) {
        given.add(symbol)
        t.is(modules, sets.filter((set) => set.has(symbol)).length)
        t.is(alone, sets.filter((set) => set.size === 1 && set.has(symbol)).length)
        t.is(cumulative, sets.filter((set) => set.isSubsetOf(given)).length)
      }
    }),
  )
})

test('first what brings most modules to linking, not what most modules need', (t) => {
  const wide = ['w1', 'w2', 'w3', 'w4', 'w5', 'w6']
  const { symbols } = rankMissing(lacking([wide, wide, wide, wide, ['one'], ['one', 'two']]))
  t.deepEqual(
    symbols.slice(0, 2).map(({ symbol, cumulative }) => [symbol, cumulative]),
    [
      ['one', 1],
      ['two', 2],
    ],
  )
  t.is(symbols.at(-1)?.cumulative, 6)
})

test('a tree of 8,000 modules with 50 symbols each is ranked', (t) => {
  const lists = Array.from({ length: 8000 }, (_, i) =>
    Array.from({ length: 50 }, (_, j) => `s${(i * 31 + j * j * 17) % 9001}`),
  )
  const { symbols } = rankMissing(lacking(lists))
  t.is(symbols.at(-1)?.cumulative, 8000)
  t.is(
    missingTsv(rankMissing(lacking(lists.slice(0, 10))))
      .split('\n')[0]
      ?.split('\t').length,
    7,
  )
})
