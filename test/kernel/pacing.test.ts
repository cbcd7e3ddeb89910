/** Pacing, alone: with a pace whose clock moves when the test says. */
import test from 'ava'
import { Kernel } from '../../kernel/kernel.ts'
import { hosted } from './hosted.ts'

function scene() {
  const kernel = new Kernel(1)
  kernel.vitals = new Float64Array(6)
  const said: string[] = []
  let [now, arrive] = [0, (): void => {}]
  /** What happens while somebody waits. */
  let meanwhile = (ns: number): void => void (now = Math.max(now, ns))
  const pace = {
    now: () => now,
    wait: async (ns: number) => {
      said.push(`wait for ${ns}`)
      await Promise.resolve()
      meanwhile(ns)
      arrive()
    },
    hurry: () => void said.push('hurry'),
    hold: (still: boolean) => void said.push(still ? 'hold' : 'go on'),
  }
  kernel.pacing.pace = pace
  return {
    kernel,
    said,
    pace,
    turns: () => kernel.vitals![0]!,
    at: (ns: number) => void (now = ns),
    whileWaiting: (act: (ns: number) => void) => void (meanwhile = act),
    onArrival: (act: () => void) => void (arrive = act),
  }
}

test('at a turn it waits for the pace when time is more than a millisecond ahead, and every 64 turns', async (t) => {
  const { kernel, said, at, pace } = scene()
  const { pacing, clock } = kernel
  clock.spend(1e6 + 500)
  at(500)
  await pacing.keepUp(1)
  t.deepEqual(said, [])
  clock.spend(1)
  await pacing.keepUp(1)
  t.deepEqual(said, ['wait for 1000501'])
  at(2e6)
  await pacing.keepUp(63)
  await pacing.keepUp(65)
  t.is(said.length, 1)
  await pacing.keepUp(128)
  t.is(said.length, 2)
  pacing.pace = undefined
  await pacing.keepUp(128)
  t.deepEqual([said.length, pacing.attentive, pace.now()], [2, false, 2e6])
})

test('it waits for the next event until the pace allows it, however early a host’s timer comes', async (t) => {
  const { kernel, said, at, whileWaiting } = scene()
  const { pacing } = kernel
  at(99)
  let left = 2
  whileWaiting(() => at(left-- > 0 ? 99 : 100))
  t.true(await pacing.until(100))
  t.deepEqual(said, ['wait for 100', 'wait for 100', 'wait for 100'])
  t.true(await pacing.until(100), 'and not at all when it is time')
  t.is(said.length, 3)
  pacing.pace = undefined
  t.true(await pacing.until(1e9))
})

test('what comes in meanwhile ends the wait, at the time that the pace has then, and no later than the event', async (t) => {
  for (const [now, then] of [
    [60, 60],
    [150, 100],
  ] as const) {
    const { kernel, said, at, whileWaiting } = scene()
    const { pacing, clock, outside } = kernel
    clock.spend(20)
    at(40)
    whileWaiting(() => {
      at(now)
      outside.offer('x')
    })
    t.false(await pacing.until(100))
    t.deepEqual([clock.now(), said], [then, ['wait for 100', 'hurry']])
  }
  const { kernel, whileWaiting } = scene()
  whileWaiting(() => kernel.pacing.hurry())
  t.false(await kernel.pacing.until(100))
  t.is(kernel.clock.now(), 0, 'where nothing came in, no time has passed')
  whileWaiting(() => {})
  const again = scene()
  again.kernel.pacing.hurry()
  t.true(await again.kernel.pacing.until(100), 'who was hurried before waits all the same')
})

