/** A domain’s atomic entries, its failures and its end, on a processor that runs nobody. */
import test from 'ava'
import { Domain, NOTHING } from '../../kernel/domain.ts'
import { Failure, KILLED } from '../../kernel/fault.ts'
import type { Fiber } from '../../kernel/fiber.ts'
import type { InterruptSource } from '../../kernel/interrupts.ts'
import { Endpoint, Ipc, Notification, Party } from '../../kernel/ipc.ts'
import { Partition, Scheduler } from '../../kernel/schedule.ts'
import type { Program } from '../../kernel/program.ts'
import { emptyProgram, IdleProcessor, limits } from './processor.ts'
import { Noted } from './model/_ipc-pair.ts'

const UNIT_NS = 5

function scene(more: Partial<Program> = {}, some: Parameters<typeof limits>[0] = {}) {
  const processor = new IdleProcessor({ atomicEntryNs: 10 })
  const program = emptyProgram(more)
  const domain = new Domain(processor, 1, 'one', program, processor.partition, limits(some))
  const run = (body: () => Promise<unknown>): Fiber => {
    const fiber: Fiber = domain.start('worker', async () => (await body(), 0))!
    processor.current = fiber
    domain.resume(fiber)
    return fiber
  }
  return { processor, program, domain, run }
}

const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
const never = (): Promise<number> => new Promise(() => {})
const source = (detach = (): void => {}): InterruptSource => ({
  mask() {},
  unmask: () => true,
  begin: () => true,
  end() {},
  detach,
})

// ---- entries ----

test('an entry is given up to six numbers, zeros for those that are not, and what it returns is a number', (t) => {
  const { domain } = scene()
  const given: number[][] = []
  domain.enter((...args) => void given.push(args), 1, 2, 3, 4, 5, 6)
  t.is(
    domain.enter((...args) => void given.push(args)),
    0,
  )
  t.deepEqual(given, [
    [1, 2, 3, 4, 5, 6],
    [0, 0, 0, 0, 0, 0],
  ])
})

test('entries may be nested sixteen deep; one more ends the domain', (t) => {
  for (const levels of [16, 17]) {
    const { processor, domain } = scene()
    let deepest = 0
    const nest = (): number => {
      deepest = domain.depth
      return domain.depth < levels ? domain.enter(nest) + 1 : 1
    }
    const result = domain.enter(nest)
    t.deepEqual(
      [deepest, domain.fault?.kind, domain.fault?.message],
      [16, ...(levels === 16 ? [undefined, undefined] : ['stack-overflow', '16 entries nested in each other'])],
    )
    t.is(result, 16, 'what had no place returns 0')
    t.deepEqual([domain.depth, processor.inner], [0, undefined])
  }
})

test('work done in an entry that interrupts nothing is counted when it returns, and held against it alone', (t) => {
  const { processor, program, domain } = scene({}, { fuel: 1000 })
  for (let i = 0; i < 3; i++)
    domain.enter(() => {
      program.fuel!.value -= 450
      domain.preempt()
      program.fuel!.value -= 450
    })
  t.deepEqual([processor.clock.now(), domain.fault], [3 * (10 + 900 * UNIT_NS), undefined])
  domain.enter(() => {
    program.fuel!.value -= 900
    domain.account()
    domain.enter(() => {
      program.fuel!.value -= 200
      domain.preempt()
    })
  })
  t.is(domain.fault?.kind, 'endless-loop', 'one on top of it is part of it')
})

test('one that dies in an entry is not charged, failed or unwound twice', (t) => {
  const { processor, program, domain } = scene()
  const result = domain.enter(() => {
    program.fuel!.value -= 100
    domain.fail(new Failure('bug', 'first'))
    throw KILLED
  })
  t.deepEqual([result, domain.fault?.message, processor.clock.now(), domain.depth], [0, 'first', 10, 0])
  t.true(domain.quiet)
})

