/** The matrix as the page works on it: rows as objects, lists as numbers into one table of strings. Knows no DOM. */
import { RUNGS } from '../../../ladder.ts'
import { eachColumn, type ListColumn, type Payload } from '../payload.ts'

/** How a row differs from the matrix it is compared with; '' without one. */
export type Change = '' | 'gained' | 'lost' | 'changed' | 'detailed' | 'unfinished' | 'appeared' | 'vanished' | 'same'

export interface Diagnostic {
  readonly file: string
  readonly line: number
  readonly message: string
  readonly source: string | undefined
}

/** What the row said in the matrix compared with. */
export interface Before {
  readonly rung: number
  readonly reason: string
  readonly detail: string
  /** Path there, '' where it is the same. */
  readonly from: string
  readonly nowMissing: readonly string[]
  readonly noLongerMissing: readonly string[]
}

export interface Row extends Readonly<Record<ListColumn, readonly number[]>> {
  readonly module: string
  readonly path: string
  /** Folder of the path, '' at the top. */
  readonly dir: string
  /** Place on the ladder, 0 the lowest. */
  readonly rung: number
  readonly reason: string
  readonly detail: string
  readonly diagnostics: readonly Diagnostic[]
  readonly sources: number
  readonly changedBytes: number
  readonly sha256: string
  readonly bytes: number
  readonly ms: readonly (readonly [step: string, ms: number])[]
  /** Lower-cased text that a search looks through, symbols apart. */
  readonly text: string
  readonly licenseProblem: string
  readonly change: Change
  /** Only where it differs. */
  readonly before?: Before
}

export interface Model {
  readonly head: Payload['head']
  readonly strings: readonly string[]
  readonly rows: readonly Row[]
  /** Rungs were compared up to this one; `losses` as `drvport matrix diff` counts them. */
  readonly compared?: { readonly until: number; readonly losses: number }
}

/** The words of a row that free text is matched against; its symbols are matched through the string table. */
function searchText(
  row: Pick<Row, 'module' | 'path' | 'reason' | 'detail' | 'diagnostics' | 'licenseProblem'>,
): string {
  const said = row.diagnostics.map(({ file, message }) => `${file}\n${message}`)
  return [row.module, row.path, row.reason, row.detail, row.licenseProblem, ...said].join('\n').toLowerCase()
}

/** A rung this page does not know counts as the lowest: it was not reached as far as we can tell. */
const rungNumber = (name: string): number => Math.max(0, (RUNGS as readonly string[]).indexOf(name))

function decodeRow(payload: Payload, i: number): Row {
  const { strings } = payload
  const path = payload.path[i]!
  const lists = eachColumn((column) => payload.lists[payload.columns[column][i]!]!)
  const row = {
    ...lists,
    module: payload.module[i]!,
    path,
    dir: path.slice(0, Math.max(0, path.lastIndexOf('/'))),
    rung: rungNumber(strings[payload.rung[i]!]!),
    reason: strings[payload.reason[i]!]!,
    detail: strings[payload.detail[i]!]!,
    diagnostics: payload.diagnostics[i]!.map(([file, line, message, source]) => ({
      file: strings[file]!,
      line,
      message: strings[message]!,
      source: strings[source],
    })),
    sources: payload.sources[i]!,
    changedBytes: payload.changedBytes[i]!,
    sha256: payload.sha256[i]!,
    bytes: payload.bytes[i]!,
    ms: payload.ms[i]!.map(([step, ms]) => [strings[step]!, ms] as const),
    licenseProblem: strings[payload.licenseProblem[i]!]!,
    change: '' as const,
  }
  return { ...row, text: searchText(row) }
}

export function decode(payload: Payload): Model {
  return {
    head: payload.head,
    strings: payload.strings,
    rows: payload.module.map((_, i) => decodeRow(payload, i)),
  }
}

/** The highest rung that the run asked for or that occurs: no ladder is drawn beyond it. */
export const topRung = ({ head, rows }: Model): number =>
  rows.reduce((top, row) => Math.max(top, row.rung), rungNumber(head.until))
