/**
 * Hostile scripts on the tree's own kernel, beside drivers that must not notice: a seeded sample of what test/hostile/run.ts runs in
 * full. DRVPORT_HOSTILE says how many trials, DRVPORT_SEED which.
 */
import test from 'ava'
import { buildSubjects, readSubjects } from '../hostile/packages.ts'
import { Trials } from '../hostile/trials.ts'
import { openTestWorkspace } from './workspace.ts'

const count = Number(process.env['DRVPORT_HOSTILE'] ?? 100)
const seed = Number(process.env['DRVPORT_SEED'] ?? 3)

test('hostile scripts in every context of a driver are contained or come to nothing, and nobody notices', async (t) => {
  t.timeout(300_000 + count * 2000)
  const trials = new Trials(await readSubjects(await buildSubjects(await openTestWorkspace())), seed)
  const kinds = new Map<string, number>()
  let scripts = 0
  for (let index = 0; index < count; index++) {
    const { outcome, what, scripts: carriedOut } = await trials.run(index)
    t.not(outcome.kind, 'escaped', `seed ${seed}, ${index} (${what}): ${JSON.stringify(outcome)}`)
    kinds.set(outcome.kind, (kinds.get(outcome.kind) ?? 0) + 1)
    scripts += carriedOut
  }
  t.true((kinds.get('contained') ?? 0) > count / 4, JSON.stringify([...kinds]))
  t.true(scripts > count)
})
