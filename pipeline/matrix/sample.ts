/**
 * So many modules of many, drawn by a seed: enough to know a tree by, at a part of its cost.
 *
 * A module is drawn by a hash of the seed and its path, so the draw is the same on every computer, a larger sample holds
 * the smaller one, and trees that have the same modules draw the same ones. Pure.
 */

import { sha256 } from '../cache.ts'
import { UsageError } from '../errors.ts'

export interface Sample {
  /** Modules drawn. */
  readonly size: number
  /** Of how many. */
  readonly of: number
}

/** Throws UsageError for what is not a whole number above 0. */
export function parseSample(given: unknown): number {
  if (Number.isSafeInteger(given) && (given as number) > 0) return given as number
  throw new UsageError('--sample takes a whole number above 0', {
    found: String(given),
    todo: 'give one, as in --sample 500',
  })
}

/** `size` of the modules, in their order; all of them where there are no more. */
export function drawSample<M extends { readonly path: string }>(
  modules: readonly M[],
  size: number,
  seed: number,
): M[] {
  if (modules.length <= size) return [...modules]
  const lots = modules.map((module) => ({ module, lot: sha256(`${seed} ${module.path}`) }))
  const drawn = lots.toSorted((a, b) => (a.lot < b.lot ? -1 : 1)).slice(0, size)
  const chosen = new Set(drawn.map(({ module }) => module))
  return modules.filter((module) => chosen.has(module))
}
