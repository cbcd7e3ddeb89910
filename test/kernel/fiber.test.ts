/** A fiber, alone: without a kernel, a domain or a program. */
import test from 'ava'
import { CNode } from '../../kernel/capability.ts'
import { Fiber } from '../../kernel/fiber.ts'
import { IPC } from '../../kernel/message.ts'
import { IdleProcessor } from './processor.ts'

function scene(entry: (fiber: () => Fiber) => Promise<number | undefined>) {
  const processor = new IdleProcessor()
  const ended: unknown[] = []
  const told: unknown[] = []
  const domain = {
    id: 1,
    name: 'one',
    partition: processor.partition,
    capabilities: new CNode('one', 8),
    told: (id: number, outcome: number) => void told.push([id, outcome]),
    lent: () => {},
    resume: () => {},
    hurry: () => {},
    fiberEnded: (_: Fiber, error: unknown) => void ended.push(error),
  }
  const fiber: Fiber = new Fiber(domain, processor, 1, 'worker', { base: 0, top: 1024 }, () => entry(() => fiber), 16)
  return { processor, fiber, ended, told }
}

const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

test('it waits, is made ready once, and goes on', async (t) => {
  const outcomes: number[] = []
  const { processor, fiber, ended } = scene(async (self) => {
    outcomes.push(await self().suspend('blocked'))
    return 7
  })
  fiber.go()
  t.is(fiber.state, 'blocked')
  fiber.makeReady()
  fiber.makeReady()
  t.deepEqual(processor.asked, ['ready worker'], 'made ready once')
  fiber.go()
  await settle()
  t.deepEqual([outcomes, fiber.result, fiber.done, ended], [[0], 7, true, [undefined]])
})

test('a parked one that is disturbed goes on with what it was told', async (t) => {
  const { processor, fiber } = scene(async (self) => await self().suspend('parked'))
  fiber.go()
  fiber.makeReady()
  t.deepEqual([fiber.state, processor.asked], ['parked', []])
  fiber.disturb(9)
  t.deepEqual([fiber.state, fiber.disturbed, processor.asked], ['ready', true, ['ready worker']])
  fiber.go()
  await settle()
  t.is(fiber.result, 9)
})

test('a deadline takes it out of its conversation, and its program is told', (t) => {
  const { processor, fiber, told } = scene(() => new Promise(() => {}))
  fiber.go()
  fiber.party.wait = 'receive'
  t.is(fiber.waitLater(), IPC.LATER)
  fiber.deadline.armAt(100)
  processor.reach(99)
  t.deepEqual(processor.asked, [])
  processor.reach(100)
  t.deepEqual([processor.asked, told], [['cancel'], [[1, IPC.DEADLINE]]])
})

test('it may end before its entry returns, by an error', async (t) => {
  const reason = new Error('why')
  const fails = scene(() => Promise.reject(reason))
  fails.fiber.go()
  await settle()
  t.deepEqual([fails.fiber.error, fails.ended], [reason, [reason]])
})

test('abandoned, it is unwound with the reason, armed for nothing and told to nobody', async (t) => {
  const reason = new Error('the domain has ended')
  let unwound: unknown
  const { processor, fiber, ended } = scene(async (self) => {
    try {
      return await self().suspend('blocked')
    } catch (error) {
      unwound = error
      throw error
    }
  })
  fiber.go()
  fiber.deadline.armAt(100)
  fiber.abandon(reason)
  await settle()
  t.is(unwound, reason)
  t.deepEqual([fiber.done, fiber.error, fiber.deadline.armed, ended], [true, reason, false, []])
  t.deepEqual(processor.asked, ['withdraw worker'])
})

test('abandoned before it has started, it never does', async (t) => {
  let started = false
  const { fiber } = scene(() => {
    started = true
    return Promise.resolve(0)
  })
  fiber.abandon(new Error('ended'))
  await settle()
  t.false(started)
  t.true(fiber.done)
})
