/** Turns: whose it is, how long it lasts, who is made to look whether it is over, and whose budget it is charged to. */
import test from 'ava'
import { Kernel } from '../../kernel/kernel.ts'
import { Partition } from '../../kernel/schedule.ts'
import { hosted } from './hosted.ts'

const SLICE = 4e6
const INSIST = 50_000

test('a turn lasts its time: who is stopped in it goes on first with what is left, who has used it up goes behind its equals', async (t) => {
  const kernel = new Kernel(1)
  const order: string[] = []
  const say = (name: string): void => void order.push(`${name}, for ${kernel.turnUntil - kernel.clock.now()}`)
  const [a, b] = [hosted(kernel, 'a'), hosted(kernel, 'b')]
  const first = a.start(async () => {
    say('a begins')
    a.domain.spend(1e6)
    await a.domain.resched()
    say('a goes on')
    a.domain.spend(3e6 - 1)
    await a.domain.resched()
    say('a goes on')
    a.domain.spend(1)
    await a.domain.resched()
    say('a has another')
    a.domain.spend(1e6)
  })
  const second = b.start(async () => {
    say('b begins')
    b.domain.spend(1)
    await b.domain.resched()
    say('b goes on')
    b.domain.spend(1)
    await b.domain.yield()
    say('b has another')
  })
  t.is(await kernel.run(() => first.done && second.done, 1e9), 'stopped')
  t.deepEqual(order, [
    `a begins, for ${SLICE}`,
    `a goes on, for ${3e6}`,
    'a goes on, for 1',
    `b begins, for ${SLICE}`,
    `b goes on, for ${SLICE - 1}`,
    `a has another, for ${SLICE}`,
    `b has another, for ${SLICE}`,
  ])
})

test('a turn that nobody else wants is followed by another, and ends with the run at the latest', async (t) => {
  const kernel = new Kernel(1)
  const { domain, start } = hosted(kernel, 'alone')
  const ends: number[] = []
  const fiber = start(async () => {
    for (const ns of [SLICE - 1, 1, SLICE, 1e6]) {
      domain.spend(ns)
      ends.push(kernel.turnUntil)
    }
  })
  await kernel.run(() => fiber.done, 9e6)
  t.deepEqual(ends, [SLICE, 2 * SLICE, 9e6, 9e6])
})

test('who should go and does not is asked again soon', async (t) => {
  const kernel = new Kernel(1)
  const [a, b] = [hosted(kernel, 'a'), hosted(kernel, 'b')]
  const asked: unknown[] = []
  const fiber = a.start(async () => {
    const ask = (): void => void asked.push(a.fuel > 0, kernel.turnUntil - kernel.clock.now())
    a.fuel = 100
    a.domain.spend(SLICE)
    ask()
    a.fuel = 100
    a.domain.spend(INSIST - 1)
    ask()
    a.domain.spend(1)
    ask()
  })
  b.start(async () => {})
  await kernel.run(() => fiber.done)
  t.deepEqual(asked, [false, INSIST, true, 1, false, INSIST])
})

test('tasks of one domain have its turn together, and who goes on is written down', async (t) => {
  const kernel = new Kernel(1)
  const { domain, start } = hosted(kernel, 'one')
  const ends: number[] = []
  const second = domain.create(
    'second',
    async () => {
      ends.push(kernel.turnUntil, kernel.current!.id)
      domain.spend(1000)
      await domain.switchTo(2)
      return 0
    },
    [],
    { base: 0, top: 4096 },
  )
  const first = start(async () => {
    domain.spend(500)
    await domain.switchTo(second)
    ends.push(kernel.turnUntil, kernel.current!.id)
  })
  await kernel.run(() => first.done)
  t.deepEqual(ends, [SLICE, second, SLICE, first.id])
  t.deepEqual(
    kernel.log.lines().map((line) => line.replace(/^0.0000/, '')),
    ['00000 d1 start one', '00000 d1 run 2 0', '00500 d1 run 1 0', '01500 d1 run 2 0'],
  )
})

test('a turn is over when its time is, not before, whoever asks', async (t) => {
  const kernel = new Kernel(1)
  const [a, b] = [hosted(kernel, 'a'), hosted(kernel, 'b')]
  const fiber = a.start(async () => {
    kernel.clock.spend(SLICE - 1)
    kernel.post(() => {})
    a.fuel = 100
    kernel.turnOver(SLICE - 1)
    t.deepEqual([a.fuel, kernel.turnUntil], [100, SLICE])
    kernel.turnOver(SLICE)
    t.deepEqual([a.fuel, kernel.turnUntil], [0, SLICE + INSIST])
  })
  b.start(async () => {})
  await kernel.run(() => fiber.done)
})

test('who runs is made to look when somebody more urgent or of another partition becomes ready, and by nobody else', async (t) => {
  const kernel = new Kernel(1)
  const other = kernel.scheduler.add(new Partition('other', 0.5))
  const running = hosted(kernel, 'running')
  const looks: boolean[] = []
  const fiber = running.start(async () => {
    for (const [priority, partition] of [[16], [15], [17], [15, other], [17, other]] as const) {
      running.fuel = 100
      hosted(kernel, 'next', { partition: partition ?? kernel.partition }).start(async () => {}, priority)
      looks.push(running.fuel === 0)
    }
    running.fuel = 100
    kernel.post(() => {})
    looks.push(running.fuel === 0)
  })
  await kernel.run(() => fiber.done)
  t.deepEqual(looks, [false, false, true, true, true, true])
})

