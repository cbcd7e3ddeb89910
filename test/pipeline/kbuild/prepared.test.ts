import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { prepareOnce } from '../../../pipeline/kbuild/prepared.ts'

test('what was made is asked for once; what could not be made is asked for again', async (t) => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-prepared-'))
  const asked: (readonly string[])[] = []
  let works = true
  const prepare = async (...names: string[]): Promise<readonly string[]> => {
    asked.length = 0
    await prepareOnce(path.join(dir, 'list'), names, async (missing) => (asked.push(missing), works))
    return asked.flat()
  }
  t.deepEqual(await prepare('a.o', 'b.o'), ['a.o', 'b.o'])
  t.deepEqual(await prepare('b.o', 'a.o'), [])
  works = false
  t.deepEqual(await prepare('b.o', 'c.o'), ['c.o'])
  t.deepEqual(await prepare('c.o', 'd.o'), ['c.o', 'd.o'])
  works = true
  t.deepEqual(await prepare('c.o'), ['c.o'], 'its generator was brought meanwhile')
  t.deepEqual(await prepare('a.o', 'c.o'), [])
  await fs.rm(dir, { recursive: true })
})
