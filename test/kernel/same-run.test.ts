/**
 * The loop has short ways: from one fiber to the next without a turn of its own, turns made on top of a fiber, turns in one go. Held
 * to another clock, or given inputs from outside, it goes turn by turn. Both are the same run, turns counted alike: else a
 * recording of the one would not come back as the other.
 */
import test from 'ava'
import fc from 'fast-check'
import { createRandom } from '../../base/random.ts'
import { Kernel } from '../../kernel/kernel.ts'
import type { OutsideInput } from '../../kernel/record.ts'
import { Partition } from '../../kernel/schedule.ts'
import { type Hosted, hosted } from './hosted.ts'

const TIMER = 1000
const WAKE = 1001

type Way = 'free' | 'paced' | 'replayed'

interface Scene {
  readonly seed: number
  readonly domains: readonly { readonly priority: number; readonly share: number }[]
  /** Runs one after the other: how long, and whom somebody outside wakes before it. */
  readonly runs: readonly { readonly forNs: number; readonly wakes: readonly number[] }[]
}

/** Does this and that, by chance, until it ends. */
async function live(kernel: Kernel, self: Hosted, all: readonly Hosted[], seed: number): Promise<void> {
  const random = createRandom(seed)
  const { domain } = self
  const other = (): Hosted => all[random.below(all.length)]!
  const steps: readonly (() => unknown)[] = [
    () => domain.spend(random.below(2e5)),
    () => {
      domain.preempt()
      domain.spend(random.below(3e6))
    },
    () => domain.yield(),
    async () => {
      domain.setTimer(kernel.clock.now() + random.below(1e6))
      await domain.idle()
      while (domain.take(TIMER) >= 0);
    },
    async () => {
      await domain.idle()
      while (domain.take(TIMER) >= 0);
    },
    () => {
      const [whom, ns] = [other(), random.below(5000)]
      kernel.post(() => {
        kernel.clock.spend(ns)
        whom.domain.raise(WAKE)
      })
      return kernel.contended() ? domain.resched() : undefined
    },
    () => (kernel.contended() ? domain.resched() : undefined),
    () => other().domain.raise(WAKE),
    () => {
      const whom = other()
      kernel.clock.event('wake', () => whom.domain.raise(WAKE)).armIn(random.below(2e6))
    },
    () => {
      if (random.below(40) === 0) kernel.post(() => domain.end())
      return domain.yield()
    },
  ]
  for (;;) await steps[random.below(steps.length)]!()
}

async function run({ seed, domains, runs }: Scene, way: Way, inputs: readonly OutsideInput[] = []) {
  const kernel = new Kernel(seed)
  kernel.vitals = new Float64Array(6)
  if (way === 'paced')
    kernel.pacing.pace = { now: () => Infinity, wait: async () => {}, hurry: () => {}, hold: () => {} }
  const taken: OutsideInput[] = []
  kernel.outside.onTaken = (input) => taken.push(input)
  const all: Hosted[] = []
  kernel.outside.on('wake', (whom) => all[Number(whom)]?.domain.raise(WAKE))
  if (way === 'replayed') kernel.outside.replay(inputs)
  for (const [i, { priority, share }] of domains.entries()) {
    const partition = share === 0 ? kernel.partition : kernel.scheduler.add(new Partition(`${i}`, share))
    const one = hosted(kernel, `${i}`, { partition })
    all.push(one)
    one.start(() => live(kernel, one, all, seed + i), priority)
  }
  const ends: unknown[] = []
  for (const { forNs, wakes } of runs) {
    for (const whom of wakes) kernel.outside.offer('wake', `${whom}`)
    ends.push(await kernel.run(() => kernel.domains.length === 0, kernel.clock.now() + forNs), kernel.clock.now())
  }
  const totals = kernel.scheduler.partitions.map(({ total }) => total)
  return { taken, ends, totals, turns: kernel.vitals[0], lines: kernel.log.lines(400), hash: kernel.log.hash }
}

const scene: fc.Arbitrary<Scene> = fc.record({
  seed: fc.nat(1e6),
  domains: fc.array(fc.record({ priority: fc.constantFrom(16, 16, 17, 40), share: fc.constantFrom(0, 0, 0.1, 0.2) }), {
    minLength: 1,
    maxLength: 4,
  }),
  runs: fc.array(
    fc.record({ forNs: fc.integer({ min: 1, max: 20e6 }), wakes: fc.array(fc.nat(3), { maxLength: 2 }) }),
    { minLength: 1, maxLength: 4 },
  ),
})

test('a machine makes the same run in the same turns, whether its loop takes short ways or goes turn by turn', async (t) => {
  await fc.assert(
    fc.asyncProperty(scene, async (one) => {
      const paced = await run(one, 'paced')
      t.deepEqual(await run(one, 'free'), paced)
      t.deepEqual(await run(one, 'replayed', paced.taken), paced)
    }),
    { seed: 1, numRuns: 60 },
  )
})
