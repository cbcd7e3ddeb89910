/**
 * Folders outside of the tree, written in the ways real drivers are (fixtures/outside), evaluated by the tree's own
 * Kbuild. They are copied to a path with spaces first, and nothing may be written there.
 */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { compareTrials } from '../../pipeline/api/compare.ts'
import { tryModules } from '../../pipeline/api/trial.ts'
import { selectAll } from '../../pipeline/build/fresh.ts'
import { buildModules, type ModuleResult } from '../../pipeline/build/index.ts'
import { UsageError } from '../../pipeline/errors.ts'
import { runMatrix } from '../../pipeline/matrix/run.ts'
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

/** A folder of these files. */
async function written(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const dir = path.join(work, name)
  await fs.mkdir(dir)
  for (const [file, text] of Object.entries(files)) await fs.writeFile(path.join(dir, file), text)
  return dir
}

const MODULE = '#include <linux/module.h>\nMODULE_LICENSE("GPL");\n'

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
  t.like(of('no_include'), { rung: 'parse', reason: 'compile-error' })
  t.regex(of('no_include')?.detail ?? '', /; include\/linux\/etherdevice\.h:\d+ declares it and is not included$/)
  t.regex(
    of('old_enough')?.detail ?? '',
    /; line 7 tests the version: #if LINUX_VERSION_CODE < KERNEL_VERSION\(9, 0, 0\)$/,
  )
  t.like(of('whole'), { rung: 'verify', reason: undefined })
})

real('what a kernel would not load is told from what it exports: hidden, nowhere, for GPL modules only', async (t) => {
  const { rows } = await runMatrix({ tree, toolchain, selectors: [folder('exports')], until: 'link', seed: 1 })
  t.deepEqual(
    rows.map(({ module, rung, reason, detail, missing }) => [module, rung, reason, detail.split(/ \(|: /)[0], missing]),
    [
      ['fine', 'link', '', '', []],
      ['hidden', 'compile', 'not-exported', 'release_task', ['release_task']],
      ['nowhere', 'compile', 'unresolved-symbol', 'acme_forgotten', ['acme_forgotten']],
      ['proprietary', 'compile', 'gpl-only', 'Linux would not load it', []],
    ],
  )
  t.regex(rows[1]?.detail ?? '', /hidden\.c:7\): include\/linux\/sched\/task\.h:\d+ declares it, no module may use it$/)
  t.regex(rows[3]?.detail ?? '', /MODULE_LICENSE\("Proprietary"\), but it uses synchronize_rcu/)
})

real('a symbol in a namespace is for modules that import it', async (t) => {
  const using = `${MODULE}#include <linux/dma-buf.h>\nint init_module(void) { return PTR_ERR_OR_ZERO(dma_buf_get(0)); }\n`
  const files = {
    Kbuild: 'obj-m := importing.o forgetful.o giver.o taker.o\n',
    'importing.c': `${using}MODULE_IMPORT_NS(DMA_BUF);\n`,
    'forgetful.c': using,
    'giver.c': `${MODULE}int acme_give(void) { return 1; }\nEXPORT_SYMBOL_NS(acme_give, ACME);\n`,
    'taker.c': `${MODULE}int acme_give(void);\nint init_module(void) { return acme_give(); }\n`,
  }
  const dir = await written('spaced', files)
  const { rows } = await runMatrix({ tree, toolchain, selectors: [dir], until: 'link', seed: 1 })
  const told = (symbol: string, space: string) =>
    `${symbol} is exported in the namespace ${space}, which MODULE_IMPORT_NS has to name`
  t.deepEqual(
    rows.map(({ module, rung, reason, detail }) => [module, rung, reason, detail]),
    [
      ['forgetful', 'compile', 'not-imported', told('dma_buf_get', 'DMA_BUF')],
      ['giver', 'link', '', ''],
      ['importing', 'link', '', ''],
      ['taker', 'compile', 'not-imported', told('acme_give', 'ACME')],
    ],
  )
})

