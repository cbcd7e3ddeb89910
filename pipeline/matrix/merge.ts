/**
 * Parts of one matrix, made on several computers, into the whole. Pure.
 *
 * The whole says of every module exactly what its part said: its digest is that of one run over everything. Parts that do
 * not belong together, or that are missing, are refused by name.
 */

import { UsageError } from '../errors.ts'
import { checkSame, refuseParts, SAME_RUN, treeText, type Common, type MatrixPart } from './parts.ts'
import { byPath, digestOf, summarize } from './summary.ts'
import type { MatrixDocument, MatrixRow } from './types.ts'

const COMMON: readonly Common[] = [
  ['tree', ({ tree }) => treeText(tree)],
  ...SAME_RUN,
  ['--sample', ({ sample }) => (sample === undefined ? 'none' : `${sample.size} of ${sample.of}`)],
  ['number of shards', ({ shard }) => (shard === undefined ? 'not a shard' : String(shard.of))],
]

const refuse = (parts: readonly MatrixPart[], expected: string, found: string, todo: string): UsageError =>
  refuseParts('these matrices are not parts of one', parts, expected, found, todo)

const checkCommon = (parts: readonly MatrixPart[]): void =>
  checkSame('these matrices are not parts of one', parts, COMMON)

/** Every shard, once, of the same selection. */
function checkShards(parts: readonly MatrixPart[]): void {
  const [first] = parts as readonly [MatrixPart, ...MatrixPart[]]
  const of = first.document.shard?.of
  if (of === undefined) return
  const selectors = first.document.selectors.join(' ')
  for (const other of parts)
    if (other.document.selectors.join(' ') !== selectors)
      throw refuse(
        [first, other],
        `the same selectors, ${selectors}`,
        other.document.selectors.join(' '),
        'make all shards with the same selectors',
      )
  const given = new Set(parts.map(({ document }) => document.shard?.index))
  const absent = Array.from({ length: of }, (_, i) => i + 1).filter((index) => !given.has(index))
  if (absent.length === 0) return
  const names = absent.map((index) => `${index}/${of}`).join(', ')
  throw refuse(
    parts,
    `all ${of} shards`,
    `no shard ${names}`,
    `make it with --shard ${absent[0]}/${of}, and name its file too`,
  )
}

/** Rows of all parts; a module that two parts have must be the same in both. */
function unite(parts: readonly MatrixPart[]): MatrixRow[] {
  const rows = new Map<string, { row: MatrixRow; part: MatrixPart }>()
  for (const part of parts)
    for (const row of part.document.rows) {
      const before = rows.get(row.path)
      if (before === undefined) rows.set(row.path, { row, part })
      else if (digestOf([before.row]) !== digestOf([row]))
        throw refuse(
          [before.part, part],
          `one result for ${row.path}`,
          `${before.row.rung} ${before.row.reason} in the one, ${row.rung} ${row.reason} in the other`,
          'leave out the file that is out of date',
        )
    }
  return [...rows.values()].map(({ row }) => row).toSorted(byPath)
}

const sum = (values: readonly (number | undefined)[]): number | undefined =>
  values.some((value) => value === undefined) ? undefined : values.reduce<number>((a, b) => a + (b as number), 0)

/**
 * The whole of which these are the parts. Wall time is the longest part's, as if they ran side by side. Throws UsageError,
 * which names the files, when they do not make one whole.
 */
export function mergeMatrices(parts: readonly MatrixPart[]): MatrixDocument {
  const [first] = parts
  if (first === undefined) throw new UsageError('no matrix to merge', { todo: 'name the files of its parts' })
  checkCommon(parts)
  checkShards(parts)
  const rows = unite(parts)
  const documents = parts.map(({ document }) => document)
  const { shard: _shard, cpuMs: _cpuMs, peakBytes: _peakBytes, ...head } = first.document
  const cpuMs = sum(documents.map((document) => document.cpuMs))
  const peaks = documents.flatMap(({ peakBytes }) => peakBytes ?? [])
  return {
    ...head,
    selectors: [...new Set(documents.flatMap(({ selectors }) => selectors))],
    interrupted: documents.some(({ interrupted }) => interrupted),
    summary: summarize(rows),
    rows,
    ms: Math.max(...documents.map(({ ms }) => ms)),
    ...(cpuMs !== undefined && { cpuMs }),
    ...(peaks.length > 0 && { peakBytes: Math.max(...peaks) }),
  }
}
