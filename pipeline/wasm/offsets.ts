/**
 * Where each piece of original code went when the instrumenter rewrote it.
 *
 * Two spaces: *original* offsets count from the code section's payload of the linked module, which is how DWARF counts;
 * *new* offsets count the same way in the rewritten module. The map is a list of runs, sorted in both spaces; within a
 * run bytes were copied. Inserted code lies after a run's end and belongs to the instruction before it; when an empty run
 * with the same original offset as the next one starts it, it belongs to the instruction after it.
 */
export interface OffsetMap {
  /** File offset of the code section's payload in the rewritten module. */
  readonly codeStart: number
  readonly newStarts: Uint32Array
  readonly originalStarts: Uint32Array
}

/** Index of the last element that is not greater than `value`, -1 if all are greater. */
export function lastAtMost(sorted: Uint32Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** Original code offset of a file offset of the rewritten module; undefined outside the code. */
export function toOriginal(map: OffsetMap, fileOffset: number): number | undefined {
  const offset = fileOffset - map.codeStart
  const run = offset < 0 ? -1 : lastAtMost(map.newStarts, offset)
  if (run < 0) return undefined
  const original = (map.originalStarts[run] as number) + offset - (map.newStarts[run] as number)
  const next = map.originalStarts[run + 1]
  // Inserted code: it belongs to the last byte before it, or leads what follows.
  return next !== undefined && original >= next ? Math.max(next - 1, map.originalStarts[run] as number) : original
}

/** New code offset of an original one. An offset inside a number that was re-encoded maps into the instruction. */
export function toNew(map: OffsetMap, original: number): number {
  let run = lastAtMost(map.originalStarts, original)
  if (run < 0) return 0
  if (map.originalStarts[run] === original && map.originalStarts[run - 1] === original) run--
  const offset = (map.newStarts[run] as number) + original - (map.originalStarts[run] as number)
  const next = map.newStarts[run + 1]
  return next !== undefined && offset > next ? next : offset
}
