import test from 'ava'
import { verifyCore } from '../../../pipeline/verify/index.ts'
import { boundAccepted, boundMisjudged, boundRefusals } from './_bound.ts'
import { accepted, misjudged, refusals } from './_cases.ts'
import { claimsOf } from './_core.ts'
import { holdMutated, holdToFacts } from './_judge.ts'

for (const [title, make] of Object.entries(accepted))
  test(`accepts a core with ${title}`, (t) => {
    const bytes = make()
    const verdict = verifyCore(bytes, claimsOf(bytes))
    t.deepEqual(verdict.ok ? [] : verdict.problems, [])
    t.true(verdict.ok && verdict.module instanceof WebAssembly.Module)
  })

for (const [title, refusal] of Object.entries(refusals))
  test(`refuses ${title}`, (t) => {
    t.is(misjudged(refusal), undefined)
  })

for (const [title, refusal] of Object.entries(boundRefusals))
  test(`refuses a module ${title}`, (t) => {
    t.is(boundMisjudged(refusal), undefined)
  })

for (const [title, some] of Object.entries(boundAccepted))
  test(`accepts a module ${title}`, (t) => {
    t.is(boundMisjudged(some), undefined)
  })

test('what it knows of calls and limits, and finds out of what is offered', (t) => {
  t.notThrows(() => holdToFacts())
})

test('a count that promises billions is refused at once', (t) => {
  const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f])
  const verdict = verifyCore(bytes, claimsOf(bytes))
  t.true(!verdict.ok && verdict.problems.some((p) => /count 4294967295/.test(p.message)))
})

test('a mutated module is refused with a reason, or accepted by the engine too', (t) => {
  t.notThrows(() => holdMutated(3000, 1))
})
