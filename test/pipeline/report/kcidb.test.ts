import test from 'ava'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import fc from 'fast-check'
import { kcidb, kcidbText } from '../../../pipeline/report/kcidb.ts'
import { anyMatrix, matrix, row, sample } from '../matrix/_rows.ts'
import { kcidbSchema } from './_kcidb-schema.ts'

const ajv = new Ajv({ allErrors: true, strict: true })
formats.default(ajv)
const valid = ajv.compile(kcidbSchema)
type Report = ReturnType<typeof kcidb>

function linked(t: import('ava').ExecutionContext, { checkouts, builds, tests, issues, incidents }: Report): void {
  const ids = (list: readonly object[]) => list.map((item) => (item as { id: string }).id)
  for (const list of [checkouts, builds, tests, issues, incidents])
    t.is(new Set(ids(list)).size, list.length, 'ids are unique')
  const within = (id: string, list: readonly object[]) => t.true(ids(list).includes(id), id)
  for (const { checkout_id: id } of builds) within(id, checkouts)
  for (const { build_id: id } of tests) within(id, builds)
  for (const { issue_id: issue, test_id: run, build_id: build } of incidents) {
    within(issue, issues)
    within(run, tests)
    within(build, builds)
  }
}

test('any matrix is valid KCIDB 5.3, and everything it refers to is in it', (t) => {
  fc.assert(
    fc.property(anyMatrix, (document) => {
      const report = JSON.parse(kcidbText(document)) as Report
      t.true(valid(report), JSON.stringify(valid.errors?.slice(0, 3)))
      linked(t, report)
    }),
  )
})

test('the schema that holds us refuses what KernelCI would', (t) => {
  const broken: readonly ((report: any) => void)[] = [
    (report) => (report.version.minor = 4),
    (report) => (report.tests[0].status = 'OK'),
    (report) => (report.tests[0].path = 'a/b'),
    (report) => delete report.builds[0].checkout_id,
    (report) => (report.builds[0].start_time = 'today'),
    (report) => (report.tests.at(-1).log_excerpt = 'x'.repeat(16_385)),
    (report) => (report.issues[0].id = 'no origin'),
    (report) => (report.checkouts[0].surprise = 1),
    (report) => (report.checkouts[0].comment = null),
  ]
  for (const [i, damage] of broken.entries()) {
    const report = structuredClone(kcidb(sample))
    damage(report)
    t.false(valid(report), `damage ${i}`)
  }
})

test('the same result gives the same ids, another result others; a time only when it is given', (t) => {
  const ids = (report: Report) => [report.builds[0]?.id, ...report.tests.map(({ id }) => id)]
  t.deepEqual(kcidb(sample), kcidb(structuredClone(sample)))
  const other = matrix(sample.rows.slice(1), { until: 'traffic' })
  t.deepEqual(
    ids(kcidb(other)).filter((id) => ids(kcidb(sample)).includes(id)),
    [],
  )
  t.notRegex(JSON.stringify(kcidb(sample)), /_time/)
  const timed = kcidb(sample, { startTime: '2026-01-02T03:04:05Z' })
  t.true(valid(timed))
  t.is((timed.builds[0] as { start_time?: string }).start_time, '2026-01-02T03:04:05Z')
})

test('statuses: what the driver did, what a tool did, what never ran, what does not apply', (t) => {
  const status = (module: string): string | undefined =>
    kcidb(sample).tests.find(({ comment }) => comment.endsWith(`/${module}.ko`))?.status
  const expected = { '8139too': 'PASS', radeon: 'FAIL', ttm: 'ERROR', ccm: 'MISS', dummy: 'SKIP', xts: 'ERROR' }
  for (const [module, wanted] of Object.entries(expected)) t.is(status(module), wanted, module)
  t.is(kcidb(sample).builds[0]?.status, 'FAIL')
  t.is(kcidb(matrix([row('a/a.ko', { rung: 'compile', reason: 'unresolved-symbol' })])).builds[0]?.status, 'PASS')
})
