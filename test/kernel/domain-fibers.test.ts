/** A domain's fibers and tasks, on a processor that runs nobody: whose stack, whose work, who goes on and who may wait. */
import test from 'ava'
import { Domain, type FrozenTask } from '../../kernel/domain.ts'
import { KILLED } from '../../kernel/fault.ts'
import type { Fiber } from '../../kernel/fiber.ts'
import { Endpoint, Ipc, Notification } from '../../kernel/ipc.ts'
import { IPC } from '../../kernel/message.ts'
import type { Program } from '../../kernel/program.ts'
import { Scheduler } from '../../kernel/schedule.ts'
import { emptyProgram, IdleProcessor, IRQS_OFF, limits } from './processor.ts'

const TIMER = 1000
const SLICE = 4e6
const LOOK = 20_000
const UNIT_NS = 5
/** It looks again within so many units. */
const isSoon = (units: number): boolean => units >= 512 && units < 1024

function scene(more: Partial<Program> = {}, some: Parameters<typeof limits>[0] = {}) {
  const processor = new IdleProcessor()
  const program = emptyProgram(more)
  const domain = new Domain(processor, 1, 'one', program, processor.partition, limits(some))
  const stack = (): [pointer: number, limit: number] => [program.stackPointer.value, program.stackLimit!.value]
  /** Start a fiber and let it run, until it first waits. */
  const run = (body: (fiber: () => Fiber) => Promise<unknown>, name = 'worker'): Fiber => {
    const fiber: Fiber = domain.start(name, async () => (await body(() => fiber), 0))!
    processor.current = fiber
    domain.resume(fiber)
    return fiber
  }
  return { processor, program, domain, stack, run }
}

const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
const never = (): Promise<number> => new Promise(() => {})
const at = (base: number): { base: number; top: number } => ({ base, top: base + 4096 })

test('of the core’s own stack three parts in eight are for entries that interrupt nothing, the rest is the first fiber’s', (t) => {
  const { domain, stack, run } = scene()
  t.deepEqual(stack(), [24_576, 256])
  domain.enter(() => void t.deepEqual(stack(), [24_576, 256]))
  run(never)
  t.deepEqual(stack(), [65_536, 24_576 + 256])
  domain.enter(() => void t.deepEqual(stack(), [65_536, 24_576 + 256], 'it goes on top of what it interrupts'))
})

test('who goes on finds its stack as it left it, whoever was on it meanwhile', async (t) => {
  const { program, domain, stack, run } = scene()
  const second = domain.create(
    'second',
    async () => {
      program.stackPointer.value = 9000
      await domain.switchTo(first.id)
      t.deepEqual(stack(), [9000, 8192 + 256])
      return 0
    },
    [],
    at(8192),
  )
  const first: Fiber = run(async () => {
    program.stackPointer.value = 60_000
    await domain.switchTo(second)
    t.deepEqual(stack(), [60_000, 24_576 + 256])
    void domain.idle()
  })
  await settle()
  t.deepEqual(stack(), [60_000, 24_576 + 256], 'whoever was last is left there')
  domain.enter(() => void t.deepEqual(stack(), [24_576, 256]))
  program.stackPointer.value = 20_000
  domain.enter(() => void t.deepEqual(stack(), [20_000, 256], 'and so is nobody'))
  domain.resume(first)
  t.deepEqual(stack(), [60_000, 24_576 + 256])
  domain.current = undefined
  domain.resume(domain.fibers.get(second)!)
  await settle()
  t.is(domain.fault, undefined)
})

test('a program that does not check its stack has no limit set', (t) => {
  const { program, domain } = scene({ stackLimit: undefined })
  t.is(
    domain.enter(() => program.stackPointer.value),
    24_576,
  )
})

test('fibers have numbers from 1 on, the arguments they were given, and the priority of their domain unless told otherwise', async (t) => {
  const { processor, domain } = scene()
  domain.priority = 20
  const given: unknown[] = []
  const entry = async (...args: number[]): Promise<number> => (given.push(args), 0)
  const started = [domain.start('a', entry, [3, 4])!, domain.start('b', entry, [], undefined, 30)!]
  const made = [domain.create('c', entry, [5, 6], at(8192)), domain.create('d', entry, [], at(0))]
  t.deepEqual(
    [started.map(({ id }) => id), made],
    [
      [1, 2],
      [3, 4],
    ],
  )
  t.deepEqual(
    [...domain.fibers.values()].map(({ effective, state, argument }) => [effective, state, argument]),
    [
      [20, 'ready', 0],
      [30, 'ready', 0],
      [20, 'parked', 5],
      [20, 'parked', 0],
    ],
  )
  t.deepEqual(processor.asked, ['ready a', 'ready b'], 'the program says when its tasks go on')
  domain.resume(started[0]!)
  await settle()
  t.deepEqual(given, [[3, 4]])
})

