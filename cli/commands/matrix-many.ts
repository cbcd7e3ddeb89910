/** `drvport matrix SELECTOR... --tree A,B`: the ladder for several kernels, a column each. */
import { Interrupted, UsageError } from '../../pipeline/errors.ts'
import { diffMatrices } from '../../pipeline/matrix/diff.ts'
import { withReasons } from '../../pipeline/matrix/because.ts'
import { columnNames, differs, manyRows, type MatricesDocument } from '../../pipeline/matrix/many.ts'
import { readColumns } from '../../pipeline/matrix/read.ts'
import type { Rung } from '../../pipeline/ladder.ts'
import { limiter } from '../../pipeline/limit.ts'
import type { MatrixDocument } from '../../pipeline/matrix/types.ts'
import { checkManyReports, writeManyReports } from '../../pipeline/report/index.ts'
import { detailsOf, shownRows } from '../../pipeline/report/many.ts'
import { cellText } from '../../pipeline/report/verdict.ts'
import { fallsShort } from '../../pipeline/report/outcome.ts'
import type { Workspace } from '../../pipeline/workspace.ts'
import type { Context } from '../context.ts'
import { toldOfFailures, type Asked } from '../matrix-reports.ts'
import { renderDiff } from '../matrix-diff-text.ts'
import { count, paint, table, waiting } from '../output.ts'
import { workspaceOf } from '../workspace.ts'

/** Makes one column. */
export type MakeColumn = (workspace: Workspace) => Promise<MatrixDocument>

/**
 * A column for each tree, in their order. While one is made the next trees are fetched and configured, two at once: one
 * waits for the network or a makefile while the other has a processor.
 */
export async function runMany(
  context: Context,
  trees: readonly string[],
  selectors: readonly string[],
  asked: Asked,
  makeColumn: MakeColumn,
): Promise<number> {
  checkManyReports(asked.reports)
  const stop = new AbortController()
  const signal = AbortSignal.any([context.signal, stop.signal])
  const limited = limiter(2)
  const opening = trees.map((tree) => limited(() => workspaceOf({ ...context, signal }, tree)))
  // One that fails is told of when its turn comes.
  for (const open of opening) open.catch(() => undefined)
  try {
    const { columns, workspaces } = await makeColumns(opening, makeColumn)
    const interrupted = columns.length < trees.length || columns.some((column) => column.interrupted)
    const plain: MatricesDocument = { schema: 'drvport.matrix/2', columns, ...(interrupted && { interrupted }) }
    const document = interrupted ? plain : await withReasons(plain, workspaces, selectors, context.signal)
    const status = await concludeMany(context, document, asked)
    return interrupted ? 130 : status
  } finally {
    stop.abort()
    for (const opened of await Promise.allSettled(opening))
      if (opened.status === 'fulfilled') await opened.value.close()
  }
}

/** Columns one after another; interrupted, those that were begun until then. */
async function makeColumns(
  opening: readonly Promise<Workspace>[],
  makeColumn: MakeColumn,
): Promise<{ columns: MatrixDocument[]; workspaces: Workspace[] }> {
  const [columns, workspaces]: [MatrixDocument[], Workspace[]] = [[], []]
  try {
    for (const open of opening) {
      const workspace = await open
      columns.push(await makeColumn(workspace))
      workspaces.push(workspace)
    }
  } catch (error) {
    if (!(error instanceof Interrupted) || columns.length === 0) throw error
  }
  return { columns, workspaces }
}

/** Lines of the table on a terminal. */
const SHOWN = 40

export function renderMany(document: MatricesDocument): string {
  const names = columnNames(document)
  const rows = manyRows(document)
  const shown = shownRows(rows, SHOWN)
  const cells = shown.map(({ module, cells: all }) => [
    module,
    ...all.map((cell) => (cell === undefined ? '-' : paint(cell.reason === '' ? 'green' : 'red', cellText(cell)))),
  ])
  const why = detailsOf(document, shown).map(({ module, trees, text }) => `  ${module} on ${trees.join(', ')}: ${text}`)
  const totals = document.columns.map((column, i) => {
    const whole = column.rows.filter(({ reason }) => reason === '').length
    return `${names[i]} (${column.tree.version}): ${whole} of ${column.rows.length} modules reached ${column.until}, in ${waiting(column.ms / 1000)}`
  })
  const left = rows.length - shown.length
  return [
    table([{ title: 'module' }, ...names.map((title) => ({ title }))], cells),
    ...(left > 0
      ? [`and ${count(left)} more, of which ${count(rows.filter(differs).length)} differ between trees`]
      : []),
    ...(why.length > 0 ? ['', ...why.slice(0, SHOWN)] : []),
    '',
    ...totals,
    ...(why.length > 0 ? ['', 'drvport explain MODULE --tree A,B shows what changed between two of them'] : []),
  ].join('\n')
}

