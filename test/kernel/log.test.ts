import test from 'ava'
import { EventLog } from '../../kernel/log.ts'

test('a sink gets every record once and in order, also when the ring turns over', (t) => {
  let now = 0
  const log = new EventLog(() => now, 4)
  const kind = log.kind('tick')
  const lines: string[] = []
  log.sink = (some) => lines.push(...some)
  for (let i = 0; i < 11; i++) {
    now = i
    if (i % 3 === 0) log.text(kind, 1, `t${i}`)
    else log.note(kind, 1, i)
  }
  log.drain()
  log.drain()
  t.deepEqual(
    lines.map((line) => line.replace(/^\S+ d1 tick /, '')),
    ['t0', '1 0', '2 0', 't3', '4 0', '5 0', 't6', '7 0', '8 0', 't9', '10 0'],
  )
})

test('the hash tells runs apart and does not depend on who reads', (t) => {
  const run = (values: readonly number[], read: boolean): string => {
    const log = new EventLog(() => 0, 2)
    const kind = log.kind('x')
    if (read) log.sink = () => {}
    for (const value of values) log.note(kind, 1, value)
    return log.hash
  }
  t.is(run([1, 2, 3], false), run([1, 2, 3], true))
  t.not(run([1, 2, 3], false), run([1, 3, 2], false))
})

test('a watcher is called right after the record it waits for, text included, and again when it says so', (t) => {
  const log = new EventLog(() => 0, 4)
  const kind = log.kind('x')
  const seen: string[] = []
  log.watch(2, ({ count }) => {
    seen.push(`${count}: ${log.records(1)[0]!.text ?? log.records(1)[0]!.a}`)
    return count < 6 ? count + 3 : Infinity
  })
  log.note(kind, 1, 10)
  log.text(kind, 1, 'two')
  for (let i = 3; i < 20; i++) log.note(kind, 1, i * 10)
  t.deepEqual(seen, ['2: two', '5: 50', '8: 80'])
})

/** A log of four records, and a clock that moves when it is told to. */
function small(capacity = 4): { log: EventLog; at: (ns: number) => void } {
  let now = 0
  return { log: new EventLog(() => now, capacity), at: (ns) => void (now = ns) }
}

test('a record has its time, kind, domain and two numbers or a text; of the ring’s the last are given, oldest first', (t) => {
  const { log, at } = small()
  const [one, two] = [log.kind('one'), log.kind('two')]
  t.deepEqual([one, two, log.kind('one'), log.kinds], [0, 1, 0, ['one', 'two']])
  t.deepEqual([log.count, log.records(), log.lines()], [0, [], []])
  at(5)
  log.note(one, 7)
  at(1_000_000_009)
  log.text(two, 3, 'text')
  log.note(two, 4, 8, 9)
  t.deepEqual(log.records(), [
    { atNs: 5, kind: 'one', domain: 7, a: 0, b: 0 },
    { atNs: 1_000_000_009, kind: 'two', domain: 3, a: 4, b: 0, text: 'text' },
    { atNs: 1_000_000_009, kind: 'two', domain: 4, a: 8, b: 9 },
  ])
  t.deepEqual(log.lines(), ['0.000000005 d7 one 0 0', '1.000000009 d3 two text', '1.000000009 d4 two 8 9'])
  t.deepEqual([log.lines(1), log.lines(0)], [['1.000000009 d4 two 8 9'], []])
  for (let i = 0; i < 3; i++) log.note(one, i, i)
  t.deepEqual(
    log.records(100).map(({ kind, a, text }) => [kind, a, text]),
    [
      ['two', 8, undefined],
      ['one', 0, undefined],
      ['one', 1, undefined],
      ['one', 2, undefined],
    ],
  )
  log.note(9, 0)
  t.is(log.records(1)[0]!.kind, '?', 'a number that is no kind')
})

test('the hash is that of recordings made before: over time, kind, domain, numbers and text', (t) => {
  const hashes = [
    (log: EventLog) => log.note(0, 0),
    (log: EventLog) => log.note(1, 2, 3, 4),
    (log: EventLog) => log.note(2, 1, -3, 2 ** 31),
    (log: EventLog) => log.text(1, 1, 'text'),
    (log: EventLog) => log.text(1, 1, ''),
  ].map((write) => {
    const { log, at } = small()
    t.is(log.hash, '01000193811c9dc5')
    at(2 ** 40 + 2)
    write(log)
    write(log)
    return log.hash
  })
  t.deepEqual(hashes, [
    'e3d695519b2b9305',
    '894e8dc2f6f30edf',
    'b36d29732e001af9',
    'b3b6ed2163a83275',
    'b84be972a825ea23',
  ])
  const short = new EventLog(() => 0)
  short.note(0, 0, 95)
  t.is(short.hash, '006d6421588a3e28', 'always of sixteen digits')
})

test('every sink hears from when it was set, and the last one only; drained, it has had all there is', (t) => {
  const { log } = small()
  const kind = log.kind('x')
  const heard: string[] = []
  const sink = (name: string) => (lines: readonly string[]) => void heard.push(`${name} ${lines.length}`)
  log.note(kind, 1)
  log.sink = sink('first')
  for (let i = 0; i < 2; i++) log.note(kind, 1)
  t.deepEqual(heard, [])
  log.note(kind, 1)
  t.deepEqual(heard, ['first 4'])
  log.sink = sink('second')
  for (let i = 0; i < 5; i++) log.note(kind, 1)
  t.is(log.drain(), 13)
  log.drain()
  t.deepEqual(heard, ['first 4', 'second 4', 'second 1'])
  log.sink = sink('third')
  for (let i = 0; i < 7; i++) log.note(kind, 1)
  t.deepEqual(heard.splice(3), ['third 3', 'third 4'], 'when the ring would have turned over, had it not been drained')
  log.sink = undefined
  for (let i = 0; i < 5; i++) log.note(kind, 1)
  t.is(heard.length, 3)
})

test('a ring holds 8,192 records unless it is told otherwise, and each of several watchers is told in its own time', (t) => {
  const log = new EventLog(() => 0)
  t.is(log.capacity, 8192)
  const told: string[] = []
  const again =
    (name: string, step: number) =>
    ({ count }: EventLog) => (told.push(`${name} ${count}`), count + step)
  log.watch(2, again('two', 3))
  log.watch(3, again('three', Infinity))
  log.watch(5, again('five', 100))
  for (let i = 0; i < 9; i++) log.note(0, 0)
  t.deepEqual(told, ['two 2', 'three 3', 'two 5', 'five 5', 'two 8'])
})
