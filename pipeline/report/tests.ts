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

const count = (value: number): string => value.toLocaleString('en-US')
const sum = (rows: readonly MatrixRow[], what: 'passed' | 'failed' | 'skipped'): number =>
  rows.reduce((all, { tests }) => all + (tests?.[what] ?? 0), 0)
const cells = (...texts: readonly string[]): string => `| ${texts.join(' | ')} |`

/** It ran if it said anything, or returned without an error. */
const ran = ({ tests }: MatrixRow): boolean => tests !== undefined && tests.passed + tests.failed + tests.skipped > 0

/** A row, and the configuration that it is of where that is not the plain one. */
interface Told extends MatrixRow {
  readonly configuration: string | undefined
}

/** What is known of one tree's tests, in whatever configurations. */
interface OfTree {
  /** The plain configuration's, or the only one's. */
  readonly tree: MatrixDocument['tree']
  readonly rows: readonly Told[]
}

/** Whether `a` says more for a test than `b` does. */
function saysMore(a: MatrixRow, b: MatrixRow): boolean {
  if (!ran(a) || !ran(b)) return ran(a) && !ran(b)
  const [left, right] = [a.tests!, b.tests!]
  return left.failed === right.failed ? left.passed > right.passed : left.failed < right.failed
}

/** Each test once, as it is in the configuration that it fares best with: the first of those that are alike in that. */
function byTree(documents: readonly MatrixDocument[]): OfTree[] {
  const groups = Map.groupBy(documents, ({ tree: { name, version } }) => `${name} ${version}`)
  return [...groups.values()].map((all) => {
    const [first, ...others] = all.toSorted(
      (a, b) => Number(a.tree.configuration !== undefined) - Number(b.tree.configuration !== undefined),
    ) as [MatrixDocument, ...MatrixDocument[]]
    const rows = new Map<string, Told>(first.rows.map((row) => [row.path, { ...row, configuration: undefined }]))
    for (const { tree, rows: more } of others)
      for (const row of more) {
        const known = rows.get(row.path)
        if (known === undefined || saysMore(row, known))
          rows.set(row.path, { ...row, configuration: tree.configuration })
      }
    return { tree: first.tree, rows: [...rows.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1)) }
  })
}

/** Of cases that ran, and that no Linux fails: in hundredths of a percent, and none too many. */
const share = (passed: number, failed: number): string =>
  passed + failed === 0 ? '' : `${(Math.floor((passed / (passed + failed)) * 10_000) / 100).toFixed(2)} %`

function summary(trees: readonly OfTree[], causes: readonly Cause[]): string[] {
  const lines = trees.map(({ tree, rows }) => {
    const running = rows.filter(ran)
    const asLinux = failedAsLinux(running, causes, tree.name)
    const [passed, failed] = [sum(running, 'passed'), sum(running, 'failed') - asLinux]
    return cells(
      plain(treeText(tree)),
      count(rows.length),
      count(running.length),
      count(passed),
      count(failed),
      share(passed, failed),
      count(asLinux),
      count(sum(running, 'skipped')),
    )
  })
  return [
    cells('tree', 'tests', 'run', 'cases passed', 'failed', 'so pass', 'failed as on Linux', 'skipped'),
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ]
}

const told = (cause: Cause | undefined): string =>
  cause === undefined ? UNKNOWN : plain(cause.asLinux ? `As on Linux. ${cause.cause}` : cause.cause)

const named = ({ module, configuration }: Told): string =>
  configuration === undefined ? code(module) : `${code(module)} with ${configuration}`

function notable({ tree: { name }, rows }: OfTree, causes: readonly Cause[]): string[] {
  const lines: string[] = []
  for (const row of rows) {
    if (!ran(row)) {
      const cause = causeOf(causes, name, row.module, '')
      lines.push(cells(named(row), 'did not run', plain(whyNot(row)), told(cause)))
      continue
    }
    for (const { suite, name: test, outcome, detail } of row.tests!.cases) {
      const what = `${suite}.${test}`
      const cause = causeOf(causes, name, row.module, what)
      // A suite that skips a case says why itself.
      const why = cause === undefined && outcome === 'skipped' && detail !== '' ? plain(detail) : told(cause)
      lines.push(cells(code(what), named(row), plain(`${outcome}: ${detail}`), why))
    }
  }
  return lines
}

function section(of: OfTree, causes: readonly Cause[]): string[] {
  const exceptions = notable(of, causes)
  const list = of.rows
    .filter(ran)
    .map((row) =>
      cells(
        named(row),
        code(row.path.slice(0, row.path.lastIndexOf('/'))),
        count(row.tests!.passed),
        count(row.tests!.failed),
        count(row.tests!.skipped),
        row.tests!.checks === undefined ? '' : count(row.tests!.checks),
      ),
    )
  return [
    `## ${plain(treeText(of.tree))}`,
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

/** What is typed for such a page: a run over all trees, or one for each configuration and what joins them. */
function commands(documents: readonly MatrixDocument[]): string[] {
  const report = '--report tests=docs/tests.md'
  const byConfiguration = Map.groupBy(documents, ({ tree: { configuration } }) => configuration)
  const runs = [...byConfiguration].map(([configuration, all]) => {
    const check = configuration === undefined ? '' : ` --check=${configuration}`
    const trees = [...new Set(all.map(({ tree }) => tree.name))].join(',')
    const command = `drvport matrix ${all[0]?.selectors.join(' ') ?? '@kunit'}${check} --tree ${trees} --until operate`
    return { command, file: `${configuration ?? 'plain'}.json` }
  })
  if (runs.length < 2) return [`    ${runs[0]?.command ?? 'drvport matrix @kunit --until operate'} ${report}`]
  return [
    ...runs.map(({ command, file }) => `    ${command} --output ${file}`),
    `    drvport matrix join ${runs.map(({ file }) => file).join(' ')} ${report}`,
  ]
}

const BESIDE = [
  '',
  'A test stands here once, as it is in the configuration that it fares best with: the plain one, or, where it says so, one beside it',
  'that has what the test wants of a kernel (KUnit in the kernel itself, memory that is cleared).',
]

/** One page for all trees; several documents of one tree are its configurations. */
export function testsPage(documents: readonly MatrixDocument[], causes: readonly Cause[]): string {
  const trees = byTree(documents)
  return [
    '<!-- Generated from a matrix and drivers-src/test-causes.tsv by the command below. Do not edit. -->',
    '',
    "# The tree's own tests",
    '',
    "KUnit suites and the tests of the kernel's libraries are modules of the tree like any other: built unmodified, loaded into a",
    'domain, and read case by case; a test that is no suite is one case, whatever it counts itself. Each failure and each skip has its',
    'cause; one that fails here and on any Linux of its release alike is counted apart. Made by',
    '',
    ...commands(documents),
    ...(trees.length < documents.length ? BESIDE : []),
    '',
    ...summary(trees, causes),
    '',
    ...trees.flatMap((of) => section(of, causes)),
  ].join('\n')
}
