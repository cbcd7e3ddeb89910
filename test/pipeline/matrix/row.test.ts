import test from 'ava'
import type { ModuleResult } from '../../../pipeline/build/index.ts'
import { NOTHING } from '../../../pipeline/build/module.ts'
import { emptyRow, rowOf } from '../../../pipeline/matrix/row.ts'
import { REASON_TEXTS } from '../../../pipeline/matrix/reasons.ts'
import { digestOf } from '../../../pipeline/matrix/summary.ts'
import { REASONS } from '../../../pipeline/matrix/types.ts'

const result = (rest: Partial<ModuleResult>): ModuleResult => ({
  ...NOTHING,
  name: 'nic',
  path: 'drivers/net/nic.ko',
  rung: 'link',
  ms: { compile: 1.4, link: 2.6, total: 4 },
  ...rest,
})

test('lists are sorted and each name is there once, times are whole', (t) => {
  const row = rowOf(result({ pretends: ['b', 'a', 'b'], imports: ['pci.find', 'mmio.read32'] }))
  t.deepEqual(row.pretends, ['a', 'b'])
  t.deepEqual(row.imports, ['mmio.read32', 'pci.find'])
  t.deepEqual(row.ms, { compile: 1, link: 3, total: 4 })
})

test('times are no part of what a row says', (t) => {
  const slow = rowOf(result({ ms: { compile: 9000, link: 900, total: 9900 } }))
  t.is(digestOf([slow]), digestOf([rowOf(result({}))]))
})

test('what a failing module would provide is not missing from the tree', (t) => {
  const missing = [
    { symbol: 'nobody_has_it', file: 'nic.c', line: 3, neededBy: ['module:nic'] },
    { symbol: 'core_call', file: 'nic.c', line: 4, neededBy: ['module:nic'], blockedBy: 'module:core' },
    { symbol: 'lib_call', file: 'nic.c', line: 5, neededBy: ['module:nic'], blockedBy: 'tree:lib/x.c' },
  ]
  t.deepEqual(rowOf(result({ missing })).missing, ['lib_call', 'nobody_has_it'])
})

test('a detail is one line', (t) => {
  const { detail } = rowOf(result({ rung: 'compile', reason: 'link-error', detail: 'first\n\tsecond  third ' }))
  t.is(detail, 'first second third')
})

test('a reason that nobody has defined is our mistake and shows as one', (t) => {
  t.is(rowOf(result({ reason: 'no-such-reason' })).reason, 'internal-error')
})

test('an unfinished module is a row of which nothing is known', (t) => {
  const row = emptyRow({ name: 'nic', path: 'drivers/net/nic.ko' }, 'interrupted', '')
  t.deepEqual([row.rung, row.reason, row.sources], ['none', 'interrupted', 0])
})

test('every reason has its texts', (t) => {
  for (const reason of REASONS) {
    const { title, means, todo } = REASON_TEXTS[reason]
    t.true(
      [title, means, todo].every((text) => text.length > 5 && !text.includes('\n')),
      reason,
    )
  }
})
