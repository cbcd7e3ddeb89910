/** Delivery to a domain, alone: without a kernel, a domain or a program's code. */
import test from 'ava'
import { Delivery } from '../../kernel/delivery.ts'
import type { Failure } from '../../kernel/fault.ts'
import type { InterruptSource } from '../../kernel/interrupts.ts'
import { emptyProgram, IdleProcessor, PENDING } from './processor.ts'

const LATENCY_NS = 700
const TIMER = 1000

/** A line that asks again until it is quiet. */
const line = (asserted: () => boolean, notify: () => void): InterruptSource => ({
  mask: () => {},
  unmask: () => true,
  begin: () => true,
  end: () => {
    if (asserted()) notify()
  },
  detach: () => {},
})
const quiet = line(
  () => false,
  () => {},
)

function scene(interruptJitterNs = 1) {
  const processor = new IdleProcessor({ interruptLatencyNs: LATENCY_NS, interruptJitterNs })
  const program = emptyProgram()
  const domain = {
    id: 1,
    name: 'one',
    awaited: false,
    slackNs: 0,
    dead: false,
    roused: 0,
    attend: () => delivery.attend(),
    rouse: (): void => void domain.roused++,
  }
  const delivery: Delivery = new Delivery(domain, processor, program, program.words)
  const pending = (): number => program.words[PENDING >> 2]!
  return { processor, domain, delivery, pending }
}

test('an interrupt arrives once its latency has passed: the program is told, and takes it', (t) => {
  const { processor, domain, delivery, pending } = scene()
  delivery.interrupts.add(5, quiet)
  delivery.notify(5)
  delivery.attend()
  t.deepEqual([delivery.take(TIMER), pending(), domain.roused], [-1, 0, 0])
  processor.reach(LATENCY_NS - 1)
  t.deepEqual(processor.asked, [])
  processor.reach(LATENCY_NS)
  t.deepEqual(processor.asked, ['attention one'])
  delivery.attend()
  t.deepEqual([pending(), domain.roused], [1, 1])
  t.deepEqual([delivery.take(TIMER), delivery.take(TIMER)], [5, -1])
})

test('what comes while one is on its way arrives with it, and what nobody listens to does not come', (t) => {
  const { processor, delivery } = scene()
  delivery.notify(9)
  t.is(delivery.timers, 0)
  for (const irq of [0, 5]) delivery.interrupts.add(irq, quiet)
  delivery.notify(5)
  processor.reach(LATENCY_NS / 2)
  delivery.notify(0)
  delivery.notify(9)
  processor.reach(LATENCY_NS)
  const taken = [delivery.take(TIMER), delivery.take(TIMER), delivery.take(TIMER)]
  t.deepEqual(taken.toSorted(), [-1, 0, 5])
})

test('chance makes it later than the latency, and never earlier', (t) => {
  const { processor, delivery } = scene(200)
  delivery.interrupts.add(5, quiet)
  for (let i = 0; i < 20; i++) {
    const from = processor.clock.now()
    delivery.notify(5)
    processor.reach(from + LATENCY_NS - 1)
    t.false(delivery.waiting)
    processor.reach(from + LATENCY_NS + 200)
    t.is(delivery.take(TIMER), 5)
    delivery.done(5)
  }
})

test('a timer that is put off for good does not come; what is taken is written down', (t) => {
  const { processor, delivery } = scene()
  delivery.setTimer(100)
  delivery.setTimer(Infinity)
  t.is(delivery.timers, 0)
  processor.reach(200)
  t.false(delivery.waiting)
  delivery.interrupts.add(5, quiet)
  delivery.notify(5)
  delivery.setTimer(300)
  processor.reach(2000)
  t.deepEqual([delivery.take(TIMER), delivery.take(TIMER)], [5, TIMER])
  t.deepEqual(
    processor.log.lines().map((record) => /interrupt|timer/.exec(record)?.[0]),
    ['interrupt', 'timer'],
  )
})

test('interrupts are taken first, then the timer, then what was raised, each once', (t) => {
  const { processor, delivery } = scene()
  delivery.interrupts.add(5, quiet)
  delivery.raise(70)
  delivery.raise(71)
  delivery.raise(70)
  delivery.setTimer(100)
  delivery.notify(5)
  processor.reach(LATENCY_NS)
  t.true(delivery.waiting)
  t.deepEqual(
    Array.from({ length: 5 }, () => delivery.take(TIMER)),
    [5, TIMER, 70, 71, -1],
  )
  t.false(delivery.waiting)
})

test('a timer that is armed anew is not due for what it was armed for before', (t) => {
  const { processor, delivery } = scene()
  delivery.setTimer(100)
  t.is(delivery.timerInNs, 100)
  processor.reach(100)
  delivery.setTimer(500)
  t.is(delivery.take(TIMER), -1)
  t.is(delivery.timerInNs, 400)
  processor.reach(500)
  t.is(delivery.take(TIMER), TIMER)
  t.is(delivery.timerInNs, Infinity)
})

test('what was taken meanwhile is nothing to be told of, nor is anything to one that has ended', (t) => {
  const { processor, domain, delivery, pending } = scene()
  delivery.raise(70)
  t.deepEqual([processor.asked, delivery.waiting], [['attention one'], true])
  delivery.take(TIMER)
  delivery.attend()
  t.deepEqual([pending(), domain.roused], [0, 0])
  delivery.raise(70)
  domain.dead = true
  delivery.attend()
  t.deepEqual([pending(), domain.roused], [0, 0])
})

test('a line that nobody silences fails its driver in the end', (t) => {
  const { processor, delivery } = scene()
  delivery.interrupts.add(
    5,
    line(
      () => true,
      () => delivery.notify(5),
    ),
  )
  delivery.notify(5)
  const deliver = (turn: number): void => {
    processor.reach(turn * LATENCY_NS)
    t.is(delivery.take(TIMER), 5)
    delivery.done(5)
  }
  for (let turn = 1; turn <= 100_000; turn++) deliver(turn)
  const thrown = t.throws(() => deliver(100_001), { message: /^interrupt 5 stays asserted after 100000 deliveries/ })
  t.is((thrown as Failure).kind, 'endless-loop')
})

test('stopped, nothing is armed and nobody listens', (t) => {
  let detached = 0
  const { delivery } = scene()
  delivery.interrupts.add(5, { ...quiet, detach: () => detached++ })
  delivery.setTimer(100)
  delivery.notify(5)
  t.is(delivery.timers, 2)
  delivery.stop()
  t.deepEqual([delivery.timers, delivery.interrupts.count, detached], [0, 0, 1])
})
