/** `--report json=`: the document itself, one row a line. Pure. */

import type { MatrixDocument } from '../matrix/types.ts'

export function json({ rows, ...head }: MatrixDocument): string {
  const opening = JSON.stringify(head).slice(0, -1)
  return `${opening},"rows":[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]}\n`
}
