/** Two matrices made one: each row marked with how it differs from the other, and rows that only the other has. */
import { type Change, type Model, type Row } from './model.ts'
import { eachColumn } from '../payload.ts'

function changeOf(row: Row, before: Row | undefined): Change {
  if (before === undefined) return 'new'
  if (row.rung !== before.rung) return row.rung > before.rung ? 'gained' : 'lost'
  return row.reason === before.reason && row.detail === before.detail ? 'same' : 'changed'
}

/** `model` with every row compared with `other`'s of the same path. The string table grows by the other's. */
export function compareModels(model: Model, other: Model): Model {
  const strings = [...model.strings]
  const known = new Map(strings.map((text, i) => [text, i]))
  const translated = other.strings.map((text) => {
    const at = known.get(text) ?? strings.push(text) - 1
    known.set(text, at)
    return at
  })
  const translate = (ids: readonly number[]) => ids.map((id) => translated[id]!)
  const others = new Map(other.rows.map((row) => [row.path, row]))
  const rows = model.rows.map((row): Row => {
    const old = others.get(row.path)
    others.delete(row.path)
    const change = changeOf(row, old)
    if (old === undefined) return { ...row, change }
    const { rung, reason, detail } = old
    return { ...row, change, before: { rung, reason, detail, missing: translate(old.missing) } }
  })
  const gone = [...others.values()].map((row): Row => {
    return { ...row, ...eachColumn((column) => translate(row[column])), change: 'gone' }
  })
  return { head: model.head, strings, rows: [...rows, ...gone] }
}
