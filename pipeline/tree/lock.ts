/** drivers-src/trees.lock: which kernel trees, exactly. Pure but for reading the file. */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { UsageError } from '../errors.ts'
import { packageRoot } from '../root.ts'

export interface LockedTree {
  readonly name: string
  /** Debian package and its version. */
  readonly package: string
  readonly version: string
  /** SHA-256 of the .deb, and of the one tarball it holds. */
  readonly deb: string
  readonly tarball: string
}

const LOCK = path.join(packageRoot, 'drivers-src', 'trees.lock')

/** Parse the lock file. Throws UsageError for a line that is not `NAME PACKAGE VERSION deb=HASH tarball=HASH`. */
export function parseLock(text: string): LockedTree[] {
  const trees: LockedTree[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/#.*/, '').trim()
    if (line === '') continue
    const match = /^(\S+) (\S+) (\S+) deb=([0-9a-f]{64}) tarball=([0-9a-f]{64})$/.exec(line)
    if (match === null)
      throw new UsageError('malformed line in trees.lock', {
        where: `${LOCK}:${index + 1}`,
        expected: 'NAME PACKAGE VERSION deb=SHA256 tarball=SHA256',
        found: line,
      })
    const [, name, pkg, version, deb, tarball] = match as unknown as [string, string, string, string, string, string]
    trees.push({ name, package: pkg, version, deb, tarball })
  }
  return trees
}

export async function lockedTrees(): Promise<LockedTree[]> {
  return parseLock(await fs.readFile(LOCK, 'utf8'))
}
