/**
 * JUnit XML as Jenkins, GitLab and GitHub actions read it: a suite for each directory, a case for each module.
 *
 * A case fails when its module did not reach the rung asked for; it has an error when a tool ended (crash, time, memory,
 * interruption), and is skipped when no device model fits. Pure.
 */

import type { MatrixDocument, MatrixRow } from '../matrix/types.ts'
import { byDirectory, msOf, oneLine, outcomeOf, printable, specifics, whyNot, type Outcome } from './outcome.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // A parser turns these into spaces in an attribute, and a carriage return into a newline anywhere.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

/** Text for an attribute. */
export const attribute = (text: string): string =>
  printable(text).replaceAll(/[&<>"'\t\n\r]/g, (c) => ENTITIES[c] as string)

/** Text between tags. */
export const content = (text: string): string => printable(text).replaceAll(/[&<>\r]/g, (c) => ENTITIES[c] as string)

type Attributes = Readonly<Record<string, string | number>>

function tag(name: string, attributes: Attributes, children?: string): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${attribute(String(value))}"`)
  const open = `<${name}${written.join('')}`
  return children === undefined ? `${open}/>` : `${open}>${children}</${name}>`
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3)

const ELEMENT: Readonly<Record<Exclude<Outcome, 'pass'>, string>> = {
  fail: 'failure',
  error: 'error',
  miss: 'error',
  skip: 'skipped',
}

function testcase(row: MatrixRow, directory: string, outcome: Outcome): string {
  const attributes = { name: row.module, classname: directory.replaceAll('/', '.'), time: seconds(msOf(row)) }
  if (outcome === 'pass') return `    ${tag('testcase', attributes)}`
  const problem = { type: row.reason === '' ? 'internal-error' : row.reason, message: oneLine(whyNot(row)) }
  const text = [`reached: ${row.rung}`, ...specifics(row)].join('\n')
  return `    ${tag('testcase', attributes, tag(ELEMENT[outcome], problem, content(text)))}`
}

interface Counts {
  readonly tests: number
  readonly failures: number
  readonly errors: number
  readonly skipped: number
  readonly time: string
}

function counts(rows: readonly MatrixRow[], outcomes: ReadonlyMap<MatrixRow, Outcome>): Counts {
  const having = (...wanted: Outcome[]): number =>
    rows.filter((row) => wanted.includes(outcomes.get(row) as Outcome)).length
  return {
    tests: rows.length,
    failures: having('fail'),
    errors: having('error', 'miss'),
    skipped: having('skip'),
    time: seconds(rows.reduce((sum, row) => sum + msOf(row), 0)),
  }
}

function properties({ tree, toolchain, drvport, until, seed }: MatrixDocument): string {
  const values = {
    tree: `${tree.name} ${tree.version}`,
    toolchain: `${toolchain.name} ${toolchain.version}`,
    drvport,
    until,
    seed,
  }
  const each = Object.entries(values).map(([name, value]) => tag('property', { name, value }))
  return `    ${tag('properties', {}, each.join(''))}`
}

/** The report as XML. */
export function junit(document: MatrixDocument): string {
  const outcomes = new Map(document.rows.map((row) => [row, outcomeOf(row, document.until)]))
  const { skipped: _notAllowedHere, ...all } = counts(document.rows, outcomes)
  const suites = byDirectory(document.rows).map(([directory, rows]) => {
    const cases = rows.map((row) => testcase(row, directory, outcomes.get(row) as Outcome))
    const body = ['', properties(document), ...cases, '  '].join('\n')
    return `  ${tag('testsuite', { name: directory, ...counts(rows, outcomes) }, body)}`
  })
  const name = `drvport matrix of ${document.tree.name}, until ${document.until}`
  return `<?xml version="1.0" encoding="UTF-8"?>\n${tag('testsuites', { name, ...all }, ['', ...suites, ''].join('\n'))}\n`
}
