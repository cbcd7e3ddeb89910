/** A slice of the corpus on the real path; the whole of it is `node test/hostile/run.ts --real --count 100000`. */
import test from 'ava'
import { createRealTrials } from './real.ts'

const count = Number(process.env['DRVPORT_HOSTILE'] ?? 60)
const seed = Number(process.env['DRVPORT_SEED'] ?? 3)

test('hostile modules beside a driver on their line and a server, as a run has them: nobody notices', async (t) => {
  t.timeout(120_000 + count * 2000)
  const trials = await createRealTrials(seed)
  const kinds = new Map<string, number>()
  for (let index = 0; index < count; index++) {
    const { outcome, what } = await trials.run(index)
    t.not(outcome.kind, 'escaped', `seed ${seed}, ${index} (${what}): ${JSON.stringify(outcome)}`)
    kinds.set(outcome.kind, (kinds.get(outcome.kind) ?? 0) + 1)
  }
  t.true((kinds.get('contained') ?? 0) > count / 4, JSON.stringify([...kinds]))
})
