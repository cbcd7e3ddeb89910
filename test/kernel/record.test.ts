/** Record and replay, at its root: what came from outside, given back at the same turns, makes the same run. */
import test from 'ava'
import fc from 'fast-check'
import { createRandom } from '../../base/random.ts'
import { Kernel } from '../../kernel/kernel.ts'
import { EventLog } from '../../kernel/log.ts'
import { Outside, type OutsideInput } from '../../kernel/record.ts'
import { Clock } from '../../kernel/time.ts'

interface Step {
  /** Inputs offered before the machine runs again. */
  readonly offers: readonly string[]
  readonly forNs: number
}

/** A machine whose ticks depend on chance and on what came in; `live` offers, otherwise `inputs` come back. */
async function run(seed: number, steps: readonly Step[], inputs?: readonly OutsideInput[]) {
  const kernel = new Kernel(seed)
  const tick = kernel.log.kind('tick')
  const taken: OutsideInput[] = []
  let period = 700
  const event = kernel.clock.event('tick', () => {
    kernel.log.note(tick, 0, kernel.random.below(1000), period)
    event.armIn(period)
  })
  event.armIn(period)
  kernel.outside.onTaken = (input) => taken.push(input)
  kernel.outside.on('period', (payload) => {
    period = 100 + (Number(payload) % 900)
  })
  // An action may wake what would have slept on.
  kernel.outside.on('now', () => event.armIn(0))
  if (inputs !== undefined) kernel.outside.replay(inputs)
  for (const { offers, forNs } of steps) {
    for (const offer of offers) kernel.outside.offer(offer === '' ? 'now' : 'period', offer)
    await kernel.run(() => false, kernel.clock.now() + forNs)
  }
  return { hash: kernel.log.hash, lines: kernel.log.lines(), taken }
}

const step = fc.record({
  offers: fc.array(fc.oneof(fc.constant(''), fc.nat({ max: 10_000 }).map(String)), { maxLength: 3 }),
  forNs: fc.integer({ min: 1, max: 5000 }),
})

test('inputs from outside come back in the turn and at the time they were taken in', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 1000 }), fc.array(step, { maxLength: 12 }), async (seed, steps) => {
      const lived = await run(seed, steps)
      const again = await run(seed, steps, lived.taken)
      t.deepEqual(again.lines, lived.lines)
      t.is(again.hash, lived.hash)
    }),
    { seed: 9, numRuns: 60 },
  )
})

test('an input left out, or given a turn later, is another run', async (t) => {
  const steps = [{ offers: ['31'], forNs: 5000 }, { offers: ['', '77'], forNs: 5000 }] // prettier-ignore
  const lived = await run(1, steps)
  t.is(lived.taken.length, 3)
  t.not((await run(1, steps, lived.taken.slice(1))).hash, lived.hash)
  const late = lived.taken.map((input) => ({ ...input, turn: input.turn + 3 }))
  t.not((await run(1, steps, late)).hash, lived.hash)
})

test('a machine that waited for an input goes to it, not past it to its next event', async (t) => {
  const kernel = new Kernel(1)
  const seen: number[] = []
  const far = kernel.clock.event('far', () => seen.push(kernel.clock.now()))
  far.armIn(1_000_000)
  kernel.outside.on('knock', () => seen.push(kernel.clock.now()))
  // Turn 1 finds nothing to run; what was recorded for turn 2 came while it waited.
  kernel.outside.replay([{ turn: 2, atNs: 400_000, kind: 'knock', payload: '' }])
  await kernel.run(() => false, 2_000_000)
  t.deepEqual(seen, [400_000, 1_000_000])
})

test('a replay hears nothing of the world it runs in', async (t) => {
  const kernel = new Kernel(1)
  kernel.outside.replay([])
  kernel.outside.on('knock', () => t.fail())
  kernel.outside.offer('knock')
  await kernel.run(() => false, 1000)
  t.is(kernel.log.count, 0)
})

/** What comes in, alone: without a loop. */
function outside() {
  const clock = new Clock(createRandom(1))
  const log = new EventLog(() => clock.now())
  const all = new Outside(clock, log)
  const seen: string[] = []
  all.onTaken = ({ turn, atNs, kind, payload }) => void seen.push(`${turn} ${atNs} ${kind} ${payload}`)
  all.onOffer = () => void seen.push('offered')
  all.on('a', (payload) => void seen.push(`a does ${payload}`))
  const lines = (): string[] => log.lines().map((line) => line.replace(/^\S+ /, ''))
  return { clock, all, seen, lines }
}

test('what is offered is taken in at the next turn, in order, told of first and written down', (t) => {
  const { clock, all, seen, lines } = outside()
  t.deepEqual([all.waiting, all.replays], [false, false])
  all.take(1)
  all.offer('a', 'x')
  all.offer('b')
  t.deepEqual([all.waiting, seen], [true, ['offered', 'offered']])
  clock.spend(30)
  t.false(all.ahead(2), 'nobody knows what is to come')
  all.take(2)
  t.deepEqual([all.waiting, seen.slice(2)], [false, ['2 30 a x', 'a does x', '2 30 b ']])
  t.deepEqual(lines(), ['d0 outside a x', 'd0 outside b'])
  all.take(3)
  t.is(lines().length, 2, 'each once')
})

test('what an input’s action offers is the next turn’s', (t) => {
  const { all, seen } = outside()
  all.on('again', () => all.offer('a', 'later'))
  all.offer('again')
  all.take(1)
  t.deepEqual([all.waiting, seen.at(-1)], [true, 'offered'])
  all.take(2)
  t.is(seen.at(-1), 'a does later')
})

test('recorded inputs come in at their turns and times; while nobody can run, time goes to the next turn’s', (t) => {
  const { clock, all, seen } = outside()
  const input = (turn: number, atNs: number, payload: string): OutsideInput => ({ turn, atNs, kind: 'a', payload })
  all.replay([input(2, 50, 'x'), input(2, 50, 'y'), input(4, 70, 'z')])
  t.deepEqual([all.waiting, all.replays], [true, true])
  all.offer('a', 'of the world')
  all.take(1)
  t.deepEqual([seen, all.waiting, clock.now()], [[], true, 0])
  t.deepEqual([all.ahead(1), all.ahead(3), clock.now()], [false, false, 0])
  t.deepEqual([all.ahead(2), clock.now()], [true, 50])
  all.take(2)
  t.deepEqual(seen, ['2 50 a x', 'a does x', '2 50 a y', 'a does y'])
  t.true(all.waiting)
  all.take(4)
  t.deepEqual([seen.slice(4), clock.now(), all.waiting], [['4 70 a z', 'a does z'], 70, false])
  all.replay([input(5, 80, 'again')])
  all.take(5)
  t.deepEqual([seen.at(-1), all.waiting], ['a does again', false])
  all.replay([])
  t.deepEqual([all.waiting, all.replays], [false, true])
})
