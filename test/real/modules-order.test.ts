/**
 * The list of modules and what each is made of, held against the files in which Kbuild itself writes them down:
 * modules.order and, for a module of several objects, NAME.mod.
 *
 * Kbuild's own Makefile.build is run in a copy of the view, with the commands that compile made empty, so that all that
 * happens is its bookkeeping.
 */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import type { Kbuild } from '../../pipeline/kbuild/index.ts'
import { findHostCompiler, tryMake } from '../../pipeline/kbuild/make.ts'
import { probeClang } from '../../pipeline/toolchain/clang.ts'
import { openTreeOnly } from '../../pipeline/workspace.ts'

/** Directories with what Kbuild files do: options, composites, parts of other directories, order among subdirectories. */
const SAMPLE = [
  'crypto',
  'drivers/ata',
  'drivers/iio/adc',
  'drivers/mmc',
  'drivers/net/can',
  'drivers/net/ethernet/intel',
]
const MORE = [
  'drivers/clk',
  'drivers/of',
  'drivers/usb',
  'fs/nfs',
  'fs/nls',
  'net/netfilter',
  'net/sched',
  'sound/pci',
  'lib/crypto',
]

/** What would compile, archive or need a program that only a whole build makes. */
const IDLE = [
  'rule_cc_o_c=',
  'rule_as_o_S=',
  'rule_ld_multi_m=',
  'targets-for-builtin=',
  ...['objcopy', 'genikh', 'dtc', 'fdtoverlay', 'wrap_S_dtb', 'wrap_S_dtbo'].map((name) => `cmd_${name}=:`),
  'rule_dtc=:',
  'cmd_and_fixdep=:',
  'DTC=/bin/true',
]

const GOAL = `
ifeq ($(need-sub-make),)
KBUILD_MODULES := 1
drvport-order: $(addprefix drvport-order-in-,$(DRVPORT_DIRS))
	@:
$(addprefix drvport-order-in-,$(DRVPORT_DIRS)): drvport-order-in-%:
	$(Q)$(MAKE) -f $(srctree)/scripts/Makefile.build obj=$* need-builtin=1 need-modorder=1 KBUILD_BUILTIN= KBUILD_MODULES=1 \\
		'targets-for-modules=$$(obj)/modules.order $$(patsubst %.o,%.mod,$$(multi-obj-m))' ${IDLE.map((word) => `'${word}'`).join(' ')} $*/
endif
`

/** A copy of the view in which Kbuild has written what it knows of these directories. */
async function bookkeeping(tree: Kbuild, dirs: readonly string[], work: string): Promise<string> {
  const view = path.join(work, tree.name)
  spawnSync('cp', ['-a', tree.view, view])
  await fs.appendFile(path.join(view, 'Makefile'), GOAL)
  const searchPath = process.env['PATH'] ?? ''
  const [clang, hostcc] = [await probeClang(), await findHostCompiler(searchPath)]
  const setup = { view, cc: clang.path as string, hostcc: hostcc as string, searchPath }
  const run = await tryMake(setup, ['drvport-order', `DRVPORT_DIRS=${dirs.join(' ')}`])
  if (run.status !== 0) throw new Error(run.stderr.slice(-2000))
  return path.join(view, 'build')
}

/** Lines of a file of Kbuild's: one object a line, in older releases a module's or all objects of a module on one. */
const objectsIn = async (file: string): Promise<string[]> =>
  (await fs.readFile(file, 'utf8')).split(/\s+/).filter((word) => word !== '')

for (const name of ['linux-6.1', 'linux-6.12'])
  test.serial(`${name}: modules, their order and their objects are Kbuild's own`, async (t) => {
    t.timeout(10 * 60_000)
    const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-order-'))
    t.teardown(() => fs.rm(work, { recursive: true, force: true }))
    const { tree } = await openTreeOnly({ tree: name })
    const dirs = [...SAMPLE, ...MORE]
    const build = await bookkeeping(tree, dirs, work)
    let [compared, composites] = [0, 0]
    for (const dir of dirs) {
      const listed = await objectsIn(path.join(build, dir, 'modules.order'))
      const theirs = [...new Set(listed.map((line) => line.replace(/\.k?o$/, '.ko')))]
      const ours = tree.modules().filter(({ path: ko }) => ko.startsWith(`${dir}/`))
      t.deepEqual(
        ours.map(({ path: ko }) => ko),
        theirs,
        dir,
      )
      for (const { path: ko, objects } of ours) {
        const file = path.join(build, ko.replace(/\.ko$/, '.mod'))
        const parts = await objectsIn(file).catch(() => undefined)
        if (parts === undefined) {
          t.is(objects.length, 1, `${ko} has no .mod of several objects`)
          continue
        }
        composites++
        t.deepEqual(await partsOf(tree, ko), [...new Set(parts)], ko)
      }
      compared += ours.length
    }
    t.log(`${compared} modules, ${composites} of them composite`)
    t.true(compared > 500 && composites > 80)
  })

/** Names of a module's objects as Kbuild has them: a generated source lies in the output directory, its object too. */
async function partsOf(tree: Kbuild, ko: string): Promise<string[]> {
  const module = tree.modules().find((one) => one.path === ko)
  return (module?.sources ?? []).map((source) => source.replace(/^build\//, '').replace(/\.c$/, '.o'))
}
