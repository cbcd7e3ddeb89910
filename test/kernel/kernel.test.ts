/** The run loop and its surroundings, with programs of few instructions. */
import test from 'ava'
import { NOTHING } from '../../kernel/domain.ts'
import { Failure } from '../../kernel/fault.ts'
import { Kernel } from '../../kernel/kernel.ts'
import { hosted } from './hosted.ts'
import { emptyProgram, limits } from './processor.ts'

test('an exception in an event, a task or a listener is written down, and the run goes on', async (t) => {
  const kernel = new Kernel(1)
  const done: string[] = []
  kernel.clock
    .event('broken', () => {
      throw new Error('of the event')
    })
    .armAt(100)
  kernel.clock.event('whole', () => void done.push('event')).armAt(200)
  kernel.post(() => {
    throw new Error('of the task')
  })
  kernel.post(() => void done.push('task'))
  t.is(await kernel.run(() => done.length === 2, 1e6), 'stopped')
  t.deepEqual(
    kernel.accidents.map(({ atNs, during, domain, message }) => [atNs, during, domain, message]),
    [
      [0, 'a task', '', 'of the task'],
      [100, 'broken', '', 'of the event'],
    ],
  )
  t.deepEqual(done, ['task', 'event'])
})

test('an accident is written down with whom it was for; all are counted and logged, the first 64 kept', (t) => {
  const kernel = new Kernel(1)
  const domain = { id: 7, name: 'seven', awaited: false, attend: () => {} }
  t.is(kernel.accidentCount, 0)
  kernel.accident('asking it', domain, new Error('why'))
  kernel.accident('asking nobody', undefined, 'no error at all')
  t.deepEqual(kernel.accidents, [
    { atNs: 0, during: 'asking it', domain: 'seven', message: 'why' },
    { atNs: 0, during: 'asking nobody', domain: '', message: 'no error at all' },
  ])
  t.deepEqual(kernel.log.lines(), [
    '0.000000000 d7 fault asking it: why',
    '0.000000000 d0 fault asking nobody: no error at all',
  ])
  for (let i = 0; i < 70; i++) kernel.accident('again', domain, new Error('why'))
  t.deepEqual([kernel.accidentCount, kernel.accidents.length, kernel.log.count], [72, 64, 72])
})

test('a kernel knows its domains from their making to their end, and its log the names of what happens', (t) => {
  const kernel = new Kernel(1)
  const made: string[] = []
  kernel.onDomain = ({ name }) => void made.push(name)
  const [one, two, three] = ['one', 'two', 'three'].map((name) => kernel.createDomain(name, emptyProgram(), limits()))
  t.deepEqual([made, one!.id, two!.id, three!.id], [['one', 'two', 'three'], 1, 2, 3])
  const listed = (): boolean[] => [one!, two!, three!].map((domain) => kernel.lists(domain))
  t.deepEqual(listed(), [true, true, true])
  two!.end()
  t.deepEqual(
    [listed(), kernel.domains],
    [
      [true, false, true],
      [one!, three!],
    ],
  )
  kernel.forget(two!)
  one!.end()
  t.deepEqual([listed(), kernel.domains], [[false, false, true], [three!]])
  t.deepEqual([one!.remains(), two!.remains()], [NOTHING, NOTHING])
  t.deepEqual(
    kernel.log.lines().map((line) => line.replace(/^\S+ /, '')),
    ['d1 start one', 'd2 start two', 'd3 start three', 'd2 end 0 0', 'd1 end 0 0'],
  )
  for (const [name, kind] of Object.entries(kernel.kinds)) t.is(kernel.log.kinds[kind], name)
  t.deepEqual([kernel.partition.name, kernel.partition.share], ['rest', 0], 'it leaves all shares to others')
  t.is(new Kernel(7).seed, 7)
})

test('the engine keeps traces long enough to reach an entry, and longer ones if it was told to', (t) => {
  const before = Error.stackTraceLimit
  try {
    for (const [told, kept] of [
      [10, 64],
      [100, 100],
    ] as const) {
      Error.stackTraceLimit = told
      t.is(new Kernel(1).accidentCount, 0)
      t.is(Error.stackTraceLimit, kept)
    }
  } finally {
    Error.stackTraceLimit = before
  }
})

test('one run at a time: another is refused, and the next one after it is not', async (t) => {
  const kernel = new Kernel(1)
  const first = kernel.run(() => false)
  await t.throwsAsync(
    kernel.run(() => true),
    { message: /running already/ },
  )
  t.is(await first, 'idle')
  t.is(await kernel.run(() => true), 'stopped')
})