test('a run that is paced goes to its limit, and to the event that is due at it, at the pace', async (t) => {
  const { kernel, said } = scene()
  const fired: number[] = []
  kernel.clock.event('due', () => void fired.push(kernel.clock.now(), kernel.vitals![5]!)).armAt(700)
  t.is(await kernel.run(() => false, 500), 'limit')
  t.deepEqual([said, kernel.clock.now()], [['wait for 500'], 500])
  t.is(await kernel.run(() => false, 900), 'limit')
  t.deepEqual(
    [said.slice(1), fired],
    [
      ['wait for 700', 'wait for 900'],
      [700, 1],
    ],
  )
  t.is(await kernel.run(() => false), 'idle', 'where nothing is to come nobody is waited for')
  t.is(said.length, 3)
})

test('who works on is held to the pace, though it never waits', async (t) => {
  const { kernel, said } = scene()
  const { domain, start } = hosted(kernel, 'works')
  const fiber = start(async () => {
    for (let i = 0; i < 4; i++) {
      domain.spend(6e5)
      await domain.resched()
    }
  })
  t.is(await kernel.run(() => fiber.done), 'stopped')
  t.deepEqual(said, ['wait for 1200000', 'wait for 2400000'])
})

test('frozen, a machine makes no turn until something comes in; thawed, it goes on where it was', async (t) => {
  const { kernel, said, turns } = scene()
  const { pacing } = kernel
  let fired = false
  kernel.clock.event('due', () => void (fired = true)).armAt(100)
  const host = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
  pacing.freeze()
  t.false(pacing.frozen, 'not before its next turn')
  const run = kernel.run(() => fired)
  await host()
  const before = turns()
  t.deepEqual([pacing.frozen, pacing.attentive, kernel.vitals![5], before], [true, true, 0, 1])
  for (let i = 0; i < 3; i++) await host()
  t.deepEqual([turns(), fired, kernel.clock.now()], [before, false, 0])
  kernel.outside.offer('freeze')
  await host()
  t.is(turns(), before + 1)
  pacing.thaw()
  t.is(await run, 'stopped')
  t.deepEqual([pacing.frozen, kernel.vitals![5], kernel.clock.now()], [false, 0, 100])
  t.deepEqual(said, ['hurry', 'hold', 'hurry', 'hurry', 'go on', 'wait for 100'])
  t.deepEqual(
    kernel.log.lines().map((line) => line.replace(/^\S+ /, '')),
    ['d0 outside freeze', 'd0 machine frozen', 'd0 outside freeze', 'd0 outside thaw', 'd0 machine thawed'],
  )
})

test('a run of a frozen machine ends when it is to; its replay ends where nothing more comes', async (t) => {
  const { kernel } = scene()
  let stop = false
  kernel.pacing.freeze()
  const run = kernel.run(() => stop)
  await new Promise((resolve) => void setImmediate(resolve))
  stop = true
  kernel.pacing.hurry()
  t.is(await run, 'stopped')
  const replay = new Kernel(1)
  replay.outside.replay([{ turn: 2, atNs: 30, kind: 'freeze', payload: '' }])
  t.is(await replay.run(() => false), 'idle')
  t.deepEqual([replay.pacing.frozen, replay.clock.now()], [true, 30])
})

test('turns are made on top of a fiber only where none of them may have to wait, or take something in', async (t) => {
  const seen: Record<string, unknown[]> = {}
  for (const way of ['free', 'paced', 'given an input']) {
    for (const waits of ['resched', 'idle'] as const) {
      const { kernel } = scene()
      if (way !== 'paced') kernel.pacing.pace = undefined
      const { domain, start } = hosted(kernel, 'one')
      const said: unknown[] = (seen[`${waits}, ${way}`] = [])
      kernel.outside.on('x', () => said.push('input'))
      const fiber = start(async () => {
        if (way === 'given an input') kernel.outside.offer('x')
        kernel.post(() => {
          said.push(fiber.suspended)
          domain.raise(7)
        })
        await domain[waits]()
      })
      await kernel.run(() => fiber.done)
    }
  }
  t.deepEqual(seen, {
    'resched, free': [false],
    'idle, free': [false],
    'resched, paced': [true],
    'idle, paced': [true],
    'resched, given an input': ['input', true],
    'idle, given an input': ['input', true],
  })
})
