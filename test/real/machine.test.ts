/**
 * Two unmodified network drivers on one machine, all the way up the ladder, and the same again from the same seed.
 */
import test from 'ava'
import { runMachine, type RunReport } from '../../lab/run.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { openTestWorkspace } from './workspace.ts'

const workspace = await openTestWorkspace()
const packs = new Map<string, DriverPackage>()

test.before(async () => {
  const { modules } = await buildModules({
    tree: workspace.tree,
    selectors: ['8139too', 'e1000'],
    toolchain: workspace.toolchain,
  })
  for (const { name, package: directory } of modules) packs.set(name, await readPackage(directory!, name))
})

test.after.always(() => workspace.close())

const run = (seed: number, frames: number, inject = 0): Promise<RunReport> =>
  runMachine({
    seed,
    frames,
    inject,
    verify: verifyPackage,
    symbolizer: symbolizerOf,
    modules: ['8139too', 'e1000'].map((name) => ({ pack: packs.get(name)! })),
  })

test.serial('8139too and e1000 bind, pass traffic, survive reload and recover', async (t) => {
  const report = await run(1, 3000)
  for (const check of report.checks) t.true(check.ok, `${check.name}: ${check.detail}`)
  for (const module of report.modules) t.is(module.rung, 'recover', module.reason)
  t.true(
    report.checks.some(({ detail }) => /Loopback test.*passed/.test(detail)),
    'e1000 runs its own self-test',
  )
})

test.serial('one seed, one run; another seed, another interleaving with the same result', async (t) => {
  const [one, again, other] = [await run(5, 300), await run(5, 300), await run(6, 300)]
  t.is(one.machine.eventHash, again.machine.eventHash)
  t.is(one.time.virtualMs, again.time.virtualMs)
  t.not(one.machine.eventHash, other.machine.eventHash)
  const results = (report: RunReport): unknown => report.checks.map(({ name, ok }) => [name, ok])
  t.deepEqual(results(one), results(again))
  t.deepEqual(results(one), results(other))
})

test.serial('faults injected into running drivers stay in them', async (t) => {
  const report = await run(3, 100, 20)
  for (const check of report.checks) t.true(check.ok, `${check.name}: ${check.detail}`)
  for (const module of report.modules) t.is(module.rung, 'contain', module.reason)
})
