/**
 * Markdown as GitHub shows it in a step summary, which may be 1 MiB: longer lists are cut, and say so.
 *
 * Everything that comes from a driver, a compiler or a path is escaped. Pure.
 */

import { subsystemOf, type DiffEntry, type DiffOnly, type MatrixDiff } from '../matrix/diff.ts'
import { REASON_TEXTS } from '../matrix/reasons.ts'
import { RUNGS, rungIndex } from '../ladder.ts'
import type { MatrixDocument, MatrixRow, Reason } from '../matrix/types.ts'
import { rankMissing, type MissingDocument } from './missing.ts'
import { oneLine, outcomeOf, whyNot, type Outcome } from './outcome.ts'

/** GitHub takes 1 MiB for a step; other commands of the step may say something too. */
export const LIMIT_BYTES = 1_000_000

const CELL_MAX = 300
const clip = (text: string): string => (text.length > CELL_MAX ? `${text.slice(0, CELL_MAX).toWellFormed()}...` : text)

/** Plain text in a cell or a sentence. Entities where a backslash would mean something else to the table around it. */
export const plain = (text: string): string =>
  oneLine(text)
    .replaceAll(/[&<>|\\]/g, (c) => `&#${c.charCodeAt(0)};`)
    .replaceAll(/[`*_[\]~$]/g, (c) => `\\${c}`)

/** A name, in code. */
export function code(text: string): string {
  const line = oneLine(text)
  if (line === '') return ''
  return /[`|\\]/.test(line) ? `<code>${plain(line)}</code>` : `\`${line}\``
}

interface Section {
  readonly title: string
  /** A paragraph before the table. */
  readonly text?: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Shown at most. */
  readonly most: number
  /** Hidden until asked for. */
  readonly folded?: boolean
}

const count = (value: number): string => value.toLocaleString('en-US')
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