real('what a module exports from a header of its own is there for its neighbours', async (t) => {
  const files = {
    Kbuild: 'obj-m := giver.o taker.o lame.o user.o\n',
    'giver.h': 'int acme_give(void) { return 1; }\nEXPORT_SYMBOL(acme_give);\n',
    'between.h': '#include "giver.h"\n',
    'giver.c': `${MODULE}#include "between.h"\n`,
    'taker.c': `${MODULE}int acme_give(void);\nint init_module(void) { return acme_give(); }\n`,
    'lame.h': 'int acme_lame(void) { return 1; }\nEXPORT_SYMBOL(acme_lame);\n',
    'lame.c': `${MODULE}#include "lame.h"\n#error not here\n`,
    'user.c': `${MODULE}int acme_lame(void);\nint init_module(void) { return acme_lame(); }\n`,
  }
  const dir = await written('exporting', files)
  const { rows } = await runMatrix({ tree, toolchain, selectors: [dir], until: 'link', seed: 1 })
  t.deepEqual(
    rows.map(({ module, reason, detail }) => [module, reason, reason === 'dependency-failed' ? detail : '']),
    [
      ['giver', '', ''],
      ['lame', 'compile-error', ''],
      ['taker', '', ''],
      ['user', 'dependency-failed', 'needs lame, which does not compile'],
    ],
  )
})

real(
  'a qualifier that is lost is no error of a driver from outside, as with gcc; a pointer to something else is',
  async (t) => {
    const taking = (type: string) =>
      `${MODULE}static char *kept;\nvoid keep(${type} *name);\nvoid keep(${type} *name) { kept = name; }\n`
    const dir = await written('qualified', {
      Kbuild: 'obj-m := lost.o other.o\n',
      'lost.c': taking('const char'),
      'other.c': taking('int'),
    })
    const built = await build(dir)
    t.is(built.get('external/qualified/lost.ko')?.rung, 'verify', built.get('external/qualified/lost.ko')?.detail)
    t.like(built.get('external/qualified/other.ko'), { rung: 'parse', reason: 'compile-error' })
  },
)

real('what another architecture or another configuration has is called so, not missing', async (t) => {
  const { rows } = await runMatrix({ tree, toolchain, selectors: [folder('elsewhere')], until: 'link', seed: 1 })
  const told = new Map(rows.map(({ module, reason, detail }) => [module, `${reason}: ${detail.split('; ').at(-1)}`]))
  t.is(told.get('header'), 'needs-x86: only arch/x86 has asm/intel-family.h')
  t.regex(
    told.get('type') ?? '',
    /^needs-option: include\/acpi\/acpi_bus\.h:\d+ has acpi_device with CONFIG_ACPI, which is off$/,
  )
  t.regex(
    told.get('symbol') ?? '',
    /^needs-option: acpi_root_dir \(.*symbol\.c:6\): drivers\/acpi\/bus\.c:\d+ exports it, with CONFIG_ACPI, which is off$/,
  )
})

real('what cannot be read is refused with file and line, in the names the user knows', async (t) => {
  const refused = async (name: string) => t.throwsAsync(selectAll(tree, [folder(name)]), { instanceOf: UsageError })
  t.like(await refused('unreadable'), { where: `${folder('unreadable')}/Makefile:2`, found: 'missing separator.' })
  t.like(await refused('common'), { where: folder('common') })
  t.like(await refused('switched-off'), {
    where: `${folder('switched-off')}/Makefile:3`,
    found: 'CONFIG_ACME_CARD is not set',
    todo: 'CONFIG_ACME_CARD=m drvport ...',
  })
})

