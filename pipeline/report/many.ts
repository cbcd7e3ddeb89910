/**
 * Reports of a matrix over several trees: a column for each, in the formats of the reports of one. Pure.
 */

import { columnNames, differs, manyRows, type ManyRow, type MatricesDocument } from '../matrix/many.ts'
import type { MatrixDocument, MatrixRow } from '../matrix/types.ts'
import { attribute, junit } from './junit.ts'
import { kcidb, type KcidbOptions } from './kcidb.ts'
import { ktap, resultText } from './ktap.ts'
import { oneLine, outcomeOf, type Outcome } from './outcome.ts'
import { cellText, meant, passed, remark, sentence } from './verdict.ts'

export const manyJson = (document: MatricesDocument): string => `${JSON.stringify(document, null, 1)}\n`

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

const escapeCell = (text: string): string => oneLine(text).replaceAll('|', '\\|').replaceAll('<', '&lt;')

/** Which modules a short report shows: all of a few, else those about which the trees differ, else those that fail. */
export function shownRows(rows: readonly ManyRow[], most: number): readonly ManyRow[] {
  if (rows.length <= most) return rows
  const telling = rows.filter(differs)
  const bad = rows.filter((row) => !telling.includes(row) && row.cells.some((cell) => cell?.reason !== ''))
  return [...telling, ...bad].slice(0, most).toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

const MARKS: Readonly<Record<Outcome, string>> = { pass: '✅', fail: '❌', error: '❌', skip: '➖', miss: '❔' }

const WRITING = {
  module: (name: string) => `\`${escapeCell(name)}\``,
  rung: (name: string) => `\`${name}\``,
  strong: (text: string) => `**${text}**`,
}

/** What a text may show at most. */
interface Most {
  readonly rows: number
  readonly details: number
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
  ['# Kernels', '', sentence(document, WRITING), '', ...tableText(document, { rows: 200, details: 60 }), ''].join('\n')

/** GitHub takes 65,536 characters in a comment; somebody may add some. */
const COMMENT_CHARACTERS = 60_000

/** For a comment on a change: what a reader must know, and within what such a comment may be long. */
export function manyComment(document: MatricesDocument): string {
  const text = (part: number) => {
    const most = { rows: Math.floor(40 * part), details: Math.floor(30 * part) }
    return ['### Kernels', '', sentence(document, WRITING), '', ...tableText(document, most), ''].join('\n')
  }
  let part = 1
  while (text(part).length > COMMENT_CHARACTERS && part > 0.01) part /= 2
  return text(part)
}

/** Why modules stop, or what was done for them: the same said of several trees is said once. */
export function detailsOf(
  document: MatricesDocument,
  rows: readonly ManyRow[],
): { module: string; trees: string[]; text: string }[] {
  const names = columnNames(document)
  return rows.flatMap(({ module, cells }) => {
    const said = new Map<string, string[]>()
    cells.forEach((cell, i) => {
      const text = cell === undefined ? '' : remark(cell)
      if (text !== '') said.set(text, [...(said.get(text) ?? []), names[i] as string])
    })
    return [...said].map(([text, trees]) => ({ module, trees, text }))
  })
}