test('time in an entry is charged to its domain’s partition, and then to whoever it was charged to before', (t) => {
  const { processor, domain } = scene()
  const bills: unknown[] = []
  processor.bill = (partition) => {
    bills.push(partition?.name)
    const before = processor.billed
    processor.billed = partition
    return before
  }
  const other = new Partition('other', 0.5)
  processor.billed = other
  domain.enter(() => void bills.push('in it'))
  t.deepEqual(bills, ['all', 'in it', 'other'])
  bills.length = 0
  processor.billed = processor.partition
  domain.enter(() => void bills.push('in it'))
  t.deepEqual(bills, ['in it'], 'its own time is charged as it was')
})

test('where too little room is left on the engine’s stack, whoever took it fails', (t) => {
  const room = { value: 0 }
  const { processor, domain } = scene({ room })
  const victim = new Domain(processor, 2, 'two', emptyProgram({ room: { value: 0 } }), processor.partition, limits())
  let entered = false
  domain.enter(() => {
    t.is(processor.inner, domain)
    room.value = 8191
    t.is(
      victim.enter(() => {
        entered = true
        return 1
      }),
      0,
    )
  })
  t.deepEqual([entered, victim.dead, domain.fault?.kind], [false, false, 'stack-overflow'])
  t.is(domain.fault?.message, 'calls are nested too deep in an atomic entry')
  t.is(
    victim.enter(() => 5),
    5,
  )
})

test('and where just enough is left it is entered; each finds the room it had when what was on top of it returns', (t) => {
  const room = { value: 0 }
  const { processor, domain } = scene({ room })
  const other = new Domain(processor, 2, 'two', emptyProgram({ room: { value: 0 } }), processor.partition, limits())
  domain.enter(() => {
    room.value = 8192
    t.is(
      other.enter(() => 5),
      5,
    )
    room.value = 50_000
    domain.enter(() => void t.is(room.value, 50_000 - 8192))
    t.is(room.value, 50_000)
  })
  t.is(domain.fault, undefined)
})

test('one on top of a fiber that has used up its own room has what is left to the entry below it', (t) => {
  const room = { value: 0 }
  const { processor, domain, run } = scene({ room })
  const other = new Domain(processor, 2, 'two', emptyProgram({ room: { value: 0 } }), processor.partition, limits())
  const seen: number[] = []
  run(async () => {
    room.value = 0
    other.enter(() => domain.enter(() => seen.push(room.value)))
    seen.push(room.value)
    await never()
  })
  t.deepEqual([seen, domain.fault, other.fault], [[632 * 1024, 0], undefined, undefined])
})

test('a program that finds a stack used up says which: the engine’s when its room is, else its own', (t) => {
  const room = { value: 0 }
  for (const [left, message] of [
    [-1, 'calls are nested too deep in an atomic entry'],
    [0, 'the C stack left its region'],
  ] as const) {
    const { domain } = scene({ room })
    domain.enter(() => {
      room.value = left
      domain.overflow()
    })
    t.deepEqual([domain.fault?.kind, domain.fault?.message], ['stack-overflow', message])
  }
})

test('the next fiber has all the room, though the last one ended in the midst of calls', async (t) => {
  const room = { value: 0 }
  const { domain, run } = scene({ room })
  const all = room.value
  run(async () => {
    room.value -= 5000
  })
  await settle()
  t.deepEqual([room.value, domain.fault], [all, undefined])
  const second = domain.create('second', never, [], { base: 0, top: 4096 })
  domain.enter(() => {})
  t.not(room.value, all)
  run(async () => {
    t.is(room.value, all)
    domain.enter(() => {})
    room.value = 70
    const going = domain.switchTo(second)
    t.is(room.value, 70)
    await going
  })
  t.is(domain.fault, undefined)
})

// ---- failures ----

test('a failure is told with the domain still whole, and written in the log', (t) => {
  const { processor, domain } = scene()
  domain.capabilities.create(new Endpoint('door'))
  const seen: unknown[] = []
  domain.onFail = (who, fault) => void seen.push(who === domain, fault.kind, domain.dead, domain.capabilities.count)
  domain.fail(new Failure('bug', 'it was I'))
  domain.fail(new Failure('panic', 'again'))
  t.deepEqual(seen, [true, 'bug', false, 1])
  t.deepEqual([domain.fault!.kind, domain.fault!.domain, domain.fault!.atNs], ['bug', 'one', 0])
  t.deepEqual(
    processor.log.lines().map((line) => line.replace(/^\S+ /, '')),
    ['d1 fault bug: it was I', 'd1 end 1 0'],
  )
})

