import test from 'ava'
import { Kernel } from '../../kernel/kernel.ts'
import { DEFAULT_LIMITS } from '../../kernel/program.ts'
import { Partition } from '../../kernel/schedule.ts'
import { type Function, FUEL, IRQS_OFF, line, load, type Loaded, op, PENDING, STACK_POINTER } from './support.ts'

const limits = { ...DEFAULT_LIMITS, fuel: 2_000_000_000, busyNs: 100e9 }
const UNIT_NS = 5
/** Work in a millisecond. */
const MS = 1e6 / UNIT_NS

/** What the pipeline puts behind the counter: see pipeline/wasm/checks.ts. */
const exhausted: Function = {
  name: 'exhausted',
  body: [op.call('preempt'), op.global(FUEL), op.lessThanZero, op.if, op.call('resched'), op.end],
}
const count = [
  ...line(op.global(FUEL), op.value(1), op.sub, op.setGlobal(FUEL)),
  ...line(op.global(FUEL), op.lessThanZero, op.if, op.call('exhausted'), op.end),
]

/** Turns a loop that calls nothing, as often as its parameter says. */
const spin: Function = {
  name: 'spin',
  params: 1,
  body: [
    ...line(op.loop, ...count),
    ...line(op.local(0), op.value(1), op.sub, op.setLocal(0)),
    ...line(op.value(0), op.local(0), op.lessThan, op.againIf, op.end),
  ],
}
const forEver = 0x7fff_ffff

/** Sleeps `ns` at a time, `times` times, and notes each wake-up. */
const periodic: Function = {
  name: 'periodic',
  params: 2,
  body: [
    ...line(op.loop, op.local(0), op.call('block'), op.call('note')),
    ...line(op.local(1), op.value(1), op.sub, op.setLocal(1)),
    ...line(op.value(0), op.local(1), op.lessThan, op.againIf, op.end),
  ],
}

const hogs = [spin, exhausted]
const counted = { limits, counted: true }

/** The longest a fiber that sleeps 1 ms at a time was late, ns, beside whoever runs already. */
async function lateness(kernel: Kernel, priority: number): Promise<number> {
  let late = 0
  let due = kernel.clock.now() + 1e6
  const noted = (): void => {
    late = Math.max(late, kernel.clock.now() - due)
    due = kernel.clock.now() + 1e6
  }
  const client = load(kernel, 'client', [periodic], { ...counted, noted })
  const fiber = client.startAt(priority, 'periodic', 1e6, 100)
  due = kernel.clock.now() + 1e6
  await kernel.run(() => fiber.done, kernel.clock.now() + 10e9)
  return fiber.done ? late : Infinity
}

test('QNX: a hog that calls nothing does not delay a more urgent client of another domain', async (t) => {
  const kernel = new Kernel(1)
  const hog = load(kernel, 'hog', hogs, counted)
  hog.startAt(16, 'spin', forEver)
  await kernel.run(() => kernel.clock.now() > 1e6 || hog.domain.dead, 2e6)
  const late = await lateness(kernel, 40)
  // A look every 20,000 units of work: 100 us. The first wait begins in the middle of one.
  t.true(late <= 210_000, `${late} ns`)
  t.false(hog.domain.dead)
})

test('a hog that holds interrupts off for good delays it for a turn, as an equal does', async (t) => {
  const kernel = new Kernel(1)
  const held: Function = {
    name: 'held',
    body: [...line(op.value(IRQS_OFF), op.value(1), op.store), ...line(op.value(forEver), op.call('spin'))],
  }
  const hog = load(kernel, 'hog', [...hogs, held], { limits: { ...limits, fuel: 50 * MS }, counted: true })
  hog.startAt(16, 'held')
  const late = await lateness(kernel, 40)
  t.true(late > 3.9e6 && late <= 4e6 + 210_000, `${late} ns`)
  t.is(hog.domain.fault?.kind, 'endless-loop', 'and all that it does is bounded by work')
})

test('QNX: equals have turns, in loops that call nothing too', async (t) => {
  const kernel = new Kernel(1)
  const fibers = ['a', 'b', 'c'].map((name) => load(kernel, name, hogs, counted).start('spin', 100 * MS))
  await kernel.run(() => fibers.some((fiber) => fiber.done))
  // 100 ms of work each, in turns of 4 ms: the first to end is at most two turns ahead.
  const now = kernel.clock.now()
  t.true(now > 290e6 && now < 310e6, `${now / 1e6} ms`)
  await kernel.run(() => fibers.every((fiber) => fiber.done))
  t.true(kernel.clock.now() - now <= 9e6)
})

