/** Delivery to a domain, alone: without a kernel, a domain or a program's code. */
import test from 'ava'
import { Delivery } from '../../kernel/delivery.ts'
import type { InterruptSource } from '../../kernel/interrupts.ts'
import type { Program } from '../../kernel/program.ts'
import { emptyProgram, IdleProcessor, IRQS_OFF, PENDING } from './processor.ts'

const LATENCY_NS = 700

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

function scene(entries: Partial<Program> = {}) {
  const processor = new IdleProcessor({ interruptLatencyNs: LATENCY_NS, interruptJitterNs: 1 })
  const program = emptyProgram(entries)
  const failures: string[] = []
  const domain = {
    id: 1,
    name: 'one',
    awaited: false,
    deferred: false,
    partition: processor.partition,
    slackNs: 0,
    dead: false,
    attend: () => delivery.attend(),
    enter: (entry: (...args: number[]) => number | void, a = 0): number => entry(a) ?? 0,
    fail: (cause: unknown): void => {
      domain.dead = true
      failures.push((cause as Error).message)
    },
    rouse: (): void => {},
  }
  const delivery: Delivery = new Delivery(domain, processor, program, program.words)
  return { processor, program, domain, delivery, failures }
}

test('an interrupt arrives once its latency has passed, and is delivered when the domain is attended', (t) => {
  const taken: number[] = []
  const { processor, delivery } = scene({ interrupt: (number) => void taken.push(number) })
  delivery.interrupts.add(
    5,
    line(
      () => false,
      () => {},
    ),
  )
  delivery.notify(5)
  delivery.attend()
  t.deepEqual(taken, [])
  processor.reach(LATENCY_NS - 1)
  t.deepEqual(processor.asked, [])
  processor.reach(LATENCY_NS)
  t.deepEqual(processor.asked, ['attention one'])
  delivery.attend()
  delivery.attend()
  t.deepEqual(taken, [5])
})

test('what comes while interrupts are off sets the pending word, and is delivered on request', (t) => {
  const taken: number[] = []
  const { processor, program, delivery } = scene({ timer: () => void taken.push(-1) })
  program.words[IRQS_OFF >> 2] = 1
  delivery.setTimer(100)
  processor.reach(100)
  delivery.attend()
  t.deepEqual(taken, [])
  t.is(program.words[PENDING >> 2], 1)
  program.words[IRQS_OFF >> 2] = 0
  delivery.deliver()
  t.deepEqual(taken, [-1])
  t.is(program.words[PENDING >> 2], 0)
})

test('hard entries come one at a time, and the softirq after them', (t) => {
  const order: string[] = []
  const { processor, delivery } = scene({
    timer: () => {
      order.push('timer begins')
      delivery.kick()
      delivery.attend()
      order.push('timer ends')
    },
    softirq: () => void order.push('softirq'),
  })
  delivery.setTimer(10)
  processor.reach(10)
  delivery.attend()
  t.deepEqual(order, ['timer begins', 'timer ends', 'softirq'])
})

test('a softirq that asks for itself lets others have a turn after a few rounds', (t) => {
  let rounds = 0
  const { processor, delivery } = scene({
    softirq: () => {
      rounds++
      delivery.kick()
    },
  })
  delivery.kick()
  processor.asked.length = 0
  delivery.attend()
  t.is(rounds, 8)
  t.is(processor.asked.at(-1), 'later one')
})

test('without budget it waits, and only if there is something to deliver', (t) => {
  let softirqs = 0
  const { processor, delivery } = scene({ softirq: () => void softirqs++ })
  processor.gives.overdrawn = true
  delivery.attend()
  t.deepEqual(processor.asked, [])
  delivery.kick()
  processor.asked.length = 0
  delivery.attend()
  t.deepEqual([softirqs, processor.asked], [0, ['later one']])
  processor.gives.overdrawn = false
  delivery.attend()
  t.is(softirqs, 1)
})

test('a line that nobody silences fails its driver in the end', (t) => {
  let taken = 0
  const { processor, domain, delivery, failures } = scene({ interrupt: () => void taken++ })
  delivery.interrupts.add(
    5,
    line(
      () => true,
      () => delivery.notify(5),
    ),
  )
  delivery.notify(5)
  for (let i = 1; !domain.dead && i < 200_000; i++) {
    processor.reach(i * LATENCY_NS)
    delivery.attend()
  }
  t.is(failures.length, 1)
  t.regex(failures[0]!, /^interrupt 5 stays asserted after 100000 deliveries/)
  t.is(taken, 100_001)
})

test('a timer that is armed for now again and again fails its driver in the end', (t) => {
  const { processor, domain, delivery, failures } = scene({ timer: () => delivery.setTimer(0) })
  delivery.setTimer(0)
  for (let i = 0; !domain.dead && i < 200_000; i++) {
    processor.dispatch()
    delivery.attend()
  }
  t.deepEqual(failures, ['the timer was armed 100000 times in a row for no later than now'])
})

test('stopped, nothing is armed and nobody listens', (t) => {
  let detached = 0
  const { delivery } = scene()
  delivery.interrupts.add(5, { ...line(() => false, Function.prototype as () => void), detach: () => detached++ })
  delivery.setTimer(100)
  delivery.notify(5)
  t.is(delivery.timers, 2)
  delivery.stop()
  t.deepEqual([delivery.timers, delivery.interrupts.count, detached], [0, 0, 1])
})
