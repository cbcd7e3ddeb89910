/**
 * Other kernel releases, with nothing told apart by version: the same drivers build and run on their own kernels. Which ones,
 * DRVPORT_TEST_RELEASES says (default linux-6.12): each that has no kernel here yet compiles it, which takes minutes.
 */
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { openClimber } from '../../cli/matrix-machine.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { runMachine, type ModuleRequest } from '../../lab/run.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { runMatrix } from '../../pipeline/matrix/run.ts'
import { openTestWorkspace, testTreeName } from './workspace.ts'

const NAMES = ['8139too', 'e1000']
const SOFTWARE = ['dummy', 'brd', 'loop', 'softdog']
const RELEASES = (process.env['DRVPORT_TEST_RELEASES'] ?? 'linux-6.12').split(',')

async function packs(tree: string): Promise<DriverPackage[]> {
  const workspace = await openTestWorkspace('clang', tree)
  const { modules } = await buildModules({ ...workspace, selectors: NAMES })
  return Promise.all(modules.map((module) => readPackage(module.package!, module.name)))
}

const run = (modules: readonly ModuleRequest[]) =>
  runMachine({ seed: 1, frames: 3000, verify: verifyPackage, symbolizer: symbolizerOf, modules })

for (const release of RELEASES)
  test.serial(`8139too and e1000 of ${release} build unchanged and climb the ladder`, async (t) => {
    t.timeout(40 * 60_000)
    const { tree, toolchain } = await openTestWorkspace('clang', release)
    const { modules } = await buildModules({ tree, selectors: NAMES, toolchain })
    for (const module of modules) {
      t.is(module.rung, 'verify', module.detail)
      t.is(module.changedBytes, 0)
      t.deepEqual([...module.unresolved, ...module.traps], [])
    }
    const report = await run((await packs(release)).map((pack) => ({ pack })))
    for (const check of report.checks) t.true(check.ok, `${check.name}: ${check.detail}`)
    const said = report.log.map(({ text }) => text.trimEnd()).filter((line) => /^(?:WARNING|BUG): /.test(line))
    t.deepEqual(said, [], 'the kernel finds nothing to complain of')
  })

for (const release of RELEASES)
  test.serial(`software drivers of ${release} operate: files are found, a network sends, a disk keeps`, async (t) => {
    t.timeout(40 * 60_000)
    const workspace = await openTestWorkspace('clang', release)
    const climber = openClimber({ seed: 1 })
    try {
      const { rows } = await runMatrix({ ...workspace, selectors: SOFTWARE, until: 'operate', seed: 1, climber })
      for (const { module, rung, reason, detail } of rows)
        t.deepEqual([module, rung, reason], [module, 'operate', ''], detail)
      t.is(rows.length, SOFTWARE.length)
    } finally {
      await climber.close()
    }
  })

test.serial('a driver on one release is replaced under traffic by its build for another', async (t) => {
  t.timeout(40 * 60_000)
  const [before, after] = [await packs(testTreeName), await packs('linux-6.12')]
  const report = await run(before.map((pack, i) => ({ pack, replacement: after[i]! })))
  for (const check of report.checks) t.true(check.ok, `${check.name}: ${check.detail}`)
  t.is(report.replacements.length, NAMES.length)
  t.true(report.replacements.every(({ ok }) => ok))
})
