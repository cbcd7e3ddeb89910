import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import {
  cacheDir,
  contentKey,
  inParallel,
  makeDirectoryAtomic,
  replaceDirectory,
  withLock,
  writeAtomic,
} from '../../pipeline/cache.ts'

test.before(async () => {
  process.env['DRVPORT_CACHE'] = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-cache-'))
})
test.after.always(() => fs.rm(cacheDir(), { recursive: true, force: true }))

test('the cache follows DRVPORT_CACHE, then XDG_CACHE_HOME', (t) => {
  t.is(cacheDir({ DRVPORT_CACHE: '/x' }), '/x')
  t.is(cacheDir({ XDG_CACHE_HOME: '/y' }), '/y/drvport')
})

test('content keys do not collide by shifting a boundary', (t) => {
  t.not(contentKey(['ab', 'c']), contentKey(['a', 'bc']))
})

test('a failed fill leaves neither the directory nor a temporary', async (t) => {
  const parent = path.join(cacheDir(), 'atomic')
  await t.throwsAsync(
    makeDirectoryAtomic(path.join(parent, 'dir'), async (dir) => {
      await writeAtomic(path.join(dir, 'half'), 'x')
      throw new Error('disk')
    }),
    { message: 'disk' },
  )
  t.deepEqual(await fs.readdir(parent), [])
})

test('replaceDirectory swaps the content', async (t) => {
  const dir = path.join(cacheDir(), 'swap', 'dir')
  for (const name of ['one', 'two']) await replaceDirectory(dir, (at) => writeAtomic(path.join(at, name), name))
  t.deepEqual(await fs.readdir(dir), ['two'])
  t.deepEqual(await fs.readdir(path.dirname(dir)), ['dir'])
})

test('a lock lets one in at a time, and outlives neither error nor owner', async (t) => {
  let inside = 0
  let most = 0
  const enter = () =>
    withLock('a/b', async () => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setTimeout(resolve, 5))
      inside--
    })
  await Promise.all([enter(), enter(), enter()])
  t.is(most, 1)
  await t.throwsAsync(
    withLock('a/b', () => Promise.reject(new Error('no'))),
    { message: 'no' },
  )
  await fs.writeFile(path.join(cacheDir(), 'locks', 'a_b'), '999999999 1\n')
  t.is(await withLock('a/b', () => Promise.resolve(7)), 7)
})

test('inParallel keeps order, bounds width and survives failures', async (t) => {
  let running = 0
  let most = 0
  const results = await inParallel([3, 1, 2], 2, async (n) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, n))
    running--
    if (n === 1) throw new Error('one')
    return n * 2
  })
  t.is(most, 2)
  t.deepEqual(
    results.map((r) => (r?.status === 'fulfilled' ? r.value : 'failed')),
    [6, 'failed', 4],
  )
})
