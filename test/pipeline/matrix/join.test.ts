import test from 'ava'
import { UsageError } from '../../../pipeline/errors.ts'
import { openQuestions } from '../../../pipeline/matrix/because.ts'
import { joinMatrices } from '../../../pipeline/matrix/join.ts'
import { columnNames } from '../../../pipeline/matrix/many.ts'
import { emptyRow } from '../../../pipeline/matrix/row.ts'
import { summarize } from '../../../pipeline/matrix/summary.ts'
import type { MatrixDocument, Reason } from '../../../pipeline/matrix/types.ts'

const column = (version: string, reason: Reason | '' = '', more: Partial<MatrixDocument> = {}): MatrixDocument => {
  const empty = emptyRow({ name: 'acme', path: 'external/acme/acme.ko' }, 'interrupted', '')
  const rows = [{ ...empty, reason, rung: reason === '' || reason === 'not-exported' ? 'compile' : 'parse' } as const]
  return {
    schema: 'drvport.matrix/1',
    tree: { name: `linux-${version.split('.').slice(0, 2).join('.')}`, version },
    toolchain: { name: 'clang', version: '19.1.7' },
    drvport: '0.1.0+abc',
    selectors: ['./acme'],
    until: 'compile',
    seed: 1,
    interrupted: false,
    summary: summarize(rows),
    rows,
    ms: 10,
    ...more,
  }
}

const join = (...documents: MatrixDocument[]) =>
  joinMatrices(documents.map((document, i) => ({ file: `${'abcdef'[i]}.json`, document })))

test('columns stand by the kernel, oldest first, whatever the files are called', (t) => {
  const joined = join(column('7.3.0'), column('6.12.117'), column('7.3.0-rc7'), column('5.10.262'), column('6.1.192'))
  t.is(joined.schema, 'drvport.matrix/2')
  const versions = joined.columns.map(({ tree }) => tree.version)
  t.deepEqual(versions, ['5.10.262', '6.1.192', '6.12.117', '7.3.0-rc7', '7.3.0'])
  t.deepEqual(joined.columns[1], column('6.1.192'))
})

test('configurations of one tree stand beside each other, the plain one first, each by its name', (t) => {
  const checked = column('6.1.192', '', { tree: { name: 'linux-6.1', version: '6.1.192', configuration: 'kunit' } })
  const joined = join(checked, column('6.12.117'), column('6.1.192'))
  t.deepEqual(columnNames(joined), ['linux-6.1', 'linux-6.1 with kunit', 'linux-6.12'])
  t.like(refused(checked, checked), { found: 'linux-6.1 (6.1.192) with kunit twice' })
})

/** What a refusal says. */
const refused = (...documents: MatrixDocument[]): Partial<UsageError> | undefined => {
  try {
    join(...documents)
  } catch (error) {
    return error instanceof UsageError ? error : undefined
  }
  return undefined
}

const other: readonly (readonly [name: string, more: Partial<MatrixDocument>, found: string])[] = [
  ['toolchain', { toolchain: { name: 'emcc', version: '3.1.6' } }, 'emcc 3.1.6'],
  ['drvport', { drvport: '0.1.0+def' }, '0.1.0+def'],
  ['--until', { until: 'link' }, 'link'],
  ['--seed', { seed: 2 }, '2'],
  ['selectors', { selectors: ['./other'] }, './other'],
  ['--sample', { sample: { size: 1, of: 9 } }, 'a sample'],
]

test('columns that say nothing beside each other are refused, with what differs and in which files', (t) => {
  for (const [name, more, found] of other) {
    const error = refused(column('5.10.262'), column('6.1.192', '', more))
    t.like(error, { where: 'a.json, b.json', found }, name)
    t.true(error?.expected?.startsWith(`the same ${name}, `), name)
  }
  t.like(refused(column('6.1.192'), column('5.10.262'), column('6.1.192')), {
    where: 'a.json, c.json',
    found: 'linux-6.1 (6.1.192) twice',
  })
  const part = refused(column('5.10.262'), column('6.1.192', '', { shard: { index: 2, of: 4 } }))
  t.like(part, { where: 'b.json', found: 'part 2 of 4' })
  t.regex(part?.todo ?? '', /drvport matrix merge/)
  t.truthy(refused())
  t.is(refused(column('5.10.262'), column('6.1.192')), undefined)
})

test('to say why takes the trees that fail, and of those before them the newest that does not', (t) => {
  const asked = (...documents: MatrixDocument[]) => openQuestions(join(...documents)).map(({ tree }) => tree.version)
  const [old, fine] = [column('5.10.262'), column('6.1.192')]
  t.deepEqual(asked(old, fine), [])
  t.deepEqual(asked(old, fine, column('6.12.1', 'compile-error'), column('7.2.1', 'compile-error')), [
    '6.1.192',
    '6.12.1',
    '7.2.1',
  ])
  t.deepEqual(asked(column('5.10.262', 'missing-header'), fine, column('7.2.1')), ['5.10.262', '6.1.192'])
  t.deepEqual(asked(fine, column('6.12.1', 'not-exported'), column('7.2.1', 'not-exported')), [
    '6.1.192',
    '6.12.1',
    '7.2.1',
  ])
  // Wrong everywhere, or for a reason that no tree explains: nothing to ask.
  t.deepEqual(asked(column('5.10.262', 'compile-error'), column('6.1.192', 'compile-error')), [])
  t.deepEqual(asked(fine, column('7.2.1', 'timeout')), [])
  // Wrong everywhere, and not in the same way: each may tell of the others.
  const wrong = (version: string, detail: string, path = 'external/acme/acme.ko') => {
    const made = column(version, 'compile-error')
    return { ...made, rows: made.rows.map((row) => ({ ...row, path, detail })) }
  }
  t.deepEqual(asked(wrong('5.10.262', 'a'), wrong('6.1.192', 'a'), wrong('7.2.1', 'b')), [
    '5.10.262',
    '6.1.192',
    '7.2.1',
  ])
  const own = 'drivers/acme.ko'
  t.deepEqual(asked(wrong('5.10.262', 'a', own), wrong('7.2.1', 'b', own)), [])
})
