/**
 * Universal binary: the same package files, by hash, run on this Node, on Node for arm64 and in a browser, and say the
 * same from the same seed, event by event.
 */
import test from 'ava'
import { engineProblem, bringEngine, type EngineName } from '../../pipeline/engine/index.ts'
import { runOn, type EngineReport } from '../../cli/engine/index.ts'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { runMachine, type RunReport, type RunRung } from '../../lab/run.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { openTestWorkspace } from './workspace.ts'

const SEED = 20
let packs: readonly DriverPackage[]

test.before(async () => {
  const workspace = await openTestWorkspace()
  const { modules } = await buildModules({
    tree: workspace.tree,
    selectors: ['8139too', 'e1000'],
    toolchain: workspace.toolchain,
  })
  await workspace.close()
  packs = await Promise.all(modules.map(({ name, package: directory }) => readPackage(directory!, name)))
})

interface Plan {
  readonly frames: number
  readonly inject: number
  readonly until: RunRung
  /** Kernels boot there too, instead of beginning from what they booted to here. */
  readonly bootThere?: boolean
}

const here = async ({ frames, inject, until }: Plan): Promise<{ report: RunReport; events: string[] }> => {
  const events: string[] = []
  const report = await runMachine({
    seed: SEED,
    modules: packs.map((pack) => ({ pack })),
    frames,
    inject,
    until,
    verify: verifyPackage,
    symbolizer: symbolizerOf,
    onEvents: (lines) => events.push(...lines),
  })
  return { report, events }
}

const there = async (
  name: Exclude<EngineName, 'node'>,
  plan: Plan,
): Promise<{ report: EngineReport; events: string[] }> => {
  const events: string[] = []
  const engine = await bringEngine(name, { progress: (line) => process.stderr.write(`${line}\n`) })
  const modules = packs.map((pack) => ({ pack }))
  const report = await runOn(engine, { seed: SEED, modules, ...plan, onEvents: (lines) => events.push(...lines) })
  return { report, events }
}

/** All that a run says but how long it took. */
const said = ({ seed, machine, modules, checks, recoveries, log, time }: RunReport): unknown => ({
  seed,
  machine,
  modules: modules.map((module) => ({ ...module, ms: undefined })),
  checks,
  recoveries,
  log,
  virtualMs: time.virtualMs,
})

/** As it is after a journey as text. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

function onEngine(name: Exclude<EngineName, 'node'>, arch: RegExp, plan: Plan): void {
  const what = `universal binary: the same files and seed say the same on ${name}`
  const problem = engineProblem(name)
  if (problem !== undefined) {
    process.stderr.write(`NOT RUN: ${what}: ${problem}\n`)
    test.skip(`${what} (${problem})`, (t) => t.fail())
    return
  }
  test.serial(what, async (t) => {
    t.timeout(900_000, 'bringing and running another engine')
    const [a, b] = [await here(plan), await there(name, plan)]
    t.deepEqual(
      b.report.engine.loaded.map(({ sha256 }) => sha256),
      packs.map(({ manifest }) => manifest.wasm.sha256),
      'the files differ',
    )
    t.regex(b.report.engine.arch, arch)
    t.is(b.report.machine.eventHash, a.report.machine.eventHash)
    t.deepEqual(b.events, a.events)
    t.deepEqual(plain(said(b.report)), plain(said(a.report)))
    t.deepEqual(
      a.report.checks.filter(({ ok }) => !ok),
      [],
    )
    t.true(a.report.modules.every(({ rung }) => rung === plan.until))
  })
}

onEngine('chromium', /./, { frames: 2000, inject: 10, until: 'contain', bootThere: true })
// Emulated, so the work is small; what an engine could do differently (traps, stack, numbers) is in the one above too.
onEngine('arm64', /^arm64$/, { frames: 60, inject: 1, until: 'contain' })
