import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { limiter } from '../../pipeline/limit.ts'

test('so many run at once, in the order in which they came; a failure gives its place to the next', async (t) => {
  const limited = limiter(2)
  const begun: number[] = []
  let most = 0
  let now = 0
  const task = (id: number) => async () => {
    begun.push(id)
    most = Math.max(most, ++now)
    await turn()
    now--
    if (id % 3 === 0) throw new Error(`task ${id}`)
    return id
  }
  const settled = await Promise.allSettled([0, 1, 2, 3, 4, 5, 6].map((id) => limited(task(id))))
  t.is(most, 2)
  t.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6])
  t.deepEqual(
    settled.map((one) => one.status === 'fulfilled'),
    [0, 1, 2, 3, 4, 5, 6].map((id) => id % 3 !== 0),
  )
})
