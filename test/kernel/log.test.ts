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
