/**
 * Two matrices made one: each row marked with how it differs from the other, and rows that only the other has. What
 * differs is for diff.ts to say, so that the page and `drvport matrix diff` never disagree.
 */
import { diffMatrices, type DiffEntry } from '../../../matrix/diff.ts'
import { rungIndex } from '../../../ladder.ts'
import type { MatrixDocument } from '../../../matrix/types.ts'
import { eachColumn } from '../payload.ts'
import { type Before, type Change, type Model, type Row } from './model.ts'
import { rungName } from './words.ts'

/** As much of a document as a comparison reads. */
function documentOf({ head, strings, rows }: Model): MatrixDocument {
  const compared = rows.map(({ module, path, rung, reason, detail, missing }) => ({
    module,
    path,
    rung: rungName(rung),
    reason,
    detail,
    missing: missing.map((id) => strings[id]!),
  }))
  return { ...head, rows: compared } as unknown as MatrixDocument
}

const CHANGED = ['lost', 'gained', 'changed', 'detailed', 'unfinished'] as const

interface Difference {
  readonly change: Change
  readonly before: Before
}

function differenceOf(change: Change, entry: DiffEntry): Difference {
  const { before, from, nowMissing, noLongerMissing } = entry
  const { reason, detail } = before
  return {
    change,
    before: { rung: rungIndex(before.rung), reason, detail, from: from ?? '', nowMissing, noLongerMissing },
  }
}

/** The other's row in `model`'s table of strings, which grows. */
function adopt(rows: readonly Row[], from: readonly string[], strings: string[]): Row[] {
  const known = new Map(strings.map((text, i) => [text, i]))
  const translated = new Map<number, number>()
  const translate = (id: number): number => {
    const text = from[id]!
    const at = translated.get(id) ?? known.get(text) ?? strings.push(text) - 1
    translated.set(id, at)
    known.set(text, at)
    return at
  }
  return rows.map((row) => ({ ...row, ...eachColumn((column) => row[column].map(translate)), change: 'vanished' }))
}

/** `model` compared with the earlier `other`. */
export function compareModels(model: Model, other: Model): Model {
  const diff = diffMatrices(documentOf(other), documentOf(model))
  const until = rungIndex(diff.until)
  const differences = new Map<string, Difference>()
  for (const change of CHANGED)
    for (const entry of diff[change]) differences.set(entry.path, differenceOf(change, entry))
  const appeared = new Set(diff.appeared.map(({ path }) => path))
  const vanished = new Set(diff.vanished.map(({ path }) => path))
  const strings = [...model.strings]
  const rows = model.rows.map((row): Row => {
    const difference = differences.get(row.path)
    if (difference !== undefined) return { ...row, ...difference }
    return { ...row, change: appeared.has(row.path) ? 'appeared' : 'same' }
  })
  const gone = adopt(
    other.rows.filter(({ path }) => vanished.has(path)),
    other.strings,
    strings,
  )
  return { head: model.head, strings, rows: [...rows, ...gone], compared: { until, losses: diff.losses } }
}

/** How far the row's module got before, on the part of the ladder that was compared; undefined when it was not there. */
export function rungBefore(row: Row, until: number): number | undefined {
  if (row.change === 'appeared' || row.change === '') return undefined
  return Math.min(row.before?.rung ?? row.rung, until)
}
