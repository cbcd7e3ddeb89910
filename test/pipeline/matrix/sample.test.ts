import test from 'ava'
import { UsageError } from '../../../pipeline/errors.ts'
import { drawSample, parseSample } from '../../../pipeline/matrix/sample.ts'

const modules = Array.from({ length: 200 }, (_, i) => ({ path: `drivers/${i % 7}/m${i}.ko` }))
const paths = (drawn: readonly { path: string }[]) => drawn.map(({ path }) => path)

test('a sample has its size, the order of all, and depends on the seed alone', (t) => {
  const drawn = paths(drawSample(modules, 20, 1))
  t.is(drawn.length, 20)
  t.deepEqual(
    drawn,
    paths(modules).filter((path) => drawn.includes(path)),
  )
  t.deepEqual(paths(drawSample(modules, 20, 1)), drawn)
  t.notDeepEqual(paths(drawSample(modules, 20, 2)), drawn)
  // The draw that is published must stay what it is.
  t.deepEqual(drawn.slice(0, 3), ['drivers/6/m34.ko', 'drivers/2/m37.ko', 'drivers/1/m43.ko'])
})

test('a larger sample holds the smaller one, and other modules change nothing', (t) => {
  const small = paths(drawSample(modules, 20, 1))
  t.true(small.every((path) => paths(drawSample(modules, 50, 1)).includes(path)))
  const fewer = modules.filter((_, i) => i % 2 === 0)
  const shared = small.filter((path) => paths(fewer).includes(path))
  t.true(shared.length > 0)
  t.true(shared.every((path) => paths(drawSample(fewer, 20, 1)).includes(path)))
  t.deepEqual(drawSample(fewer, 1000, 1), fewer)
})

test('--sample takes a whole number', (t) => {
  t.is(parseSample(7), 7)
  for (const given of [0, -1, 1.5, Number.NaN, '7']) t.throws(() => parseSample(given), { instanceOf: UsageError })
})
