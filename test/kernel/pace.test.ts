import test from 'ava'
import { wallPace, type HostClock } from '../../cli/pace.ts'
import { Kernel } from '../../kernel/kernel.ts'
import type { OutsideInput } from '../../kernel/record.ts'
import { type Function, line, load, op } from './support.ts'
import { WAKE } from './tasks.ts'

/** Sleeps a millisecond at a time, `times` times, and notes each. */
const ticker: Function = {
  name: 'ticker',
  params: 1,
  body: [
    ...line(op.loop, op.value(1e6), op.call('block'), op.call('note')),
    ...line(op.local(0), op.value(1), op.sub, op.setLocal(0)),
    ...line(op.value(0), op.local(0), op.lessThan, op.againIf, op.end),
  ],
}

/** A wall clock that moves when somebody waits for it, early by a little as a host's timers are, and calls back then. */
function fakeHost(at: readonly (readonly [ms: number, act: () => void])[] = []): HostClock & { waits: number } {
  let now = 1000
  const acts = at.map(([ms, act]) => [1000 + ms, act] as const)
  return {
    waits: 0,
    nowMs: () => now,
    after(ms, call) {
      this.waits++
      let off = false
      setImmediate(() => {
        if (off) return
        const next = acts[0]
        const until = now + Math.max(0.01, ms - 0.2)
        if (next !== undefined && next[0] <= until) {
          now = Math.max(now, next[0])
          acts.shift()
          next[1]()
        } else now = until
        call()
      })
      return () => {
        off = true
      }
    },
  }
}

test('virtual time follows the wall at a ratio, and no event comes before its time', async (t) => {
  for (const ratio of [1, 0.1, 50]) {
    const kernel = new Kernel(1)
    const host = fakeHost()
    const pace = wallPace(ratio, host)
    kernel.pacing.pace = pace
    let early = 0
    const { start } = load(kernel, 'd', [ticker], {
      noted: () => (early = Math.max(early, kernel.clock.now() - pace.now())),
    })
    const fiber = start('ticker', 100)
    await kernel.run(() => fiber.done)
    const wall = host.nowMs() - 1000
    t.true(Math.abs(wall - 100 / ratio) < 2, `ratio ${ratio}: ${wall} ms`)
    t.true(early < 10_000, `${early} ns early`)
  }
})

test('what comes in while the machine waits comes at the time of the wall, and a replay needs no wall', async (t) => {
  const run = async (recorded?: readonly OutsideInput[]): Promise<{ hash: string; taken: OutsideInput[] }> => {
    const kernel = new Kernel(1)
    const taken: OutsideInput[] = []
    const { start, domain } = load(kernel, 'd', [ticker])
    const ask = (ms: number) => [ms, () => kernel.outside.offer('wake', `${ms}`)] as const
    kernel.outside.on('wake', () => domain.raise(WAKE))
    kernel.outside.onTaken = (input) => taken.push(input)
    if (recorded === undefined) kernel.pacing.pace = wallPace(1, fakeHost([2.4, 7.7, 7.71, 20.05].map(ask)))
    else kernel.outside.replay(recorded)
    const fiber = start('ticker', 40)
    await kernel.run(() => fiber.done)
    await kernel.run(() => false, kernel.clock.now() + 5e6)
    return { hash: kernel.log.hash, taken }
  }
  const live = await run()
  t.is(live.taken.length, 4)
  for (const { atNs, payload } of live.taken)
    t.true(Math.abs(atNs / 1e6 - Number(payload)) < 0.3, `${payload}: ${atNs}`)
  const again = await run(live.taken)
  t.is(again.hash, live.hash)
  t.deepEqual(again.taken, live.taken)
})

test('a frozen machine does nothing, and goes on as it was: timers keep what they had left', async (t) => {
  const run = async (recorded?: readonly OutsideInput[]): Promise<{ hash: string; taken: OutsideInput[] }> => {
    const kernel = new Kernel(1)
    const taken: OutsideInput[] = []
    kernel.outside.onTaken = (input) => taken.push(input)
    let frozenFor = 0
    const host = fakeHost([
      [3.5, () => kernel.pacing.freeze()],
      [3.6, () => {}],
    ])
    if (recorded !== undefined) kernel.outside.replay(recorded)
    else {
      kernel.pacing.pace = wallPace(1, host)
      const watch = setInterval(() => {
        if (!kernel.pacing.frozen) return
        t.true(kernel.clock.now() < 3.7e6)
        if (++frozenFor === 5) kernel.pacing.thaw()
        else if (frozenFor > 5) clearInterval(watch)
      }, 2)
      watch.unref()
    }
    const { start, notes } = load(kernel, 'd', [ticker])
    const fiber = start('ticker', 10)
    await kernel.run(() => fiber.done)
    t.is(notes.length, 10)
    t.true(kernel.clock.now() < 10.2e6, `${kernel.clock.now()} ns`)
    t.is(frozenFor, recorded === undefined ? 5 : 0)
    return { hash: kernel.log.hash, taken }
  }
  const live = await run()
  t.deepEqual(
    live.taken.map(({ kind }) => kind),
    ['freeze', 'thaw'],
  )
  t.is((await run(live.taken)).hash, live.hash)
})
