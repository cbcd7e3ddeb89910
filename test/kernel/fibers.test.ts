import test from 'ava'
import { Kernel } from '../../kernel/kernel.ts'
import { NOTHING } from '../../kernel/domain.ts'
import { DEFAULT_LIMITS } from '../../kernel/program.ts'
import type { FaultKind } from '../../kernel/fault.ts'
import { type Function, FUEL, line, load, op, PENDING, STACK_POINTER } from './support.ts'
import { TIMER } from './tasks.ts'

const limits = DEFAULT_LIMITS

/** Puts its argument on the C stack, blocks for `arg` ns, notes what it then finds there. */
const sleeper: Function = {
  name: 'sleeper',
  params: 1,
  result: true,
  body: [
    ...line(op.global(STACK_POINTER), op.value(16), op.sub, op.setGlobal(STACK_POINTER)),
    ...line(op.global(STACK_POINTER), op.local(0), op.store),
    ...line(op.local(0), op.call('block'), op.drop),
    ...line(op.global(STACK_POINTER), op.load, op.call('note')),
    ...line(op.global(STACK_POINTER), op.value(16), op.add, op.setGlobal(STACK_POINTER)),
    op.local(0),
  ],
}

test('a blocked fiber goes on at its deadline, in virtual time', async (t) => {
  const kernel = new Kernel(1)
  const { start, notes } = load(kernel, 'd', [sleeper])
  const fiber = start('sleeper', 1_000_000)
  t.is(await kernel.run(() => fiber.done), 'stopped')
  t.is(fiber.result, 1_000_000)
  t.deepEqual(notes, [1_000_000])
  t.true(kernel.clock.now() >= 1_000_000 && kernel.clock.now() < 1_010_000)
})

test('two sleeping fibers keep their own C stacks', async (t) => {
  const kernel = new Kernel(1)
  const { start, notes, domain } = load(kernel, 'd', [sleeper], { limits })
  const fibers = [start('sleeper', 3000), start('sleeper', 1000), start('sleeper', 2000)]
  await kernel.run(() => fibers.every((fiber) => fiber.done))
  t.deepEqual(notes, [1000, 2000, 3000])
  t.deepEqual(domain.remains(), NOTHING)
})

test('blocking in an atomic entry is a failure of the domain', async (t) => {
  const kernel = new Kernel(1)
  const sleepy: Function = { name: 'sleepy', body: [op.value(5), op.call('block'), op.drop] }
  const { exports, domain } = load(kernel, 'd', [sleepy])
  kernel.clock.event('entry', () => void domain.enter(exports['sleepy']!)).armAt(100)
  await kernel.run(() => domain.dead, 1e6)
  t.is(domain.fault?.kind, 'sleep-in-atomic')
  await kernel.run(() => false, 1e9)
  t.deepEqual(domain.remains(), NOTHING)
})

const trap = (name: string, ...body: Function['body']): Function => ({ name, body })
const TRAPS: readonly (readonly [kind: FaultKind, f: Function])[] = [
  ['unreachable', trap('f', op.unreachable)],
  ['memory-access', trap('f', op.value(-1), op.load, op.drop)],
  ['divide-by-zero', trap('f', op.value(1), op.value(0), op.divide, op.drop)],
  ['stack-overflow', trap('f', op.call('f'))],
  ['stack-overflow', trap('f', op.call('overflow'))],
]

for (const [kind, f] of TRAPS) {
  test(`${kind} ends only its domain: ${JSON.stringify(f.body).slice(0, 30)}`, async (t) => {
    const kernel = new Kernel(1)
    const bad = load(kernel, 'bad', [f])
    const good = load(kernel, 'good', [sleeper])
    bad.start('f')
    const fiber = good.start('sleeper', 500)
    await kernel.run(() => fiber.done && bad.domain.dead)
    t.is(bad.domain.fault?.kind, kind)
    t.is(bad.domain.fault?.domain, 'bad')
    t.true(bad.domain.fault!.frames.length > 0)
    t.deepEqual(bad.domain.remains(), NOTHING)
    t.false(good.domain.dead)
    t.deepEqual(good.notes, [500])
  })
}

