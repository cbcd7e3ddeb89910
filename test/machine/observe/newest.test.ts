import test from 'ava'
import fc from 'fast-check'
import { append, since } from '../../../machine/observe/newest.ts'

test('at least so many of the newest are kept, fewer than twice as many, in order', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 60 }), (kept, count) => {
      const list: number[] = []
      for (let one = 0; one < count; one++) append(list, one, kept)
      t.true(list.length >= Math.min(kept, count) && list.length < Math.max(2, kept * 2))
      t.deepEqual(
        list,
        Array.from({ length: list.length }, (_, at) => count - list.length + at),
      )
    }),
  )
})

test('what came since the last that was seen, and all that is kept where that is gone', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(30), fc.nat(30), (kept, before, then) => {
      const list: { readonly number: number }[] = []
      for (let number = 0; number < before; number++) append(list, { number }, kept)
      const last = list.at(-1)
      for (let number = before; number < before + then; number++) append(list, { number }, kept)
      const there = list.filter(({ number }) => number >= before)
      t.deepEqual(since(list, last), there)
    }),
  )
})
