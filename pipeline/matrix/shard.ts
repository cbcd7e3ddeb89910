/**
 * One part of a matrix that several computers make: which modules are in part I of N.
 *
 * Decided by a hash of a module's path alone, so that the parts are the whole with each module once, whoever computes
 * them and in whatever order, and so that a module that is added or removed moves no other. Pure.
 */

import { UsageError } from '../errors.ts'
import { sha256 } from '../cache.ts'

export interface Shard {
  /** 1-based. */
  readonly index: number
  readonly of: number
}

/** `2/4`. Throws UsageError. */
export function parseShard(text: string): Shard {
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  const shard = { index: Number(index), of: Number(of) }
  if (!(shard.index >= 1 && shard.index <= shard.of && shard.of <= 1e6))
    throw new UsageError('--shard takes I/N, with I from 1 to N', { found: text, todo: 'give one, as in --shard 2/4' })
  return shard
}

/** Which part a module is in, 1-based. */
export const shardOf = (path: string, of: number): number => (Number.parseInt(sha256(path).slice(0, 12), 16) % of) + 1

/** The modules of one part, in their order. */
export const inShard = <M extends { readonly path: string }>(modules: readonly M[], { index, of }: Shard): M[] =>
  modules.filter(({ path }) => shardOf(path, of) === index)