test('QNX: a partition gets its share under overload from programs that never let go', async (t) => {
  const kernel = new Kernel(1)
  const shares = { small: 0.2, large: 0.5, other: 0.3 }
  const parts = Object.entries(shares).map(([name, share]) => kernel.scheduler.add(new Partition(name, share)))
  // The smallest has the most urgent hogs.
  parts.forEach((partition, i) => {
    const hog = load(kernel, partition.name, hogs, { ...counted, partition })
    for (let k = 0; k < 3; k++) hog.startAt(60 - 20 * i, 'spin', forEver)
  })
  await kernel.run(() => false, 1e9)
  const before = parts.map(({ total }) => total)
  await kernel.run(() => false, 3e9)
  parts.forEach((partition, i) => {
    const share = (partition.total - before[i]!) / 2e9
    t.true(Math.abs(share - partition.share) < 0.02, `${partition.name}: ${share.toFixed(3)}`)
  })
})

test('QNX: interrupts of a domain without budget wait while others who have one want the processor', async (t) => {
  const kernel = new Kernel(1)
  const flooded = kernel.scheduler.add(new Partition('flooded', 0.1))
  const worker = kernel.scheduler.add(new Partition('worker', 0.9))
  // An interrupt every 1.5 ms, whose handler works for 1 ms.
  const handler: Function = {
    name: 'handler',
    body: [
      ...line(op.loop, op.call('idle'), op.call('take'), op.drop),
      ...line(op.value(MS), op.call('spin'), op.value(1), op.call('taken'), op.again, op.end),
    ],
  }
  const flood = load(kernel, 'flood', [handler, ...hogs], { ...counted, partition: flooded })
  flood.start('handler')
  let handled = 0
  const source = { mask() {}, unmask: () => true, begin: () => (handled++, true), end() {}, detach() {} }
  flood.domain.interrupts.add(1, source)
  const again = kernel.clock.event('again', () => {
    flood.domain.notify(1)
    again.armIn(1.5e6)
  })
  again.armIn(0)
  const work = load(kernel, 'work', hogs, { ...counted, partition: worker })
  const fiber = work.start('spin', 900 * MS)
  await kernel.run(() => fiber.done)
  const now = kernel.clock.now()
  t.true(now < 1.05e9, `900 ms of work took ${now / 1e6} ms`)
  t.true(flooded.total > 0.08 * now && flooded.total < 0.13 * now, `${flooded.total / 1e6} ms went to interrupts`)
  const before = handled
  await kernel.run(() => false, now + 150e6)
  t.true(handled - before > 95, 'nobody else wants it: they may have all')
})

test('a fiber that is stopped keeps its C stack, and so do those it is stopped for', async (t) => {
  const kernel = new Kernel(1)
  const keeper: Function = {
    name: 'keeper',
    params: 1,
    body: [
      ...line(op.global(STACK_POINTER), op.value(16), op.sub, op.setGlobal(STACK_POINTER)),
      ...line(op.global(STACK_POINTER), op.local(0), op.store),
      ...line(op.value(20 * MS), op.call('spin')),
      ...line(op.global(STACK_POINTER), op.load, op.call('note')),
      ...line(op.global(STACK_POINTER), op.value(16), op.add, op.setGlobal(STACK_POINTER)),
    ],
  }
  // What is asked of it while it is stopped uses the C stack too.
  const answer: Function = { ...keeper, name: 'answer', params: 0, locals: 1 }
  const programs = ['a', 'b'].map((name) => load(kernel, name, [keeper, answer, ...hogs], counted))
  const fibers = programs.flatMap(({ start }, i) => [start('keeper', 100 + i), start('keeper', 200 + i)])
  for (const { domain, exports } of programs)
    kernel.clock.event('asked', () => void domain.enter(exports['answer']!)).armAt(5e6)
  await kernel.run(() => fibers.every((fiber) => fiber.done))
  t.deepEqual(
    programs.map(({ notes }) => [...notes].toSorted((a, b) => a - b)),
    [
      [0, 100, 200],
      [0, 101, 201],
    ],
  )
})

test('a fiber is not stopped while its program holds interrupts off for less than a turn', async (t) => {
  const kernel = new Kernel(1)
  const held: Function = {
    name: 'held',
    body: [
      ...line(op.value(IRQS_OFF), op.value(1), op.store, op.value(1), op.call('note')),
      ...line(op.value(6 * MS), op.call('spin')),
      ...line(op.value(2), op.call('note'), op.value(IRQS_OFF), op.value(0), op.store),
      ...line(op.value(10 * MS), op.call('spin'), op.value(3), op.call('note')),
    ],
  }
  const order: string[] = []
  const noted = (value: number, { name }: { name: string }): void => void order.push(`${name} ${value}`)
  const low = load(kernel, 'low', [held, ...hogs], { ...counted, noted })
  const high = load(kernel, 'high', [periodic], { ...counted, noted })
  const fibers = [high.startAt(40, 'periodic', 3e6, 4), low.start('held')]
  await kernel.run(() => fibers.every((fiber) => fiber.done))
  t.deepEqual(order.slice(0, 3), ['low 1', 'low 2', 'high 1'])
  t.true(order.indexOf('low 3') > order.lastIndexOf('high 1') - 1)
})

