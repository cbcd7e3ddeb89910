import test from 'ava'
import fc from 'fast-check'
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

/** A source of chance that gives these, one after the other. */
const given = (...numbers: number[]): ReturnType<typeof createRandom> => ({
  next: () => numbers.shift() ?? 0,
  below: () => 0,
  fork: () => given(),
})

test('of one instant the event goes first that chance says, else the one that was armed first', (t) => {
  const clock = new Clock(given(3, 1, 2, 2, 1))
  for (const name of ['three', 'one', 'two', 'two again', 'one again']) clock.event(name, () => {}).armAt(10)
  t.deepEqual(fired(clock), ['one', 'one again', 'two', 'two again', 'three'])
})

test('an event is armed once, at its latest word, and not after it was taken or disarmed', (t) => {
  const clock = new Clock(createRandom(1))
  const event = clock.event('e', () => {})
  t.deepEqual([event.armed, event.name, clock.size, clock.next()], [false, 'e', 0, Infinity])
  event.disarm()
  event.armAt(100)
  event.armIn(50)
  t.deepEqual([event.armed, clock.size, clock.next(), clock.take()], [true, 1, 50, undefined])
  t.true(clock.advance(50))
  t.is(clock.take(), event)
  t.deepEqual([event.armed, clock.size, clock.next(), clock.take()], [false, 0, Infinity, undefined])
  event.armIn(50)
  t.is(clock.next(), 100)
  event.disarm()
  t.deepEqual([event.armed, clock.size, clock.next()], [false, 0, Infinity])
})

test('time moves by what is spent, to what is due, or to where it is told, and tells when something is due', (t) => {
  const clock = new Clock(createRandom(1))
  t.deepEqual([clock.advance(Infinity), clock.now()], [false, 0], 'there is nothing to go to')
  clock.event('e', () => {}).armAt(100)
  t.deepEqual([clock.spend(99), clock.due(), clock.spend(1), clock.due()], [false, false, true, true])
  clock.reach(90)
  t.is(clock.now(), 100)
  clock.reach(130)
  t.is(clock.now(), 130)
  t.deepEqual([clock.advance(Infinity), clock.now()], [true, 130], 'what is overdue is no reason to go back')
})

test('random arming, moving and disarming agrees with a sorted list', (t) => {
  const operation = fc.record({ which: fc.nat(14), at: fc.nat(40), tie: fc.nat(3), off: fc.nat(4) })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80, size: 'max' }), (operations) => {
      const ties = operations.map(({ tie }) => tie)
      let drawn = 0
      const clock = new Clock({ ...given(), next: () => ties[drawn++]! })
      const events = Array.from({ length: 15 }, (_, i) => clock.event(`${i}`, () => {}))
      let model: { name: string; at: number; tie: number; sequence: number }[] = []
      for (const { which, at, tie, off } of operations) {
        model = model.filter(({ name }) => name !== `${which}`)
        if (off === 0) {
          drawn++
          events[which]!.disarm()
        } else {
          model.push({ name: `${which}`, at, tie, sequence: drawn })
          events[which]!.armAt(at)
        }
        t.is(clock.size, model.length)
        t.is(clock.next(), Math.min(...model.map((one) => one.at)))
      }
      model.sort((a, b) => a.at - b.at || a.tie - b.tie || a.sequence - b.sequence)
      t.deepEqual(
        fired(clock),
        model.map(({ name }) => name),
      )
    }),
    { seed: 1, numRuns: 200 },
  )
})

test('a period that was missed is counted, and the next comes at its own multiple', (t) => {
  const clock = new Clock(createRandom(1))
  const event = clock.event('periodic', () => {})
  event.armAt(100)
  clock.reach(100)
  clock.take()
  t.deepEqual([event.again(50), event.time], [0, 150])
  clock.reach(199)
  clock.take()
  t.deepEqual([event.again(50), event.time], [0, 200])
  clock.reach(250)
  clock.take()
  t.deepEqual([event.again(50), event.time], [1, 300], 'due now is missed: it is to come later')
  clock.reach(455)
  clock.take()
  t.deepEqual([event.again(50), event.time], [3, 500])
})

test('with slack an event comes at the roundest instant there is; whole nanoseconds, where there are any', (t) => {
  const clock = new Clock(createRandom(1))
  const event = clock.event('e', () => {})
  const at = (ns: number, slack: number): number => (event.armWithin(ns, slack), event.time)
  const zeros = (n: number): number => (n === 0 ? 64 : 31 - Math.clz32(n & -n))
  for (let from = 0; from < 70; from++)
    for (let slack = 1; slack < 70; slack++) {
      const all = Array.from({ length: slack + 1 }, (_, i) => from + i)
      const most = Math.max(...all.map(zeros))
      const found = at(from, slack)
      if (found !== all.find((ns) => zeros(ns) === most)) t.fail(`${from} + ${slack}: ${found}`)
    }
  t.deepEqual([at(1000, 0), at(5.25, 0), at(5.25, 0.5), at(5.25, 0.75), at(5.5, 2)], [1000, 5.25, 5.75, 6, 6])
})