real(
  'in a matrix it is a row, for other kernels may have it: that of the module that its makefile names',
  async (t) => {
    t.deepEqual(await compiled(folder('unreadable'), folder('switched-off')), {
      'external/switched-off/card.ko': 'makefile-error',
      'external/unreadable/classic.ko': 'makefile-error',
    })
    const none = runMatrix({ tree, toolchain, selectors: [folder('common')], until: 'compile', seed: 1 })
    t.like(await t.throwsAsync(none, { instanceOf: UsageError }), { where: folder('common') })
  },
)

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

/** Rung and reason of each module, compiled only. */
async function compiled(...selectors: string[]): Promise<Record<string, string>> {
  const { rows } = await runMatrix({ tree, toolchain, selectors, until: 'compile', seed: 1 })
  return Object.fromEntries(rows.map(({ path: ko, rung, reason }) => [ko, reason === '' ? rung : reason]))
}

real('what its own makefile sets for Kbuild is set: options, flags, another folder', async (t) => {
  const [radio] = await selectAll(tree, [folder('own-half')])
  t.deepEqual(
    radio?.objects.map(({ source }) => path.basename(source)),
    ['main.c', 'usb.c'],
  )
  t.deepEqual(await compiled(folder('own-half')), { 'external/own-half/src/acme-radio.ko': 'compile' })
})

real(
  'a folder of several drivers: each finds the kernel where it looks for it, and what is made before is made',
  async (t) => {
    t.deepEqual(await compiled(folder('conventions'), folder('recursing')), {
      'external/conventions/configured/one/one.ko': 'compile',
      'external/conventions/configured/two/two.ko': 'compile',
      'external/conventions/ksrc/ksrc.ko': 'compile',
      'external/conventions/unknown/unknown.ko': 'compile',
      'external/recursing/src/classic.ko': 'compile',
    })
  },
)

real('include paths that lead everywhere', async (t) => {
  t.deepEqual(await compiled(folder('maze')), { 'external/maze/maze.ko': 'compile' })
})

real('parts in Rust, assembler, C++ or without a source are named, and the rest builds', async (t) => {
  const { rows } = await runMatrix({ tree, toolchain, selectors: [folder('mixed')], until: 'compile', seed: 1 })
  t.deepEqual(
    rows.map(({ module, rung, reason, detail }) => [module, rung, reason, detail]),
    [
      ['in_cpp', 'none', 'not-c', 'external/mixed/classes.cpp is C++'],
      ['plain', 'compile', '', ''],
      ['with_assembler', 'none', 'not-c', 'external/mixed/copy_fast.S is assembler'],
      ['with_blob', 'none', 'not-c', 'external/mixed/firmware_core.o_shipped is an object without a source'],
      ['with_rust', 'none', 'not-c', 'external/mixed/rusty.rs is Rust'],
    ],
  )
})

real('dkms.conf: the modules it names, its command, its patches for this kernel, in the copy only', async (t) => {
  const { rows } = await runMatrix({ tree, toolchain, selectors: [folder('dkms')], until: 'compile', seed: 1 })
  const patches = ['10-always.patch', ...(tree.version.startsWith('6.1.') ? [] : ['20-since-6.12.patch'])]
  t.deepEqual(
    rows.map(({ path: ko, rung, patches: applied, changedBytes }) => [ko, rung, applied, changedBytes]),
    [
      ['external/dkms/src/acme_bus.ko', 'compile', patches, 0],
      ['external/dkms/src/acme_nic.ko', 'compile', patches, 0],
    ],
  )
})

