import test from 'ava'
import fc from 'fast-check'
import { diffMatrices, subsystemOf, type MatrixDiff } from '../../../pipeline/matrix/diff.ts'
import { RUNGS, rungIndex } from '../../../pipeline/ladder.ts'
import { anyMatrix, matrix, row } from './_rows.ts'

const LISTS = ['lost', 'gained', 'changed', 'detailed', 'unfinished', 'vanished', 'appeared'] as const
const modules = (diff: MatrixDiff, list: (typeof LISTS)[number]): string[] =>
  diff[list].map(({ module }) => module).toSorted()

test('a matrix does not differ from itself', (t) => {
  fc.assert(
    fc.property(anyMatrix, (m) => {
      const diff = diffMatrices(m, m)
      for (const list of LISTS) t.deepEqual(diff[list], [], list)
      t.deepEqual([diff.same, diff.losses, diff.directories], [m.rows.length, 0, []])
    }),
  )
})

test('the other way round, what was lost is gained, and what vanished appears', (t) => {
  const mirror = {
    lost: 'gained',
    gained: 'lost',
    changed: 'changed',
    detailed: 'detailed',
    unfinished: 'unfinished',
    vanished: 'appeared',
    appeared: 'vanished',
  } as const
  fc.assert(
    fc.property(anyMatrix, anyMatrix, (a, b) => {
      const [there, back] = [diffMatrices(a, b), diffMatrices(b, a)]
      for (const list of LISTS) t.deepEqual(modules(back, mirror[list]), modules(there, list), list)
      t.is(back.same, there.same)
    }),
  )
})

test('every row of both sides is told of exactly once', (t) => {
  fc.assert(
    fc.property(anyMatrix, anyMatrix, (a, b) => {
      const diff = diffMatrices(a, b)
      const paired =
        diff.same +
        ['lost', 'gained', 'changed', 'detailed', 'unfinished'].reduce(
          (sum, list) => sum + diff[list as 'lost'].length,
          0,
        )
      t.is(paired + diff.vanished.length, a.rows.length)
      t.is(paired + diff.appeared.length, b.rows.length)
      for (const { before, after } of diff.lost) t.true(rungIndex(after.rung) < rungIndex(before.rung))
    }),
  )
})

const other = { tree: { name: 'linux-6.12', version: '6.12.117' } }
const bad = { rung: 'compile', reason: 'unresolved-symbol', missing: ['a', 'b'], detail: '2 missing: a, b' } as const

test('lost, gained, another reason, other specifics', (t) => {
  const a = matrix([
    row('x/lost.ko'),
    row('x/gained.ko', bad),
    row('x/reason.ko', bad),
    row('x/specifics.ko', bad),
    row('x/same.ko', bad),
  ])
  const b = matrix([
    row('x/lost.ko', bad),
    row('x/gained.ko'),
    row('x/reason.ko', { rung: 'compile', reason: 'link-error' }),
    row('x/specifics.ko', { ...bad, missing: ['b', 'c'], detail: '2 missing: b, c' }),
    row('x/same.ko', bad),
  ])
  const diff = diffMatrices(a, b)
  t.deepEqual(
    LISTS.map((list) => modules(diff, list)),
    [['lost'], ['gained'], ['reason'], ['specifics'], [], [], []],
  )
  t.like(diff.detailed[0], { nowMissing: ['c'], noLongerMissing: ['a'] })
  t.is(diff.losses, 1)
  t.deepEqual(diff.directories, [
    { directory: 'x', before: 5, after: 5, lost: 1, gained: 1, changed: 1, vanished: 0, appeared: 0 },
  ])
})

test('a module that moved is the same module; two of one name are not guessed at', (t) => {
  const a = matrix([row('drivers/old/m.ko'), row('a/twin.ko'), row('b/twin.ko')])
  const b = matrix([row('drivers/new/m.ko', bad), row('c/twin.ko')], other)
  const diff = diffMatrices(a, b)
  t.like(diff.lost, [{ path: 'drivers/new/m.ko', from: 'drivers/old/m.ko' }])
  t.deepEqual(
    diff.vanished.map(({ path }) => path),
    ['a/twin.ko', 'b/twin.ko'],
  )
  t.deepEqual(
    diff.appeared.map(({ path }) => path),
    ['c/twin.ko'],
  )
})

test('what vanished is a loss in the same tree with the same selectors, and only there', (t) => {
  const a = matrix([row('a/a.ko'), row('a/b.ko')])
  const b = [row('a/a.ko')]
  t.is(diffMatrices(a, matrix(b)).losses, 1)
  t.is(diffMatrices(a, matrix(b, other)).losses, 0)
  t.is(diffMatrices(a, matrix(b, { selectors: ['a/a.ko'] })).losses, 0)
  t.is(diffMatrices(a, matrix(b, { shard: { index: 1, of: 2 } })).losses, 0)
})

test('above the lower --until nothing is compared', (t) => {
  const a = matrix([row('a/a.ko', { rung: 'probe' })], { until: 'probe' })
  const b = matrix([row('a/a.ko')], { until: 'link' })
  t.is(diffMatrices(a, b).same, 1)
  t.is(diffMatrices(a, b).until, 'link')
  const stopped = matrix([row('a/a.ko', { rung: 'init', reason: 'fault', detail: 'x' })], { until: 'probe' })
  t.is(diffMatrices(stopped, b).same, 1)
})

test('nothing is known of what was interrupted, so it is no loss', (t) => {
  const a = matrix([row('a/a.ko')])
  const b = matrix([row('a/a.ko', { rung: 'none', reason: 'interrupted' })], { interrupted: true })
  t.deepEqual([diffMatrices(a, b).losses, diffMatrices(a, b).unfinished.length, diffMatrices(b, b).same], [0, 1, 1])
})

test('each step down the ladder is a loss', (t) => {
  for (const [i, rung] of RUNGS.entries())
    for (const [j, other] of RUNGS.entries()) {
      const m = (r: typeof rung) =>
        matrix([row('a/a.ko', { rung: r, reason: r === 'contain' ? '' : 'fault' })], { until: 'contain' })
      t.is(diffMatrices(m(rung), m(other)).losses, j < i ? 1 : 0)
    }
})

test('subsystems as people speak of them', (t) => {
  const of = {
    'drivers/net/ethernet/x/y.ko': 'drivers/net',
    'fs/ext4/ext4.ko': 'fs',
    'sound/core/snd.ko': 'sound/core',
    'sound/ac97_bus.ko': 'sound',
    'x.ko': '.',
  }
  for (const [path, name] of Object.entries(of)) t.is(subsystemOf(path), name)
})