function sectionText({ title, text, columns, rows, most, folded }: Section, part: number): string {
  const shown = rows.slice(0, Math.floor(most * part))
  // Columns of figures, which begin with a minus or a digit, are set to the right.
  const right = columns.map((_, i) => {
    const told = shown.flatMap((cells) => cells[i] || [])
    return told.length > 0 && told.every((cell) => /^[-\d]/.test(cell))
  })
  const table =
    shown.length === 0 ? [] : [line(columns), line(right.map((is) => (is ? '---:' : '---'))), ...shown.map(line)]
  const rest = rows.length - shown.length
  const more = rest > 0 ? [`and ${count(rest)} more`] : []
  const body = [...(text === undefined ? [] : [text]), ...(table.length > 0 ? [table.join('\n')] : []), ...more].join(
    '\n\n',
  )
  if (folded !== true) return `## ${title}\n\n${body}`
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`
}

/** As many rows of each section as fit. */
function fit(opening: readonly string[], sections: readonly Section[], limitBytes: number): string {
  for (let part = 1; part > 1 / 1024; part /= 2) {
    const text = `${[...opening, ...sections.map((section) => sectionText(section, part))].join('\n\n')}\n`
    if (Buffer.byteLength(text) <= limitBytes) return text
  }
  return `${opening.join('\n\n')}\n`
}

/** Rounded down: what lacks one module of thousands is not everything. */
const percent = (part: number, whole: number): string =>
  whole === 0 ? '' : `${(Math.floor((1000 * part) / whole) / 10).toFixed(1)} %`

function ladder({ rows, until }: MatrixDocument): Section {
  const rungs = RUNGS.filter((rung) => rungIndex(rung) <= rungIndex(until))
  const table = rungs.map((rung) => {
    const reached = rows.filter((row) => rungIndex(row.rung) >= rungIndex(rung))
    const here = rows.filter((row) => row.rung === rung).length
    return [rung, count(reached.length), percent(reached.length, rows.length), rung === until ? '' : count(here)]
  })
  const columns = ['rung', 'reached it', 'of all', 'stopped there']
  // The lowest is where all are who reached nothing.
  return { title: 'Ladder', columns, rows: table.slice(1), most: RUNGS.length }
}

function reasons({ rows }: MatrixDocument): Section {
  const byReason = Map.groupBy(
    rows.filter(({ reason }) => reason !== ''),
    ({ reason }) => reason,
  )
  const table = [...byReason]
    .toSorted(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
    .map(([reason, list]) => [
      code(reason),
      REASON_TEXTS[reason as Reason]?.title ?? '',
      count(list.length),
      list
        .slice(0, 3)
        .map((row) => code(row.module))
        .join(' '),
    ])
  return { title: 'Why not further', columns: ['reason', 'which is', 'modules', 'such as'], rows: table, most: 40 }
}

function missing(document: MatrixDocument): Section {
  const { symbols, blocked } = rankMissing(document)
  const rows = symbols.map(({ symbol, modules, alone, cumulative }) => [
    code(symbol),
    count(modules),
    count(alone),
    count(cumulative),
  ])
  const text = `${count(blocked)} modules lack ${count(symbols.length)} symbols. In the order in which to provide them:`
  const columns = ['symbol', 'needed by', 'lack only it', 'link with all so far']
  return { title: 'Missing symbols', text, columns, rows, most: 20, folded: true }
}

function subsystems({ rows, until }: MatrixDocument): Section {
  const groups = Map.groupBy(rows, ({ path }) => subsystemOf(path))
  const table = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, list]) => {
      const outcomes = list.map((row) => outcomeOf(row, until))
      const having = (...wanted: Outcome[]): number => outcomes.filter((outcome) => wanted.includes(outcome)).length
      const passed = having('pass')
      return [
        code(name),
        count(list.length),
        count(passed),
        percent(passed, list.length),
        count(having('fail')),
        count(having('error', 'miss')),
        count(having('skip')),
      ]
    })
  const columns = ['subsystem', 'modules', `reached ${until}`, 'of all', 'failed', 'errors', 'skipped']
  return { title: 'By subsystem', columns, rows: table, most: 200, folded: true }
}

function failures({ rows, until }: MatrixDocument): Section {
  const failed = rows.filter((row) => ['fail', 'error', 'miss'].includes(outcomeOf(row, until)))
  const table = failed.map((row: MatrixRow) => [code(row.path), row.rung, plain(clip(whyNot(row)))])
  return {
    title: `Did not reach ${until}`,
    columns: ['module', 'rung', 'why not further'],
    rows: table,
    most: 100,
    folded: true,
  }
}

const identity = ({ tree, toolchain, drvport }: Pick<MatrixDocument, 'tree' | 'toolchain' | 'drvport'>): string =>
  `${plain(`${tree.name} (${tree.version})`)}, ${plain(`${toolchain.name} ${toolchain.version}`)}, drvport ${plain(drvport)}`

const state = ({ rung, reason, detail }: Pick<MatrixRow, 'rung' | 'reason' | 'detail'>): string =>
  reason === '' ? rung : `${rung}: ${plain(clip(whyNot({ rung, reason, detail })))}`

const entryRows = (entries: readonly DiffEntry[]): string[][] =>
  entries.map((entry) => [
    code(entry.path) + (entry.from === undefined ? '' : `, was ${code(entry.from)}`),
    state(entry.before),
    state(entry.after),
  ])

const onlyRows = (entries: readonly DiffOnly[]): string[][] => entries.map((entry) => [code(entry.path), state(entry)])

/** The numbers of a comparison in a sentence. */
export function diffSummary(diff: MatrixDiff): string {
  const parts = [
    `${count(diff.lost.length)} lost`,
    `${count(diff.gained.length)} gained`,
    `${count(diff.changed.length)} stop for another reason`,
    `${count(diff.detailed.length)} for the same reason with other specifics`,
    `${count(diff.vanished.length)} only before`,
    `${count(diff.appeared.length)} only after`,
    `${count(diff.same)} the same`,
  ]
  if (diff.unfinished.length > 0) parts.push(`${count(diff.unfinished.length)} unfinished`)
  return parts.join(', ')
}

function diffSections(diff: MatrixDiff): Section[] {
  const columns = ['module', 'before', 'after']
  const only = ['module', 'reached']
  const vanished = diff.vanishedIsLoss ? 'Vanished (lost: same tree, same selectors)' : 'Only before'
  const directories = diff.directories.map((row) => [
    code(row.directory),
    ...[row.before, row.after, row.lost, row.gained, row.changed, row.vanished, row.appeared].map(count),
  ])
  const names = ['directory', 'before', 'after', 'lost', 'gained', 'changed', 'only before', 'only after']
  return [
    { title: `Lost: ${count(diff.lost.length)}`, columns, rows: entryRows(diff.lost), most: 100 },
    { title: `Gained: ${count(diff.gained.length)}`, columns, rows: entryRows(diff.gained), most: 100, folded: true },
    {
      title: `Another reason: ${count(diff.changed.length)}`,
      columns,
      rows: entryRows(diff.changed),
      most: 50,
      folded: true,
    },
    {
      title: `${vanished}: ${count(diff.vanished.length)}`,
      columns: only,
      rows: onlyRows(diff.vanished),
      most: 50,
      folded: true,
    },
    {
      title: `Only after: ${count(diff.appeared.length)}`,
      columns: only,
      rows: onlyRows(diff.appeared),
      most: 50,
      folded: true,
    },
    { title: 'By directory', columns: names, rows: directories, most: 200, folded: true },
  ].filter(({ rows }) => rows.length > 0)
}

/** A step summary of a matrix, and of what it lost and gained where there was something to compare with. */
export function markdown(document: MatrixDocument, diff?: MatrixDiff, limitBytes = LIMIT_BYTES): string {
  const { rows, until, interrupted, shard, sample, seed } = document
  const passed = rows.filter((row) => outcomeOf(row, until) === 'pass').length
  const opening = [
    `# ${count(passed)} of ${count(rows.length)} modules reached ${until}`,
    [
      identity(document),
      ...(shard === undefined ? [] : [`shard ${shard.index} of ${shard.of}`]),
      ...(sample === undefined ? [] : [`${count(sample.size)} drawn of ${count(sample.of)}`]),
      `seed ${seed}`,
      ...(interrupted ? ['**interrupted: not all modules were tried**'] : []),
    ].join(', '),
    ...(diff === undefined ? [] : [`**Against the baseline** (${identity(diff.a)}): ${diffSummary(diff)}`]),
  ]
  const sections = [ladder(document), reasons(document), missing(document), subsystems(document), failures(document)]
  const compared = diff === undefined ? [] : diffSections(diff)
  return fit(opening, [...compared, ...sections.filter(({ rows }) => rows.length > 0)], limitBytes)
}