test('over the quota, or once it has ended, a domain has no more fibers', (t) => {
  const { domain } = scene({}, { fibers: 2 })
  const more = (): unknown[] => [domain.start('a', never), domain.create('b', never, [], at(0))]
  domain.create('first', never, [], at(0))
  t.not(domain.start('second', never), undefined)
  t.deepEqual([more(), domain.ledger.refused.fibers], [[undefined, 0], 2])
  const other = scene({}, { fibers: 2 })
  other.domain.end()
  t.deepEqual([other.domain.start('a', never), other.domain.create('b', never, [], at(0))], [undefined, 0])
  t.deepEqual([other.domain.ledger.refused.fibers, other.domain.limits.fibers], [0, 2])
  const last = scene({}, { fibers: 1 })
  t.is(last.domain.create('the last', never, [], at(0)), 1)
})

test('who yields goes behind its equals, begins its account anew, and has worked a little', async (t) => {
  const { processor, domain, run } = scene()
  const fiber = run(async (self) => {
    domain.spend(700)
    self().work = 5
    await domain.yield()
  })
  t.deepEqual(processor.asked, ['ready worker', 'requeue worker, which gave up its turn', 'switched'])
  t.deepEqual([fiber.state, domain.current, fiber.work, fiber.busyNs], ['ready', undefined, 0, 0])
  domain.resume(fiber)
  await settle()
  t.is(processor.clock.now(), 700 + 200 * UNIT_NS)
  t.true(fiber.done)
})

test('a task goes on in the place of another at once: nobody is asked, and its account begins anew', async (t) => {
  const { processor, program, domain, run } = scene({}, { fuel: 1000 })
  const order: string[] = []
  const second = domain.create(
    'second',
    async () => {
      order.push('second')
      program.fuel!.value -= 900
      domain.account()
      await domain.switchTo(first.id)
      return 0
    },
    [],
    at(8192),
  )
  const first: Fiber = run(async (self) => {
    program.fuel!.value -= 900
    domain.account()
    const going = domain.switchTo(second)
    t.deepEqual([domain.current?.name, self().state, order], ['second', 'parked', []], 'not on this one’s stack')
    await going
    order.push('first')
    program.fuel!.value -= 900
    t.notThrows(() => domain.preempt(), 'it is not held to what it did before')
  }, 'first')
  await settle()
  t.deepEqual([order, domain.fault, first.done], [['second', 'first'], undefined, true])
  t.deepEqual(processor.asked, ['ready first', 'relay second', 'relay first', 'switched'])
})

test('a task that ends before it has begun never does', async (t) => {
  const { domain, run } = scene()
  let begun = false
  const second = domain.create('second', async () => ((begun = true), 0), [], at(8192))
  run(async () => {
    void domain.switchTo(second).catch(() => {})
    domain.end()
  })
  await settle()
  t.false(begun)
})

test('only what is parked can be switched to or released', async (t) => {
  const { domain, run } = scene()
  const wrong = { name: 'Failure' }
  const second = domain.create('second', never, [], at(8192))
  run(async (self) => {
    for (const id of [self().id, 77]) {
      t.throws(() => void domain.switchTo(id), { ...wrong, message: `switch to fiber ${id}, which is not parked` })
      t.throws(() => domain.release(id), { ...wrong, message: `release of fiber ${id}, which is not parked` })
    }
    domain.release(second)
    const failure = t.throws(() => void domain.switchTo(second), wrong) as Error & { kind: string }
    t.is(failure.kind, 'undefined-behaviour')
    t.is((t.throws(() => domain.release(second), wrong) as Error & { kind: string }).kind, 'undefined-behaviour')
  })
  await settle()
  t.deepEqual([domain.fibers.size, domain.fault], [0, undefined])
})

