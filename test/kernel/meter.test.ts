/** What counts a domain's work, alone: without a kernel, a domain or a program's code. */
import test from 'ava'
import { DEFAULT_COSTS } from '../../kernel/costs.ts'
import { type Failure, KILLED } from '../../kernel/fault.ts'
import { Meter } from '../../kernel/meter.ts'
import { emptyProgram, IdleProcessor, limits } from './processor.ts'

const WORK_NS = 2
const SLICE = 1000

function scene(some: Parameters<typeof limits>[0] = {}, inFiber = true) {
  const processor = new IdleProcessor({ workNs: WORK_NS, workBetweenLooks: SLICE })
  const program = emptyProgram()
  const domain = {
    id: 1,
    name: 'one',
    awaited: false,
    deferred: false,
    attend: () => {},
    current: inFiber ? {} : undefined,
    depth: 0,
    dead: false,
  }
  const meter = new Meter(domain, processor, program, limits(some))
  /** The program counts `units`. */
  const work = (units: number): void => void ((program.fuel!.value as number) -= units)
  return { processor, program, domain, meter, work, left: (): number => program.fuel!.value as number }
}

test('work that was counted becomes time once it is accounted, and only once', (t) => {
  const { processor, meter, work } = scene()
  meter.begin()
  work(300)
  meter.account()
  t.is(processor.clock.now(), 300 * WORK_NS)
  meter.account()
  t.is(processor.clock.now(), 300 * WORK_NS)
  t.deepEqual(meter.run, [300, 300 * WORK_NS])
})

test('a range longer than memory counts, but takes no longer than all of memory would', (t) => {
  const { processor, meter, work } = scene()
  const most = SLICE + 65536 / 64
  meter.begin()
  work(most)
  meter.account()
  t.is(processor.clock.now(), most * WORK_NS)
  work(1 << 26)
  meter.account()
  t.is(processor.clock.now(), 2 * most * WORK_NS)
  t.is(meter.run[0], most + (1 << 26))
})

test('a charge is work like any other; a debt of more than a turn is accounted at once', (t) => {
  const { processor, meter, left } = scene()
  meter.begin()
  meter.charge(SLICE)
  t.is(processor.clock.now(), 0, 'the program finds it at its next look')
  meter.charge(SLICE)
  t.is(processor.clock.now(), 2 * SLICE * WORK_NS)
  t.is(left(), 0, 'and looks at once')
})

test('more work than the limit without blocking is a failure, however it was counted', (t) => {
  const { meter } = scene({ fuel: 5 * SLICE })
  meter.begin()
  const endless = { name: 'Failure', message: /loop turns and calls without blocking/ }
  t.throws(() => {
    for (;;) meter.charge(SLICE)
  }, endless)
  const other = scene({ fuel: 5 * SLICE })
  other.meter.begin()
  t.throws(() => {
    for (;;) {
      other.work(other.left() + 1)
      other.meter.preempt()
    }
  }, endless)
})

test('all that is allowed may be used, and not a unit more', (t) => {
  const { meter, work } = scene({ fuel: 2 * SLICE })
  meter.begin()
  for (let i = 0; i < 2; i++) {
    work(SLICE)
    t.notThrows(() => meter.preempt())
  }
  work(1)
  t.throws(() => meter.preempt(), { message: /without blocking/ })
})

test('work and time of a run are told from where it began', (t) => {
  const { processor, meter, work } = scene()
  t.deepEqual([meter.run[0], meter.hurried], [0, false])
  processor.reach(1000)
  meter.begin()
  t.deepEqual(meter.run, [0, 0])
  work(10)
  meter.account()
  meter.spend(30)
  t.deepEqual(meter.run, [10, 30 + 10 * WORK_NS])
  meter.relay()
  t.deepEqual(meter.run, [0, 0])
  meter.begin(7, 50)
  t.deepEqual(meter.run, [7, 50])
})

test('the next look is when something is due, but not at once and not later than ever', (t) => {
  const { processor, meter, left } = scene()
  meter.begin()
  const asked = Array.from({ length: 8 }, () => (meter.askSoon(), left()))
  t.true(
    asked.every((units) => units >= 512 && units < 1024),
    `${asked}`,
  )
  t.is(new Set(asked).size, 8, 'in step with no loop')
  processor.clock.event('soon', () => {}).armAt(10)
  meter.preempt()
  t.is(left(), 256)
  processor.reach(10)
  processor.clock.event('later', () => {}).armAt(processor.clock.now() + 600 * WORK_NS)
  meter.preempt()
  t.is(left(), 601)
})

test('a fiber that goes on is held to what it had used before it was stopped', (t) => {
  const { meter, work } = scene({ fuel: 2 * SLICE })
  meter.begin(2 * SLICE - 10, 50)
  work(SLICE)
  t.throws(() => meter.preempt(), { message: /without blocking/ })
})