test('an endless loop that counts its work is stopped', async (t) => {
  const kernel = new Kernel(1)
  const spin: Function = {
    name: 'spin',
    body: [
      op.loop,
      ...line(op.global(FUEL), op.value(1), op.sub, op.setGlobal(FUEL)),
      ...line(op.global(FUEL), op.lessThanZero, op.if, op.call('preempt'), op.end),
      ...line(op.again, op.end),
    ],
  }
  const { start, domain } = load(kernel, 'd', [spin], { counted: true, limits: { ...limits, fuel: 1_000_000 } })
  start('spin')
  await kernel.run(() => domain.dead)
  t.is(domain.fault?.kind, 'endless-loop')
  t.true(kernel.clock.now() >= 5_000_000)
})

test('a busy wait without end is stopped', async (t) => {
  const kernel = new Kernel(1)
  const spin: Function = { name: 'spin', body: [op.loop, op.value(1_000_000), op.call('delay'), op.again, op.end] }
  const { start, domain } = load(kernel, 'd', [spin])
  start('spin')
  await kernel.run(() => domain.dead)
  t.is(domain.fault?.kind, 'endless-loop')
})

test('an interrupt that arrives is pending in the program’s own word, and whoever idles goes on to take it', async (t) => {
  const kernel = new Kernel(1)
  const taker: Function = {
    name: 'taker',
    body: [
      // Time is spent at once: the event fires behind the first, its latency passes in the second.
      ...line(op.value(5000), op.call('delay')),
      ...line(op.value(50_000), op.call('delay'), op.value(PENDING), op.load, op.call('note')),
      ...line(op.call('take'), op.call('note'), op.value(7), op.call('taken')),
      ...line(op.call('idle'), op.call('take'), op.call('note'), op.call('take'), op.call('note')),
    ],
  }
  const { start, domain, notes } = load(kernel, 'd', [taker])
  domain.interrupts.add(7, { mask() {}, unmask: () => true, begin: () => true, end() {}, detach() {} })
  kernel.clock.event('raise', () => domain.notify(7)).armAt(2000)
  domain.setTimer(200_000)
  const fiber = start('taker')
  await kernel.run(() => fiber.done)
  t.deepEqual(notes, [1, 7, TIMER, -1])
  t.true(kernel.clock.now() >= 200_000)
})

const interleave = async (seed: number): Promise<{ hash: string; notes: number[]; order: string }> => {
  const kernel = new Kernel(seed)
  const sleepers = [5, 6, 7, 8, 9].map((n) => load(kernel, `d${n}`, [sleeper], { limits }))
  const fibers = sleepers.map(({ start }) => start('sleeper', 10_000))
  await kernel.run(() => fibers.every((fiber) => fiber.done))
  const notes = sleepers.flatMap((one) => one.notes)
  return { hash: kernel.log.hash, notes, order: kernel.log.lines().join('\n') }
}

test('the same seed gives the same log, another seed another interleaving with the same result', async (t) => {
  const [one, again, other] = [await interleave(1), await interleave(1), await interleave(2)]
  t.deepEqual(one, again)
  t.not(one.hash, other.hash)
  t.not(one.order, other.order)
  t.deepEqual(one.notes, other.notes)
})

test('a killed domain leaves nothing, whatever its fibers were doing', async (t) => {
  const kernel = new Kernel(3)
  const { start, domain } = load(kernel, 'd', [sleeper], { limits })
  const blocked = start('sleeper', 1e9)
  await kernel.run(() => blocked.state === 'blocked')
  start('sleeper', 5)
  let ended = 0
  domain.capabilities.create({ type: 'test', label: 'test' }, { ended: () => ended++ })
  domain.end()
  t.is(ended, 1)
  t.is(kernel.clock.size, 0)
  t.is(await kernel.run(() => false), 'idle')
  t.deepEqual(domain.remains(), NOTHING)
})
