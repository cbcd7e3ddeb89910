/** Record and replay: a run held against its recording, event by event. */
import test from 'ava'
import { Kernel } from '../../kernel/kernel.ts'
import { DEFAULT_LIMITS } from '../../kernel/program.ts'
import { Comparison, recordRun, settingsOf, type Frame } from '../../lab/recording.ts'
import { parseStop, stopAt } from '../../machine/observe/until.ts'
import { testPackage } from '../machine/support.ts'

interface Run {
  readonly kernel: Kernel
  readonly stopped: boolean
}

/** A kernel whose ticks depend on chance; tick `odd` differs from what it would be. */
async function run(options: { ticks?: number; odd?: number; observe?: (kernel: Kernel) => void }): Promise<Run> {
  const { ticks = 1000, odd = 0, observe } = options
  const kernel = new Kernel(11)
  observe?.(kernel)
  const kind = kernel.log.kind('tick')
  let done = 0
  const event = kernel.clock.event('tick', () => {
    done++
    if (done % 100 === 0) kernel.log.text(kind, 0, `hundred ${done / 100}`)
    else kernel.log.note(kind, 0, kernel.random.below(1000), done === odd ? 1 : 0)
    event.armIn(100)
  })
  event.armIn(100)
  let stopped = false
  kernel.outside.onOffer = () => (stopped = true)
  await kernel.run(() => stopped || done === ticks)
  return { kernel, stopped }
}

async function record(ticks = 1000): Promise<Frame[]> {
  const frames: Frame[] = []
  let end: (interrupted: boolean) => void = () => {}
  await run({
    ticks,
    observe: (kernel) => {
      const recorder = recordRun(kernel, (frame) => frames.push(frame))
      end = (interrupted) => recorder.end(interrupted)
    },
  })
  end(false)
  return frames
}

async function replay(frames: readonly Frame[], options: Parameters<typeof run>[0] = {}): Promise<Comparison> {
  let comparison: Comparison | undefined
  await run({ ...options, observe: (kernel) => (comparison = new Comparison(kernel, frames, () => {})) })
  comparison!.finish()
  return comparison!
}

test('the same run is identical at every checkpoint', async (t) => {
  const frames = await record()
  t.true(frames.length > 3)
  const { divergence, checkpoints, end } = await replay(frames)
  t.is(divergence, undefined)
  t.is(checkpoints, frames.length)
  t.deepEqual(end, { count: 1000, cut: false })
})

test('the first event that differs is named, with what was expected and what was found', async (t) => {
  const frames = await record()
  for (const odd of [1, 255, 256, 257, 601, 999]) {
    const { divergence } = await replay(frames, { odd })
    t.is(divergence?.event, odd)
    t.regex(divergence!.expected, /tick \d+ 0$/)
    t.is(divergence!.found, divergence!.expected.replace(/0$/, '1'))
  }
})

test('a run that ends early or goes on for longer is another run', async (t) => {
  const frames = await record()
  const early = await replay(frames, { ticks: 700 })
  t.is(early.divergence?.event, 701)
  t.is(early.divergence?.found, 'the end of the run')
  const late = await replay(frames, { ticks: 1001 })
  t.is(late.divergence?.event, 1001)
  t.is(late.divergence?.expected, 'the end of the run')
})

test('a recording that was cut off holds as far as it goes', async (t) => {
  const frames = (await record()).slice(0, 2)
  const comparison = await replay(frames)
  t.is(comparison.divergence, undefined)
  t.deepEqual(comparison.end, { count: 512, cut: true })
  t.is((await replay(frames, { odd: 513 })).divergence, undefined)
  t.is((await replay(frames, { odd: 512 })).divergence?.event, 512)
})

test('a header alone makes the run again, with nothing to hold it against', async (t) => {
  const { divergence, end } = await replay([])
  t.is(divergence, undefined)
  t.deepEqual(end, { count: 0, cut: true })
})

test('settings are what is data in a request', (t) => {
  const request = {
    seed: 1,
    modules: [{ pack: testPackage('tiny', []) }],
    frames: 3,
    limits: DEFAULT_LIMITS,
    onCheck: () => {},
    signal: new AbortController().signal,
    restarts: { limit: 3, wait: () => 1 } as never,
  }
  t.deepEqual(settingsOf(request), { frames: 3, limits: request.limits })
})

test('a stop is an event by number, by kind or by time', async (t) => {
  const at = async (text: string): Promise<string[]> => {
    const stops: string[] = []
    await run({ observe: ({ log }) => stopAt(log, parseStop(text)!, (event) => stops.push(`${log.count}: ${event}`)) })
    return stops.map((stop) => stop.replace(/tick \d+ 0$/, 'tick'))
  }
  t.deepEqual(await at('#100'), ['100: 0.000010000 d0 tick hundred 1'])
  t.deepEqual(await at('tick:3'), ['3: 0.000000300 d0 tick'])
  t.deepEqual(await at('@50.05us'), ['501: 0.000050100 d0 tick'])
  t.deepEqual(await at('fault'), [])
  for (const text of ['', '#0', '#', 'Fault', 'fault:0', '@1', '@1h', '3']) t.is(parseStop(text), undefined, text)
})
