/**
 * KTAP version 1 (Documentation/dev-tools/ktap.rst of the kernel tree): a test for each directory, in it one for each
 * module. What the kernel's own parser (tools/testing/kunit) makes of it is what the matrix says. Pure.
 */

import type { MatrixDocument, MatrixRow } from '../matrix/types.ts'
import { byDirectory, oneLine, outcomeOf, specifics, whyNot, type Outcome } from './outcome.ts'

/** Text of a result line: one line, and no `#`, which would begin a directive. */
export const resultText = (text: string): string => oneLine(text).replaceAll('#', '\\x23')

const ok = (outcome: Outcome): string => (outcome === 'pass' || outcome === 'skip' ? 'ok' : 'not ok')

function directive(row: MatrixRow, outcome: Outcome): string {
  if (outcome === 'pass') return ''
  const why = resultText(whyNot(row))
  if (outcome === 'fail') return ` # ${why}`
  if (outcome === 'skip') return ` # SKIP ${why}`
  return row.reason === 'timeout' ? ` # TIMEOUT ${why}` : ` # ERROR ${why}`
}

function result(row: MatrixRow, number: number, outcome: Outcome): string[] {
  const name = resultText(row.module)
  const said = outcome === 'pass' ? [] : specifics(row).map((line) => `# ${name}: ${oneLine(line)}`)
  return [...said, `${ok(outcome)} ${number} ${name}${directive(row, outcome)}`]
}

/** A directory is no better than the worst of its modules; all of them skipped, it is skipped too. */
function verdict(outcomes: readonly Outcome[]): { result: string; note: string } {
  const bad = outcomes.filter((outcome) => ok(outcome) !== 'ok').length
  if (bad > 0) return { result: 'not ok', note: '' }
  return { result: 'ok', note: outcomes.every((outcome) => outcome === 'skip') ? ' # SKIP' : '' }
}

function suite(directory: string, rows: readonly MatrixRow[], number: number, document: MatrixDocument): string[] {
  const outcomes = rows.map((row) => outcomeOf(row, document.until))
  const results = rows.flatMap((row, i) => result(row, i + 1, outcomes[i] as Outcome))
  const name = resultText(directory)
  const { result: word, note } = verdict(outcomes)
  const inside = ['KTAP version 1', `# Subtest: ${name}`, `1..${rows.length}`, ...results]
  return [...inside.map((line) => `  ${line}`), `${word} ${number} ${name}${note}`]
}

/** The report as text. */
export function ktap(document: MatrixDocument): string {
  const directories = byDirectory(document.rows)
  const { tree, toolchain, drvport, until } = document
  const lines = [
    'KTAP version 1',
    `1..${directories.length}`,
    `# drvport ${drvport}: ${oneLine(`${tree.name} ${tree.version}, ${toolchain.name} ${toolchain.version}`)}, until ${until}`,
    ...directories.flatMap(([directory, rows], i) => suite(directory, rows, i + 1, document)),
  ]
  return `${lines.join('\n')}\n`
}
