/** Mistakes put into the kernel on purpose, a seeded sample of them: the models notice each. All of them: mutation/hunt.ts. */
import { readdirSync } from 'node:fs'
import test from 'ava'
import { cases, explained, healthy, hunt, sample } from './mutation/hunt.ts'
import { JUDGES } from './mutation/judges.ts'
import { mutantsOf } from './mutation/mutants.ts'

const SEED = 1
const SAMPLE = 50

test('a seeded sample of mutants of the kernel is caught by the models', async (t) => {
  t.deepEqual(await healthy(SEED), [], 'the kernel as it is agrees with the models')
  const known = explained()
  const wanted = sample(cases(), SAMPLE, SEED).filter(({ mutant }) => !known.has(mutant.key))
  const lives = (await hunt(wanted, SEED)).filter(({ caught }) => caught === undefined)
  t.deepEqual(
    lives.map(({ mutant }) => mutant.key),
    [],
  )
})

test('each mutant differs from its source in one place, and has a name of its own', (t) => {
  const code = 'function f(a) { if (a < 1 && !a) return a + 1; return a === 2 }'
  const found = mutantsOf('x.ts', code)
  t.is(new Set(found.map(({ key }) => key)).size, found.length)
  const made = found.map(({ key, replacement }) => `${key.slice('x.ts f | '.length)} -> ${replacement}`)
  for (const mutant of [
    '<= for < | a < 1 -> a <= 1',
    '|| for && | a < 1 && !a -> a < 1 || !a',
    'not dropped | !a -> (a)',
    'off by one | 2 -> 3',
    'returns true | a === 2 -> true',
    'removed | if (a < 1 && !a) return a + 1; -> ;',
  ])
    t.true(made.includes(mutant), mutant)
})

test('every file of the kernel that does something has its judges, and what is explained is there to be explained', (t) => {
  const files = readdirSync(new URL('../../kernel', import.meta.url)).filter((file) => file !== 'processor.ts')
  t.deepEqual(
    files.filter((file) => !(file in JUDGES)),
    [],
    'processor.ts is types only',
  )
  const keys = new Set(cases(Object.keys(JUDGES)).map(({ mutant }) => mutant.key))
  t.deepEqual(
    [...explained().keys()].filter((key) => !keys.has(key)),
    [],
  )
})
