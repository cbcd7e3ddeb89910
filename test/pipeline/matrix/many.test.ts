import test from 'ava'
import { columnNames, differs, manyRows, type MatricesDocument } from '../../../pipeline/matrix/many.ts'
import { emptyRow } from '../../../pipeline/matrix/row.ts'
import { summarize } from '../../../pipeline/matrix/summary.ts'
import type { MatrixDocument, MatrixRow } from '../../../pipeline/matrix/types.ts'
import { badge } from '../../../pipeline/report/badge.ts'
import { manyPage } from '../../../pipeline/report/many-page.ts'
import { fallsShort } from '../../../pipeline/report/outcome.ts'
import { manyComment, manyJunit, manyKcidb, manyKtap, manyMarkdown } from '../../../pipeline/report/many.ts'

const good = (path: string): MatrixRow => {
  const module = path.replace(/^.*\//, '').replace(/\.ko$/, '')
  return { ...emptyRow({ name: module, path }, 'interrupted', ''), reason: '', rung: 'compile' }
}
const bad = (path: string, detail: string): MatrixRow => ({
  ...good(path),
  rung: 'parse',
  reason: 'api-removed',
  detail,
})

const column = (name: string, version: string, rows: readonly MatrixRow[]): MatrixDocument => ({
  schema: 'drvport.matrix/1',
  tree: { name, version },
  toolchain: { name: 'clang', version: '19.1.7' },
  drvport: '0.1.0',
  selectors: ['./acme'],
  until: 'compile',
  seed: 1,
  interrupted: false,
  summary: summarize(rows),
  rows,
  ms: 10,
})

const document: MatricesDocument = {
  schema: 'drvport.matrix/2',
  columns: [
    column('linux-6.1', '6.1.192', [good('drivers/a/acme.ko'), good('drivers/a/both.ko'), good('drivers/a/old.ko')]),
    column('linux-7.2', '7.2.13', [
      bad('drivers/b/acme.ko', 'acme.c:3: <strlcpy> | gone'),
      good('drivers/a/both.ko'),
      good('drivers/b/new.ko'),
    ]),
  ],
}

test('a module is one line, wherever a tree has it; what a tree has not is no cell', (t) => {
  const table = manyRows(document).map(({ module, path, cells }) => [module, path, cells.map((cell) => cell?.rung)])
  t.deepEqual(table, [
    ['both', 'drivers/a/both.ko', ['compile', 'compile']],
    ['old', 'drivers/a/old.ko', ['compile', undefined]],
    ['acme', 'drivers/b/acme.ko', ['compile', 'parse']],
    ['new', 'drivers/b/new.ko', [undefined, 'compile']],
  ])
  t.deepEqual(
    manyRows(document)
      .filter(differs)
      .map(({ module }) => module),
    ['old', 'acme', 'new'],
  )
})

test('two modules of one name are not taken for each other', (t) => {
  const twins: MatricesDocument = {
    schema: 'drvport.matrix/2',
    columns: [
      column('linux-6.1', '6.1.1', [good('a/x.ko'), good('b/x.ko')]),
      column('linux-6.1', '6.1.2', [good('c/x.ko')]),
    ],
  }
  t.is(manyRows(twins).length, 3)
  t.deepEqual(columnNames(twins), ['linux-6.1 (6.1.1)', 'linux-6.1 (6.1.2)'])
})

test('every report has a column, a suite or a build for each tree', (t) => {
  const text = manyMarkdown(document)
  t.regex(text, /\| `acme` \| ✅ compile \| ❌ parse, api-removed \|/)
  t.regex(text, /`acme` on linux-7\.2: api-removed: acme\.c:3: &lt;strlcpy> \\\| gone/)
  t.regex(manyJunit(document), /<testsuite name="linux-7\.2\/drivers\/b" tests="2" failures="1"/)
  t.is(manyJunit(document).match(/<testsuites /g)?.length, 1)
  const kcidb = JSON.parse(manyKcidb(document)) as { builds: unknown[]; checkouts: unknown[]; incidents: unknown[] }
  t.deepEqual([kcidb.builds.length, kcidb.checkouts.length, kcidb.incidents.length], [2, 2, 1])
  t.regex(manyKtap(document), /^KTAP version 1\n1\.\.2\n {2}KTAP version 1\n {2}# Subtest: linux-6\.1\n/)
  t.regex(manyKtap(document), /^not ok 2 linux-7\.2$/m)
  const page = manyPage(document)
  t.regex(page, /<td class="fail">✗ [^<]+<small>acme\.c:3: &lt;strlcpy&gt; \| gone<\/small><\/td>/)
  t.regex(page, /<td class="none">not in this tree<\/td>/)
})

test('what its dkms.conf leaves out counts neither for nor against; a patch that was applied is named', (t) => {
  const left: MatrixRow = {
    ...bad('a/x.ko', 'dkms.conf: BUILD_EXCLUSIVE_KERNEL="^6"'),
    rung: 'none',
    reason: 'excluded',
  }
  const columns = [
    column('linux-5.10', '5.10.1', [left, { ...left, module: 'y', path: 'a/y.ko' }]),
    column('linux-6.1', '6.1.1', [{ ...good('a/x.ko'), patches: ['new-api.patch'] }, good('a/y.ko')]),
  ]
  t.regex(badge(columns), /aria-label="linux: 6\.1"/)
  const text = manyMarkdown({ schema: 'drvport.matrix/2', columns })
  t.regex(text, /\| 2 modules \| \*\*0 of 0\*\* \| \*\*2 of 2\*\* \|/)
  t.regex(text, /➖ excluded \| ✅ compile/)
  t.regex(text, /`x` on linux-6\.1: with new-api\.patch/)
  t.deepEqual([fallsShort(left, 'compile'), fallsShort(bad('a/x.ko', ''), 'compile')], [false, true])
})

test('a comment says first where all is well and where not, and one reason of several trees once', (t) => {
  const [first, second] = document.columns as [MatrixDocument, MatrixDocument]
  t.regex(manyComment(document), /^### Kernels\n\n4 modules reach `compile` on 6\.1, \*\*not on 7\.2\*\*\.\n/)
  const third = { ...second, tree: { name: 'linux-7.3', version: '7.3.0-rc7' } }
  const text = manyComment({ ...document, columns: [first, second, third] })
  t.is(text.match(/api-removed: acme\.c/g)?.length, 1)
  t.regex(text, /- `acme` on linux-7\.2, linux-7\.3: api-removed: acme\.c:3/)
  const one = manyComment({ ...document, columns: [column('linux-6.1', '6.1.1', [good('a/x.ko')])] })
  t.regex(one, /`x` reaches `compile` on 6\.1\./)
  const none = manyComment({ ...document, columns: [column('linux-6.1', '6.1.1', [bad('a/x.ko', '')])] })
  t.regex(none, /`x` does not reach `compile` on 6\.1\./)
})

test('the page says once what neighbouring trees say alike, and fields of the badge are as wide as their texts', (t) => {
  const [first, second] = document.columns as [MatrixDocument, MatrixDocument]
  const third = { ...second, tree: { name: 'linux-7.3', version: '7.3.0-rc7' } }
  const columns = [first, second, third]
  const page = manyPage({ ...document, columns })
  t.is(page.match(/acme\.c:3/g)?.length, 1)
  t.regex(page, /<td class="fail" colspan="2">/)
  t.is(page.match(/<td class="pass">✓ compile<\/td>/g)?.length, 7)
  t.regex(page, /reach <code>compile<\/code> on 6\.1, <strong>not on 7\.2, 7\.3<\/strong>\./)
  t.notRegex(page, /<script|https?:/)
  const svg = badge(columns)
  const fields = [...svg.matchAll(/<path d="M(\d+) 0h(\d+)v20/g)].map(([, x, width]) => [Number(x), Number(width)])
  t.is(fields.length, 4)
  for (const [i, [x = 0, width = 0]] of fields.entries())
    t.is(x + width, fields[i + 1]?.[0] ?? Number(/<svg [^>]*width="(\d+)"/.exec(svg)?.[1]))
  t.is(svg.match(/#1a7f37/g)?.length, 1)
  t.is(svg.match(/#b42318/g)?.length, 2)
})

test('a comment is within what GitHub takes, however much there is to say', (t) => {
  const rows = Array.from({ length: 900 }, (_, i) => bad(`a/m${i}.ko`, 'é<|'.repeat(160)))
  const many = { ...document, columns: ['6.1', '7.2'].map((name) => column(`linux-${name}`, `${name}.1`, rows)) }
  const text = manyComment(many)
  t.true(text.length > 1000 && text.length < 65_536, String(text.length))
  t.regex(text, /\n- and \d+ more\n/)
})

test('a badge says on which kernels all is well', (t) => {
  const [first, second] = document.columns as [MatrixDocument, MatrixDocument]
  t.regex(badge([first, second]), /linux: 6\.1, not 7\.2/)
  t.regex(badge([first]), /aria-label="linux: 6\.1"/)
  t.regex(badge([second]), /fails on 7\.2/)
  t.regex(badge([column('linux-6.12', '6.12.1', [])]), /fails on 6\.12/)
})