test('a task that is released is unwound', async (t) => {
  const { domain, run } = scene()
  let why: unknown
  const second = domain.create('second', never, [], at(8192))
  const first = run(async () => {
    try {
      await domain.switchTo(second)
    } catch (error) {
      why = error
    }
  })
  await settle()
  domain.release(first.id)
  await settle()
  t.deepEqual([why, first.done], [KILLED, true])
})

test('only a fiber may wait, where nothing is on top of it, and what it does is said', (t) => {
  const { domain, run } = scene()
  const ways: Record<string, () => unknown> = {
    yield: () => domain.yield(),
    idle: () => domain.idle(),
    resched: () => domain.resched(),
    switch: () => domain.switchTo(1),
    asking: () => domain.party('asking'),
  }
  const refused = (): void => {
    for (const [name, way] of Object.entries(ways)) {
      const said = t.throws(() => void way(), { message: `${name} called in an atomic entry` }) as Error & {
        kind: string
      }
      t.is(said.kind, 'sleep-in-atomic')
    }
  }
  refused()
  run(async () => void domain.enter(refused))
  t.is(domain.fault, undefined)
})

test('whoever is condemned fails the next time it waits, once its work has been counted', (t) => {
  const { processor, program, run, domain } = scene()
  run(async (self) => {
    self().condemned = 'serves nobody'
    program.fuel!.value -= 100
    const said = t.throws(() => void domain.idle(), { message: 'serves nobody' }) as Error & { kind: string }
    t.is(said.kind, 'hang')
  })
  t.is(processor.clock.now(), 100 * UNIT_NS)
})

test('what a conversation came to at once is its result; else it is an answer, at the latest at the deadline and what may be added', (t) => {
  const { processor, domain, run } = scene()
  const ipc = new Ipc(new Scheduler())
  domain.slackNs = 1000
  const bell = new Notification('bell')
  const fiber = run(async (self) => {
    t.is(domain.converse(9, 500), 9)
    t.false(self().deadline.armed)
    t.is(domain.converse(ipc.pause(domain.party('wait'), bell), 500), IPC.LATER)
    await never()
  })
  t.deepEqual([fiber.deadline.armed, fiber.deadline.time], [true, 1024])
  const waits = t.throws(() => domain.party('asking'), { message: /asking by a fiber that waits/ }) as Error & {
    kind: string
  }
  t.is(waits.kind, 'undefined-behaviour')
  processor.reach(1024)
  t.deepEqual(domain.answer(), { id: fiber.id, outcome: IPC.DEADLINE })
  const other = scene()
  const patient = other.run(async () => {
    other.domain.converse(ipc.pause(other.domain.party('wait'), new Notification('b')), Infinity)
    await never()
  })
  t.false(patient.deadline.armed, 'for ever')
})

test('who idles lets time pass, and is suspended where that brought it nothing', async (t) => {
  const { processor, program, domain, run } = scene()
  const outcomes: unknown[] = []
  const fiber = run(async (self) => {
    self().work = 7
    self().turnLeft = 5
    outcomes.push(await domain.idle())
  })
  t.deepEqual(processor.asked, ['ready worker', 'let time pass for worker', 'switched'])
  t.deepEqual([fiber.state, domain.current, domain.idles], ['blocked', undefined, true])
  t.deepEqual([fiber.work, fiber.busyNs, fiber.turnLeft], [0, 0, SLICE], 'it begins anew')
  domain.rouse()
  domain.rouse()
  t.deepEqual(processor.asked.slice(3), ['ready worker'])
  t.true(domain.idles, 'it has not run yet')
  domain.resume(fiber)
  t.false(domain.idles)
  program.fuel!.value = 50
  domain.rouse()
  t.is(program.fuel!.value, 0, 'it idles no more: it is made to look')
  await settle()
  t.deepEqual(outcomes, [0])
})

test('and goes on where it stands where it did', async (t) => {
  const { processor, domain, run } = scene()
  processor.gives.lull = true
  const seen: unknown[] = []
  const fiber = run(async (self) => {
    seen.push(domain.idle(), self().state, domain.current === self(), domain.idles)
    await never()
  })
  t.deepEqual(seen, [0, 'running', true, false])
  t.deepEqual([fiber.suspended, processor.asked.includes('switched')], [false, false])
})

