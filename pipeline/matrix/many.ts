/**
 * One matrix over several kernel trees: `drvport.matrix/2`, a column for each tree, each column a whole matrix of one.
 *
 * A module is one line of the table: found by its path, and by its name where a tree has it elsewhere. Pure.
 */

import { summarize } from './summary.ts'
import type { MatrixDocument, MatrixRow } from './types.ts'

export interface MatricesDocument {
  readonly schema: 'drvport.matrix/2'
  /** In the order in which the trees were named. */
  readonly columns: readonly MatrixDocument[]
  /** Stopped before all were made: trees may be missing, or rows of the last one. */
  readonly interrupted?: true
}

/** What a column is called: its tree, its configuration, and its version where two columns have the same name. */
export function columnNames({ columns }: MatricesDocument): string[] {
  return columns.map(({ tree }) => {
    const alike = columns.filter(
      ({ tree: { name, configuration } }) => name === tree.name && configuration === tree.configuration,
    )
    const { configuration } = tree
    const name = alike.length > 1 ? `${tree.name} (${tree.version})` : tree.name
    return configuration === undefined ? name : `${name} with ${configuration}`
  })
}

/** A module in all columns; undefined where a tree has no such module. */
export interface ManyRow {
  readonly module: string
  /** In the last column that has it. */
  readonly path: string
  readonly cells: readonly (MatrixRow | undefined)[]
}

/** The table, by path. */
export function manyRows({ columns }: MatricesDocument): ManyRow[] {
  const rows = new Map<string, { module: string; path: string; cells: (MatrixRow | undefined)[] }>()
  const named = new Map<string, string | undefined>()
  columns.forEach(({ rows: column }, index) => {
    const names = Map.groupBy(column, ({ module }) => module)
    for (const row of column) {
      const isUnique = names.get(row.module)?.length === 1
      const moved = isUnique ? named.get(row.module) : undefined
      const known = rows.get(row.path) ?? (moved === undefined ? undefined : rows.get(moved))
      const target = known?.cells[index] === undefined ? known : undefined
      const entry = target ?? { module: row.module, path: row.path, cells: columns.map(() => undefined) }
      entry.cells[index] = row
      if (target !== undefined && entry.path !== row.path) {
        rows.delete(entry.path)
        entry.path = row.path
      }
      rows.set(row.path, entry)
      named.set(row.module, isUnique ? row.path : undefined)
    }
  })
  return [...rows.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** Whether trees differ about a module: another rung, another reason, or one of them has it not. */
export const differs = ({ cells }: ManyRow): boolean =>
  cells.some((cell) => cell?.rung !== cells[0]?.rung || cell?.reason !== cells[0]?.reason)

/** A column with some of its rows said better, its totals with them. */
export function withRows(column: MatrixDocument, better: ReadonlyMap<string, MatrixRow>): MatrixDocument {
  if (better.size === 0) return column
  const rows = column.rows.map((row) => better.get(row.path) ?? row)
  return { ...column, rows, summary: summarize(rows) }
}
