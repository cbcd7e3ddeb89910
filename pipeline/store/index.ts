/**
 * The store of driver packages: directories named by what went into them, and an index by name.
 *
 * `<cache>/store/packages/<key>/` holds NAME.wasm, NAME.json, NAME.lines and appears whole or not at all; a package is
 * never changed. `<cache>/store/index/<tree>/<toolchain>/<NAME>` names the newest. Behind it may stand a shared store
 * (shared.ts). Knows nothing of how packages are made.
 */

import { existsSync, readFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, exists, readText, replaceDirectory, sha256, writeAtomic } from '../cache.ts'
import { InfrastructureError } from '../errors.ts'
import { PACKAGE_SCHEMA, type Manifest } from '../package.ts'
import { sharedPackage, sharePackage } from './shared-packages.ts'

export interface PackageFiles {
  readonly manifest: Manifest
  readonly wasm: Uint8Array
  readonly lines?: Uint8Array
  /** Further files that the manifest names. */
  readonly more?: ReadonlyMap<string, Uint8Array>
}

export interface StoredPackage {
  readonly dir: string
  readonly manifest: Manifest
}

export const storeDir = () => cachePath('store')
export const packageDir = (key: string) => path.join(storeDir(), 'packages', key)

const indexFile = (tree: string, toolchain: string, name: string) =>
  path.join(storeDir(), 'index', tree, toolchain, name)

/** Put a package under a key and make it the newest of its name. Returns its directory. */
export async function putPackage(key: string, files: PackageFiles): Promise<StoredPackage> {
  const { manifest, wasm, lines, more = new Map<string, Uint8Array>() } = files
  const dir = packageDir(key)
  // A damaged package is made again; a whole one is never touched.
  if ((await getPackage(key, manifest.name)) === undefined) {
    await replaceDirectory(dir, async (at) => {
      await fs.writeFile(path.join(at, manifest.wasm.file), wasm)
      if (lines !== undefined && manifest.lines !== null) await fs.writeFile(path.join(at, manifest.lines.file), lines)
      for (const [name, bytes] of more) await fs.writeFile(path.join(at, name), bytes)
      await fs.writeFile(path.join(at, `${manifest.name}.json`), `${JSON.stringify(manifest, null, 2)}\n`)
    })
  }
  await pointTo(key, manifest)
  await sharePackage(key, { dir, manifest })
  return { dir, manifest }
}

/** Make a stored package the newest of its name. */
export async function pointTo(key: string, manifest: Manifest): Promise<void> {
  const { name, configuration } = manifest.tree
  // A checked build never stands in for the plain one.
  const tree = configuration === undefined ? name : `${name}+${configuration}`
  const file = indexFile(tree, manifest.toolchain.name, manifest.name)
  const now = readText(file) ?? ''
  if (now.trim() !== key) await writeAtomic(file, `${key}\n`)
}

/** The package of a key, if it is stored and whole. `onDamage` hears why one that is there is not whole. */
export async function getPackage(
  key: string,
  name: string,
  onDamage?: (error: Error) => void,
): Promise<StoredPackage | undefined> {
  const dir = packageDir(key)
  if (!(await exists(dir)) && !(await sharedPackage(key, dir))) return undefined
  const stored = await readPackage(dir, name).catch((error: Error) => {
    onDamage?.(error)
    return undefined
  })
  if (stored !== undefined) await sharePackage(key, stored)
  return stored
}

/** The newest package of a name. */
export async function findPackage(tree: string, toolchain: string, name: string): Promise<StoredPackage | undefined> {
  const key = (await fs.readFile(indexFile(tree, toolchain, name), 'utf8').catch(() => '')).trim()
  return key === '' ? undefined : getPackage(key, name)
}

/** Read a package directory and hold its files against its manifest. Throws InfrastructureError. */
export async function readPackage(dir: string, name: string): Promise<StoredPackage> {
  const file = path.join(dir, `${name}.json`)
  const refuse = (expected: string, found: string, cause?: unknown) =>
    new InfrastructureError(`damaged package ${name}`, {
      where: file,
      expected,
      found,
      cause,
      todo: 'build it again: a damaged package is never used',
    })
  let manifest: Manifest
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
  } catch (cause) {
    throw refuse('a manifest', 'none that can be read', cause)
  }
  if (manifest.schema !== PACKAGE_SCHEMA) throw refuse(PACKAGE_SCHEMA, String(manifest.schema))
  const ofModules = manifest.core?.modules.flatMap(({ wasm, lines, image }) => [wasm, lines, image]) ?? []
  for (const part of [manifest.wasm, manifest.lines, ...ofModules]) {
    if (part === null) continue
    const content = path.join(dir, part.file)
    const found = existsSync(content) ? sha256(readFileSync(content)) : 'no file'
    if (found !== part.sha256) throw refuse(`${part.file} with sha256 ${part.sha256}`, found)
  }
  return { dir, manifest }
}
