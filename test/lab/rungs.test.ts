/** The ladder's list against who climbs it: no rung without a step, none out of order. */
import test from 'ava'
import { DEVICE_MODELS, modelNamed, nounOf } from '../../lab/classes.ts'
import { STEPS } from '../../lab/rungs.ts'
import { BUILD_TOP, LADDER, rungIndex, RUNGS } from '../../pipeline/ladder.ts'

test('every rung above init has its steps, in the order of the ladder', (t) => {
  const above = RUNGS.slice(rungIndex('init') + 1)
  t.deepEqual([...new Set(STEPS.map(({ rung }) => rung))], above)
  const places = STEPS.map(({ rung }) => rungIndex(rung))
  t.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  )
})

test('the build climbs to its top, a machine everything above, and each rung says what it means', (t) => {
  t.is(new Set(RUNGS).size, RUNGS.length)
  for (const [i, { rung, by, means }] of LADDER.entries()) {
    t.is(by, i <= rungIndex(BUILD_TOP) ? 'build' : 'machine', rung)
    t.not(means, '')
  }
})

test('every device model is found by its name, and its class has a word for what its drivers offer', (t) => {
  t.true(DEVICE_MODELS.length > 0)
  for (const model of DEVICE_MODELS) {
    t.is(modelNamed(model.name), model)
    t.not(nounOf(model), nounOf(undefined), model.name)
  }
  t.is(modelNamed('no such model'), undefined)
})
