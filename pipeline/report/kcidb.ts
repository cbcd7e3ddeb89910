/**
 * The matrix in KernelCI's words: KCIDB I/O schema 5.3 (github.com/kernelci/kcidb-io, kcidb_io/schema/v05_03.py).
 *
 * One checkout (the tree), one build (its conversion with this toolchain), one test a module, one count a rung, one issue
 * for each kind of failure, one incident for each module that shows it. Ids are made from what the matrix says, so that
 * the same result gives the same objects; no time is told but one that was passed in. drvport never submits anything:
 * whoever runs a CI system with KernelCI's credentials may. Pure.
 */

import { contentKey } from '../cache.ts'
import { RUNGS, rungIndex } from '../ladder.ts'
import type { MatrixDocument, MatrixRow } from '../matrix/types.ts'
import { msOf, oneLine, outcomeOf, printable, specifics, whyNot, type Outcome } from './outcome.ts'

export const KCIDB_ORIGIN = 'drvport'

/** The schema's own words, highest priority first: of many, the first that occurs is the status of all. */
const STATUSES = ['FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP'] as const
export type KcidbStatus = (typeof STATUSES)[number]

const STATUS: Readonly<Record<Outcome, KcidbStatus>> = {
  pass: 'PASS',
  fail: 'FAIL',
  error: 'ERROR',
  miss: 'MISS',
  skip: 'SKIP',
}

const worst = (statuses: readonly KcidbStatus[]): KcidbStatus => STATUSES.find((s) => statuses.includes(s)) ?? 'SKIP'

/** The schema allows as many characters in an excerpt. */
const EXCERPT_MAX = 16_384
const excerpt = (text: string): string => [...printable(text)].slice(0, EXCERPT_MAX).join('')

/** Words of a test's path: letters, digits, `_` and `-`, at least one. */
const word = (text: string): string => text.replaceAll(/[^A-Za-z0-9_-]/g, '_') || '_'
const pathOf = (until: string, row: MatrixRow): string =>
  [KCIDB_ORIGIN, until, ...row.path.replace(/\.ko$/, '').split('/').map(word)].join('.')

const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

function command({ selectors, tree, toolchain, until, seed, shard, sample }: MatrixDocument): string {
  const drawn = sample === undefined ? [] : ['--sample', String(sample.size)]
  const part = shard === undefined ? [] : ['--shard', `${shard.index}/${shard.of}`]
  const options = [
    '--tree',
    tree.name,
    '--toolchain',
    toolchain.name,
    '--until',
    until,
    '--seed',
    String(seed),
    ...drawn,
    ...part,
  ]
  return oneLine(['drvport', 'matrix', ...selectors, ...options].map(shellWord).join(' '))
}

export interface KcidbOptions {
  /** ISO 8601, with a zone. */
  readonly startTime?: string
}

interface Ids {
  readonly checkout: string
  readonly build: string
}

/** Readable, and unique to the result. */
function idsOf({ tree, toolchain, until, seed, drvport, summary }: MatrixDocument): Ids {
  const checkout = oneLine(`${KCIDB_ORIGIN}:${tree.name}-${tree.version}`)
  const result = contentKey([drvport, until, seed, summary.digest]).slice(0, 16)
  return { checkout, build: oneLine(`${checkout}/${toolchain.name}-${toolchain.version}/${until}/${result}`) }
}

/** How the conversion itself went: compiling and linking every module. What happened on the machine is in the tests. */
function buildStatus({ rows, until }: MatrixDocument): KcidbStatus {
  const built = rungIndex(until) < rungIndex('compile') ? until : 'compile'
  const below = rows.filter(({ rung }) => rungIndex(rung) < rungIndex(built))
  return worst(['PASS', ...below.map((row) => STATUS[outcomeOf(row, until)])])
}

function testOf(row: MatrixRow, document: MatrixDocument, ids: Ids, outcome: Outcome) {
  const log = outcome === 'pass' ? '' : [whyNot(row), ...specifics(row)].join('\n')
  return {
    id: oneLine(`${ids.build}:${row.path}`),
    origin: KCIDB_ORIGIN,
    build_id: ids.build,
    path: pathOf(document.until, row),
    comment: oneLine(row.path),
    status: STATUS[outcome],
    ...(log !== '' && { log_excerpt: excerpt(log) }),
    duration: msOf(row) / 1000,
    misc: {
      rung: row.rung,
      reason: row.reason,
      licenses: row.licenses,
      gpl_only_symbols: row.gplOnly,
      ...(row.missing.length > 0 && { missing_symbols: row.missing }),
      ...(row.pretends.length > 0 && { pretends: row.pretends }),
      ...(row.wasm && { wasm_sha256: row.wasm.sha256 }),
    },
  }
}

/** How many modules reached a rung: a measurement, hence DONE. */
function countOf(rung: (typeof RUNGS)[number], document: MatrixDocument, ids: Ids) {
  const value = document.rows.filter((row) => rungIndex(row.rung) >= rungIndex(rung)).length
  return {
    id: `${ids.build}:reached:${rung}`,
    origin: KCIDB_ORIGIN,
    build_id: ids.build,
    path: `${KCIDB_ORIGIN}.reached.${rung}`,
    comment: `modules that reached ${rung}, of ${document.rows.length}`,
    status: 'DONE' as const,
    number: { value, unit: 'modules' },
  }
}

