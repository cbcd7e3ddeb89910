import test from 'ava'
import fc from 'fast-check'
import { UsageError } from '../../../pipeline/errors.ts'
import { inShard, parseShard, shardOf } from '../../../pipeline/matrix/shard.ts'

const modules = fc
  .uniqueArray(fc.string({ minLength: 1 }), { maxLength: 60 })
  .map((paths) => paths.map((path) => ({ path })))

test('the shards together are the whole, each module once and in its order', (t) => {
  const property = fc.property(modules, fc.integer({ min: 1, max: 9 }), (all, of) => {
    const parts = Array.from({ length: of }, (_, i) => inShard(all, { index: i + 1, of }))
    const together = new Set(parts.flat())
    return (
      parts.flat().length === all.length &&
      together.size === all.length &&
      parts.every((part) => part.every((module, i) => i === 0 || all.indexOf(module) > all.indexOf(part[i - 1]!)))
    )
  })
  t.notThrows(() => fc.assert(property))
})

test('where a module is depends on nothing but its path', (t) => {
  const property = fc.property(modules, fc.integer({ min: 1, max: 9 }), (all, of) => {
    const [first, ...others] = all
    if (first === undefined) return true
    const index = shardOf(first.path, of)
    return inShard([...others, first], { index, of }).includes(first) && inShard([first], { index, of }).length === 1
  })
  t.notThrows(() => fc.assert(property))
})

test('shards are of about one size', (t) => {
  const all = Array.from({ length: 8000 }, (_, i) => ({ path: `drivers/net/ethernet/vendor${i % 90}/nic${i}.ko` }))
  for (const index of [1, 2, 3, 4]) {
    const { length } = inShard(all, { index, of: 4 })
    t.true(length > 1800 && length < 2200, `shard ${index} has ${length} of 8000`)
  }
})

test('what is no I/N is refused, with what was found', (t) => {
  t.deepEqual(parseShard('2/4'), { index: 2, of: 4 })
  for (const text of ['', '0/4', '5/4', '1', '1/0', 'a/b', '1/4/2', '-1/4', '1.5/4'])
    t.is(t.throws(() => parseShard(text), { instanceOf: UsageError })?.found, text)
})