/** The baseline of a column: of its tree, in a matrix of one tree or of several. */
const baselineOf = (column: MatrixDocument, baselines: readonly MatrixDocument[]): MatrixDocument | undefined =>
  baselines.find(({ tree }) => tree.name === column.tree.name && tree.configuration === column.tree.configuration)

/** Print it, write its reports, and return the exit status: see `conclude` for a matrix of one tree. */
export async function concludeMany(context: Context, document: MatricesDocument, asked: Asked): Promise<number> {
  const names = columnNames(document)
  const diffs = document.columns.flatMap((column, i) => {
    const baseline = baselineOf(column, asked.baselines ?? [])
    return baseline === undefined ? [] : [{ name: names[i] as string, diff: diffMatrices(baseline, column) }]
  })
  const compared = diffs.flatMap(({ name, diff }) => [
    '',
    `${name} against the baseline`,
    renderDiff(diff, context.verbose > 0),
  ])
  context.result(document, (result) => [renderMany(result), ...compared].join('\n'))
  const short = document.columns.flatMap((column, i) => {
    const required = asked.requiredFor?.get(column.tree.name) ?? asked.required
    const rows = required === undefined ? [] : column.rows.filter((row) => fallsShort(row, required))
    return rows.map(
      ({ module, rung, reason }) => `${module} on ${names[i]} (${rung}: ${reason}; ${required} is required)`,
    )
  })
  if (short.length > 0) {
    const more = short.length > 5 ? ` and ${short.length - 5} more` : ''
    context.progress.note(`drvport: ${short.slice(0, 5).join(', ')}${more}`)
  }
  const options = asked.startTime === undefined ? {} : { startTime: asked.startTime }
  const status = await toldOfFailures(writeManyReports(asked.reports, document, options))
  if (status > 0) return status
  return short.length === 0 && diffs.every(({ diff }) => diff.losses === 0) ? 0 : 1
}

/** `matrix diff FILE A B`: two columns of one file. */
export async function columnsToCompare(files: readonly string[]): Promise<readonly [MatrixDocument, MatrixDocument]> {
  const [file = '', ...names] = files
  const columns = await readColumns(file)
  const find = (name: string): MatrixDocument => {
    const found = columns.find(({ tree }) => tree.name === name || tree.version === name)
    if (found !== undefined) return found
    throw new UsageError(`no column ${name}`, {
      where: file,
      expected: columns.map(({ tree }) => tree.name).join(', '),
      todo: 'name two of its trees: drvport matrix diff FILE A B',
    })
  }
  return [find(names[0] ?? ''), find(names[1] ?? '')]
}

/** `RUNG` for all trees, `TREE=RUNG` for one. Throws UsageError. */
export function parseRequired(
  given: string | readonly string[],
  rungs: readonly Rung[],
): Pick<Asked, 'required' | 'requiredFor'> {
  const requiredFor = new Map<string, Rung>()
  let required: Rung | undefined
  for (const text of [given].flat()) {
    const [, tree, name] = /^(?:(.+)=)?([^=]+)$/.exec(text) ?? []
    const rung = rungs.find((known) => known === name)
    if (rung === undefined)
      throw new UsageError('--require takes RUNG or TREE=RUNG', {
        expected: `one of ${rungs.join(', ')}`,
        found: text,
        todo: 'give one, as in --require link, or --require linux-6.1=link',
      })
    if (tree === undefined) required = rung
    else requiredFor.set(tree, rung)
  }
  return { ...(required && { required }), ...(requiredFor.size > 0 && { requiredFor }) }
}
