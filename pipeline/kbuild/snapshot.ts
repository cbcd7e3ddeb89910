/**
 * A copy of a folder outside of the tree, for Kbuild to work in: it cannot live with spaces in a path, and writes what it
 * generates beside the sources. Nothing is ever written into the folder itself.
 *
 * The copy is named by its content, so that the same folder is read once. What lies beside the folder and its parents is
 * linked, because drivers include `../common/x.h`. Knows nothing of modules.
 */

import type { Dirent } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cacheDir, cachePath, contentKey, exists, makeDirectoryAtomic, sha256File } from '../cache.ts'
import { UsageError } from '../errors.ts'

export interface Snapshot {
  /** The folder as the user named it, links resolved. */
  readonly real: string
  /** The copy of it: no spaces, may be written into. */
  readonly dir: string
  /** Directories above `dir`, nearest first: what lies beside the folder and its parents is linked into them. */
  readonly parents: readonly string[]
  /** Directory of this snapshot alone, in which all these lie. */
  readonly top: string
}

/** Left out: other tools' stores, and what a build in the folder leaves behind. */
const SKIPPED = /^(?:\.git|\.hg|\.svn|node_modules|\.tmp_versions)$/
const PRODUCT = /(?:\.o|\.ko|\.a|\.mod|\.mod\.c|\.cmd|\.symvers|^modules\.order)$/

/** More than any driver has: the folder was not meant. */
const FILES_MAX = 10_000
const BYTES_MAX = 512 * 1024 * 1024

interface Listed {
  /** Relative to the folder. */
  readonly name: string
  /** Absolute, links resolved. */
  readonly file: string
}

async function list(real: string): Promise<Listed[]> {
  const files: Listed[] = []
  let bytes = 0
  // CI systems keep a cache below the checkout, which may be the driver's folder.
  const cache = await fs.realpath(cacheDir()).catch(() => '')
  const visit = async (dir: string): Promise<void> => {
    const entries = await fs.readdir(path.join(real, dir), { withFileTypes: true })
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = path.join(dir, entry.name)
      if (SKIPPED.test(entry.name) || PRODUCT.test(entry.name)) continue
      if (path.join(real, name) === cache) continue
      if (entry.isDirectory()) await visit(name)
      else {
        const file = await fs.realpath(path.join(real, name)).catch(() => undefined)
        const facts = file === undefined ? undefined : await fs.stat(file)
        if (file === undefined || facts?.isFile() !== true) continue
        files.push({ name, file })
        bytes += facts.size
      }
      if (files.length > FILES_MAX || bytes > BYTES_MAX)
        throw new UsageError('this folder is too large to be a driver', {
          where: real,
          expected: `at most ${FILES_MAX} files and ${BYTES_MAX >> 20} MB`,
          todo: 'name the folder in which the Kbuild file or Makefile with obj-m lies',
        })
    }
  }
  await visit('')
  return files
}

/** How far above the folder an include may reach, and how crowded a parent may be. */
const PARENTS = 3
const SIBLINGS_MAX = 1000

const plain = (name: string): string => name.replaceAll(/[^\w.+-]/g, '_') || '_'

/** Parents of the folder, the nearest last, with what lies in each beside the way down. */
async function parentsOf(real: string): Promise<{ name: string; dir: string; siblings: Dirent[] }[]> {
  const parents = []
  for (let dir = path.dirname(real), below = path.basename(real); parents.length < PARENTS;) {
    const entries = await fs.readdir(dir, { withFileTypes: true }).catch(() => [])
    const siblings = entries.filter(({ name }) => name !== below && !name.startsWith('.'))
    parents.unshift({ name: plain(path.basename(dir)), dir, siblings: siblings.length > SIBLINGS_MAX ? [] : siblings })
    if (path.dirname(dir) === dir) break
    below = path.basename(dir)
    dir = path.dirname(dir)
  }
  return parents
}

/**
 * Copy a folder, or find the copy of what it is now. `real` has links resolved; `purpose` names what the copy is for: what
 * is generated in it may be other for each kernel. Throws UsageError when the folder is too large.
 */
export async function takeSnapshot(real: string, purpose: readonly string[]): Promise<Snapshot> {
  const files = await list(real)
  const hashes = await Promise.all(files.map(({ file }) => sha256File(file)))
  const key = contentKey([...purpose, real, ...files.flatMap(({ name }, i) => [name, hashes[i] as string])])
  const parents = await parentsOf(real)
  const top = cachePath('outside', key.slice(0, 16))
  const within = path.join(...parents.map(({ name }) => name), plain(path.basename(real)))
  if (!(await exists(top)))
    await makeDirectoryAtomic(top, async (temporary) => {
      let at = temporary
      for (const { name, dir, siblings } of parents) {
        at = path.join(at, name)
        await fs.mkdir(at, { recursive: true })
        for (const sibling of siblings)
          await fs.symlink(path.join(dir, sibling.name), path.join(at, sibling.name)).catch(ignoreTaken)
      }
      for (const { name, file } of files) {
        const copy = path.join(temporary, within, name)
        await fs.mkdir(path.dirname(copy), { recursive: true })
        await fs.copyFile(file, copy)
        // A patch, or a makefile, may write into it.
        await fs.chmod(copy, ((await fs.stat(copy)).mode & 0o777) | 0o600)
      }
    })
  const dir = path.join(top, within)
  return {
    real,
    dir,
    parents: parents.map((_, i) => path.join(dir, ...Array.from({ length: i + 1 }, () => '..'))),
    top,
  }
}

/** Two names may be one after spaces are gone: the way down wins. */
function ignoreTaken(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
