/**
 * Modules made to do harm, on a machine without a kernel tree: refused with a reason or contained, whatever they try.
 * The numbered ones beyond these few are run by test/hostile/run.ts and test/real/hostile.test.ts.
 */
import test from 'ava'
import { createRandom } from '../../base/random.ts'
import { createArena, packageOf } from '../hostile/arena.ts'
import { attackNames, build } from '../hostile/evil.ts'
import { createTrials } from '../hostile/trials.ts'

for (const entry of ['probe', 'irq', 'alloc'])
  test(`every attack from ${entry} is contained`, async (t) => {
    const arena = await createArena()
    for (const attack of attackNames) {
      const bytes = build(createRandom(7), [{ entry, attack }])
      const outcome = await arena.trial(packageOf(bytes, `${entry}: ${attack}`))
      const said = `${entry}: ${attack}: ${JSON.stringify(outcome)}`
      t.true(outcome.kind === 'contained' || outcome.kind === 'harmless', said)
      // What came to nothing must have been tried.
      if (outcome.kind === 'harmless') t.true(outcome.reached, said)
    }
  })

test('what a module did is named', async (t) => {
  const arena = await createArena()
  const fault = async (attack: string): Promise<string> => {
    const outcome = await arena.trial(packageOf(build(createRandom(1), [{ entry: 'init', attack }]), 'one'))
    return outcome.kind === 'contained' ? outcome.fault : outcome.kind
  }
  t.is(await fault('loop without end'), 'endless-loop')
  t.is(await fault('recursion without end'), 'stack-overflow')
  t.is(await fault('loop of yields'), 'hang')
  t.is(await fault('divide by zero'), 'divide-by-zero')
  t.is(await fault('own fault, longest text'), 'bug')
  t.is(await fault('loop of long logs'), 'endless-loop')
  t.is(await fault('write over the whole memory'), 'memory-access')
})

test('modules at random are refused or contained, the same for a seed', async (t) => {
  const run = async (): Promise<string[]> => {
    const trials = await createTrials({ mutated: [] }, 3)
    const said = []
    for (let index = 0; index < 25; index++) {
      const { outcome, what } = await trials.run(index)
      t.not(outcome.kind, 'escaped', `${index} (${what}): ${JSON.stringify(outcome)}`)
      said.push(JSON.stringify(outcome))
    }
    return said
  }
  t.deepEqual(await run(), await run())
})