/** Reasons whose cause is in what the compiler said first. */
const FROM_COMPILER = new Set<string>([
  'compile-error',
  'no-source',
  'missing-header',
  'needs-x86',
  'needs-64-bit',
  'needs-option',
])

/** What makes two failures the same one: the first thing the compiler said, else the reason. */
function signatureOf({ reason, diagnostics: [first], detail }: MatrixRow): string {
  if (FROM_COMPILER.has(reason)) return first === undefined ? detail : `${first.file}:${first.line}: ${first.message}`
  return ''
}

/** Whose fault it is, where that is sure: never the driver's for what drvport does not provide. */
const CULPRIT: Readonly<Record<string, { code: boolean; tool: boolean; harness: boolean }>> = {
  'unresolved-symbol': { code: false, tool: true, harness: false },
  'dependency-failed': { code: false, tool: true, harness: false },
  'no-source': { code: false, tool: true, harness: false },
  // The module is for another machine, or for another kernel: of this one nothing is wrong.
  'missing-header': { code: false, tool: true, harness: false },
  'needs-x86': { code: false, tool: true, harness: false },
  'needs-architecture': { code: false, tool: true, harness: false },
  'needs-64-bit': { code: false, tool: true, harness: false },
  'needs-option': { code: false, tool: true, harness: false },
  refused: { code: false, tool: true, harness: false },
  'link-error': { code: false, tool: true, harness: false },
  'compiler-crash': { code: false, tool: true, harness: false },
  'wrong-output': { code: false, tool: true, harness: false },
  'internal-error': { code: false, tool: false, harness: true },
}

function issuesOf(failed: readonly { row: MatrixRow; id: string }[], ids: Ids) {
  const issues = new Map<string, object>()
  const incidents = failed.map(({ row, id }) => {
    const signature = oneLine(signatureOf(row))
    const reason = row.reason === '' ? 'internal-error' : row.reason
    const issue = `${KCIDB_ORIGIN}:issue:${contentKey([reason, signature]).slice(0, 24)}`
    issues.set(issue, {
      id: issue,
      version: 1,
      origin: KCIDB_ORIGIN,
      comment: signature === '' ? reason : `${reason}: ${signature}`,
      ...(CULPRIT[reason] && { culprit: CULPRIT[reason] }),
      misc: { reason },
    })
    return {
      id: `${KCIDB_ORIGIN}:incident:${contentKey([issue, id]).slice(0, 24)}`,
      origin: KCIDB_ORIGIN,
      issue_id: issue,
      issue_version: 1,
      build_id: ids.build,
      test_id: id,
      present: true,
    }
  })
  return { issues: [...issues.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, issue]) => issue), incidents }
}

/** The report as an object; its fields are the schema's. */
export function kcidb(document: MatrixDocument, { startTime }: KcidbOptions = {}) {
  const ids = idsOf(document)
  const { tree, toolchain, until, rows, summary, drvport } = document
  const time = startTime === undefined ? {} : { start_time: startTime }
  const outcomes = rows.map((row) => outcomeOf(row, until))
  const tests = rows.map((row, i) => testOf(row, document, ids, outcomes[i] as Outcome))
  const failed = rows.flatMap((row, i) =>
    outcomes[i] === 'fail' || outcomes[i] === 'error' ? [{ row, id: tests[i]?.id ?? '' }] : [],
  )
  const rungs = RUNGS.filter((rung) => rung !== 'none' && rungIndex(rung) <= rungIndex(until))
  return {
    version: { major: 5, minor: 3 },
    checkouts: [
      {
        id: ids.checkout,
        origin: KCIDB_ORIGIN,
        tree_name: oneLine(tree.name),
        comment: oneLine(`Linux ${tree.version}`),
        patchset_hash: '',
        valid: true,
        ...time,
      },
    ],
    builds: [
      {
        id: ids.build,
        checkout_id: ids.checkout,
        origin: KCIDB_ORIGIN,
        comment: oneLine(`drvport ${drvport}: ${summary.modules} modules, unmodified, to WebAssembly`),
        architecture: 'wasm32',
        command: command(document),
        compiler: oneLine(`${toolchain.name} ${toolchain.version}`),
        config_name: 'drvport',
        status: buildStatus(document),
        duration: document.ms / 1000,
        misc: { drvport, digest: summary.digest, rungs: summary.rungs, reasons: summary.reasons },
        ...time,
      },
    ],
    tests: [...rungs.map((rung) => countOf(rung, document, ids)), ...tests],
    ...issuesOf(failed, ids),
  }
}

/** The report as JSON, one object a line. */
export function kcidbText(document: MatrixDocument, options: KcidbOptions = {}): string {
  const { version, ...lists } = kcidb(document, options)
  const parts = Object.entries(lists).map(
    ([name, list]) => `${JSON.stringify(name)}:[\n${list.map((item) => JSON.stringify(item)).join(',\n')}\n]`,
  )
  return `{"version":${JSON.stringify(version)},\n${parts.join(',\n')}}\n`
}
