/** Heartbeats, with a domain on a processor that runs nobody. */
import test from 'ava'
import { Domain } from '../../kernel/domain.ts'
import { DEFAULT_HEARTBEAT, Heartbeat, type HeartbeatPolicy } from '../../kernel/heartbeat.ts'
import { emptyProgram, IdleProcessor, limits } from './processor.ts'

function scene(policy: HeartbeatPolicy = { periodNs: 100, timeoutNs: 250 }) {
  const processor = new IdleProcessor()
  const domain = new Domain(processor, 1, 'one', emptyProgram(), processor.partition, limits())
  const asked: { at: number; done: boolean }[] = []
  const missed: unknown[] = []
  const ask = (): { at: number; done: boolean } => {
    const beat = { at: processor.clock.now(), done: false }
    asked.push(beat)
    return beat
  }
  const heartbeat = new Heartbeat(domain, ask, policy, (complaint) => void missed.push(complaint ?? 'late'))
  const times = (): number[] => asked.map(({ at }) => at)
  return { processor, domain, heartbeat, asked, missed, times }
}

test('every period it is asked, once the last question has been answered', (t) => {
  const { processor, heartbeat, asked, missed, times } = scene()
  processor.reach(99)
  t.deepEqual([times(), heartbeat.pending, heartbeat.answers], [[], undefined, 0])
  processor.reach(100)
  t.is(heartbeat.pending, asked[0])
  processor.reach(200)
  t.deepEqual(times(), [100], 'one question at a time')
  asked[0]!.done = true
  t.is(heartbeat.pending, undefined)
  processor.reach(310)
  asked[1]!.done = true
  processor.reach(400)
  t.deepEqual([times(), heartbeat.answers], [[100, 300, 400], 2])
  asked[2]!.done = true
  processor.reach(700)
  t.deepEqual(missed, [])
})

test('it is asked from the loop, not from inside of whatever runs', (t) => {
  const { processor, asked } = scene()
  const posted: (() => void)[] = []
  processor.post = (task) => void posted.push(task)
  processor.reach(100)
  t.deepEqual([asked.length, posted.length], [0, 1])
  posted[0]!()
  t.is(asked.length, 1)
})

test('an answer that stays out is missed, once; one that came in time is not, however long ago that was', (t) => {
  const { processor, heartbeat, asked, missed } = scene()
  processor.reach(100)
  processor.reach(349)
  asked[0]!.done = true
  processor.reach(399)
  t.deepEqual(missed, [])
  processor.reach(400)
  processor.reach(649)
  t.deepEqual(missed, [])
  processor.reach(650)
  t.deepEqual([missed, asked.length, heartbeat.pending], [['late'], 2, asked[1]])
  processor.reach(2000)
  t.deepEqual([missed, asked.length, processor.clock.size], [['late'], 2, 0], 'nobody is asked any more')
})

test('while operations are under way that have a limit of their own, nothing is held against it', (t) => {
  const { processor, heartbeat, missed, times } = scene()
  heartbeat.operations = 1
  processor.reach(150)
  t.deepEqual(times(), [], 'nor is it asked')
  heartbeat.operations = 0
  processor.reach(200)
  t.deepEqual(times(), [200])
  heartbeat.operations = 1
  processor.reach(450)
  t.deepEqual(missed, [])
  heartbeat.operations = 0
  processor.reach(699)
  t.deepEqual(missed, [])
  processor.reach(700)
  t.deepEqual(missed, ['late'], 'it has as long again')
})

test('who complains of it at a beat is heard, unless an operation is under way', (t) => {
  const { processor, heartbeat, asked, missed } = scene()
  let complaint: string | undefined
  heartbeat.serving = () => complaint
  processor.reach(100)
  t.is(asked.length, 1)
  complaint = 'its queue stands still'
  heartbeat.operations = 1
  processor.reach(200)
  t.deepEqual(missed, [])
  heartbeat.operations = 0
  processor.reach(300)
  t.deepEqual([missed, processor.clock.size], [['its queue stands still'], 0])
})

test('one that has ended, or is to be let alone, is not asked and misses nothing', (t) => {
  const never = scene({ periodNs: 0, timeoutNs: 250 })
  t.is(never.processor.clock.size, 0)
  t.is(scene({ periodNs: 1, timeoutNs: 250 }).processor.clock.size, 1)
  const stopped = scene()
  stopped.processor.reach(100)
  stopped.heartbeat.stop()
  t.is(stopped.processor.clock.size, 0)
  const dead = scene()
  dead.processor.reach(100)
  dead.domain.dead = true
  dead.processor.reach(1000)
  t.deepEqual([dead.asked.length, dead.missed, dead.processor.clock.size], [1, [], 0])
})

test('its events are named after the domain, as whoever is told of an accident of theirs sees', (t) => {
  const { processor } = scene()
  processor.clock.spend(100)
  const due = processor.clock.take()!
  due.fire()
  processor.clock.spend(250)
  t.deepEqual(
    [due, processor.clock.take(), processor.clock.take()].map((event) => event!.name),
    ['one: heartbeat', 'one: heartbeat', 'one: heartbeat overdue'],
  )
  t.true(DEFAULT_HEARTBEAT.periodNs > 0 && DEFAULT_HEARTBEAT.timeoutNs > 0, 'there is one unless it is told otherwise')
})
