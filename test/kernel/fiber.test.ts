/** A fiber, alone: without a kernel, a domain or a program. */
import test from 'ava'
import { CNode } from '../../kernel/capability.ts'
import { Fiber, PRIORITY_NORMAL } from '../../kernel/fiber.ts'
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
  t.deepEqual([fiber.state, fiber.suspended], ['running', false])
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

test('it begins with what it was given, on top of its stack, with a whole turn, and nothing done yet', (t) => {
  const { processor, fiber } = scene(() => new Promise(() => {}))
  const { id, name, base, effective, queuedAt, state, argument, disturbed, stackPointer, turnLeft, work } = fiber
  t.deepEqual(
    { id, name, base, effective, queuedAt, state, argument, disturbed, stackPointer, turnLeft, work },
    {
      id: 1,
      name: 'worker',
      base: 16,
      effective: 16,
      queuedAt: -1,
      state: 'ready',
      argument: 0,
      disturbed: false,
      stackPointer: 1024,
      turnLeft: processor.costs.sliceNs,
      work: 0,
    },
  )
  t.deepEqual([fiber.done, fiber.suspended, fiber.conversing, fiber.conversation], [false, false, false, undefined])
  t.deepEqual(
    [fiber.partition, fiber.deadline.name, PRIORITY_NORMAL],
    [processor.partition, 'one: fiber 1 deadline', 16],
  )
})

test('since when it waits is known, whether it is suspended or only pauses', (t) => {
  const { processor, fiber } = scene((self) => self().suspend('blocked'))
  processor.clock.spend(70)
  fiber.go()
  t.deepEqual([fiber.state, fiber.suspended, fiber.stoppedNs], ['blocked', true, 70])
  processor.clock.spend(30)
  fiber.pause('ready')
  t.deepEqual([fiber.state, fiber.stoppedNs], ['ready', 100])
})

test('what it was told when it was disturbed is told once', async (t) => {
  for (const again of ['suspend', 'pause'] as const) {
    const outcomes: number[] = []
    const { fiber } = scene(async (self) => {
      outcomes.push(await self().suspend('parked'))
      outcomes.push(await self().suspend('parked'))
      return 0
    })
    fiber.go()
    fiber.disturb(9)
    if (again === 'pause') fiber.pause('ready')
    fiber.go()
    await settle()
    fiber.go()
    await settle()
    t.deepEqual(outcomes, again === 'pause' ? [0, 0] : [9, 0])
    t.true(fiber.done)
  }
})

test('it has one side in conversations, is in one while that waits for something, and takes leave when it ends', async (t) => {
  for (const end of ['return', 'abandon'] as const) {
    let back: (value: number) => void
    const { processor, fiber } = scene(() => new Promise((resolve) => void (back = resolve)))
    fiber.go()
    const { party } = fiber
    t.deepEqual([fiber.party, fiber.conversation, fiber.conversing], [party, party, false])
    t.deepEqual([party.thread.name, party.capabilities], ['worker', fiber.domain.capabilities])
    party.wait = 'receive'
    t.true(fiber.conversing)
    if (end === 'return') back!(0)
    else fiber.abandon(new Error('ended'))
    await settle()
    t.deepEqual(processor.asked, end === 'return' ? ['leave'] : ['withdraw worker', 'leave'])
  }
})

test('it ends once: abandoned when it has ended or still runs, it is what it was', async (t) => {
  const reason = new Error('the domain has ended')
  const { fiber, ended } = scene(() => Promise.resolve(5))
  fiber.go()
  fiber.abandon(reason)
  t.deepEqual([fiber.state, fiber.error], ['running', undefined], 'its frames are on the stack')
  await settle()
  t.deepEqual([fiber.state, fiber.result, fiber.error, ended], ['done', 5, undefined, [undefined]])
  fiber.abandon(reason)
  t.is(fiber.error, undefined)
})

test('one that was abandoned while it waited is not told to go on, nor does it say that it ended', async (t) => {
  const { fiber, ended } = scene((self) => self().suspend('blocked'))
  fiber.go()
  fiber.abandon(new Error('ended'))
  fiber.abandon(new Error('again'))
  t.deepEqual([fiber.suspended, (fiber.error as Error).message], [false, 'ended'])
  fiber.makeReady()
  t.is(fiber.state, 'done')
  await settle()
  t.deepEqual(ended, [])
})

test('an entry that fails with nothing fails all the same', async (t) => {
  const { fiber, ended } = scene(() => Promise.reject(undefined as unknown as Error))
  fiber.go()
  await settle()
  t.deepEqual([(fiber.error as Error).message, ended.length], ['fiber failed', 1])
})
