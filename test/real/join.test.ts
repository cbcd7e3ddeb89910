/**
 * Columns that jobs made one by one, joined: what one run over both trees says, word for word, reasons included; and where
 * all is well, without opening a tree.
 */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { packageRoot } from '../../pipeline/root.ts'
import type { MatricesDocument } from '../../pipeline/matrix/many.ts'

const TREES = ['linux-6.1', 'linux-6.12']
const work = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-join-')))
await fs.cp(path.join(packageRoot, 'drivers-src', 'acme'), path.join(work, 'acme'), { recursive: true })
await fs.mkdir(path.join(work, 'good'))
await fs.writeFile(path.join(work, 'good', 'Kbuild'), 'obj-m := good.o\n')
await fs.writeFile(path.join(work, 'good', 'good.c'), '#include <linux/module.h>\nMODULE_LICENSE("GPL");\n')
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

function drvport(...words: string[]): { status: number | null; said: string } {
  const main = path.join(packageRoot, 'cli', 'main.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { cwd: work, encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

const read = async (name: string) => JSON.parse(await fs.readFile(path.join(work, name), 'utf8')) as MatricesDocument

const digests = ({ columns }: MatricesDocument) => columns.map(({ tree, summary }) => [tree.name, summary.digest])

async function columns(driver: string): Promise<string[]> {
  const files = TREES.map((tree) => `${driver}-${tree}.json`)
  for (const [i, tree] of TREES.entries()) {
    const made = drvport('matrix', `./${driver}`, '--tree', tree, '--until', 'compile', '--output', files[i] as string)
    if (made.status !== 0) throw new Error(made.said)
  }
  return files
}

test.serial('columns made apart and joined say what one run over both trees says', async (t) => {
  t.timeout(40 * 60_000, 'two kernels may have to be configured')
  const files = await columns('acme')
  const plain = drvport('matrix', 'join', ...files.toReversed(), '--output', 'plain.json')
  t.is(plain.status, 0, plain.said)
  t.is((await read('plain.json')).columns[1]?.rows[0]?.reason, 'compile-error')

  const joined = drvport('matrix', 'join', ...files, '--explain', '--require', 'compile', '--output', 'joined.json')
  t.is(joined.status, 1, 'a module is below what is required')
  t.regex(joined.said, /acme_fan on linux-6\.12 \(parse: api-removed; compile is required\)/)
  const once = drvport('matrix', './acme', '--tree', TREES.join(','), '--until', 'compile', '--output', 'once.json')
  t.is(once.status, 0, once.said)
  t.deepEqual(digests(await read('joined.json')), digests(await read('once.json')))
})

test.serial(
  'what compiles for no tree is told of the API all the same, where another has not that complaint',
  async (t) => {
    const dir = path.join(work, 'nowhere')
    await fs.mkdir(dir)
    await fs.writeFile(path.join(dir, 'Kbuild'), 'obj-m := nowhere.o\n')
    const body = 'char to[4];\nint init_module(void)\n{\n\tstrlcpy(to, "x", 4);\n\treturn nobody_has_this(to);\n}\n'
    const text = `#include <linux/module.h>\n#include <linux/string.h>\n${body}MODULE_LICENSE("GPL");\n`
    await fs.writeFile(path.join(dir, 'nowhere.c'), text)
    drvport('matrix', './nowhere', '--tree', TREES.join(','), '--until', 'compile', '--output', 'nowhere.json')
    const rows = (await read('nowhere.json')).columns.map(({ rows: [row] }) => [
      row?.reason,
      row?.detail.split(' (')[0],
    ])
    t.is(rows[0]?.[0], 'compile-error')
    t.deepEqual(rows[1]?.[0], 'api-removed')
    t.regex(rows[1]?.[1] ?? '', /nowhere\.c:6: function strlcpy is gone in 6\.12\./)
  },
)

test.serial('where all is well no tree is opened to say why', async (t) => {
  const files = await columns('good')
  const trees = process.env['DRVPORT_TREES']
  process.env['DRVPORT_TREES'] = path.join(work, 'no trees')
  try {
    const joined = drvport(
      'matrix',
      'join',
      ...files,
      '--explain',
      '--require',
      'compile',
      '--report',
      'badge=badge.svg',
    )
    t.is(joined.status, 0, joined.said)
  } finally {
    if (trees === undefined) delete process.env['DRVPORT_TREES']
    else process.env['DRVPORT_TREES'] = trees
  }
  t.regex(await fs.readFile(path.join(work, 'badge.svg'), 'utf8'), /aria-label="linux: 6\.1 \| 6\.12"/)
  await t.throwsAsync(fs.access(path.join(work, 'no trees')))
})

test.serial('files that are no columns of one matrix end with status 2, and say which', (t) => {
  const mixed = drvport('matrix', 'join', 'good-linux-6.1.json', 'acme-linux-6.12.json')
  t.is(mixed.status, 2)
  t.regex(mixed.said, /where: +good-linux-6\.1\.json, acme-linux-6\.12\.json\n +expected: the same selectors, \.\/good/)
  t.is(drvport('matrix', 'join').status, 2)
})
