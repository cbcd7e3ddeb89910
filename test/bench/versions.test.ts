import test from 'ava'
import { intervalOf, mediansOf } from '../../bench/versions.ts'

test('medians are those of rows that have one, in whatever column they are', (t) => {
  const text = `machine, 2 rounds

| what | median | min |
|---|---:|---:|
| boot, ms | 12.50 | 11 |
| wanted | | 3 |

| | first | median |
|---|---:|---:|
| wall | 278.6 | 15.4 |
no row of a table: | 3 | 4 |`
  t.deepEqual(
    [...mediansOf(text)],
    [
      ['boot, ms', 12.5],
      ['wall', 15.4],
    ],
  )
})

test('an interval holds what is so, is the same each time, and is narrow only where rounds agree', (t) => {
  const agreeing = Array.from({ length: 20 }, (_, i) => [100 + (i % 3), 120 + (i % 3)] as const)
  const scattered = Array.from({ length: 20 }, (_, i) => [100 + 7 * ((i * 3) % 10), 100 + 7 * ((i * 7) % 10)] as const)
  const [low, high] = intervalOf(agreeing)
  t.true(low > 1.15 && high < 1.25, `${low} to ${high}`)
  t.deepEqual(intervalOf(agreeing), [low, high])
  const [least, most] = intervalOf(scattered)
  t.true(least < 1 && most > 1 && most - least > 0.05, `${least} to ${most}`)
})