test('lines are named by the program; where that goes wrong there are offsets, and an accident', (t) => {
  const trap = (): Error =>
    Object.assign(new WebAssembly.RuntimeError('unreachable'), {
      stack: 'x\n    at f (wasm://wasm/00112233:wasm-function[4]:0x1f)',
    })
  const named = scene({ symbolize: (offset) => [{ function: 'f', file: 'f.c', line: 7, offset }] })
  named.domain.fail(trap())
  t.deepEqual(named.domain.fault!.frames, [{ function: 'f', file: 'f.c', line: 7, offset: 31 }])
  const damaged = scene({
    symbolize: () => {
      throw new Error('a damaged table')
    },
  })
  damaged.domain.fail(trap())
  t.deepEqual(damaged.domain.fault!.frames, [{ function: 'function[4]', file: '', line: 0, offset: 31 }])
  t.deepEqual(damaged.processor.accidents, ['naming the lines of a failure: a damaged table'])
})

test('a fiber that fails ends its domain; one that returns does not; what it did is counted', async (t) => {
  const { processor, program, domain, run } = scene()
  const well = run(async () => void (program.fuel!.value -= 30))
  await settle()
  t.deepEqual([well.done, domain.dead, domain.current, processor.clock.now()], [true, false, undefined, 30 * UNIT_NS])
  processor.asked.length = 0
  run(async () => {
    throw new Failure('panic', 'at once')
  })
  await settle()
  t.deepEqual([domain.fault?.kind, domain.fibers.size, domain.quiet], ['panic', 0, true])
  t.is(processor.asked.at(-1), 'switched')
})

test('one that ends while another runs takes nothing from that one', async (t) => {
  const { domain, run } = scene()
  const first = run(async () => void (await domain.yield()))
  const second = run(never)
  domain.fiberEnded(first, undefined)
  t.deepEqual([domain.current === second, [...domain.fibers.keys()]], [true, [second.id]])
})

test('asked where they wait, those that fail there testify, under what they say if nobody switched to them', async (t) => {
  const { domain, run } = scene()
  t.deepEqual(domain.traces, [])
  const parked = domain.create(
    'parked',
    async () => {
      await domain.switchTo(2)
      throw new Failure('hang', 'what the program says')
    },
    [],
    { base: 0, top: 4096 },
  )
  const stopped = run(async () => {
    await domain.switchTo(parked)
    await domain.resched()
  })
  await settle()
  const fibers = domain.question(new Failure('hang', 'serves nobody'))
  t.deepEqual(
    fibers.map(({ name, condemned, disturbed }) => [name, condemned, disturbed]),
    [
      ['parked', 'serves nobody', true],
      ['worker', 'serves nobody', false],
    ],
  )
  for (const fiber of fibers) domain.resume(fiber)
  await settle()
  t.deepEqual(
    domain.traces.map(({ fiber }) => fiber),
    ['what the program says'],
  )
  t.deepEqual([stopped.done, domain.dead], [true, false])
  domain.fail(new Failure('bug', 'something else'))
  t.is(domain.fault?.message, 'serves nobody', 'whatever it fails of, it hangs')
})

test('one that runs is asked, too: it fails when it next waits', (t) => {
  const { domain, run } = scene()
  const asked: string[] = []
  run(async () => {
    domain.enter(() => void asked.push(...domain.question(new Failure('hang', 'x')).map(({ name }) => name)))
    t.throws(() => void domain.idle(), { message: 'x' })
    await never()
  })
  t.deepEqual([asked, domain.fault], [['worker'], undefined])
})

// ---- the end ----

test('the end is complete whatever goes wrong on the way', (t) => {
  const { processor, domain } = scene()
  const broken = (what: string) => (): never => {
    throw new Error(what)
  }
  domain.interrupts.add(3, source(broken('detaching')))
  domain.capabilities.create({ type: 'test', label: 'x' }, { ended: broken('ending') })
  domain.onEnd = broken('onEnd')
  domain.onLeave = broken('onLeave')
  domain.end()
  t.true(domain.dead)
  t.deepEqual(processor.accidents, [
    'stopping delivery: detaching',
    'taking capabilities: ending',
    'told of an end: onEnd',
    'giving its memory back: onLeave',
  ])
  t.deepEqual([processor.asked.at(-1), processor.log.lines().at(-1)], ['forget one', '0.000000000 d1 end 0 0'])
})

