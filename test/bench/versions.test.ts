import test from 'ava'
import { mediansOf } from '../../bench/versions.ts'

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
