/**
 * Configuring a real kernel tree and asking Kbuild's graph. The first run fetches and configures the
 * tree, which takes a minute or two.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import test from 'ava'
import type { Kbuild, KbuildObject } from '../../pipeline/kbuild/index.ts'
import { probeClang } from '../../pipeline/toolchain/clang.ts'
import { bringTree, openTreeOnly } from '../../pipeline/workspace.ts'
import { testTreeName } from './workspace.ts'

const source = await bringTree(testTreeName, {})
const before = Date.now()
const { tree } = await openTreeOnly({ tree: testTreeName })
const clang = await probeClang()
const real = test.serial
const kbuild = (): Kbuild => tree

function compiles(object: KbuildObject): string {
  const run = spawnSync(clang.path as string, [...object.args, '-w', '-fsyntax-only', object.source], {
    cwd: object.cwd,
    encoding: 'utf8',
  })
  return run.status === 0 ? '' : run.stderr
}

real('thousands of modules, each with objects, names unique', (t) => {
  const modules = kbuild().modules()
  t.true(modules.length > 7500, `${modules.length}`)
  t.is(new Set(modules.map(({ name }) => name)).size, modules.length)
  t.deepEqual(
    modules.filter(({ sources }) => sources.length === 0).map(({ path: ko }) => ko),
    [],
  )
})

real(
  'as many modules as the options that Kconfig answered with m, and more: an option may build several',
  async (t) => {
    const auto = await fs.readFile(path.join(kbuild().view, 'build', 'include/config/auto.conf'), 'utf8')
    const options = [...auto.matchAll(/=m$/gm)].length
    t.true(kbuild().modules().length > options * 0.95, `${options} options, ${kbuild().modules().length} modules`)
  },
)

real(
  'the settled configuration: one processor, counted preemption, 250 ticks, nothing that changes code unasked',
  (t) => {
    const value = (name: string) => kbuild().config(name)
    t.is(value('WASM'), 'y')
    t.is(value('PREEMPT_COUNT'), 'y')
    t.is(value('DEBUG_ATOMIC_SLEEP'), 'y')
    t.is(value('HZ'), '250')
    t.is(value('FLATMEM'), 'y')
    t.is(value('NEED_DMA_MAP_STATE'), 'y')
    for (const off of ['SMP', 'LOCKDEP', 'FTRACE', 'KASAN', 'MODVERSIONS', 'WERROR', 'PHYS_ADDR_T_64BIT', 'DEBUG_LIST'])
      t.is(value(off), undefined, off)
  },
)

real('a module of one file and one of several compile as Kbuild would compile them', async (t) => {
  for (const name of ['8139too', 'e1000', 'mii']) {
    const module = await kbuild().module(name)
    t.truthy(module, name)
    for (const object of module?.objects ?? []) {
      t.true(object.args.includes('-DMODULE'))
      t.true(object.args.includes(`-DKBUILD_MODNAME="${name}"`))
      t.is(compiles(object), '', object.source)
    }
  }
})

real('files of the kernel itself compile, with the headers that are generated for them', async (t) => {
  for (const file of ['lib/crc32.c', 'lib/vsprintf.c', 'lib/iomap.c', 'net/ethernet/eth.c']) {
    const object = await kbuild().builtin(file)
    t.false(object.args.includes('-DMODULE'))
    t.is(compiles(object), '', file)
  }
})

real('exports lead to the module that has them', async (t) => {
  t.is(await kbuild().exporter('mii_link_ok'), 'mii')
  t.is(await kbuild().exporter('kobject_get'), undefined)
  const crc = (await kbuild().exports()).get('crc32_le')
  t.deepEqual([crc?.source, crc?.modules], ['lib/crc32.c', []])
})

real('a source is found in its module; another is refused', async (t) => {
  const object = await kbuild().compileCommand('drivers/net/ethernet/intel/e1000/e1000_hw.c', 'e1000')
  t.true(object.args.includes('-DKBUILD_BASENAME="e1000_hw"'))
  await t.throwsAsync(kbuild().compileCommand('drivers/net/mii.c', 'e1000'), { message: /not a source of module/ })
})

real('selectors: everything below a directory, in the tree order', async (t) => {
  const names = (await kbuild().match(['drivers/net/ethernet/realtek'])).map(({ name }) => name)
  t.deepEqual(names, ['8139cp', '8139too', 'r8169'])
})

real('nothing is written into the tree', async (t) => {
  await kbuild().builtin('lib/crc32.c')
  const changed = spawnSync('find', [source.dir, '-newermt', `@${Math.floor(before / 1000)}`, '-print', '-quit'], {
    encoding: 'utf8',
  })
  t.is(changed.stdout, '')
  for (const made of ['.config', 'include/config', 'include/generated', 'arch/wasm'])
    t.false(existsSync(path.join(source.dir, made)), made)
})

real('every object of every module has a C file, but for the few made by other means', async (t) => {
  const modules = await kbuild().select('all')
  const without = modules.flatMap(({ name, objects }) =>
    objects.filter(({ source }) => !existsSync(source)).map(() => name),
  )
  t.true(without.length < 10, without.join(' '))
})
