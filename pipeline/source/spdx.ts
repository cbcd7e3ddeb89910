/**
 * The licence a source file states in its SPDX-License-Identifier line.
 *
 * Source: SPDX specification 2.3, annex E; Documentation/process/license-rules.rst. Pure but for `fileSpdx`, which reads.
 */

import * as fs from 'node:fs/promises'

/** A file that states none. */
export const NO_SPDX = 'NONE'

const TAG = /SPDX-License-Identifier:[ \t]*([^\n]*)/

/** The expression of a file's text, spaces made single; `NONE` where there is none. */
export function spdxOf(text: string): string {
  const said = TAG.exec(text)?.[1] ?? ''
  // What closes the comment, and what a C string or an assembler comment would add, is not part of the expression.
  const expression = said
    .replace(/\*\/.*$/, '')
    .replace(/["';].*$/, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return expression === '' ? NO_SPDX : expression
}

/** The tag is the first or second line of nearly every file: the rest is read only where it is not. */
const HEAD_BYTES = 4096

async function readFileSpdx(file: string): Promise<string> {
  const handle = await fs.open(file).catch(() => undefined)
  if (handle === undefined) return NO_SPDX
  try {
    const head = new Uint8Array(HEAD_BYTES)
    const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0)
    const lines = new TextDecoder('latin1').decode(head.subarray(0, bytesRead))
    // A line that the head cuts off is read whole.
    const found = spdxOf(lines.slice(0, lines.lastIndexOf('\n') + 1))
    if (found !== NO_SPDX || bytesRead < HEAD_BYTES) return found === NO_SPDX ? spdxOf(lines) : found
    return spdxOf(await handle.readFile('latin1').then((rest) => lines + rest))
  } finally {
    await handle.close()
  }
}

/** By file and content: headers are shared by many modules. */
const known = new Map<string, Promise<string>>()

/** The expression a file states; `sha256` is its content's hash. A file that cannot be read states none. */
export function fileSpdx(file: string, sha256: string): Promise<string> {
  const key = `${sha256} ${file}`
  let found = known.get(key)
  if (found === undefined) {
    found = readFileSpdx(file)
    known.set(key, found)
  }
  return found
}
