/** The run loop and its surroundings, with programs of few instructions. */
import test from 'ava'
import { Kernel } from '../../kernel/kernel.ts'

test('an exception in an event, a task or a listener is written down, and the run goes on', async (t) => {
  const kernel = new Kernel(1)
  const done: string[] = []
  kernel.clock
    .event('broken', () => {
      throw new Error('of the event')
    })
    .armAt(100)
  kernel.clock.event('whole', () => void done.push('event')).armAt(200)
  kernel.post(() => {
    throw new Error('of the task')
  })
  kernel.post(() => void done.push('task'))
  t.is(await kernel.run(() => done.length === 2, 1e6), 'stopped')
  t.deepEqual(
    kernel.accidents.map(({ atNs, during, domain, message }) => [atNs, during, domain, message]),
    [
      [0, 'a task', '', 'of the task'],
      [100, 'broken', '', 'of the event'],
    ],
  )
  t.deepEqual(done, ['task', 'event'])
})
