import test from 'ava'
import { NOTHING } from '../../kernel/domain.ts'
import { Kernel } from '../../kernel/kernel.ts'
import type { Fiber } from '../../kernel/fiber.ts'
import { DEFAULT_LIMITS } from '../../kernel/program.ts'
import { type Function, FUEL, line, load, type Loaded, op } from './support.ts'

/** Work in a millisecond. */
const MS = 200_000

const exhausted: Function = {
  name: 'exhausted',
  body: [op.call('preempt'), op.global(FUEL), op.lessThanZero, op.if, op.call('resched'), op.end],
}
const spin: Function = {
  name: 'spin',
  params: 1,
  body: [
    ...line(op.loop, op.global(FUEL), op.value(1), op.sub, op.setGlobal(FUEL)),
    ...line(op.global(FUEL), op.lessThanZero, op.if, op.call('exhausted'), op.end),
    ...line(op.local(0), op.value(1), op.sub, op.setLocal(0)),
    ...line(op.value(0), op.local(0), op.lessThan, op.againIf, op.end),
  ],
}
const tell: Function = { name: 'tell', body: [op.value(1), op.call('note')] }
const counted = { limits: { ...DEFAULT_LIMITS, fuel: 100 * MS }, counted: true }

/** A fiber with 10 ms of work, and what is posted a millisecond after it has begun. */
function busy(kernel: Kernel, posted: (fiber: Fiber, hog: Loaded) => void): { fiber: Fiber; hog: Loaded } {
  const hog = load(kernel, 'hog', [spin, exhausted], counted)
  const fiber = hog.start('spin', 10 * MS)
  kernel.clock.event('post', () => kernel.post(() => posted(fiber, hog))).armIn(1e6)
  return { fiber, hog }
}

test('what is posted is done on top of a fiber that runs, as if it were not there', async (t) => {
  const kernel = new Kernel(1)
  const seen: unknown[] = []
  const { fiber, hog } = busy(kernel, () => seen.push(fiber.state, fiber.suspended, kernel.current, hog.domain.current))
  t.is(await kernel.run(() => fiber.done), 'stopped')
  t.deepEqual(seen, ['ready', false, undefined, undefined])
  const ms = kernel.clock.now() / 1e6
  t.true(ms >= 10 && ms < 10.1, `${ms} ms: its work is counted over it`)
})

test('a domain that is ended there goes with its frames', async (t) => {
  const kernel = new Kernel(1)
  const { fiber, hog } = busy(kernel, () => hog.domain.end())
  t.is(await kernel.run(() => hog.domain.quiet), 'stopped')
  t.true(fiber.done)
  t.deepEqual(hog.domain.remains(), NOTHING)
  t.is(kernel.accidentCount, 0)
  const next = load(kernel, 'next', [tell])
  const other = next.start('tell')
  t.is(await kernel.run(() => other.done), 'stopped')
})

test('who becomes ready there and is more urgent goes first', async (t) => {
  const kernel = new Kernel(1)
  const order: string[] = []
  const client = load(kernel, 'client', [tell], { noted: () => void order.push(`told, hog ${hog.state}`) })
  const { fiber: hog } = busy(kernel, () => void client.startAt(40, 'tell'))
  t.is(await kernel.run(() => hog.done), 'stopped')
  t.deepEqual(order, ['told, hog ready'])
})

test('a run ends with the turn in which it is to end: what was posted meanwhile waits for the next one', async (t) => {
  const kernel = new Kernel(1)
  let [stop, later] = [false, false]
  const { fiber } = busy(kernel, () => {
    stop = true
    kernel.post(() => void (later = true))
  })
  t.is(await kernel.run(() => stop), 'stopped')
  t.deepEqual([fiber.done, later], [false, false])
  t.is(await kernel.run(() => fiber.done), 'stopped')
  t.true(later)
})

test('and at its limit, when that passes there', async (t) => {
  const kernel = new Kernel(1)
  const { fiber } = busy(kernel, () => kernel.clock.reach(6e6))
  t.is(await kernel.run(() => fiber.done, 5e6), 'limit')
  t.false(fiber.done)
  t.is(await kernel.run(() => fiber.done), 'stopped')
})
