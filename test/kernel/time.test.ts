import test from 'ava'
import { createRandom } from '../../base/random.ts'
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

test('a periodic timer does not drift in a million periods, however late it is fired', (t) => {
  const clock = new Clock(createRandom(1))
  const random = createRandom(2)
  const PERIOD = 333_333
  let [count, missed, late] = [0, 0, 0]
  const event = clock.event('periodic', () => {
    late = Math.max(late, clock.now() - event.time)
    count++
    missed += event.again(PERIOD)
  })
  event.armAt(PERIOD)
  for (let turn = 0; turn < 1_000_000; turn++) {
    clock.advance(Infinity)
    // Something else takes a while first: now and then longer than a period.
    clock.spend(random.below(1000) === 0 ? random.below(3 * PERIOD) : random.below(1000))
    for (let due = clock.take(); due !== undefined; due = clock.take()) due.fire()
  }
  t.is(count, 1_000_000)
  t.true(missed > 0 && late > PERIOD)
  t.is(event.time, (count + missed + 1) * PERIOD)
})

test('timers with slack come together, none early and none later than it may', (t) => {
  const clock = new Clock(createRandom(1))
  const random = createRandom(2)
  const fire = (slack: number): number => {
    const instants = new Set<number>()
    for (let i = 0; i < 1000; i++) {
      const at = clock.now() + random.below(10_000_000)
      const own = slack === 0 ? 0 : slack + random.below(slack)
      const event = clock.event('slack', () => {})
      event.armWithin(at, own)
      if (event.time < at || event.time > at + own) t.fail(`${event.time} is not within ${at} + ${own}`)
      instants.add(event.time)
    }
    while (clock.advance(Infinity)) while (clock.take() !== undefined);
    return instants.size
  }
  t.true(fire(0) > 990)
  // 10 ms in steps of 32,768 ns: what 50 us of slack always reaches.
  t.true(fire(50_000) < 310)
  t.true(fire(1_000_000) < 22)
})
