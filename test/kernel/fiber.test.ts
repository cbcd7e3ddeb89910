/** A fiber, alone: without a kernel, a domain or a program. */
import test from 'ava'
import { CNode } from '../../kernel/capability.ts'
import { Fiber } from '../../kernel/fiber.ts'
import { IPC } from '../../kernel/message.ts'
import { IdleProcessor } from './processor.ts'

function scene(entry: (fiber: () => Fiber) => Promise<number | undefined>) {
  const processor = new IdleProcessor()
  const ended: unknown[] = []
  const domain = {
    id: 1,
    name: 'one',
    partition: processor.partition,
    capabilities: new CNode('one', 8),
    preempted: undefined,
    polls: false,
    told: () => {},
    lent: () => {},
    resume: () => {},
    hurry: () => {},
    wake: () => {},
    fail: () => {},
    fiberEnded: (_: Fiber, error: unknown) => void ended.push(error),
  }
  const fiber: Fiber = new Fiber(domain, processor, 1, 'worker', { base: 0, top: 1024 }, () => entry(() => fiber), 16)
  return { processor, fiber, ended }
}

const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

test('it suspends, is woken, and goes on with what it was woken with', async (t) => {
  const outcomes: number[] = []
  const { processor, fiber, ended } = scene(async (self) => {
    outcomes.push(await self().suspend('blocked'))
    return 7
  })
  fiber.go()
  t.is(fiber.state, 'blocked')
  fiber.makeReady(3)
  fiber.makeReady(4)
  t.deepEqual(processor.asked, ['ready worker'], 'woken once')
  fiber.go()
  await settle()
  t.deepEqual([outcomes, fiber.result, fiber.done, ended], [[3], 7, true, [undefined]])
})

test('handed a message, it goes on in the place of who sent it', async (t) => {
  const { processor, fiber } = scene(async (self) => await self().suspend('blocked'))
  fiber.go()
  fiber.handOver(9)
  t.deepEqual(processor.asked, ['hand over worker'])
  fiber.go()
  await settle()
  t.is(fiber.result, 9)
})

test('a deadline wakes it with 1; in a conversation it takes it out of that first', async (t) => {
  const plain = scene(async (self) => await self().suspend('blocked'))
  plain.fiber.go()
  plain.fiber.deadline.armAt(100)
  plain.processor.reach(100)
  plain.fiber.go()
  await settle()
  t.is(plain.fiber.result, 1)
  const talking = scene(async (self) => await self().suspend('blocked'))
  talking.fiber.go()
  talking.fiber.party.wait = 'receive'
  talking.fiber.deadline.armAt(100)
  talking.processor.reach(100)
  t.deepEqual(talking.processor.asked, ['cancel', 'ready worker'])
  talking.fiber.go()
  await settle()
  t.is(talking.fiber.result, IPC.DEADLINE)
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
