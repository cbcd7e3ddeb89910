import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { contentOf, InputTable } from '../../../pipeline/build/input-table.ts'

const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-inputs-'))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

const write = async (name: string, text: string): Promise<string> => {
  const file = path.join(work, name)
  await fs.mkdir(path.dirname(file), { recursive: true })
  await fs.writeFile(file, text)
  return file
}

/** A tree, headers laid out as a distribution's beside it (links, and one file under another name), and a driver. */
const roots = [
  { dir: path.join(work, 'a-longer-name/headers'), as: '', local: true, users: path.join(work, 'driver') },
  { dir: path.join(work, 'tree'), as: '' },
  { dir: path.join(work, 'driver'), as: 'external/driver/', local: true },
].toSorted((a, b) => b.dir.length - a.dir.length)

test('what a compile read is found by name again, whichever of two unnamed roots it lies in', async (t) => {
  const files = [
    await write('tree/include/linux/module.h', 'module'),
    await write('tree/build/include/generated/autoconf.h', 'generated'),
    await write('a-longer-name/headers/include/linux/module.h', 'module'),
    await write('a-longer-name/headers/include/generated/autoconf.h', 'generated'),
    await write('driver/driver.c', 'driver'),
  ]
  const read = await new InputTable(roots).byFile(files)
  const again = await new InputTable(roots).byName(read.map(({ name }) => name))
  t.true(read.every(({ sha256 }) => sha256 !== ''))
  t.is(contentOf(again), contentOf(read))
  await fs.writeFile(files[1] as string, 'changed')
  t.not(contentOf(await new InputTable(roots).byName(read.map(({ name }) => name))), contentOf(read))
})

test('a file that is gone has no content', async (t) => {
  const [input] = await new InputTable(roots).byName(['include/linux/gone.h'])
  t.like(input, { name: 'include/linux/gone.h', sha256: '' })
})
