/** A comparison of two matrices, for a person at a terminal. */
import type { DiffEntry, DiffOnly, DiffState, MatrixDiff } from '../pipeline/matrix/diff.ts'
import { count, paint, table } from './output.ts'

/** Rows of a list that are shown without -v. */
const SHOWN = 20
const WHY_MAX = 60
const SYMBOLS = 3

const clip = (text: string): string => (text.length > WHY_MAX ? `${text.slice(0, WHY_MAX)}...` : text)
const some = (names: readonly string[]): string =>
  names.slice(0, SYMBOLS).join(' ') + (names.length > SYMBOLS ? ` and ${names.length - SYMBOLS} more` : '')

const stateText = ({ rung, reason }: DiffState): string => (reason === '' ? rung : `${rung} (${reason})`)

/** Why B is where it is: the symbols that are newly missing say more than a list of all of them. */
const whyText = ({ after, nowMissing, noLongerMissing }: DiffEntry): string =>
  nowMissing.length > 0
    ? `now missing: ${some(nowMissing)}`
    : after.detail === '' && noLongerMissing.length > 0
      ? `no longer missing: ${some(noLongerMissing)}`
      : clip(after.detail)

function bounded(rows: readonly string[][], titles: readonly string[], verbose: boolean): string[] {
  const shown = verbose ? rows : rows.slice(0, SHOWN)
  const rest = rows.length - shown.length
  const columns = titles.map((title) => ({ title }))
  return [table(columns, shown), ...(rest > 0 ? [`... and ${count(rest)} more; -v shows all`] : [])]
}

function entries(title: string, list: readonly DiffEntry[], verbose: boolean): string[] {
  if (list.length === 0) return []
  const rows = list.map((entry) => [
    entry.path,
    stateText(entry.before),
    stateText(entry.after),
    entry.from === undefined ? whyText(entry) : `was ${entry.from} ${whyText(entry)}`,
  ])
  return [`${title}: ${count(list.length)}`, ...bounded(rows, ['module', 'before', 'after', ''], verbose), '']
}

function only(title: string, list: readonly DiffOnly[], verbose: boolean): string[] {
  if (list.length === 0) return []
  const rows = list.map((entry) => [entry.path, stateText(entry)])
  return [`${title}: ${count(list.length)}`, ...bounded(rows, ['module', 'reached'], verbose), '']
}

function directories({ directories: list }: MatrixDiff, verbose: boolean): string[] {
  if (list.length === 0) return []
  const names = ['before', 'after', 'lost', 'gained', 'changed', 'vanished', 'appeared'] as const
  const columns = [{ title: 'directory' }, ...names.map((title) => ({ title, align: 'right' as const }))]
  const most = [...list].toSorted((a, b) => b.lost - a.lost || b.gained - a.gained || b.changed - a.changed)
  const shown = verbose ? list : most.slice(0, SHOWN)
  const rows = shown.map((row) => [row.directory, ...names.map((name) => (row[name] === 0 ? '' : count(row[name])))])
  const rest = list.length - shown.length
  return [table(columns, rows), ...(rest > 0 ? [`... and ${count(rest)} more directories; -v shows all`] : []), '']
}

const sideText = ({ tree, toolchain, drvport, summary }: MatrixDiff['a']): string =>
  `${tree.name} (${tree.version}), ${toolchain.name} ${toolchain.version}, drvport ${drvport}: ${count(summary.modules)} modules`

/** A few words on everything, a table of what matters; with `verbose` of all. */
export function renderDiff(diff: MatrixDiff, verbose: boolean): string {
  const { lost, gained, changed, detailed, unfinished, vanished, appeared, vanishedIsLoss, losses } = diff
  const verdict = losses === 0 ? paint('green', 'nothing lost') : paint('red', `${count(losses)} lost`)
  const rest = [
    `${count(gained.length)} gained`,
    `${count(changed.length)} stop for another reason`,
    `${count(detailed.length)} with other specifics`,
    `${count(vanished.length)} only before`,
    `${count(appeared.length)} only after`,
    ...(unfinished.length > 0 ? [`${count(unfinished.length)} not finished, so not compared`] : []),
    `${count(diff.same)} the same`,
  ]
  return [
    ...entries('lost', lost, verbose),
    ...(vanishedIsLoss ? only('lost, for they vanished from the same tree', vanished, verbose) : []),
    ...entries('gained', gained, verbose),
    ...entries('another reason', changed, verbose),
    ...(verbose ? entries('other specifics', detailed, verbose) : []),
    ...(verbose && !vanishedIsLoss ? only('only before', vanished, verbose) : []),
    ...(verbose ? only('only after', appeared, verbose) : []),
    ...directories(diff, verbose),
    `before: ${sideText(diff.a)}`,
    `after:  ${sideText(diff.b)}`,
    `up to ${diff.until}: ${verdict}, ${rest.join(', ')}`,
  ].join('\n')
}
