/** PGO on real drivers: profiles repeat, artefacts do all that their bytecode does and can do no more, and faults keep their lines. */
import test from 'ava'
import { profiling } from '../../cli/profile.ts'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { withArtefact } from '../../cli/artefacts.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { runMachine, type RunReport, type RunRequest } from '../../lab/run.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { thisBinding } from '../../pipeline/optimize/binding.ts'
import { bytecodesOf, optimise, profileFor, profileIn } from '../../pipeline/optimize/index.ts'
import type { ProfileDocument } from '../../pipeline/optimize/profile.ts'
import { readModule } from '../../pipeline/wasm/module.ts'
import { openTestWorkspace } from './workspace.ts'

/** Hot calls of a driver's own: what it makes of its kernel stays a call, and clang has left 8139too few others. */
const INLINED_MIN: Readonly<Record<string, number>> = { '8139too': 1, e1000: 50 }

let packs: readonly DriverPackage[]
let document: ProfileDocument

const run = (modules: readonly DriverPackage[], more: Partial<RunRequest> = {}): Promise<RunReport> =>
  runMachine({
    seed: 3,
    frames: 300,
    until: 'traffic',
    modules: modules.map((pack) => ({ pack })),
    verify: verifyPackage,
    symbolizer: symbolizerOf,
    ...more,
  })

async function counted(): Promise<{ document: ProfileDocument; report: RunReport }> {
  const { observer, document: take } = profiling()
  const report = await run(packs, { observer })
  return { document: take(report.seed, report.machine.eventHash), report }
}

test.before(async () => {
  const workspace = await openTestWorkspace()
  const { tree, toolchain } = workspace
  const { modules } = await buildModules({ tree, selectors: ['8139too', 'e1000'], toolchain })
  await workspace.close()
  packs = await Promise.all(modules.map(({ name, package: directory }) => readPackage(directory!, name)))
  ;({ document } = await counted())
})

test('a profile repeats, and counting changes nothing: the event log is that of the bytecode', async (t) => {
  const [again, plain] = [await counted(), await run(packs)]
  t.deepEqual(again.document, document)
  t.is(again.report.machine.eventHash, plain.machine.eventHash)
})

test('artefacts reach every rung, with the imports of their bytecode and faults at their C lines', async (t) => {
  const binding = await thisBinding()
  for (const pack of packs) {
    for (const bytecode of await bytecodesOf(pack)) {
      const profile = profileIn(document, bytecode, 'profile')
      if (profile === undefined) continue
      const made = await optimise(bytecode, profile, binding)
      t.true(made.artefact.inlined >= (INLINED_MIN[bytecode.name] ?? 0), bytecode.name)
      t.true((await optimise(bytecode, profile, binding)).kept)
      const imports = (bytes: Uint8Array): string[] => readModule(bytes).imports.map((i) => `${i.module}.${i.name}`)
      t.deepEqual(imports(made.wasm), imports(bytecode.wasm))
    }
  }
  const optimised = await Promise.all(packs.map(withArtefact))
  const full = { until: 'contain', inject: 3 } as const
  const [before, after] = [await run(packs, full), await run(optimised, full)]
  t.deepEqual(
    after.checks.filter(({ ok }) => !ok),
    [],
  )
  t.true(after.modules.every(({ rung }) => rung === 'contain'))
  // The registers are taken at the same moment of the traffic: the refused access is named alike, inlined or not.
  const place = ({ modules }: RunReport): unknown =>
    modules.map(({ faults }) => {
      const { kind, frames } = faults.find((fault) => fault.kind === 'no-capability')!
      return [kind, frames.at(-1)?.function, frames.every(({ line, file }) => line > 0 && file !== '')]
    })
  t.deepEqual(place(after), place(before))
})

test('a profile of another build is refused, by name and hash', (t) => {
  const other = { name: packs[0]!.manifest.name, sha256: '0'.repeat(64) }
  t.throws(() => profileFor(document, other, 'p.json'), { message: /not of this build/ })
  t.throws(() => profileFor({ schema: 'x' }, other, 'p.json'), { message: /not a profile/ })
})