test('it is suspended as one that could go on when it was roused and others go first, and unwound when it ended', async (t) => {
  for (const ends of [false, true]) {
    const { processor, domain, run } = scene()
    processor.lull = () => {
      domain.rouse()
      if (ends) domain.end()
      return false
    }
    let thrown: unknown
    const fiber = run(async () => {
      try {
        await domain.idle()
      } catch (error) {
        thrown = error
      }
    })
    t.deepEqual([fiber.state, thrown], ends ? ['done', KILLED] : ['ready', undefined])
    t.is(processor.asked.filter((what) => what === 'switched').length, 1)
  }
})

test('nobody idles for a timer that is as good as due, or while there is something to take', (t) => {
  const { processor, domain, run } = scene()
  run(async () => {
    domain.setTimer(2000)
    t.is(domain.idle(), 0)
    t.is(processor.clock.now(), 2000)
    t.is(domain.idle(), 0, 'it has not been taken')
    t.is(domain.take(TIMER), TIMER)
    domain.raise(7)
    t.is(domain.idle(), 0)
    t.is(domain.take(TIMER), 7)
    processor.clock.spend(10)
    domain.setTimer(processor.clock.now() + 2001)
    void domain.idle()
    t.is(processor.clock.now(), 2010)
    await never()
  })
  t.true(processor.asked.includes('let time pass for worker'))
  const late = scene()
  late.run(async () => {
    late.domain.setTimer(100)
    late.processor.clock.spend(300)
    t.is(late.domain.idle(), 0)
    t.is(late.processor.clock.now(), 300, 'time does not go back')
  })
})

test('a timer comes when it was asked for, or as much later as the domain allows; what was taken is done with', (t) => {
  const { processor, domain } = scene()
  const ends: string[] = []
  const source = { mask() {}, unmask: () => true, begin: () => true, end: () => void ends.push('end'), detach() {} }
  domain.interrupts.add(3, source)
  const { clock } = processor
  domain.setTimer(1001)
  t.is(clock.next(), 1001)
  domain.slackNs = 100
  domain.setTimer(1001)
  t.is(clock.next(), 1024)
  domain.notify(3)
  processor.reach(1024)
  t.deepEqual([domain.take(TIMER), ends], [3, []])
  domain.taken(3)
  t.deepEqual([ends, domain.take(TIMER), domain.take(TIMER)], [['end'], TIMER, -1])
})

test('where nobody idles, whoever runs is made to look', (t) => {
  const { program, domain, run } = scene()
  run(async () => {
    program.fuel!.value = 50
    domain.rouse()
    t.is(program.fuel!.value, 0)
  })
})

test('who must let others go keeps its account, and looks as often as before when it goes on', async (t) => {
  for (const goesOn of [true, false]) {
    const { processor, program, domain, run } = scene()
    processor.gives.giveWay = goesOn
    const seen: unknown[] = []
    const fiber = run(async (self) => {
      program.fuel!.value -= 40
      domain.spend(300)
      const going = domain.resched()
      seen.push(typeof going, self().state, program.fuel!.value, domain.current === self())
      await going
      seen.push(program.fuel!.value)
      program.fuel!.value -= 10
      domain.account()
      const again = domain.resched()
      t.deepEqual([self().work, self().busyNs], [50, 300.5 + 50 * UNIT_NS])
      await again
    })
    // A fiber is busy for half a nanosecond when it begins: see Fiber.
    t.deepEqual([fiber.work, fiber.busyNs], [40, 300.5 + 40 * UNIT_NS])
    await settle()
    const asked = ['ready worker', 'requeue worker', 'let others go before worker']
    t.deepEqual(processor.asked.slice(0, 4), goesOn ? [...asked, 'requeue worker'] : [...asked, 'switched'])
    if (!goesOn) domain.resume(fiber)
    await settle()
    t.deepEqual(seen, goesOn ? ['number', 'running', LOOK, true, LOOK] : ['object', 'ready', LOOK, false, LOOK])
  }
})

