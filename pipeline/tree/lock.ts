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
  /** Where it was on offer when the line was written: asked first, so that the other suites need not be. */
  readonly suite?: string
  /** SHA-256 of the .deb, and of the one tarball it holds. */
  readonly deb: string
  readonly tarball: string
}

const LOCK = path.join(packageRoot, 'drivers-src', 'trees.lock')

/** Parse the lock file. Throws UsageError for a line that is not `NAME PACKAGE VERSION [suite=SUITE] deb=HASH tarball=HASH`. */
export function parseLock(text: string): LockedTree[] {
  const trees: LockedTree[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/#.*/, '').trim()
    if (line === '') continue
    const match = /^(\S+) (\S+) (\S+)(?: suite=([a-z-]+))? deb=([0-9a-f]{64}) tarball=([0-9a-f]{64})$/.exec(line)
    if (match === null)
      throw new UsageError('malformed line in trees.lock', {
        where: `${LOCK}:${index + 1}`,
        expected: 'NAME PACKAGE VERSION [suite=SUITE] deb=SHA256 tarball=SHA256',
        found: line,
      })
    const [, name = '', pkg = '', version = '', suite, deb = '', tarball = ''] = match
    trees.push({ name, package: pkg, version, ...(suite !== undefined && { suite }), deb, tarball })
  }
  return trees
}

export async function lockedTrees(): Promise<LockedTree[]> {
  return parseLock(await fs.readFile(LOCK, 'utf8'))
}