/** A step summary of a comparison. */
export function markdownDiff(diff: MatrixDiff, limitBytes = LIMIT_BYTES): string {
  const opening = [
    `# ${diff.losses === 0 ? 'Nothing lost' : `${count(diff.losses)} lost`}, ${count(diff.gained.length)} gained, up to ${diff.until}`,
    `Before: ${identity(diff.a)}, ${count(diff.a.summary.modules)} modules`,
    `After: ${identity(diff.b)}, ${count(diff.b.summary.modules)} modules`,
    diffSummary(diff),
  ]
  return fit(opening, diffSections(diff), limitBytes)
}

/** The ranking of missing symbols as a table. */
export function markdownMissing(ranking: MissingDocument, limitBytes = LIMIT_BYTES): string {
  const { symbols, blocked } = ranking
  const rows = symbols.map(({ symbol, modules, alone, cumulative, exportedIn, examples }) => [
    code(symbol),
    count(modules),
    count(alone),
    count(cumulative),
    code(exportedIn),
    examples.map(code).join(' '),
  ])
  const columns = ['symbol', 'needed by', 'lack only it', 'link with all so far', 'exported in', 'such as']
  const opening = [`# ${count(blocked)} modules lack ${count(symbols.length)} symbols`, identity(ranking)]
  return fit(opening, [{ title: 'In the order in which to provide them', columns, rows, most: 2000 }], limitBytes)
}