test('a run ends because it is to, because its limit has passed, or because nothing can ever happen again', async (t) => {
  for (const paced of [false, true]) {
    const kernel = new Kernel(1)
    if (paced) kernel.pacing.pace = { now: () => Infinity, wait: async () => {}, hurry: () => {}, hold: () => {} }
    const fired: number[] = []
    const event = kernel.clock.event('tick', () => void fired.push(kernel.clock.now()))
    event.armAt(100)
    t.is(await kernel.run(() => true, 1000), 'stopped')
    t.is(await kernel.run(() => false, 99), 'limit')
    t.deepEqual([fired, kernel.clock.now()], [[], 99])
    t.is(await kernel.run(() => fired.length > 0, 100), 'stopped', 'what is due when the limit comes still is')
    t.is(await kernel.run(() => false, 500), 'limit')
    t.is(kernel.clock.now(), 500, 'time has passed though nothing came')
    t.is(await kernel.run(() => false), 'idle')
    t.is(kernel.clock.now(), 500)
    kernel.post(() => void kernel.clock.spend(600))
    t.is(await kernel.run(() => false, 1000), 'limit')
    t.is(kernel.clock.now(), 1100)
  }
})

test('whoever can run when the limit of a run comes still does, while no time passes', async (t) => {
  for (const paced of [false, true]) {
    const kernel = new Kernel(1)
    if (paced) kernel.pacing.pace = { now: () => Infinity, wait: async () => {}, hurry: () => {}, hold: () => {} }
    const [one, other] = [hosted(kernel, 'one'), hosted(kernel, 'other')]
    const done: string[] = []
    one.start(async () => {
      one.domain.setTimer(100)
      await one.domain.idle()
      done.push('one')
      other.start(async () => {
        kernel.post(() => void done.push('posted'))
        await other.domain.resched()
        done.push('other')
        other.domain.spend(1)
        await other.domain.resched()
        done.push('too late')
      })
      await one.domain.resched()
      done.push('one again')
    })
    t.is(await kernel.run(() => false, 100), 'limit')
    t.deepEqual(done, ['one', 'one again', 'posted', 'other'], paced ? 'paced' : 'free')
  }
})

test('what is posted is done in order, what that posts in the next turn, when others have had theirs, and before time moves on', async (t) => {
  const kernel = new Kernel(1)
  const done: string[] = []
  kernel.clock.event('due', () => done.push('event')).armAt(5)
  for (const name of ['one', 'two'])
    kernel.post(() => {
      done.push(name)
      kernel.post(() => void done.push(`of ${name} at ${kernel.clock.now()}`))
    })
  hosted(kernel, 'other').start(async () => void done.push('other'))
  await kernel.run(() => false, 10)
  t.deepEqual(done, ['one', 'two', 'other', 'of one at 0', 'of two at 0', 'event'])
})

test('nor does time move on over what is to be attended, or posted, by what was done last', async (t) => {
  for (const paced of [false, true])
    for (const what of ['a task', 'something to attend'] as const) {
      const kernel = new Kernel(1)
      if (paced) kernel.pacing.pace = { now: () => Infinity, wait: async () => {}, hurry: () => {}, hold: () => {} }
      const done: unknown[] = []
      const act = (): void => void done.push(kernel.clock.now())
      kernel.clock.event('due', () => done.push('event')).armAt(5)
      kernel.post(() => {
        if (what === 'a task') kernel.post(act)
        else kernel.attention({ id: 1, name: 'one', awaited: false, attend: act })
      })
      await kernel.run(() => false, 10)
      t.deepEqual(done, [0, 'event'], `${what}, ${paced ? 'paced' : 'free'}`)
    }
})

test('those are attended for whom there may be something, each once, though it said so twice, and again when it does so again', (t) => {
  const kernel = new Kernel(1)
  const attended: string[] = []
  const one = { id: 1, name: 'one', awaited: false, attend: () => void attended.push('one') }
  const two = { id: 2, name: 'two', awaited: false, attend: () => void (attended.push('two'), again()) }
  let left = 2
  const again = (): void => {
    if (left-- > 0) kernel.attention(one)
  }
  t.false(kernel.attentive)
  kernel.attention(one)
  t.true(kernel.attentive)
  for (const each of [two, one]) kernel.attention(each)
  t.deepEqual([kernel.attentive, one.awaited, two.awaited], [true, true, true])
  kernel.dispatch()
  t.deepEqual(attended, ['one', 'two', 'one'])
  t.deepEqual([kernel.attentive, one.awaited, two.awaited], [false, false, false])
})

