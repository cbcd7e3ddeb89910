/**
 * The tree's own tests as a page: what ran, what passed, and for each case that failed or was skipped, and each test that did
 * not run, the cause. Causes are a table of their own, drivers-src/test-causes.tsv; what has none there says so. Pure.
 */

import { UsageError } from '../errors.ts'
import { treeText } from '../matrix/parts.ts'
import type { MatrixDocument, MatrixRow } from '../matrix/types.ts'
import { code, plain } from './markdown.ts'
import { whyNot } from './outcome.ts'

export interface Cause {
  /** Of the tree's name; `*` any. */
  readonly tree: string
  readonly module: string
  /** `suite.case`; `*` any, and what is said of the whole module. */
  readonly case: string
  /** Linux of this release ends the case the same way on any machine: the cause says how that is known. */
  readonly asLinux: boolean
  readonly cause: string
}

const HEADER = 'tree\tmodule\tcase\tends\tcause'
/** What stands in the column `ends` of a case that any Linux of its release fails. */
const AS_LINUX = 'as Linux'

/** Read the table's text. Throws UsageError with the line of a row that makes no sense. */
export function parseCauses(text: string): Cause[] {
  return text.split('\n').flatMap((line, index) => {
    if (line === (index === 0 ? HEADER : '')) return []
    const [tree = '', module = '', what = '', ends = '', cause = ''] = line.split('\t')
    if (index === 0 || cause.length < 20 || !['', AS_LINUX].includes(ends))
      throw new UsageError('drivers-src/test-causes.tsv makes no sense', {
        where: `line ${index + 1}`,
        found: line.slice(0, 80),
        expected: `a tree, a module, a case, nothing or '${AS_LINUX}', and a cause that a reader can follow, below the names of these columns`,
      })
    return [{ tree, module, case: what, asLinux: ends === AS_LINUX, cause }]
  })
}

const fits = (pattern: string, text: string): boolean =>
  pattern === '*' || (pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : pattern === text)

const UNKNOWN = '**not known yet**'

/** Why, of a case or of a module that did not run. */
export function causeOf(causes: readonly Cause[], tree: string, module: string, what: string): Cause | undefined {
  return causes.find((one) => fits(one.tree, tree) && fits(one.module, module) && fits(one.case, what))
}

/** How many of these failed as any Linux of the release would have them fail. */
function failedAsLinux(rows: readonly MatrixRow[], causes: readonly Cause[], tree: string): number {
  const asLinux = ({ module, tests }: MatrixRow): number =>
    tests!.cases.filter(
      ({ suite, name, outcome }) =>
        outcome === 'failed' && causeOf(causes, tree, module, `${suite}.${name}`)?.asLinux === true,
    ).length
  return rows.reduce((all, row) => all + asLinux(row), 0)
}

const tested = ({ rows }: MatrixDocument): MatrixRow[] => rows.filter(({ tests }) => tests !== undefined)
const count = (value: number): string => value.toLocaleString('en-US')
const sum = (rows: readonly MatrixRow[], what: 'passed' | 'failed' | 'skipped'): number =>
  rows.reduce((all, { tests }) => all + (tests?.[what] ?? 0), 0)
const cells = (...texts: readonly string[]): string => `| ${texts.join(' | ')} |`

/** It ran if it said anything, or returned without an error. */
const ran = ({ tests }: MatrixRow): boolean => tests !== undefined && tests.passed + tests.failed + tests.skipped > 0

function summary(documents: readonly MatrixDocument[], causes: readonly Cause[]): string[] {
  const rows = documents.map((document) => {
    const all = document.rows
    const running = all.filter(ran)
    const asLinux = failedAsLinux(running, causes, document.tree.name)
    return cells(
      plain(treeText(document.tree)),
      count(all.length),
      count(running.length),
      count(sum(running, 'passed')),
      count(sum(running, 'failed') - asLinux),
      count(asLinux),
      count(sum(running, 'skipped')),
    )
  })
  return [
    cells('tree', 'tests', 'run', 'cases passed', 'failed', 'failed as on Linux', 'skipped'),
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
  ]
}

const told = (cause: Cause | undefined): string =>
  cause === undefined ? UNKNOWN : plain(cause.asLinux ? `As on Linux. ${cause.cause}` : cause.cause)

function notable(document: MatrixDocument, causes: readonly Cause[]): string[] {
  const { name } = document.tree
  const lines: string[] = []
  for (const row of document.rows) {
    if (!ran(row)) {
      const cause = causeOf(causes, name, row.module, '')
      lines.push(cells(code(row.module), 'did not run', plain(whyNot(row)), told(cause)))
      continue
    }
    for (const { suite, name: test, outcome, detail } of row.tests!.cases) {
      const what = `${suite}.${test}`
      const cause = causeOf(causes, name, row.module, what)
      // A suite that skips a case says why itself.
      const why = cause === undefined && outcome === 'skipped' && detail !== '' ? plain(detail) : told(cause)
      lines.push(cells(code(what), code(row.module), plain(`${outcome}: ${detail}`), why))
    }
  }
  return lines
}

function tree(document: MatrixDocument, causes: readonly Cause[]): string[] {
  const exceptions = notable(document, causes)
  const rows = tested(document).filter(ran)
  const list = rows.map(({ module, path, tests }) =>
    cells(
      code(module),
      code(path.slice(0, path.lastIndexOf('/'))),
      count(tests!.passed),
      count(tests!.failed),
      count(tests!.skipped),
      tests!.checks === undefined ? '' : count(tests!.checks),
    ),
  )
  return [
    `## ${plain(treeText(document.tree))}`,
    '',
    ...(exceptions.length === 0
      ? ['Every test ran, and every case passed.', '']
      : [cells('case', 'module', 'what it said', 'cause'), '| --- | --- | --- | --- |', ...exceptions, '']),
    '<details><summary>all tests that ran</summary>',
    '',
    cells('test', 'in', 'passed', 'failed', 'skipped', 'its own checks'),
    '| --- | --- | ---: | ---: | ---: | ---: |',
    ...list,
    '',
    '</details>',
    '',
  ]
}

/** One page for all trees. */
export function testsPage(documents: readonly MatrixDocument[], causes: readonly Cause[]): string {
  const [first] = documents
  const check = first?.tree.configuration === undefined ? '' : ` --check=${first.tree.configuration}`
  const command = `drvport matrix ${first?.selectors.join(' ') ?? '@kunit'}${check} --tree ${documents.map(({ tree: { name } }) => name).join(',')} --until operate --report tests=docs/tests.md`
  return [
    '<!-- Generated from a matrix and drivers-src/test-causes.tsv by the command below. Do not edit. -->',
    '',
    "# The tree's own tests",
    '',
    "KUnit suites and the tests of the kernel's libraries are modules of the tree like any other: built unmodified, loaded into a",
    'domain, and read case by case; a test that is no suite is one case, whatever it counts itself. Each failure and each skip has its',
    'cause; one that fails here and on any Linux of its release alike is counted apart. Made by',
    '',
    `    ${command}`,
    '',
    ...summary(documents, causes),
    '',
    ...documents.flatMap((document) => tree(document, causes)),
  ].join('\n')
}
