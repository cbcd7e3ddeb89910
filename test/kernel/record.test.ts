/** Record and replay, at its root: what came from outside, given back at the same turns, makes the same run. */
import test from 'ava'
import fc from 'fast-check'
import { Kernel } from '../../kernel/kernel.ts'
import type { OutsideInput } from '../../kernel/record.ts'

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
