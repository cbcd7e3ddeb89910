/** The trees of `--tree A,B,C`. */
import { UsageError } from '../pipeline/errors.ts'
import type { Context } from './context.ts'

/** Names in their order, each once. A path may hold no comma. Throws UsageError for an empty one. */
export function treesOf({ tree }: Pick<Context, 'tree'>): string[] {
  const names = tree.split(',').map((name) => name.trim())
  if (names.includes(''))
    throw new UsageError('--tree with an empty name', { found: tree, todo: 'give names with a comma between: A,B' })
  return [...new Set(names)]
}