test('what an attended one makes due fires before anybody goes on', (t) => {
  const kernel = new Kernel(1)
  const fired: string[] = []
  const event = kernel.clock.event('now', () => void fired.push('event'))
  kernel.attention({ id: 1, name: 'one', awaited: false, attend: () => event.armIn(0) })
  kernel.dispatch()
  t.deepEqual(fired, ['event'])
})

test('whoever watches from another thread sees the turn, the time, who ran last, how much was logged, and that it runs', async (t) => {
  const kernel = new Kernel(1)
  const vitals = new Float64Array(6)
  kernel.vitals = vitals
  const seen: number[][] = []
  const { domain, start } = hosted(kernel, 'one')
  const fiber = start(async () => {
    seen.push([...vitals])
    domain.spend(5000)
    t.false(kernel.contended())
    seen.push([...vitals])
    await domain.yield()
    seen.push([...vitals])
  })
  const events: number[][] = []
  for (const ns of [7000, 8000]) kernel.clock.event('due', () => void events.push([...vitals])).armAt(ns)
  await kernel.run(() => (vitals[5] === 1 ? fiber.done : t.fail('it runs')))
  seen.push([...vitals])
  // Started, then run, run again, which it said itself, and the fiber’s end.
  t.deepEqual(seen, [
    [1, 0, 1, 1, 2, 1],
    [1, 5000, 1, 1, 2, 1],
    [2, 5000, 1, 1, 3, 1],
    [3, 6000, 1, 1, 3, 0],
  ])
  await kernel.run(() => events.length === 2)
  // While nobody does anything, the last turn's.
  t.deepEqual(
    events.map(([turn, ns, , , , runs]) => [turn, ns, runs]),
    [
      [4, 6000, 1],
      [5, 7000, 1],
    ],
  )
})

test('while a fiber waits, or when it has ended, it is not the one that runs', async (t) => {
  for (const paced of [false, true]) {
    const kernel = new Kernel(1)
    if (paced) kernel.pacing.pace = { now: () => Infinity, wait: async () => {}, hurry: () => {}, hold: () => {} }
    const seen: unknown[] = []
    kernel.clock.event('due', () => seen.push(kernel.current)).armAt(100)
    const one = hosted(kernel, 'one')
    one.start(async () => {
      seen.push(kernel.current?.domain)
      one.fuel = 100
      await one.domain.idle()
    })
    await kernel.run(() => false, 1000)
    kernel.post(() => {})
    t.deepEqual([seen, kernel.current, one.fuel], [[one.domain, undefined], undefined, 100])
    const other = hosted(kernel, 'other')
    const ends = other.start(async () => {})
    await kernel.run(() => ends.done)
    t.is(kernel.current, undefined)
  }
})

test('who waits where nobody else has anything to do is not suspended: what comes is done on top of it', async (t) => {
  const kernel = new Kernel(1)
  const [one, other] = [hosted(kernel, 'one'), hosted(kernel, 'other')]
  const seen: boolean[] = []
  const event = kernel.clock.event('due', () => void seen.push(fiber.suspended))
  const fiber = one.start(async () => {
    for (const alone of [true, false]) {
      event.armIn(100)
      one.domain.setTimer(kernel.clock.now() + 5000)
      if (!alone) other.start(async () => other.domain.spend(500))
      await one.domain.idle()
      one.domain.take(1)
    }
  })
  await kernel.run(() => fiber.done)
  t.deepEqual(seen, [false, true])
})

test('a domain that hangs is asked where its tasks wait, for so long at most', async (t) => {
  for (const heard of [true, false]) {
    const kernel = new Kernel(1)
    const { domain, start } = hosted(kernel, 'hangs')
    const second = domain.create('second', async () => void (await domain.idle()), [], { base: 0, top: 4096 })
    start(async () => {
      for (;;) await domain.switchTo(second)
    })
    t.is(await kernel.run(() => false, 1e6), 'limit')
    const hog = hosted(kernel, 'hog')
    const busy = async (): Promise<void> => {
      for (;;) {
        hog.domain.spend(1e5)
        await hog.domain.resched()
      }
    }
    if (!heard) hog.start(busy, 40)
    const traces = await kernel.interrogate(domain, new Failure('hang', 'serves nobody'), 2e6)
    t.deepEqual(
      traces.map(({ fiber, error }) => `${fiber}: ${(error as Error).message}`),
      heard ? ['serves nobody: serves nobody'] : [],
    )
    t.is(kernel.clock.now(), heard ? 1e6 : 3.1e6)
    t.false(domain.dead)
  }
})
