/**
 * Mutated real packages beside a real driver under traffic: a seeded sample of what test/hostile/run.ts runs in full.
 * DRVPORT_HOSTILE says how many, DRVPORT_SEED which.
 */
import test from 'ava'
import { buildModules } from '../../pipeline/build/index.ts'
import { createTrials } from '../hostile/trials.ts'
import { openTestWorkspace } from './workspace.ts'

const count = Number(process.env['DRVPORT_HOSTILE'] ?? 200)
const seed = Number(process.env['DRVPORT_SEED'] ?? 2)

test('eBPF: a mutated or over-reaching module is refused with its place, or contained', async (t) => {
  t.timeout(60_000 + count * 500)
  const { tree, toolchain } = await openTestWorkspace()
  const { modules } = await buildModules({ tree, selectors: ['8139too', 'e1000'], toolchain })
  const found = (name: string): { directory: string; name: string } => {
    const module = modules.find((one) => one.name === name)
    if (module?.package === undefined) throw new Error(`${name} was not built: ${module?.reason} ${module?.detail}`)
    return { directory: module.package, name }
  }
  const bystander = { ...found('e1000'), model: 'intel-82540em' }
  const trials = await createTrials({ mutated: [found('8139too')], bystander }, seed)
  const outcomes = new Map<string, number>()
  for (let index = 0; index < count; index++) {
    const { what, outcome } = await trials.run(index)
    t.not(outcome.kind, 'escaped', `seed ${seed}, ${index} (${what}): ${JSON.stringify(outcome)}`)
    outcomes.set(outcome.kind, (outcomes.get(outcome.kind) ?? 0) + 1)
    if (outcome.kind !== 'refused') continue
    t.regex(outcome.where, /0x[0-9a-f]+|memory|table|section|export|file|manifest|import|module|type|global/, what)
    t.not(outcome.message, '')
  }
  t.true((outcomes.get('refused') ?? 0) > 0 && (outcomes.get('contained') ?? 0) > 0, JSON.stringify([...outcomes]))
})
