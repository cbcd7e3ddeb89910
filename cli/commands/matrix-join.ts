/** `drvport matrix join FILE...`: columns that jobs made, one tree each, as the one matrix that a run over all would have made. */
import { openQuestions, withReasons } from '../../pipeline/matrix/because.ts'
import { UsageError } from '../../pipeline/errors.ts'
import { joinMatrices } from '../../pipeline/matrix/join.ts'
import type { MatricesDocument } from '../../pipeline/matrix/many.ts'
import { readColumns } from '../../pipeline/matrix/read.ts'
import type { MatrixDocument } from '../../pipeline/matrix/types.ts'
import { checkManyReports } from '../../pipeline/report/index.ts'
import type { Workspace } from '../../pipeline/workspace.ts'
import type { Context } from '../context.ts'
import { askedReports, checkRequired } from '../matrix-reports.ts'
import { workspaceOf } from '../workspace.ts'
import { concludeMany } from './matrix-many.ts'

export async function runJoin(
  context: Context,
  files: readonly string[],
  argv: Record<string, unknown>,
): Promise<number> {
  if (files.length === 0)
    throw new UsageError('matrix join needs the columns of a matrix', {
      expected: 'drvport matrix join FILE...',
      found: 'no file',
      todo: 'name the files that --tree TREE --output FILE made, one for each tree',
    })
  const asked = await askedReports(argv)
  checkManyReports(asked.reports)
  const read = await Promise.all(
    files.map(async (file) => (await readColumns(file)).map((document) => ({ file, document }))),
  )
  const joined = joinMatrices(read.flat())
  checkRequired(asked, (joined.columns[0] as MatrixDocument).until)
  const document = argv['explain'] === true ? await explained(context, joined) : joined
  const status = await concludeMany(context, document, asked)
  return document.columns.some(({ interrupted }) => interrupted) ? 130 : status
}

/** Say why, with the trees that can tell: none is opened where no module compiles for one and not for another. */
async function explained(context: Context, document: MatricesDocument): Promise<MatricesDocument> {
  const columns = openQuestions(document)
  const workspaces: Workspace[] = []
  try {
    for (const { tree } of columns) {
      context.progress.update(`opening ${tree.name}, to say why`)
      const workspace = await workspaceOf(context, tree.name)
      workspaces.push(workspace)
      if (workspace.tree.version !== tree.version)
        throw new UsageError(`cannot explain what ${tree.name} ${tree.version} says`, {
          expected: `${tree.name} ${tree.version}, as in the column`,
          found: `${workspace.tree.version}`,
          todo: 'make the column again, or leave out --explain',
        })
    }
    const selectors = document.columns[0]?.selectors ?? []
    return workspaces.length === 0 ? document : await withReasons(document, workspaces, selectors, context.signal)
  } finally {
    for (const workspace of workspaces) await workspace.close()
  }
}
