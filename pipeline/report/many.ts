/**
 * Reports of a matrix over several trees: a column for each, in the formats of the reports of one. Pure.
 */

import { columnNames, differs, manyRows, type ManyRow, type MatricesDocument } from '../matrix/many.ts'
import type { MatrixDocument, MatrixRow } from '../matrix/types.ts'
import { attribute, content, junit } from './junit.ts'
import { kcidb, type KcidbOptions } from './kcidb.ts'
import { ktap, resultText } from './ktap.ts'
import { oneLine, outcomeOf, whyNot, type Outcome } from './outcome.ts'

export const manyJson = (document: MatricesDocument): string => `${JSON.stringify(document, null, 1)}\n`

const passed = ({ rows, until }: MatrixDocument): number =>
  rows.filter((row) => outcomeOf(row, until) === 'pass').length

/** Modules that are for this kernel. */
const meant = ({ rows }: MatrixDocument): number => rows.filter(({ reason }) => reason !== 'excluded').length

/** The suites of each tree, named by it. */
export function manyJunit(document: MatricesDocument): string {
  const names = columnNames(document)
  const suites = document.columns.flatMap((column, i) => {
    const text = junit(column)
    const inner = text.slice(text.indexOf('\n', text.indexOf('<testsuites')) + 1, text.lastIndexOf('</testsuites>'))
    return inner.replaceAll('<testsuite name="', `<testsuite name="${attribute(names[i] as string)}/`)
  })
  const name = attribute(`drvport matrix of ${names.join(', ')}`)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${name}">\n${suites.join('')}</testsuites>\n`
}

/** A test for each tree, in it what its own report says. */
export function manyKtap(document: MatricesDocument): string {
  const names = columnNames(document)
  const lines = document.columns.flatMap((column, i) => {
    const name = resultText(names[i] as string)
    const [version = '', ...rest] = ktap(column).trimEnd().split('\n')
    const bad = column.rows.some((row) => !['pass', 'skip'].includes(outcomeOf(row, column.until)))
    const inside = [version, `# Subtest: ${name}`, ...rest]
    return [...inside.map((line) => `  ${line}`), `${bad ? 'not ok' : 'ok'} ${i + 1} ${name}`]
  })
  return ['KTAP version 1', `1..${names.length}`, ...lines, ''].join('\n')
}

/** One submission with a checkout and a build for each tree. */
export function manyKcidb({ columns }: MatricesDocument, options: KcidbOptions = {}): string {
  const parts = columns.map((column) => kcidb(column, options))
  const [first] = parts
  const issues = new Map(parts.flatMap((part) => part.issues).map((issue) => [JSON.stringify(issue), issue]))
  const all = {
    version: first?.version,
    checkouts: parts.flatMap((part) => part.checkouts),
    builds: parts.flatMap((part) => part.builds),
    tests: parts.flatMap((part) => part.tests),
    issues: [...issues.values()],
    incidents: parts.flatMap((part) => part.incidents),
  }
  return `${JSON.stringify(all, null, 1)}\n`
}

/** A cell for people: how far, and why not further. */
export function cellText(row: MatrixRow | undefined): string {
  if (row === undefined) return '-'
  return row.reason === '' ? row.rung : `${row.rung === 'none' ? '' : `${row.rung}, `}${row.reason}`
}

const escapeCell = (text: string): string => oneLine(text).replaceAll('|', '\\|').replaceAll('<', '&lt;')

