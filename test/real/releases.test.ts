/** A second kernel release, with nothing told apart by version: the same drivers build and run from it. */
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { runMachine } from '../../lab/run.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { openTestWorkspace } from './workspace.ts'

test.serial('8139too and e1000 of linux-6.12 build unchanged and climb the ladder', async (t) => {
  t.timeout(10 * 60_000)
  const { tree, toolchain } = await openTestWorkspace('clang', 'linux-6.12')
  const { modules } = await buildModules({ tree, selectors: ['8139too', 'e1000'], toolchain })
  for (const module of modules) {
    t.is(module.rung, 'verify', module.detail)
    t.is(module.changedBytes, 0)
    t.deepEqual([...module.unresolved, ...module.traps], [])
  }
  const packs = await Promise.all(modules.map((module) => readPackage(module.package!, module.name)))
  const report = await runMachine({
    seed: 1,
    frames: 3000,
    verify: verifyPackage,
    symbolizer: symbolizerOf,
    modules: packs.map((pack) => ({ pack })),
  })
  for (const check of report.checks) t.true(check.ok, `${check.name}: ${check.detail}`)
})
