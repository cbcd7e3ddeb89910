/** On which kernels a matrix over several trees is well, and what a cell of it says in few words. Pure. */

import { manyRows, type MatricesDocument } from '../matrix/many.ts'
import type { MatrixDocument, MatrixRow } from '../matrix/types.ts'
import { outcomeOf, whyNot } from './outcome.ts'

/** `6.1`, of linux-6.1. */
export const shortName = ({ tree }: MatrixDocument): string => tree.name.replace(/^linux-/, '')

/** Modules that are as far as asked. */
export const passed = ({ rows, until }: MatrixDocument): number =>
  rows.filter((row) => outcomeOf(row, until) === 'pass').length

/** Modules that are for this kernel. */
export const meant = ({ rows }: MatrixDocument): number => rows.filter(({ reason }) => reason !== 'excluded').length

/** Trees on which all modules are as far as asked, and those on which not; one that no module is for is neither. */
export function judged(all: readonly MatrixDocument[]): { good: MatrixDocument[]; failing: MatrixDocument[] } {
  const columns = all.filter((column) => column.rows.length === 0 || meant(column) > 0)
  const good = columns.filter((column) => column.rows.length > 0 && passed(column) === meant(column))
  return { good, failing: columns.filter((column) => !good.includes(column)) }
}

/** How a kind of report writes what comes from drivers: a module, a rung, and what must not be overlooked. */
export interface Writing {
  readonly module: (name: string) => string
  readonly rung: (name: string) => string
  readonly strong: (text: string) => string
}

/** In one sentence: where all is well, and where not. */
export function sentence(document: MatricesDocument, { module, rung, strong }: Writing): string {
  const { columns } = document
  const rows = manyRows(document)
  const [first] = rows
  if (first === undefined) return 'No module was tried.'
  const what = rows.length === 1 ? module(first.module) : `${rows.length} modules`
  const [one, none] = rows.length === 1 ? ['reaches', 'does not reach'] : ['reach', 'do not all reach']
  const { good, failing } = judged(columns)
  const until = rung(columns[0]?.until ?? '')
  const told = (some: readonly MatrixDocument[]) => some.map(shortName).join(', ')
  if (good.length === 0 && failing.length === 0) return `${what}: for none of these kernels.`
  if (good.length === 0) return `${what} ${none} ${until} on ${told(failing)}.`
  return `${what} ${one} ${until} on ${told(good)}${failing.length === 0 ? '' : `, ${strong(`not on ${told(failing)}`)}`}.`
}

/** A cell for people: how far, and why not further. */
export function cellText(row: MatrixRow | undefined): string {
  if (row === undefined) return '-'
  return row.reason === '' ? row.rung : `${row.rung === 'none' ? '' : `${row.rung}, `}${row.reason}`
}

/** Why it stops, or what was done for it before; '' where there is nothing to say. */
export function remark(row: MatrixRow): string {
  if (row.reason !== '') return whyNot(row)
  return row.patches === undefined ? '' : `with ${row.patches.join(', ')}`
}