test('it is told once that it has ended, after it has given everything back, to whoever lent it memory last', (t) => {
  const { processor, domain } = scene()
  const told: unknown[] = []
  domain.onEnd = (who) => void told.push(who === domain, domain.remains())
  domain.onLeave = () => void told.push('left')
  domain.capabilities.create(new Endpoint('a'))
  domain.capabilities.create(new Endpoint('b'))
  domain.start('worker', never)
  domain.setTimer(500)
  domain.end()
  domain.end()
  t.deepEqual(told, [true, NOTHING, 'left'])
  t.is(processor.log.lines().at(-1), '0.000000000 d1 end 2 1')
  t.is(processor.clock.size, 0)
})

test('a fiber that is on the engine’s stack when its domain ends goes when it returns to the kernel', async (t) => {
  const { domain, run } = scene()
  const waiting = domain.create('waiting', never, [], { base: 0, top: 4096 })
  run(async () => {
    domain.end()
    t.deepEqual([[...domain.fibers.keys()], domain.quiet], [[2], false])
    await settle()
  })
  t.is(waiting, 1)
  t.deepEqual([domain.current?.id, domain.quiet, domain.remains().fibers], [2, false, 1])
  await settle()
  await settle()
  t.deepEqual([domain.current, domain.quiet, domain.remains(), domain.fault], [undefined, true, NOTHING, undefined])
})

test('it is quiet only when no frame of its is left', (t) => {
  const { domain } = scene()
  t.false(domain.quiet, 'it lives')
  domain.enter(() => {
    domain.end()
    t.false(domain.quiet, 'in an entry')
  })
  t.true(domain.quiet)
  domain.current = {} as Fiber
  t.false(domain.quiet)
})

test('what it holds is counted: each kind for itself', (t) => {
  const { processor, domain } = scene()
  const ipc = new Ipc(new Scheduler())
  t.deepEqual(domain.remains(), NOTHING)
  t.deepEqual(new Set(Object.values(NOTHING)), new Set([0]))
  const held = (): Record<string, number> =>
    Object.fromEntries(Object.entries(domain.remains()).filter(([, n]) => n !== 0))
  const door = domain.capabilities.create(new Endpoint('door'), { slot: 1 })
  t.deepEqual(held(), { capabilities: 1 })
  domain.interrupts.add(3, source())
  t.deepEqual(held(), { capabilities: 1, interrupts: 1 })
  const [one, two] = ['a', 'b'].map((name) => domain.start(name, never)!) as [Fiber, Fiber]
  t.deepEqual(held(), { capabilities: 1, interrupts: 1, fibers: 2 })
  one.deadline.armAt(100)
  two.deadline.armAt(100)
  domain.setTimer(100)
  t.is(held()['timers'], 3)
  domain.awaited = true
  one.queuedAt = 0
  two.queuedAt = 7
  t.is(held()['queued'], 3)
  processor.gives.lists = true
  t.is(held()['queued'], 3, 'it lives: it may be in the kernel’s list')
  ipc.receive(one.party, 1)
  ipc.pause(two.party, new Notification('bell'))
  t.deepEqual([held()['waits'], held()['endpoints']], [2, 1])
  const client = new Party(new Noted('client', 1, new Partition('all', 1), () => {}), domain.capabilities)
  client.capabilities.derive(door, door.object, { slot: 2 })
  for (let i = 0; i < 2; i++) {
    const caller = new Party(client.thread, domain.capabilities)
    ipc.cancel(one.party)
    ipc.receive(one.party, 1)
    ipc.call(caller, 1)
  }
  t.deepEqual([held()['waits'], held()['endpoints'], held()['callers']], [1, 1, 2])
  domain.dead = true
  t.is(held()['queued'], 4)
  processor.gives.lists = false
  domain.awaited = false
  t.is(held()['queued'], 2)
})
