import test from 'ava'
import fc from 'fast-check'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { UsageError } from '../../../pipeline/errors.ts'
import { compact } from '../../../pipeline/matrix/compact.ts'
import { checkMatrix, readMatrix } from '../../../pipeline/matrix/read.ts'
import { digestOf } from '../../../pipeline/matrix/summary.ts'
import type { MatrixDocument } from '../../../pipeline/matrix/types.ts'
import { json } from '../../../pipeline/report/json.ts'
import { writeReport } from '../../../pipeline/report/index.ts'
import { anyMatrix, matrix, row, sample } from './_rows.ts'

const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-read-'))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

const withoutTimes = ({ ms: _ms, rows, ...rest }: MatrixDocument) => ({
  ...rest,
  rows: rows.map(({ ms: _ms, ...row }) => row),
})

test('what json wrote is read as it was, whatever the texts', (t) => {
  fc.assert(fc.property(anyMatrix, (m) => (t.deepEqual(checkMatrix(JSON.parse(json(m)), 'x'), m), true)))
})

test('what compact wrote loses nothing but times', (t) => {
  fc.assert(
    fc.property(anyMatrix, (m) => {
      const back = checkMatrix(JSON.parse(compact(m)), 'x')
      t.deepEqual(withoutTimes(back), withoutTimes(m))
      t.is(digestOf(back.rows), m.summary.digest)
    }),
  )
})

test('one more symbol changes the line that uses it and adds one, and no other', (t) => {
  const rows = ['a/a.ko', 'a/b.ko', 'a/c.ko'].map((p) => row(p, { missing: ['m', 'n'] }))
  const before = compact(matrix(rows)).split('\n')
  const after = compact(matrix([row('a/a.ko', { missing: ['lll', 'm', 'n'] }), ...rows.slice(1)])).split('\n')
  const changed = after.filter((line) => !before.includes(line) && !line.startsWith('"summary"'))
  t.is(changed.length, 2)
  t.regex(changed[0]!, /"lll"/)
  t.regex(changed[1]!, /a\/a\.ko/)
})

test('every kind of matrix file is read back, compressed or not', async (t) => {
  for (const [kind, name] of [
    ['json', 'a.json'],
    ['json', 'a.json.gz'],
    ['compact', 'c.json'],
    ['compact', 'c.json.gz'],
  ] as const) {
    const file = path.join(work, 'deep', name)
    await writeReport(kind, sample, file)
    t.is((await readMatrix(file)).summary.digest, sample.summary.digest, name)
  }
})

test('fields and reasons of a newer drvport are kept', (t) => {
  const rows = [{ ...row('a/a.ko', { reason: 'new-reason' as 'fault', rung: 'parse' }), novelty: { x: 1 } }]
  const document = { ...matrix(rows), novelty: [1] }
  for (const text of [json(document), compact(document)]) {
    const back = checkMatrix(JSON.parse(text), 'x') as MatrixDocument & { novelty: unknown }
    t.deepEqual(back.novelty, [1])
    t.like(back.rows[0], { reason: 'new-reason', novelty: { x: 1 } })
  }
})

const refusals: readonly (readonly [name: string, content: string | Buffer, where: RegExp, found: RegExp])[] = [
  ['an empty file', '', /m\.json$/, /^an empty file$/],
  ['text', 'hello', /m\.json$/, /hello/],
  ['half a document', json(sample).slice(0, 500), /m\.json$/, /drvport\.matrix/],
  ['a damaged archive', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]), /m\.json$/, /damaged/],
  ['another document', '{"schema":"drvport.build/1","modules":[]}', /m\.json$/, /drvport\.build\/1/],
  ['no rows', json(sample).replace('"rows":[', '"wors":['), /rows$/, /^nothing$/],
  ['a compact file without names', compact(sample).replace('"names":', '"nams":'), /rows$/, /^nothing$/],
  ['a rung that there is not', json(sample).replace('"rung":"traffic"', '"rung":"sky"'), /rows\[\d+\]: rung$/, /"sky"/],
  [
    'a name that the table lacks',
    compact(sample).replace('"names":{', '"names":{},"nom":{'),
    /rows\[\d+\]: (licenses|spdx)$/,
    /null/,
  ],
  ['a changed row', json(sample).replace('signal 11', 'signal 12'), /summary\.digest$/, /changed after/],
  ['a shard beyond the last', json(matrix([], { shard: { index: 3, of: 2 } })), /shard$/, /"index":3/],
]

for (const [name, content, where, found] of refusals) {
  test(`${name} is refused, with what was found where`, async (t) => {
    const file = path.join(work, `${name} m.json`)
    await fs.writeFile(file, content)
    const error = await t.throwsAsync(readMatrix(file), { instanceOf: UsageError })
    t.regex(error?.where ?? '', where)
    t.regex(error?.found ?? '', found)
    t.is(error?.status, 2)
  })
}

test('a file that is not there, and a folder, are usage errors', async (t) => {
  t.is((await t.throwsAsync(readMatrix(path.join(work, 'none')), { instanceOf: UsageError }))?.found, 'no such file')
  t.is((await t.throwsAsync(readMatrix(work), { instanceOf: UsageError }))?.found, 'a directory')
})

test('a path twice is refused', (t) => {
  const twice = { ...matrix([row('a/a.ko')]), rows: [row('a/a.ko'), row('a/a.ko')] }
  t.regex(t.throws(() => checkMatrix(twice, 'x'), { instanceOf: UsageError })?.found ?? '', /a\/a\.ko/)
})