test('an atomic entry is not stopped, and bounded by its work; a fiber that is stopped again and again is as well', async (t) => {
  const kernel = new Kernel(1)
  const short = { limits: { ...limits, fuel: 20 * MS }, counted: true }
  const entry: Function = { name: 'entry', body: [op.value(forEver), op.call('spin')] }
  const bad = load(kernel, 'bad', [entry, ...hogs], short)
  const worse = load(kernel, 'worse', hogs, short)
  const good = load(kernel, 'good', [periodic], counted)
  const fiber = good.startAt(40, 'periodic', 1e6, 200)
  kernel.clock.event('asked', () => void bad.domain.enter(bad.exports['entry']!)).armAt(1e6)
  worse.start('spin', forEver)
  await kernel.run(() => fiber.done)
  t.is(bad.domain.fault?.kind, 'endless-loop')
  t.is(worse.domain.fault?.kind, 'endless-loop')
  t.is(good.notes.length, 200)
})

test('nothing is left of a domain that is killed while its fiber is stopped', async (t) => {
  const kernel = new Kernel(1)
  const low = load(kernel, 'low', hogs, counted)
  const high = load(kernel, 'high', [periodic], counted)
  const stopped = low.start('spin', forEver)
  const fiber = high.startAt(40, 'periodic', 1e6, 10)
  await kernel.run(() => stopped.state === 'ready' && stopped.work > 0)
  low.domain.end()
  await kernel.run(() => fiber.done)
  t.true(stopped.done)
  t.true(Object.values(low.domain.remains()).every((left) => left === 0))
  t.is(kernel.scheduler.ready, 0)
})

test('the same seed stops the same fibers at the same places', async (t) => {
  const run = async (seed: number): Promise<string> => {
    const kernel = new Kernel(seed)
    const [client, other] = [1, 2].map((n) => load(kernel, `client ${n}`, [periodic], counted)) as [Loaded, Loaded]
    const fibers = [1, 2, 3].map((n) => load(kernel, `hog ${n}`, hogs, counted).start('spin', 30 * MS))
    fibers.push(client.startAt(40, 'periodic', 700_000, 50), other.startAt(40, 'periodic', 700_000, 50))
    await kernel.run(() => fibers.every((fiber) => fiber.done))
    return kernel.log.hash
  }
  t.is(await run(1), await run(1))
  t.not(await run(1), await run(2))
})

/** A module's check: where its work counter runs out, it looks for interrupts, as that of its kernel does not. */
const looking: Function = {
  name: 'looking',
  body: [
    ...line(op.call('exhausted'), op.value(PENDING), op.load, op.if),
    ...line(op.value(PENDING), op.value(0), op.store, op.call('take'), op.call('note'), op.end),
  ],
}
/** Turns of a loop of a module's that calls its kernel, which counts so many units of work on each. */
const caller: Function = {
  name: 'caller',
  params: 2,
  locals: 1,
  body: [
    ...line(op.loop, op.global(FUEL), op.value(1), op.sub, op.setGlobal(FUEL)),
    ...line(op.global(FUEL), op.lessThanZero, op.if, op.call('looking'), op.end),
    ...line(op.local(1), op.setLocal(2), op.loop, ...count),
    ...line(
      op.local(2),
      op.value(1),
      op.sub,
      op.setLocal(2),
      op.value(0),
      op.local(2),
      op.lessThan,
      op.againIf,
      op.end,
    ),
    ...line(
      op.local(0),
      op.value(1),
      op.sub,
      op.setLocal(0),
      op.value(0),
      op.local(0),
      op.lessThan,
      op.againIf,
      op.end,
    ),
  ],
}

test('a module in a loop is interrupted within a turn, however much of the loop is work of its kernel', async (t) => {
  for (let units = 1; units <= 60; units++) {
    const kernel = new Kernel(1)
    let late = 0
    let due = 1e6
    const noted = (): void => {
      late = Math.max(late, kernel.clock.now() - due)
      due = kernel.clock.now() + 1e6
      hog.domain.setTimer(due)
    }
    const hog = load(kernel, 'hog', [caller, looking, ...hogs], { ...counted, noted })
    const fiber = hog.start('caller', (20 * MS) / (units + 1), units)
    hog.domain.setTimer(due)
    await kernel.run(() => fiber.done)
    t.true(hog.notes.length >= 10 && late < 4e6, `${units}: ${hog.notes.length} timers heard, ${late} ns late at most`)
  }
})
