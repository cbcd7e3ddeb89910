/**
 * One part of a matrix that several computers make: which modules are in part I of N.
 *
 * A directory is in one part, because its files share headers that are parsed once, and often the modules they need. The
 * largest directories are dealt first, each to the part that has least, so that the parts are of about one size. Decided
 * by the selected modules alone: every computer that is given the same selectors deals alike. Pure.
 */

import { UsageError } from '../errors.ts'

export interface Shard {
  /** 1-based. */
  readonly index: number
  readonly of: number
}

/** What is dealt. */
export interface Dealt {
  readonly path: string
  readonly objects: { readonly length: number }
}

/** `2/4`. Throws UsageError. */
export function parseShard(text: string): Shard {
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  const shard = { index: Number(index), of: Number(of) }
  if (!(shard.index >= 1 && shard.index <= shard.of && shard.of <= 1e6))
    throw new UsageError('--shard takes I/N, with I from 1 to N', { found: text, todo: 'give one, as in --shard 2/4' })
  return shard
}

/** A module costs its objects, and a link. */
const weightOf = ({ objects }: Dealt): number => objects.length + 1

const directoryOf = ({ path }: Dealt): string => path.slice(0, path.lastIndexOf('/') + 1)

/** The part of each directory, 1-based. */
function deal(modules: readonly Dealt[], of: number): Map<string, number> {
  const weights = new Map<string, number>()
  for (const module of modules) {
    const directory = directoryOf(module)
    weights.set(directory, (weights.get(directory) ?? 0) + weightOf(module))
  }
  const parts = Array.from({ length: of }, () => 0)
  const largestFirst = [...weights].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  return new Map(
    largestFirst.map(([directory, weight]) => {
      const least = parts.indexOf(Math.min(...parts))
      parts[least] = (parts[least] as number) + weight
      return [directory, least + 1]
    }),
  )
}

/** The modules of one part, in their order. */
export function inShard<M extends Dealt>(modules: readonly M[], { index, of }: Shard): M[] {
  const dealt = deal(modules, of)
  return modules.filter((module) => dealt.get(directoryOf(module)) === index)
}