/** Which modules a short report shows: all of a few, else those about which the trees differ, else those that fail. */
export function shownRows(rows: readonly ManyRow[], most: number): readonly ManyRow[] {
  if (rows.length <= most) return rows
  const telling = rows.filter(differs)
  const bad = rows.filter((row) => !telling.includes(row) && row.cells.some((cell) => cell?.reason !== ''))
  return [...telling, ...bad].slice(0, most).toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

const MARKS: Readonly<Record<Outcome, string>> = { pass: '✅', fail: '❌', error: '❌', skip: '➖', miss: '❔' }

/** What a text may show at most. */
interface Most {
  readonly rows: number
  readonly details: number
}

/** In one sentence: where all is well, and where not. */
function verdict(document: MatricesDocument): string {
  const { columns } = document
  const rows = manyRows(document)
  const [first] = rows
  if (first === undefined) return 'No module was tried.'
  const what = rows.length === 1 ? `\`${escapeCell(first.module)}\`` : `${rows.length} modules`
  const [one, none] = rows.length === 1 ? ['reaches', 'does not reach'] : ['reach', 'do not all reach']
  const { good, failing } = judged(columns)
  const until = `\`${columns[0]?.until}\``
  const told = (some: readonly MatrixDocument[]) => some.map(shortName).join(', ')
  if (good.length === 0 && failing.length === 0) return `${what}: for none of these kernels.`
  if (good.length === 0) return `${what} ${none} ${until} on ${told(failing)}.`
  return `${what} ${one} ${until} on ${told(good)}${failing.length === 0 ? '' : `, **not on ${told(failing)}**`}.`
}

/** A table, and why each cell stops. */
function tableText(document: MatricesDocument, most: Most): string[] {
  const names = columnNames(document)
  const rows = manyRows(document)
  const shown = shownRows(rows, most.rows)
  const totals = document.columns.map((column) => `**${passed(column)} of ${meant(column)}**`)
  const mark = (row: MatrixRow | undefined, column: MatrixDocument | undefined) =>
    row === undefined || column === undefined ? '' : `${MARKS[outcomeOf(row, column.until)]} `
  const lines = shown.map(({ module, cells }) => {
    const texts = cells.map((cell, i) => `${mark(cell, document.columns[i])}${escapeCell(cellText(cell))}`)
    return `| \`${escapeCell(module)}\` | ${texts.join(' | ')} |`
  })
  const details = detailsOf(document, shown).map(
    ({ module, trees, text }) => `- \`${escapeCell(module)}\` on ${trees.join(', ')}: ${escapeCell(text)}`,
  )
  const more = details.length > most.details ? [`- and ${details.length - most.details} more`] : []
  const left = rows.length - shown.length
  return [
    `| module | ${document.columns.map(({ tree }, i) => `${names[i]}<br>${tree.version}`).join(' | ')} |`,
    `| --- |${names.map(() => ' --- |').join('')}`,
    ...lines,
    ...(rows.length > 1 ? [`| ${rows.length} modules | ${totals.join(' | ')} |`] : []),
    ...(left > 0 ? ['', `${left} modules more.`] : []),
    ...(details.length > 0 ? ['', ...details.slice(0, most.details), ...more] : []),
  ]
}

/** For a step summary. */
export const manyMarkdown = (document: MatricesDocument): string =>
  ['# Kernels', '', verdict(document), '', ...tableText(document, { rows: 200, details: 60 }), ''].join('\n')

/** GitHub takes 65,536 characters in a comment; somebody may add some. */
const COMMENT_CHARACTERS = 60_000

/** For a comment on a change: what a reader must know, and within what such a comment may be long. */
export function manyComment(document: MatricesDocument): string {
  const text = (part: number) => {
    const most = { rows: Math.floor(40 * part), details: Math.floor(30 * part) }
    return ['### Kernels', '', verdict(document), '', ...tableText(document, most), ''].join('\n')
  }
  let part = 1
  while (text(part).length > COMMENT_CHARACTERS && part > 0.01) part /= 2
  return text(part)
}

/** Why modules stop, or what was done for them: the same said of several trees is said once. */
function detailsOf(
  document: MatricesDocument,
  rows: readonly ManyRow[],
): { module: string; trees: string[]; text: string }[] {
  const names = columnNames(document)
  return rows.flatMap(({ module, cells }) => {
    const said = new Map<string, string[]>()
    cells.forEach((cell, i) => {
      const text = cell === undefined ? '' : cell.reason === '' ? patchesText(cell) : whyNot(cell)
      if (text !== '') said.set(text, [...(said.get(text) ?? []), names[i] as string])
    })
    return [...said].map(([text, trees]) => ({ module, trees, text }))
  })
}

/** What was applied to it before. */
const patchesText = ({ patches }: MatrixRow): string => (patches === undefined ? '' : `with ${patches.join(', ')}`)

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#1c1c1c;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc;vertical-align:top}
th{position:sticky;top:0;background:#fff}td small{display:block;color:#555;overflow-wrap:anywhere}.pass{color:#0a5c24}.fail{color:#a1160c}
@media(prefers-color-scheme:dark){body,th{background:#161616;color:#eee}td small{color:#aaa}.pass{color:#6fdc8c}.fail{color:#ff9a8f}}`

/** One page that needs no server and no script. */
export function manyPage(document: MatricesDocument): string {
  const names = columnNames(document)
  const rows = manyRows(document)
  const cell = (row: MatrixRow | undefined, column: MatrixDocument | undefined): string => {
    if (row === undefined || column === undefined) return '<td>not in this tree</td>'
    const outcome = outcomeOf(row, column.until)
    const said = row.patches === undefined ? row.detail : `with ${row.patches.join(', ')}`
    const why = said === '' ? '' : `<small>${content(said)}</small>`
    return `<td class="${outcome === 'pass' || outcome === 'skip' ? outcome : 'fail'}">${content(cellText(row))}${why}</td>`
  }
  const lines = rows.map(
    ({ module, path, cells }) =>
      `<tr><th scope="row"><span title="${attribute(path)}">${content(module)}</span></th>${cells.map((row, i) => cell(row, document.columns[i])).join('')}</tr>`,
  )
  const heads = document.columns.map(
    (column, i) =>
      `<th scope="col">${content(names[i] as string)}<small> ${content(column.tree.version)}: ${passed(column)} of ${meant(column)}</small></th>`,
  )
  const title = `${rows.length} modules on ${names.length} kernels`
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style>
<h1>${title}</h1><p>How far each gets, until ${content(document.columns[0]?.until ?? '')}, with drvport ${content(document.columns[0]?.drvport ?? '')}.</p>
<table><thead><tr><th scope="col">module</th>${heads.join('')}</tr></thead><tbody>
${lines.join('\n')}
</tbody></table></html>
`
}

/** Trees on which all modules are as far as asked, and those on which not; one that no module is for is neither. */
function judged(all: readonly MatrixDocument[]): { good: MatrixDocument[]; failing: MatrixDocument[] } {
  const columns = all.filter((column) => column.rows.length === 0 || meant(column) > 0)
  const good = columns.filter((column) => column.rows.length > 0 && passed(column) === meant(column))
  return { good, failing: columns.filter((column) => !good.includes(column)) }
}

/** About as wide as it is drawn, at 11 pixels. */
const PIXELS_PER_CHARACTER = 6.6

/** A badge: on which kernels all modules reach the rung asked for. */
export function badge(all: readonly MatrixDocument[]): string {
  const { good, failing } = judged(all)
  const [label, value] = ['linux', describeBadge(good, failing)]
  const colour = failing.length === 0 ? '#1a7f37' : good.length === 0 ? '#b42318' : '#8a6100'
  const [left, right] = [label, value].map((text) => Math.round(text.length * PIXELS_PER_CHARACTER + 12)) as [
    number,
    number,
  ]
  const text = (x: number, said: string) => `<text x="${x}" y="14" text-anchor="middle">${content(said)}</text>`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" role="img" aria-label="${attribute(`${label}: ${value}`)}">
<title>${content(`${label}: ${value}`)}</title>
<rect width="${left}" height="20" fill="#444"/><rect x="${left}" width="${right}" height="20" fill="${colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">${text(left / 2, label)}${text(left + right / 2, value)}</g>
</svg>
`
}

const shortName = ({ tree }: MatrixDocument): string => tree.name.replace(/^linux-/, '')

function describeBadge(good: readonly MatrixDocument[], failing: readonly MatrixDocument[]): string {
  if (good.length === 0 && failing.length === 0) return 'for none of these'
  if (failing.length === 0) return good.map(shortName).join(' | ')
  const listed = failing.map(shortName).join(', ')
  return good.length === 0 ? `fails on ${listed}` : `${good.map(shortName).join(' | ')}, not ${listed}`
}