test('who runs must go for somebody more urgent; for an equal, or the end of the run, once its turn is over', async (t) => {
  const said: Record<string, boolean[]> = {}
  for (const who of ['nobody', 'an equal', 'somebody less urgent', 'somebody more urgent', 'the end']) {
    const kernel = new Kernel(1)
    const { domain, start } = hosted(kernel, 'running')
    let over = false
    const fiber = start(async () => {
      const other = hosted(kernel, 'other')
      if (who === 'an equal') other.start(async () => {})
      if (who === 'somebody less urgent') other.start(async () => {}, 15)
      if (who === 'somebody more urgent') other.start(async () => {}, 17)
      over = who === 'the end'
      const asked = [kernel.contended()]
      // Not by way of `spend`, which begins another turn where nobody wants this one.
      kernel.clock.spend(SLICE - 1)
      asked.push(kernel.contended())
      kernel.clock.spend(1)
      asked.push(kernel.contended())
      said[who] = asked
      domain.end()
    })
    t.false(kernel.contended(), 'nobody runs')
    await kernel.run(() => over || fiber.done)
  }
  t.deepEqual(said, {
    nobody: [false, false, false],
    'an equal': [false, false, true],
    'somebody less urgent': [false, false, false],
    'somebody more urgent': [true, true, true],
    'the end': [false, false, true],
  })
})

test('and at once for what is posted, or when the limit of the run has passed', async (t) => {
  const kernel = new Kernel(1)
  const { domain, start } = hosted(kernel, 'running')
  const asked: boolean[] = []
  start(async () => {
    domain.spend(1000)
    asked.push(kernel.contended())
    domain.spend(1)
    asked.push(kernel.contended())
    await domain.resched()
    asked.push(kernel.contended())
    kernel.post(() => {})
    asked.push(kernel.contended())
  })
  t.is(await kernel.run(() => false, 1000), 'limit')
  t.is(await kernel.run(() => false), 'idle')
  t.deepEqual(asked, [false, true, false, true])
})

test('time is charged to the partition of who runs, and to nobody where nobody does', async (t) => {
  const kernel = new Kernel(1)
  const parts = ['one', 'two'].map((name) => kernel.scheduler.add(new Partition(name, 0.5)))
  const [one, two] = parts.map((partition) => hosted(kernel, partition.name, { partition })) as [
    ReturnType<typeof hosted>,
    ReturnType<typeof hosted>,
  ]
  const bills: unknown[] = []
  one.start(async () => {
    one.domain.spend(300)
    bills.push(kernel.billed?.name, kernel.bill(kernel.partition)?.name, kernel.billed?.name)
    kernel.clock.spend(40)
    bills.push(kernel.bill(parts[0])?.name)
    kernel.post(() => kernel.clock.spend(5000))
    await one.domain.resched()
    one.domain.spend(7)
  })
  two.start(async () => {
    two.domain.setTimer(10_000)
    two.domain.spend(20)
    await two.domain.idle()
    two.domain.spend(2)
  })
  t.is(await kernel.run(() => false, 1e6), 'limit')
  t.deepEqual(bills, ['one', 'one', 'rest', 'rest'])
  t.deepEqual(
    [kernel.partition, ...parts].map(({ name, total }) => [name, total]),
    [
      ['rest', 40],
      ['one', 307],
      ['two', 22],
    ],
  )
  t.is(kernel.billed, undefined)
})

test('the first frame of a fiber does not lie on the stack of who went before it', async (t) => {
  const kernel = new Kernel(1)
  const [a, b] = [hosted(kernel, 'a'), hosted(kernel, 'b')]
  const deep = (): boolean => /Domain.yield/.test(new Error('where').stack!)
  const seen: boolean[] = []
  const first = a.start(async () => void (await a.domain.yield()))
  const second = b.start(async () => void seen.push(deep()))
  await kernel.run(() => first.done && second.done)
  t.deepEqual(seen, [false])
})

test('between two fibers comes what came in, what is due and what was posted', async (t) => {
  const kernel = new Kernel(1)
  const [a, b] = [hosted(kernel, 'a'), hosted(kernel, 'b')]
  const order: string[] = []
  kernel.outside.on('x', () => order.push('input'))
  const event = kernel.clock.event('due', () => order.push('event'))
  const between = [
    () => kernel.outside.offer('x'),
    () => {
      event.armIn(10)
      kernel.clock.spend(10)
    },
    () => kernel.post(() => void order.push('task')),
    () => kernel.attention({ id: 1, name: 'one', awaited: false, attend: () => order.push('attended') }),
  ]
  const first = a.start(async () => {
    await a.domain.yield()
    for (const act of between) {
      act()
      await a.domain.yield()
      order.push('a')
    }
  })
  const second = b.start(async () => {
    for (let i = 0; i <= between.length; i++) {
      await b.domain.yield()
      order.push('b')
    }
  })
  await kernel.run(() => first.done && second.done)
  t.is(order.join(' '), 'input b a event b a task b a attended b a b')
})