test('busy for too long in virtual time is a failure too', (t) => {
  const { processor, meter } = scene({ busyNs: 10_000 })
  processor.reach(50_000)
  meter.begin()
  meter.spend(10_000)
  t.throws(() => meter.spend(1), { message: /^busy for/ })
})

test('events that become due fire while time is spent, and a domain that dies of one goes no further', (t) => {
  const { processor, domain, meter } = scene()
  meter.begin()
  const fired: string[] = []
  processor.clock.event('first', () => fired.push('first')).armAt(100)
  meter.spend(99)
  t.deepEqual(fired, [])
  meter.spend(1)
  t.deepEqual(fired, ['first'])
  processor.clock.event('deadly', () => void (domain.dead = true)).armAt(200)
  t.is(
    t.throws(() => meter.spend(100)),
    KILLED,
  )
})

test('the end of a turn is looked at in a fiber, and in no atomic entry', (t) => {
  for (const inFiber of [true, false]) {
    const { processor, meter } = scene({}, inFiber)
    processor.turnUntil = 500
    meter.begin()
    meter.spend(100)
    meter.spend(399)
    t.false(processor.asked.includes('turn over at 499'))
    meter.spend(1)
    t.deepEqual(
      processor.asked.filter((what) => what.startsWith('turn over')),
      inFiber ? ['turn over at 500'] : [],
    )
  }
})

test('made to hurry, a program looks at its next step, and what it had left is not charged', (t) => {
  const { processor, meter, work, left } = scene()
  meter.begin()
  work(100)
  meter.hurry()
  t.is(left(), 0)
  meter.account()
  t.is(processor.clock.now(), 100 * WORK_NS)
})

test('stopped, the counter stays below zero until it goes on', (t) => {
  const { meter, left } = scene()
  meter.begin()
  meter.stop()
  t.is(left(), -1)
  meter.goOn()
  t.is(left(), SLICE)
})

test('calls that take time in a row, without a look after it was made to hurry, are a failure after a turn of them', (t) => {
  const overdue = { name: 'Failure', message: /^(?:8|12) ms of calls in a row/ }
  const slice = DEFAULT_COSTS.sliceNs
  for (const step of ['spend', 'charge'] as const) {
    const { meter, processor } = scene({ fuel: Infinity })
    const call = (ns: number): void => (step === 'spend' ? meter.spend(ns) : meter.charge(ns / WORK_NS))
    meter.begin()
    call(2 * slice)
    meter.hurry()
    t.true(meter.hurried)
    call(slice)
    t.throws(() => call(slice), overdue, step)
    // Nobody else had a say where only its own tasks changed places.
    meter.relay()
    t.throws(() => call(slice), overdue, step)
    meter.preempt()
    t.false(meter.hurried)
    t.is(processor.accidents.length, 0)
  }
  for (const look of ['preempt', 'begin', 'askSoon', 'goOn'] as const) {
    const { meter } = scene()
    meter.begin()
    meter.hurry()
    meter.spend(slice)
    meter[look]()
    t.notThrows(() => meter.spend(slice), look)
  }
  const { meter } = scene()
  meter.begin()
  meter.stop()
  const thrown = t.throws(() => meter.spend(2 * slice), overdue, 'it was told to go')
  t.is((thrown as Failure).kind, 'endless-loop')
})

test('what became due by work that was counted fires at the next look, and what is worked there is counted', (t) => {
  const { processor, meter, work } = scene()
  const { clock } = processor
  meter.begin()
  const fired: number[] = []
  clock.event('due', () => (fired.push(clock.now()), work(10))).armAt(500)
  clock.event('next', () => {}).armAt(2000)
  work(300)
  meter.preempt()
  t.deepEqual(fired, [600])
  meter.account()
  t.deepEqual([clock.now(), meter.run[0]], [310 * WORK_NS, 310])
})

test('made to hurry, it gives up its last unit, and one that is stopped stays so', (t) => {
  const { meter, work, left } = scene()
  meter.begin()
  work(SLICE - 1)
  t.is(left(), 1)
  meter.hurry()
  t.is(left(), 0)
  meter.stop()
  meter.hurry()
  t.deepEqual([left(), meter.hurried], [-1, true])
})

test('the next look is when the turn ends, or the one after that; where it is overdue, as soon as time passes', (t) => {
  const { processor, meter } = scene()
  const looks: number[] = []
  processor.turnUntil = 500
  processor.turnOver = (now) => {
    looks.push(now)
    processor.turnUntil = now + 300
  }
  meter.begin()
  t.is(meter.nextLook, 500)
  processor.clock.spend(600)
  t.is(meter.nextLook, 601)
  for (const ns of [0, 299, 1]) meter.spend(ns)
  t.deepEqual([looks, meter.nextLook], [[600, 900], 1200])
})
