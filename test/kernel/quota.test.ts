/** Quotas, where nobody holds anything: the judge alone. */
import test from 'ava'
import { DEFAULT_QUOTAS, Ledger, RESOURCES, strictest } from '../../kernel/quota.ts'

test('a quota may be used up to the last, and more is refused and counted, by resource', (t) => {
  const ledger = new Ledger({ ...DEFAULT_QUOTAS, files: 3, windows: 0 })
  t.deepEqual(
    [ledger.allows('files', 2, 1), ledger.allows('files', 0, 3), ledger.allows('windows', 0, 0)],
    [true, true, true],
  )
  t.deepEqual(
    [ledger.allows('files', 3, 1), ledger.allows('files', 2, 2), ledger.allows('windows', 0, 1)],
    [false, false, false],
  )
  t.deepEqual(
    RESOURCES.filter((name) => ledger.refused[name] > 0).map((name) => [name, ledger.refused[name]]),
    [
      ['windows', 1],
      ['files', 2],
    ],
  )
})

test('of each resource the first refusal is told of', (t) => {
  const ledger = new Ledger({ ...DEFAULT_QUOTAS, files: 3, dma: 100 })
  t.false(ledger.allows('dma', 0, 101), 'though nobody listens')
  const told: unknown[] = []
  ledger.onRefusal = (...what) => told.push(what)
  for (let i = 0; i < 2; i++) {
    ledger.allows('files', 3, 2)
    ledger.allows('dma', 100, 1)
  }
  t.deepEqual(told, [['files', 'quota of 3 files used up: 2 more refused']])
})

test('of two sets of quotas the stricter of each holds; what one does not name is the other’s', (t) => {
  t.deepEqual(strictest(DEFAULT_QUOTAS), DEFAULT_QUOTAS)
  const [more, less] = [DEFAULT_QUOTAS.log + 1, DEFAULT_QUOTAS.files - 1]
  t.deepEqual(strictest(DEFAULT_QUOTAS, { log: more, files: less }), { ...DEFAULT_QUOTAS, files: less })
})
