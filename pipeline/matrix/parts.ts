/**
 * Matrices that several jobs made, to be put together: which facts they must have in common, and how they are refused.
 * Pure.
 */

import { UsageError } from '../errors.ts'
import type { TreeFacts } from '../package.ts'
import type { MatrixDocument } from './types.ts'

export interface MatrixPart {
  /** For messages. */
  readonly file: string
  readonly document: MatrixDocument
}

/** A fact of a document, and what it is called. */
export type Common = readonly [name: string, value: (document: MatrixDocument) => string]

/** What decides a row besides its module and its tree. */
export const SAME_RUN: readonly Common[] = [
  ['toolchain', ({ toolchain }) => `${toolchain.name} ${toolchain.version}`],
  ['drvport', ({ drvport }) => drvport],
  ['--until', ({ until }) => until],
  ['--seed', ({ seed }) => String(seed)],
]

export const treeText = ({ name, version, configuration }: TreeFacts): string =>
  `${name} (${version})${configuration === undefined ? '' : ` with ${configuration}`}`

export function refuseParts(
  message: string,
  parts: readonly MatrixPart[],
  expected: string,
  found: string,
  todo: string,
): UsageError {
  return new UsageError(message, { where: parts.map(({ file }) => file).join(', '), expected, found, todo })
}

/** Throws UsageError for the first fact in which one of them is not as the first. */
export function checkSame(message: string, parts: readonly MatrixPart[], facts: readonly Common[]): void {
  const [first, ...others] = parts as readonly [MatrixPart, ...MatrixPart[]]
  for (const other of others)
    for (const [name, value] of facts) {
      const [expected, found] = [value(first.document), value(other.document)]
      if (expected !== found)
        throw refuseParts(
          message,
          [first, other],
          `the same ${name}, ${expected}`,
          found,
          'make all parts with the same command',
        )
    }
}
