/**
 * Folders outside of the tree, written in the ways real drivers are (fixtures/outside), evaluated by the tree's own
 * Kbuild. They are copied to a path with spaces first, and nothing may be written there.
 */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { buildModules, selectAll, type ModuleResult } from '../../pipeline/build/index.ts'
import { UsageError } from '../../pipeline/errors.ts'
import { openTestWorkspace } from './workspace.ts'

const work = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'drvport outside-')))
const home = path.join(work, 'my own drivers')
await fs.cp(path.join(import.meta.dirname, 'fixtures', 'outside'), home, { recursive: true })

const folder = (name: string): string => path.join(home, name)
const { tree, toolchain } = await openTestWorkspace()
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

async function build(...selectors: string[]): Promise<Map<string, ModuleResult>> {
  const { modules } = await buildModules({ tree, selectors, toolchain })
  return new Map(modules.map((module) => [module.path, module]))
}

const real = test.serial

real('everything Kbuild offers: parts by option, flags by file, folders below, included makefiles', async (t) => {
  const modules = await selectAll(tree, [folder('composite')])
  t.deepEqual(
    modules.map((module) => [module.path, module.objects.map(({ source }) => path.basename(source))]),
    [
      ['external/composite/acme.ko', ['main.c', 'regs.c', 'pci.c']],
      ['external/composite/helper/acme-helper.ko', ['helper.c']],
    ],
  )
  const [acme] = modules
  const has = (file: string, flag: string) =>
    acme?.objects.find(({ source }) => source.endsWith(file))?.args.includes(flag) === true
  t.true(has('main.c', '-DACME_VERSION="1.2 beta"'))
  t.true(has('pci.c', '-DACME_ONLY_PCI=7'))
  t.false(has('regs.c', '-DACME_ONLY_PCI=7'))
  t.false(has('main.c', '-DACME_EVERYWHERE'))
})

real('they build, use each other, and say what they are', async (t) => {
  const built = await build(folder('composite'), folder('classic'), folder('generated'))
  for (const module of built.values()) t.is(module.rung, 'verify', `${module.path}: ${module.detail}`)
  const acme = built.get('external/composite/acme.ko')
  t.deepEqual(acme?.facts, {
    buses: ['pci'],
    classes: [],
    licenses: ['Dual MIT/GPL'],
    spdx: ['BSD-3-Clause', 'GPL-2.0-or-later', 'MIT', 'NONE'],
    gplOnly: ['acme_helper'],
  })
  t.deepEqual(
    acme?.sources.map(({ path: file, spdx }) => [file, spdx]),
    [
      ['external/composite.outside/1/common/acme_common.h', 'BSD-3-Clause'],
      ['external/composite/helper/helper.c', 'GPL-2.0-only'],
      ['external/composite/hw/regs.c', 'MIT'],
      ['external/composite/include/acme.h', 'MIT'],
      ['external/composite/main.c', 'GPL-2.0-or-later'],
      ['external/composite/pci.c', 'NONE'],
    ],
  )
  t.true(acme?.capabilities.includes('pci'))
  // The helper is linked into the one that uses it.
  t.deepEqual(acme?.licenses, ['Dual MIT/GPL', 'GPL v2'])
})

real('one bad module of a folder is a result with file and line, and the others build', async (t) => {
  const built = await build(folder('lacking'))
  const of = (name: string) => built.get(`external/lacking/${name}.ko`)
  t.like(of('no_header'), {
    rung: 'none',
    reason: 'missing-header',
    detail: `external/lacking/no_header.c:3: 'made_by_configure.h' file not found; ${tree.name} has no made_by_configure.h`,
  })
  t.like(of('no_source'), {
    rung: 'none',
    reason: 'no-source',
    detail: "no such file or directory: 'external/lacking/no_source.c'",
  })
  t.is(of('whole')?.rung, 'verify')
  t.regex(of('whole')?.facts?.licenseProblem ?? '', /MODULE_LICENSE\("Proprietary"\), but it uses synchronize_rcu/)
})

real('what cannot be read is refused with file and line, in the names the user knows', async (t) => {
  const refused = async (name: string) => t.throwsAsync(selectAll(tree, [folder(name)]), { instanceOf: UsageError })
  t.like(await refused('unreadable'), { where: `${folder('unreadable')}/Makefile:2`, found: 'missing separator.' })
  t.like(await refused('recursing'), { where: `${folder('recursing')}/Makefile` })
  t.like(await refused('common'), { where: folder('common') })
  t.like(await refused('switched-off'), {
    where: `${folder('switched-off')}/Makefile:4`,
    found: 'CONFIG_ACME_CARD is not set',
    todo: 'CONFIG_ACME_CARD=m drvport ...',
  })
})

real('an option of the environment switches a module on', async (t) => {
  process.env['CONFIG_ACME_CARD'] = 'm'
  try {
    const modules = await selectAll(tree, [folder('switched-off')])
    t.deepEqual(
      modules.map(({ path: ko }) => ko),
      ['external/switched-off/card.ko'],
    )
  } finally {
    delete process.env['CONFIG_ACME_CARD']
  }
})

real('a changed folder is read again; two of one name keep apart', async (t) => {
  const twin = path.join(work, 'twin', 'classic')
  await fs.cp(folder('classic'), twin, { recursive: true })
  await fs.writeFile(path.join(twin, 'Kbuild'), 'obj-m := renamed.o\nrenamed-y := classic.o\n')
  const modules = await selectAll(tree, [folder('classic'), twin, path.join(twin, 'classic.c')])
  t.deepEqual(
    modules.map(({ path: ko }) => ko),
    ['external/classic/classic.ko', 'external/classic-2/renamed.ko', 'external/classic-2/classic.ko'],
  )
})

real('list, build and matrix take several folders and modules of the tree in one list', async (t) => {
  const main = path.resolve(import.meta.dirname, '../../cli/main.ts')
  const drvport = (...words: string[]) => {
    const run = spawnSync(process.execPath, [main, ...words, '--json'], { cwd: home, encoding: 'utf8' })
    return {
      status: run.status,
      document: JSON.parse(run.stdout) as { modules?: ModuleResult[]; rows?: ModuleResult[] },
    }
  }
  const selectors = ['./composite', './classic', 'drivers/net/mii.ko']
  const expected = ['drivers/net/mii.ko', 'external/classic/classic.ko', 'external/composite/acme.ko']
  const paths = (list: readonly ModuleResult[] | undefined) => list?.map(({ path: ko }) => ko).toSorted()
  const helper = 'external/composite/helper/acme-helper.ko'
  t.deepEqual(paths(drvport('list', ...selectors).document.modules), [...expected, helper])
  const matrix = drvport('matrix', ...selectors, '--until', 'verify')
  t.is(matrix.status, 0)
  t.deepEqual(paths(matrix.document.rows), [...expected, helper])
  t.true(matrix.document.rows?.every(({ rung }) => rung === 'verify'))
})

real('nothing was written into the folders', async (t) => {
  const before = path.join(import.meta.dirname, 'fixtures', 'outside')
  const names = async (dir: string) => (await fs.readdir(dir, { recursive: true })).toSorted()
  t.deepEqual(await names(home), await names(before))
})
