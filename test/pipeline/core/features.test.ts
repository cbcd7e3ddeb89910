/** The table of what a tree may have, and the flags that say so to the lower half. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { featureFlags, parseFeatures } from '../../../pipeline/core/features.ts'
import { packageRoot } from '../../../pipeline/root.ts'

const HEAD = 'macro\theader\tpattern\twhat it says\n'
const LOWER = path.join(packageRoot, 'shim', 'lower')

test('a row is a macro, a header and a pattern of one of its lines', (t) => {
  const [feature] = parseFeatures(`${HEAD}TREE_X\tlinux/x.h\t^int x\\(\tit has x\n`)
  t.is(feature!.macro, 'TREE_X')
  t.true(feature!.pattern.test('/* x */\nint x(void);\n'))
  t.false(feature!.pattern.test('extern int x(void);\n'))
})

test('a row that is none is refused with its line', (t) => {
  for (const row of [
    'X\tlinux/x.h\tx\twhat',
    'TREE_X\tlinux/x\tx\twhat',
    'TREE_X\tlinux/x.h\t\twhat',
    'TREE_X\tx.h\tx\t',
  ])
    t.like(
      t.throws(() => parseFeatures(`${HEAD}${row}\n`)),
      { where: 'line 2' },
    )
})

test('flags are of what the headers of a tree have', async (t) => {
  const view = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-features-'))
  await fs.mkdir(path.join(view, 'include', 'linux'), { recursive: true })
  await fs.writeFile(path.join(view, 'include', 'linux', 'mm.h'), 'void free_area_init(unsigned long *limits);\n')
  t.deepEqual(await featureFlags(view), ['-DTREE_WANTS_ZONES'])
  await fs.rm(view, { recursive: true })
})

test('the lower half asks for every feature of the table, and for no other', async (t) => {
  const table = await fs.readFile(path.join(packageRoot, 'linux-api', 'features.tsv'), 'utf8')
  const files = (await fs.readdir(LOWER, { recursive: true })).filter((file) => /\.[ch]$/.test(file))
  const texts = await Promise.all(files.map((file) => fs.readFile(path.join(LOWER, file), 'utf8')))
  const asked = new Set(texts.flatMap((text) => text.match(/\bTREE_[A-Z_]+\b/g) ?? []))
  t.deepEqual(
    [...asked].toSorted(),
    parseFeatures(table)
      .map(({ macro }) => macro)
      .toSorted(),
  )
  t.false(texts.some((text) => text.includes('LINUX_VERSION_CODE')))
})
