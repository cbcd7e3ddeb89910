/** The end of a matrix for people: how far modules got, why not further, and what to do about it. Text from the document. */
import { RUNGS, rungIndex } from '../pipeline/ladder.ts'
import type { MatrixDocument, MatrixRow, Reason } from '../pipeline/matrix/types.ts'
import { REASON_TEXTS } from '../pipeline/matrix/reasons.ts'
import { rankMissing } from '../pipeline/report/missing.ts'
import { bytes, count, paint, share, table, waiting, treeText } from './output.ts'

/** Rows of a list that is there to show where to begin. */
const SHOWN = 5
/** Up to so many modules are told one by one. */
const LISTED = 12

function modules(document: MatrixDocument): string {
  const columns = [{ title: 'module' }, { title: 'rung' }, { title: 'why not further' }]
  const rows = document.rows.map(({ module, rung, reason, detail, patches }) => [
    module,
    paint(reason === '' ? 'green' : 'red', rung),
    reason !== '' ? `${reason}${detail === '' ? '' : `: ${detail}`}` : patches ? `(with ${patches.join(', ')})` : '',
  ])
  return table(columns, rows)
}

/** Each rung with how many got to it, also those that went on, and how many stopped there. */
function ladder({ rows, until }: MatrixDocument): string {
  const rungs = RUNGS.slice(1, rungIndex(until) + 1)
  const columns = [{ title: 'rung' }, { title: 'reached', align: 'right' }, { title: '', align: 'right' }] as const
  const reached = rungs.map((rung) => {
    const modules = rows.filter((row) => rungIndex(row.rung) >= rungIndex(rung))
    return [rung, count(modules.length), share(modules.length, rows.length)]
  })
  return table(columns, reached)
}

function reasons({ summary }: MatrixDocument): string[] {
  const found = (Object.entries(summary.reasons) as [Reason, number][]).toSorted((a, b) => b[1] - a[1])
  if (found.length === 0) return []
  const columns = [{ title: 'why not further' }, { title: 'modules', align: 'right' }, { title: '' }] as const
  return ['', table(columns, found.map(([reason, n]) => [reason, count(n), REASON_TEXTS[reason].title]))] // prettier-ignore
}

/** What fails for a reason of its own, where a person can look at once. */
const TELLING: readonly Reason[] = [
  'internal-error',
  'compile-error',
  'compiler-crash',
  'api-removed',
  'api-changed',
  'api-added',
  'not-exported',
  'missing-header',
  'no-source',
  'link-error',
]

function failures({ rows }: MatrixDocument): string[] {
  const of = (reason: Reason): MatrixRow[] => rows.filter((row) => row.reason === reason)
  return TELLING.flatMap((reason) => {
    const found = of(reason)
    if (found.length === 0) return []
    const more = found.length > SHOWN ? [`  and ${found.length - SHOWN} more`] : []
    return ['', paint('dim', reason), ...found.slice(0, SHOWN).map((row) => `  ${row.path}: ${row.detail}`), ...more]
  })
}

function missing(document: MatrixDocument): string[] {
  const ranked = rankMissing(document)
  if (ranked.symbols.length === 0) return []
  const first = ranked.symbols.slice(0, SHOWN)
  const columns = [
    { title: 'provide next' },
    { title: 'needed by', align: 'right' },
    { title: 'the last one for', align: 'right' },
    { title: 'then linked', align: 'right' },
  ] as const
  const rows = first.map(({ symbol, modules, alone, cumulative }) => [
    symbol,
    count(modules),
    count(alone),
    count(cumulative),
  ])
  return [
    '',
    table(columns, rows),
    `  of ${count(ranked.symbols.length)} symbols missing in ${count(ranked.blocked)} modules`,
  ]
}

/** What a person would ask next. */
function advice({ summary, interrupted, selectors }: MatrixDocument): string[] {
  if (interrupted) return ['interrupted: the same command goes on from here']
  const lines: string[] = []
  if (summary.reasons['unresolved-symbol'] !== undefined) lines.push('--report missing=FILE ranks all missing symbols')
  if (summary.modules > LISTED) lines.push('--report html=FILE is a page of all modules to search and filter')
  else if (summary.reasons['unresolved-symbol'] !== undefined)
    lines.push(`drvport build ${selectors.join(' ')} -v shows where each missing symbol is used`)
  return lines
}

/** " (drawn from 7,932 with --seed 1)" */
const drawn = ({ sample, seed }: MatrixDocument): string =>
  sample === undefined || sample.size === sample.of ? '' : ` (drawn from ${count(sample.of)} with --seed ${seed})`

export function renderMatrix(document: MatrixDocument): string {
  const { summary, tree, toolchain, rows } = document
  const cost = [
    waiting(document.ms / 1000),
    ...(document.cpuMs === undefined ? [] : [`${waiting(document.cpuMs / 1000)} of processor time`]),
    ...(document.peakBytes === undefined ? [] : [`${bytes(document.peakBytes)} at most`]),
  ]
  const advised = advice(document)
  return [
    ...(rows.length <= LISTED ? [modules(document), ''] : []),
    ladder(document),
    ...reasons(document),
    ...(rows.length > LISTED ? failures(document) : []),
    ...missing(document),
    '',
    `${count(summary.modules)} modules${drawn(document)} of ${treeText(tree)} with ${toolchain.name} ${toolchain.version} in ${cost.join(', ')}`,
    `digest ${summary.digest.slice(0, 16)}`,
    ...(advised.length > 0 ? ['', ...advised] : []),
  ].join('\n')
}