test('held off, interrupts keep a fiber from being stopped for a turn’s time; entries always do', (t) => {
  const { processor, program, domain, run } = scene()
  processor.gives.contended = true
  const stopped = (): boolean => {
    domain.preempt()
    return program.fuel!.value < 0
  }
  run(async () => {
    program.words[IRQS_OFF >> 2] = 1
    t.false(stopped())
    t.true(isSoon(program.fuel!.value), 'it is asked again soon')
    processor.clock.spend(SLICE - 1)
    t.false(stopped())
    processor.clock.spend(1)
    t.true(stopped())
    // Nobody wanted it in between: it has a turn's time again.
    processor.gives.contended = false
    t.false(stopped())
    processor.gives.contended = true
    t.false(stopped())
    program.words[IRQS_OFF >> 2] = 0
    t.true(stopped())
    domain.enter(() => void t.false(stopped()))
    const self = processor.current
    processor.current = undefined
    t.false(stopped(), 'another’s turn, on top of which an entry of this one’s runs')
    processor.current = self
    await never()
  })
  t.is(domain.fault, undefined)
})

test('who has something to take, and did not look, looks again soon; with interrupts off it need not', async (t) => {
  const { program, domain, run } = scene()
  run(async () => {
    domain.raise(7)
    domain.preempt()
    t.true(isSoon(program.fuel!.value))
    program.words[IRQS_OFF >> 2] = 1
    domain.preempt()
    t.is(program.fuel!.value, LOOK)
    await never()
  })
  await settle()
  t.is(domain.fault, undefined)
})

test('who goes on after it was stopped has held interrupts off since then only', async (t) => {
  const { processor, program, domain, run } = scene()
  processor.gives.contended = true
  program.words[IRQS_OFF >> 2] = 1
  const fiber = run(async () => {
    domain.preempt()
    processor.clock.spend(SLICE)
    await domain.resched()
    domain.preempt()
  })
  domain.resume(fiber)
  await settle()
  t.true(isSoon(program.fuel!.value))
})

test('in an entry that interrupts nothing nobody is stopped', (t) => {
  const { processor, program, domain } = scene()
  processor.gives.contended = true
  domain.enter(() => domain.preempt())
  t.true(program.fuel!.value > 0)
})

test('a busy wait lasts as long as it was asked to, a turn’s time at most, and not beyond what is to be taken', (t) => {
  const { processor, program, domain, run } = scene({}, { busyNs: 100e9 })
  const { clock } = processor
  const fired: number[] = []
  run(async () => {
    for (const ns of [100, 250]) clock.event('due', () => void fired.push(clock.now())).armAt(ns)
    t.deepEqual([domain.pass(300), clock.now(), fired], [0, 300, [100, 250]], 'event by event')
    t.is(domain.pass(0), 0)
    t.is(domain.pass(-5), 0)
    t.deepEqual([domain.pass(SLICE + 10), clock.now()], [10, 300 + SLICE])
    const start = clock.now()
    clock.event('raise', () => domain.raise(7)).armIn(40)
    program.words[IRQS_OFF >> 2] = 1
    t.deepEqual([domain.pass(50), clock.now() - start], [0, 50], 'interrupts are off')
    program.words[IRQS_OFF >> 2] = 0
    clock.event('between', () => {}).armIn(20)
    t.deepEqual([domain.pass(50), clock.now() - start], [30, 70], 'something is to be taken')
    domain.take(TIMER)
    clock.event('hurry', () => domain.hurry()).armIn(10)
    t.deepEqual([domain.pass(50), clock.now() - start], [40, 80], 'it is to look')
    t.deepEqual([domain.pass(50), clock.now() - start], [50, 80])
    domain.preempt()
    t.deepEqual([domain.pass(0.5), clock.now() - start], [0, 80.5])
    clock.event('between', () => domain.hurry()).armIn(0.25)
    t.is(domain.pass(1), 1, 'what is left is told in whole ns')
    await never()
  })
  t.is(domain.fault, undefined)
})

test('and looks when its turn may be over', (t) => {
  const { processor, domain, run } = scene()
  processor.turnUntil = 600
  run(async () => {
    domain.pass(1000)
    await never()
  })
  t.is(
    processor.asked.find((what) => what.startsWith('turn over')),
    'turn over at 600',
  )
})

