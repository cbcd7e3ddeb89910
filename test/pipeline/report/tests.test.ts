import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { MatrixDocument, MatrixRow } from '../../../pipeline/matrix/types.ts'
import { causeOf, parseCauses, testsPage } from '../../../pipeline/report/tests.ts'
import { packageRoot } from '../../../pipeline/root.ts'

const row = (module: string, tests: MatrixRow['tests'], more: Partial<MatrixRow> = {}): MatrixRow =>
  ({ module, path: `lib/${module}.ko`, rung: 'operate', reason: '', detail: '', tests, ...more }) as MatrixRow

const documentOf = (...rows: MatrixRow[]): MatrixDocument =>
  ({
    tree: { name: 'linux-6.1', version: '6.1.9' },
    selectors: ['@kunit'],
    until: 'operate',
    rows,
  }) as unknown as MatrixDocument

const failing = {
  passed: 17,
  failed: 1,
  skipped: 1,
  cases: [
    { suite: 'overflow', name: 'alloc', outcome: 'failed', detail: 'x.c:1: Expected' },
    { suite: 'overflow', name: 'huge', outcome: 'skipped', detail: 'only on 64-bit' },
  ],
} as const

test('each failure has its cause, each skip what it said, and what has neither says so', (t) => {
  const causes = parseCauses(
    'tree\tmodule\tcase\tends\tcause\n*\tover*\toverflow.alloc\t\tThe suite runs before its module is whole.\n',
  )
  const page = testsPage(
    [documentOf(row('overflow_kunit', failing), row('list-test', { ...failing, cases: [] }))],
    causes,
  )
  t.regex(page, /\| linux-6\.1 \(6\.1\.9\) \| 2 \| 2 \| 34 \| 2 \| 94\.44 % \| 0 \| 2 \|/)
  t.regex(page, /`overflow\.alloc` \| `overflow_kunit` \| failed: x\.c:1: Expected \| The suite runs before/)
  t.regex(page, /`overflow\.huge` .* \| only on 64-bit \|/)
  t.regex(testsPage([documentOf(row('overflow_kunit', failing))], []), /\*\*not known yet\*\*/)
  const broken = row('test_x', undefined, { rung: 'compile', reason: 'compile-error', detail: 'x.c:3: no' })
  t.regex(testsPage([documentOf(broken)], []), /`test\\?_x` \| did not run \|/)
})

test('what any Linux fails is counted apart, and says so; what is skipped is not among it', (t) => {
  const causes = parseCauses(
    'tree\tmodule\tcase\tends\tcause\n*\toverflow_kunit\t*\tas Linux\tNo Linux of it passes it.\n',
  )
  const page = testsPage(
    [documentOf(row('overflow_kunit', failing), row('list-test', { ...failing, cases: [] }))],
    causes,
  )
  t.regex(page, /\| 2 \| 2 \| 34 \| 1 \| 97\.14 % \| 1 \| 2 \|/)
  t.regex(page, /`overflow\.alloc` .* \| As on Linux\. No Linux of it passes it\. \|/)
})

test('the page says of which configuration it is, and how it is made again', (t) => {
  const plain = documentOf(row('list-test', { ...failing, cases: [] }))
  const page = testsPage([{ ...plain, tree: { ...plain.tree, configuration: 'kunit' } }], [])
  t.regex(page, /drvport matrix @kunit --check=kunit --tree linux-6\.1 /)
  t.regex(page, /^## linux-6\.1 \(6\.1\.9\) with kunit$/m)
})

test('of several configurations a test counts once, where it fares best', (t) => {
  const failed = {
    passed: 0,
    failed: 1,
    skipped: 0,
    cases: [{ suite: 'm', name: 'm', outcome: 'failed', detail: 'no' }],
  } as const
  const passed = { passed: 1, failed: 0, skipped: 0, cases: [] }
  const plain = documentOf(row('list-test', passed), row('test_meminit', failed))
  const other = documentOf(row('list-test', passed), row('of_test', passed), row('test_meminit', passed))
  const page = testsPage([{ ...other, tree: { ...other.tree, configuration: 'kunit' } }, plain], [])
  t.regex(page, /^\| linux-6\.1 \(6\.1\.9\) \| 3 \| 3 \| 3 \| 0 \| 100\.00 % \| 0 \| 0 \|$/m)
  t.regex(page, /^\| `list-test` \| `lib` \| 1 \| 0 \| 0 \|/m)
  t.regex(page, /^\| `of_test` with kunit \| `lib` \| 1 \| 0 \| 0 \|/m)
  t.regex(page, /^\| `test_meminit` with kunit \|/m)
  t.is(page.match(/^## /gm)?.length, 1)
  t.regex(page, /matrix @kunit --tree linux-6\.1 --until operate --output plain\.json$/m)
  t.regex(page, /matrix @kunit --check=kunit --tree linux-6\.1 --until operate --output kunit\.json$/m)
  t.regex(page, /matrix join kunit\.json plain\.json --report tests=/)
})

test('the table of causes begins with what its columns are', (t) => {
  const row = 'linux-6.1\tm\t*\t\tBecause of what it is like.\n'
  t.throws(() => parseCauses(row), { message: /makes no sense/ })
  t.throws(() => parseCauses(`\n${row}`), { message: /makes no sense/ })
  const table = readFileSync(join(packageRoot, 'drivers-src/test-causes.tsv'), 'utf8')
  t.truthy(causeOf(parseCauses(table), 'linux-6.1', 'overflow_kunit', 'overflow.overflow_allocation_test'))
})

test('a cause names tree, module and case; one that explains nothing is refused', (t) => {
  const causes = parseCauses('tree\tmodule\tcase\tends\tcause\nlinux-6.1\tm\t*\t\tBecause of what it is like.\n')
  t.is(causeOf(causes, 'linux-6.1', 'm', 's.c')?.cause, 'Because of what it is like.')
  t.is(causeOf(causes, 'linux-6.12', 'm', 's.c'), undefined)
  t.throws(() => parseCauses('tree\tmodule\tcase\tends\tcause\n*\tm\t*\t\tno\n'), { message: /test-causes\.tsv/ })
})
