import test from 'ava'
import { createRandom } from '../../kernel/random.ts'
import { Clock } from '../../kernel/time.ts'

const fired = (clock: Clock): string[] => {
  const names: string[] = []
  while (clock.advance(Infinity)) {
    for (let event = clock.take(); event !== undefined; event = clock.take()) names.push(event.name)
  }
  return names
}

test('events fire in order of time, however often they were moved', (t) => {
  const clock = new Clock(createRandom(1))
  const random = createRandom(2)
  const events = Array.from({ length: 500 }, (_, i) => clock.event(String(i), () => {}))
  const last = new Map<string, number>()
  for (let move = 0; move < 5000; move++) {
    const event = events[random.below(events.length)]!
    const at = random.below(1_000_000)
    if (random.below(4) === 0) {
      event.disarm()
      last.delete(event.name)
    } else {
      event.armAt(at)
      last.set(event.name, at)
    }
  }
  t.is(clock.size, last.size)
  const times = fired(clock).map((name) => last.get(name)!)
  t.is(times.length, last.size)
  t.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
})

const order = (seed: number): string => {
  const clock = new Clock(createRandom(seed))
  for (let i = 0; i < 20; i++) clock.event(String(i), () => {}).armAt(100)
  return fired(clock).join(' ')
}

test('the order of one instant follows from the seed', (t) => {
  t.is(order(1), order(1))
  t.not(order(1), order(2))
})

test('time never goes back and never passes a limit unasked', (t) => {
  const clock = new Clock(createRandom(1))
  clock.spend(50)
  const event = clock.event('e', () => {})
  event.armAt(10)
  t.is(clock.next(), 50)
  t.true(clock.due())
  event.armIn(100)
  t.false(clock.advance(149))
  t.true(clock.advance(150))
  t.is(clock.now(), 150)
})