test('its fibers are as urgent as the most urgent of those who wait for one of them, and it itself at least', async (t) => {
  const { processor, domain } = scene()
  const fibers = ['a', 'b'].map((name) => domain.start(name, never)!)
  processor.asked.length = 0
  domain.lent()
  t.deepEqual(processor.asked, [])
  const lend = (which: number, effective: number): void => {
    processor.asked.length = 0
    fibers[which]!.party.thread.effective = effective
  }
  lend(0, 30)
  t.deepEqual(processor.asked, ['a at 30', 'b at 30'])
  lend(1, 40)
  t.deepEqual(processor.asked, ['a at 40', 'b at 40'])
  lend(1, 16)
  t.deepEqual(processor.asked, ['a at 30', 'b at 30'])
  lend(0, 3)
  t.deepEqual(processor.asked, ['a at 16', 'b at 16'])
})

test('who has ended has what it is told taken off, and it is told nothing more', (t) => {
  const { processor, program, domain } = scene()
  domain.interrupts.add(3, { mask() {}, unmask: () => true, begin: () => true, end() {}, detach() {} })
  const told: unknown[] = []
  domain.onAnswer = () => told.push('told')
  domain.end()
  program.fuel!.value = 70
  processor.asked.length = 0
  domain.told(1, 2)
  domain.raise(7)
  domain.notify(3)
  domain.hurry()
  domain.charge(1e6)
  domain.account()
  t.deepEqual([told, domain.answer(), processor.asked, program.fuel!.value], [[], undefined, [], 70])
  t.deepEqual([processor.clock.now(), domain.take(TIMER), domain.interrupts.count], [0, -1, 0])
})

test('what it is charged and what it counts becomes time when it is accounted', async (t) => {
  const { processor, program, domain, run } = scene()
  run(async () => {
    domain.charge(30)
    t.is(processor.clock.now(), 0)
    program.fuel!.value -= 4
    domain.account()
    t.is(processor.clock.now(), 34 * UNIT_NS)
    t.throws(() => domain.capabilities.create(new Endpoint('e'), { slot: -1 }))
    domain.capabilities.onRefusal!()
    domain.account()
    t.is(processor.clock.now(), 234 * UNIT_NS, 'to ask for what one has not got is work')
    await never()
  })
  await settle()
  t.is(domain.fault, undefined)
})

// ---- tasks that another domain goes on with ----

test('a domain that is frozen is taken over by another: tasks, their stacks, numbers, and the time to its deadline', async (t) => {
  const { processor, program, domain, run } = scene()
  const second = domain.create(
    'second',
    async () => {
      program.stackPointer.value = 10_100
      await domain.switchTo(first.id)
      return 0
    },
    [5],
    at(8192),
  )
  const fresh = domain.create('fresh', never, [6], at(16_384))
  const first: Fiber = run(async () => {
    await domain.switchTo(second)
    program.stackPointer.value = 50_000
    domain.setTimer(processor.clock.now() + 900)
    await domain.yield()
  })
  await settle()
  processor.clock.spend(100)
  const frozen = domain.freeze()
  t.deepEqual([frozen.nextFiber, frozen.timerInNs], [4, 800])
  t.deepEqual(frozen.tasks, [
    { id: second, stack: at(8192), stackPointer: 10_100, argument: 5, begun: true, runs: false },
    { id: fresh, stack: at(16_384), stackPointer: 20_480, argument: 6, begun: false, runs: false },
    { id: first.id, stack: { base: 24_576, top: 65_536 }, stackPointer: 50_000, argument: 0, begun: true, runs: true },
  ])
  const other = scene()
  other.processor.clock.spend(5000)
  other.domain.priority = 20
  const begun: unknown[] = []
  const entry = (task: FrozenTask) => {
    return async (argument = -1): Promise<number> => {
      begun.push(task.id, argument, other.stack())
      return 0
    }
  }
  other.domain.thaw(frozen, entry)
  const fibers = [...other.domain.fibers.values()]
  t.deepEqual(
    fibers.map(({ id, name, state, argument, stackPointer, effective }) => [
      id,
      name,
      state,
      argument,
      stackPointer,
      effective,
    ]),
    [
      [second, 'task', 'parked', 5, 10_032, 20],
      [fresh, 'task', 'parked', 6, 20_480, 20],
      [first.id, 'task', 'ready', 0, 49_936, 20],
    ],
    'below what its frames hold, and aligned',
  )
  t.deepEqual([other.processor.asked, other.domain.freeze().timerInNs], [['ready task'], 800])
  other.domain.resume(fibers[2]!)
  await settle()
  t.deepEqual(begun, [first.id, 0, [49_936, 24_576 + 256]])
  t.is(other.domain.start('next', never)!.id, 4)
})
