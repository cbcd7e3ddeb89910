import test from 'ava'
import fc from 'fast-check'
import { UsageError } from '../../../pipeline/errors.ts'
import { inShard, parseShard } from '../../../pipeline/matrix/shard.ts'

const path = fc.tuple(fc.nat(5), fc.nat(40)).map(([dir, name]) => `drivers/d${dir}/m${name}.ko`)
const modules = fc
  .uniqueArray(fc.tuple(path, fc.integer({ min: 1, max: 30 })), { maxLength: 60, selector: ([path]) => path })
  .map((list) => list.map(([path, length]) => ({ path, objects: { length } })))
const parts = fc.integer({ min: 1, max: 9 })
const shards = <M extends { path: string; objects: { length: number } }>(all: readonly M[], of: number): M[][] =>
  Array.from({ length: of }, (_, i) => inShard(all, { index: i + 1, of }))

test('the shards together are the whole, each module once and in its order', (t) => {
  const property = fc.property(modules, parts, (all, of) => {
    const found = shards(all, of)
    return (
      found.flat().length === all.length &&
      new Set(found.flat()).size === all.length &&
      found.every((part) => part.every((module, i) => i === 0 || all.indexOf(module) > all.indexOf(part[i - 1]!)))
    )
  })
  t.notThrows(() => fc.assert(property))
})

test('a directory is in one shard, and the order in which modules are given decides nothing', (t) => {
  const property = fc.property(modules, parts, fc.nat(), (all, of, rotation) => {
    const turned = [...all.slice(rotation % (all.length + 1)), ...all.slice(0, rotation % (all.length + 1))]
    const paths = (list: readonly { path: string }[]) => list.map((module) => module.path).toSorted()
    const dirs = shards(all, of).map((part) => new Set(part.map(({ path }) => path.slice(0, path.lastIndexOf('/')))))
    const total = new Set(dirs.flatMap((set) => [...set])).size
    t.deepEqual(shards(turned, of).map(paths), shards(all, of).map(paths))
    return dirs.reduce((sum, set) => sum + set.size, 0) === total
  })
  t.notThrows(() => fc.assert(property))
})

test('shards of many directories are of about one size', (t) => {
  const all = Array.from({ length: 8000 }, (_, i) => ({
    path: `drivers/vendor${(i * i) % 211}/nic${i}.ko`,
    objects: { length: 1 + (i % 7) },
  }))
  const sizes = shards(all, 4).map((part) => part.reduce((sum, { objects }) => sum + objects.length, 0))
  t.true(Math.max(...sizes) < 1.05 * Math.min(...sizes), sizes.join(' '))
})

test('what is no I/N is refused, with what was found', (t) => {
  t.deepEqual(parseShard('2/4'), { index: 2, of: 4 })
  for (const text of ['', '0/4', '5/4', '1', '1/0', 'a/b', '1/4/2', '-1/4', '1.5/4'])
    t.is(t.throws(() => parseShard(text), { instanceOf: UsageError })?.found, text)
})
