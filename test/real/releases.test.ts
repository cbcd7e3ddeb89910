/** A second kernel release, with nothing told apart by version: the same drivers build and run on its own kernel. */
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { runMachine, type ModuleRequest } from '../../lab/run.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { openTestWorkspace, testTreeName } from './workspace.ts'

const NAMES = ['8139too', 'e1000']

async function packs(tree: string): Promise<DriverPackage[]> {
  const workspace = await openTestWorkspace('clang', tree)
  const { modules } = await buildModules({ ...workspace, selectors: NAMES })
  return Promise.all(modules.map((module) => readPackage(module.package!, module.name)))
}

const run = (modules: readonly ModuleRequest[]) =>
  runMachine({ seed: 1, frames: 3000, verify: verifyPackage, symbolizer: symbolizerOf, modules })

test.serial('8139too and e1000 of linux-6.12 build unchanged and climb the ladder', async (t) => {
  t.timeout(40 * 60_000)
  const { tree, toolchain } = await openTestWorkspace('clang', 'linux-6.12')
  const { modules } = await buildModules({ tree, selectors: NAMES, toolchain })
  for (const module of modules) {
    t.is(module.rung, 'verify', module.detail)
    t.is(module.changedBytes, 0)
    t.deepEqual([...module.unresolved, ...module.traps], [])
  }
  const report = await run((await packs('linux-6.12')).map((pack) => ({ pack })))
  for (const check of report.checks) t.true(check.ok, `${check.name}: ${check.detail}`)
})

test.serial('a driver on one release is replaced under traffic by its build for another', async (t) => {
  t.timeout(40 * 60_000)
  const [before, after] = [await packs(testTreeName), await packs('linux-6.12')]
  const report = await run(before.map((pack, i) => ({ pack, replacement: after[i]! })))
  for (const check of report.checks) t.true(check.ok, `${check.name}: ${check.detail}`)
  t.is(report.replacements.length, NAMES.length)
  t.true(report.replacements.every(({ ok }) => ok))
})
