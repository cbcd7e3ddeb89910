import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { schedule } from '../../../pipeline/matrix/schedule.ts'

const items = Array.from({ length: 50 }, (_, i) => i)

test('everything is done once, in its order, a bounded number at a time', async (t) => {
  const started: number[] = []
  let [running, most] = [0, 0]
  await schedule(items, 2, async (item) => {
    started.push(item)
    most = Math.max(most, ++running)
    await sleep(item % 3)
    running--
  })
  t.deepEqual(started, items)
  t.true(most > 1 && most <= 6, `${most} at once`)
})

test('a failure stops the rest, and what is under way ends first', async (t) => {
  let [started, ended] = [0, 0]
  const error = await t.throwsAsync(
    schedule(items, 1, async (item) => {
      started++
      await sleep(1)
      if (item === 4) throw new Error('the disk is full')
      await sleep(2)
      ended++
    }),
  )
  t.is(error?.message, 'the disk is full')
  t.true(started < items.length, `${started} started`)
  t.is(ended, started - 1)
})

test('an abort leaves the rest undone without an error', async (t) => {
  const stop = new AbortController()
  let done = 0
  await schedule(
    items,
    1,
    async () => {
      if (++done === 5) stop.abort()
    },
    stop.signal,
  )
  t.true(done >= 5 && done < items.length, `${done} done`)
})
