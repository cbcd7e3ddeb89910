/**
 * A copy of a folder outside of the tree, for Kbuild to work in: it cannot live with spaces in a path, and writes what it
 * generates beside the sources. Nothing is ever written into the folder itself.
 *
 * The copy is named by its content, so that the same folder is read once. Of a checkout all is copied that a person named,
 * since makefiles write into `../` too. What lies beside that and its parents is linked, because drivers include
 * `../common/x.h`. Knows nothing of modules.
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
  /** Directory of this snapshot alone, for what is known of it. */
  readonly top: string
  /** Name of the copy, which folders of one checkout share: one make at a time runs in it. */
  readonly copy: string
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

/** Hashes of files by what tells that they are the same still: each folder of a checkout asks for all of it. */
const hashes = new Map<string, Promise<string>>()

async function hashOf({ file }: Listed): Promise<string> {
  const { size, mtimeNs, ino } = await fs.stat(file, { bigint: true })
  const key = `${file} ${size} ${mtimeNs} ${ino}`
  const known = hashes.get(key) ?? sha256File(file)
  hashes.set(key, known)
  return known
}

/** What is copied for a folder: all of `whole`, unless make could not live on the way down, or it is too large. */
async function reachOf(real: string, whole: string): Promise<{ root: string; files: Listed[] }> {
  const down = path.relative(whole, real)
  if (down.split(path.sep).some((name) => name !== '' && plain(name) !== name))
    return { root: real, files: await list(real) }
  return list(whole).then(
    (files) => ({ root: whole, files }),
    async (error: unknown) => {
      if (real === whole || !(error instanceof UsageError)) throw error
      return { root: real, files: await list(real) }
    },
  )
}

type Parents = Awaited<ReturnType<typeof parentsOf>>

/** Lay the copy of files into `to/within`, with links to what lies beside the way down to it. */
async function lay(to: string, within: string, parents: Parents, files: readonly Listed[]): Promise<void> {
  let at = to
  for (const { name, dir, siblings } of parents) {
    at = path.join(at, name)
    await fs.mkdir(at, { recursive: true })
    for (const sibling of siblings)
      await fs.symlink(path.join(dir, sibling.name), path.join(at, sibling.name)).catch(ignoreTaken)
  }
  for (const { name, file } of files) {
    const copy = path.join(to, within, name)
    await fs.mkdir(path.dirname(copy), { recursive: true })
    await fs.copyFile(file, copy)
    // A patch, or a makefile, may write into it.
    await fs.chmod(copy, ((await fs.stat(copy)).mode & 0o777) | 0o600)
  }
}

/**
 * Copy a folder, or find the copy of what it is now. `real` has links resolved, and lies in `whole`, which a person named;
 * `purpose` names what the copy is for: what is generated in it may be other for each kernel. Throws UsageError when the
 * folder is too large.
 */
export async function takeSnapshot(real: string, purpose: readonly string[], whole = real): Promise<Snapshot> {
  const { root, files } = await reachOf(real, whole)
  const known = await Promise.all(files.map(hashOf))
  const key = contentKey([...purpose, root, ...files.flatMap(({ name }, i) => [name, known[i] as string])])
  const parents = await parentsOf(root)
  const copied = cachePath('outside', key.slice(0, 16))
  const within = path.join(...parents.map(({ name }) => name), plain(path.basename(root)))
  if (!(await exists(copied))) await makeDirectoryAtomic(copied, (temporary) => lay(temporary, within, parents, files))
  const down = path.relative(root, real)
  const dir = path.join(copied, within, down)
  const top = down === '' ? copied : path.join(copied, '.below', down)
  await fs.mkdir(top, { recursive: true })
  const levels = parents.length + down.split(path.sep).filter((name) => name !== '').length
  const above = Array.from({ length: levels }, (_, i) =>
    path.resolve(dir, ...Array.from({ length: i + 1 }, () => '..')),
  )
  return { real, dir, parents: above, top, copy: path.basename(copied) }
}

/** Two names may be one after spaces are gone: the way down wins. */
function ignoreTaken(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
