/** `--baseline FILE`: what a finished matrix lost and gained against an earlier one that a file holds. */

import { diffMatrices, type MatrixDiff } from './diff.ts'
import { readMatrix } from './read.ts'
import type { MatrixDocument } from './types.ts'

export interface BaselineComparison {
  readonly baseline: MatrixDocument
  readonly diff: MatrixDiff
}

/** Compare a matrix with the one in a file, which is A. Throws UsageError when the file holds none. */
export async function compareWithBaseline(document: MatrixDocument, file: string): Promise<BaselineComparison> {
  const baseline = await readMatrix(file)
  return { baseline, diff: diffMatrices(baseline, document) }
}