real('dkms.conf: a kernel that it leaves out, a patch that does not apply, a module that nobody builds', async (t) => {
  const changed = async (name: string, from: string, to: string) => {
    const copy = path.join(work, name)
    await fs.cp(folder('dkms'), copy, { recursive: true })
    const text = await fs.readFile(path.join(copy, 'dkms.conf'), 'utf8')
    await fs.writeFile(path.join(copy, 'dkms.conf'), text.replace(from, to))
    const { rows } = await runMatrix({ tree, toolchain, selectors: [copy], until: 'compile', seed: 1 })
    return rows.map(({ path: ko, reason, detail }) => [ko.replace(/^external\/.*\/src\//, ''), reason, detail])
  }
  const only = 'dkms.conf: BUILD_EXCLUSIVE_KERNEL="^4"'
  t.deepEqual(await changed('left out', '^([6-9]|[1-9][0-9])\\.', '^4'), [
    ['acme_bus.ko', 'excluded', only],
    ['acme_nic.ko', 'excluded', only],
  ])
  const [told] = await compareTrials([await tryModules({ tree, toolchain, selectors: [path.join(work, 'left out')] })])
  t.like(told?.verdicts[0], { compiles: false, ended: { reason: 'excluded', detail: only }, unexplained: [] })
  const twice = await changed('patched twice', '20-since-6.12.patch"\nPATCH_MATCH', '10-always.patch"\nNO_MATCH')
  t.is(twice[0]?.[1], 'makefile-error')
  t.regex(twice[0]?.[2] ?? '', /^patches\/10-always\.patch does not apply: /)
  t.deepEqual(await changed('lacking', '"acme_bus"', '"acme_usb"'), [
    ['acme_nic.ko', '', ''],
    ['acme_usb.ko', 'makefile-error', 'dkms.conf: BUILT_MODULE_NAME names acme_usb, which its makefile does not build'],
  ])
})

real('dkms.conf: what runs before and stops is told by its complaint, not by the advice after it', async (t) => {
  const copy = path.join(work, 'prepared')
  await fs.cp(folder('dkms'), copy, { recursive: true })
  await fs.appendFile(path.join(copy, 'dkms.conf'), 'PRE_BUILD="before.sh $kernelver"\n')
  const before = async (script: string) => {
    await fs.writeFile(path.join(copy, 'before.sh'), `#!/bin/sh\n${script}\nexit 3\n`, { mode: 0o755 })
    const { rows } = await runMatrix({ tree, toolchain, selectors: [copy], until: 'compile', seed: 1 })
    return rows[0]?.detail.replace(tree.version, 'VERSION')
  }
  const said = 'dkms.conf: PRE_BUILD="before.sh VERSION" ended with 3'
  t.is(
    await before('echo looking; echo headers not found: acme; echo try: install it'),
    `${said}: headers not found: acme`,
  )
  t.is(await before('echo looking; echo sorry >&2'), `${said}: sorry`)
  t.is(await before(''), said)
})

real(
  'a checkout of ten drivers, with spaces and other alphabets in names; one that cannot be read is a row',
  async (t) => {
    const checkout = path.join(work, 'ten drivers')
    const kinds: Readonly<Record<string, readonly [file: string, text: string]>> = {
      plain: ['Kbuild', 'obj-m := N.o\n'],
      'with space': ['Makefile', 'obj-m := N.o\n'],
      größe: ['Makefile', 'obj-m += N.o\nall: ; make -C /lib/modules/$(shell uname -r)/build M=$(PWD)\n'],
      драйвер: ['Kbuild', 'obj-m := N.o\nccflags-y += -I$(src)/../shared\n'],
      'net/option': ['Makefile', 'export CONFIG_N := m\nobj-$(CONFIG_N) := N.o\nall: ; $(MAKE) -C $(KDIR) M=$(PWD)\n'],
      'net/dkms': [
        'dkms.conf',
        'PACKAGE_NAME=N\nPACKAGE_VERSION=1\nMAKE="make -C $kernel_source_dir M=$dkms_tree/N/1/build"\n',
      ],
      'sound/deep/below': ['Kbuild', 'obj-m := N.o\n'],
      composite: ['Kbuild', 'obj-m := N.o\nN-y := part.o\n'],
      broken: ['Makefile', 'obj-m := N.o\n$(error needs a newer kernel)\n'],
      empty: ['Kbuild', 'obj-$(CONFIG_NOBODY_SETS) := N.o\n'],
    }
    let count = 0
    for (const [name, [file, text]] of Object.entries(kinds)) {
      const dir = path.join(checkout, name)
      const module = `driver${count++}`
      await fs.mkdir(dir, { recursive: true })
      await fs.writeFile(path.join(dir, file), text.replaceAll(/\bN\b/g, module))
      if (file === 'dkms.conf') await fs.writeFile(path.join(dir, 'Kbuild'), `obj-m := ${module}.o\n`)
      await fs.writeFile(path.join(dir, name === 'composite' ? 'part.c' : `${module}.c`), MODULE)
    }
    await fs.mkdir(path.join(checkout, 'shared'))
    t.deepEqual(await compiled(checkout), {
      'external/ten drivers/broken/driver8.ko': 'makefile-error',
      'external/ten drivers/composite/driver7.ko': 'compile',
      'external/ten drivers/empty/driver9.ko': 'makefile-error',
      'external/ten drivers/größe/driver2.ko': 'compile',
      'external/ten drivers/net/dkms/driver5.ko': 'compile',
      'external/ten drivers/net/option/driver4.ko': 'compile',
      'external/ten drivers/plain/driver0.ko': 'compile',
      'external/ten drivers/sound/deep/below/driver6.ko': 'compile',
      'external/ten drivers/with space/driver1.ko': 'compile',
      'external/ten drivers/драйвер/driver3.ko': 'compile',
    })
  },
)

real('what a makefile writes beside its folder goes into the copy of the checkout', async (t) => {
  const checkout = path.join(work, 'writing')
  const driver = path.join(checkout, 'driver')
  const notes = path.join(checkout, 'common', 'version.h')
  for (const dir of [driver, path.dirname(notes)]) await fs.mkdir(dir, { recursive: true })
  await fs.writeFile(notes, '#define VERSION before\n')
  const build = '$(MAKE) -C /lib/modules/$(shell uname -r)/build M=$(CURDIR)'
  const makefile = `obj-m := written.o\nall:\n\techo '#define VERSION 7' > ../common/version.h\n\t${build}\n`
  await fs.writeFile(path.join(driver, 'Makefile'), makefile)
  const source = `#include "../common/version.h"\n${MODULE}_Static_assert(VERSION == 7, "as it was");\n`
  await fs.writeFile(path.join(driver, 'written.c'), source)
  t.deepEqual(await compiled(checkout), { 'external/writing/driver/written.ko': 'compile' })
  t.is(await fs.readFile(notes, 'utf8'), '#define VERSION before\n')
})

real('a module of a hundred files', async (t) => {
  const dir = path.join(work, 'hundred')
  await fs.mkdir(path.join(dir, 'parts'), { recursive: true })
  const names = Array.from({ length: 99 }, (_, i) => `part${i}`)
  const lists = [names.slice(0, 50), names.slice(50)].map((list) =>
    list.map((name) => `parts/${name}.o`).join(' \\\n\t'),
  )
  const kbuild = `obj-m := hundred.o\nhundred-objs := main.o \\\n\t${lists[0]}\nhundred-$(CONFIG_PCI) += ${lists[1]}\n`
  await fs.writeFile(path.join(dir, 'Kbuild'), kbuild)
  for (const name of names)
    await fs.writeFile(
      path.join(dir, 'parts', `${name}.c`),
      `int ${name}(int x);\nint ${name}(int x) { return x + 1; }\n`,
    )
  const calls = names.map((name) => `int ${name}(int x);\n#define USE_${name} ${name}(0)`)
  const sum = names.map((name) => `USE_${name}`).join(' + ')
  const main = `${MODULE}${calls.join('\n')}\nint init_module(void) { return ${sum} > 0 ? 0 : -1; }\n`
  await fs.writeFile(path.join(dir, 'main.c'), main)
  const [module] = await selectAll(tree, [dir])
  t.is(module?.objects.length, 100)
  t.deepEqual(await compiled(dir), { 'external/hundred/hundred.ko': 'compile' })
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
