import test from 'ava'
import fc from 'fast-check'
import { Queue } from '../../kernel/queue.ts'

test('what is pushed first comes first, however many there are and wherever the ring begins', (t) => {
  const steps = fc.array(fc.oneof(fc.nat({ max: 40 }), fc.integer({ min: -40, max: -1 })), { maxLength: 30 })
  fc.assert(
    fc.property(steps, (counts) => {
      const queue = new Queue<number>()
      const model: number[] = []
      let next = 0
      for (const count of counts) {
        for (let i = 0; i < count; i++) {
          queue.push(next)
          model.push(next++)
        }
        for (let i = 0; i > count; i--) t.is(queue.shift(), model.shift())
        t.is(queue.length, model.length)
      }
    }),
    { seed: 1 },
  )
})

test('an empty queue gives nothing', (t) => {
  const queue = new Queue<object>()
  t.is(queue.shift(), undefined)
  t.is(queue.length, 0)
})
