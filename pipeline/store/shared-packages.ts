/**
 * Packages in the shared store: a record under the package's key names the hash of each of its files. Without a shared
 * store nothing here does anything.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { replaceDirectory, sha256 } from '../cache.ts'
import type { Manifest } from '../package.ts'
import { sharedStore } from './shared.ts'

const KIND = 'packages'

/** File name -> SHA-256. */
type Files = Readonly<Record<string, string>>

/** Bring a package here whole, or say that it cannot be had. Its files are checked against the record. */
export async function sharedPackage(key: string, dir: string): Promise<boolean> {
  const store = sharedStore()
  const files = (await store?.record(KIND, key)) as Files | undefined
  if (store === undefined || files === undefined) return false
  const contents = await Promise.all(
    Object.entries(files).map(async ([name, sha]) => [path.basename(name), await store.blob(sha)] as const),
  )
  if (contents.some(([, content]) => content === undefined)) return false
  await replaceDirectory(dir, async (at) => {
    for (const [name, content] of contents) await fs.writeFile(path.join(at, name), content as Uint8Array)
  })
  return true
}

/** Offer a package that is here to the others. */
export async function sharePackage(key: string, { dir, manifest }: { dir: string; manifest: Manifest }): Promise<void> {
  const store = sharedStore()
  if (store === undefined) return
  const { name, wasm, lines } = manifest
  const description = path.join(dir, `${name}.json`)
  const files: Files = {
    [`${name}.json`]: sha256(await fs.readFile(description)),
    [wasm.file]: wasm.sha256,
    ...(lines !== null && { [lines.file]: lines.sha256 }),
  }
  const blobs = Object.entries(files).map(([file, sha]) => ({
    sha256: sha,
    read: () => fs.readFile(path.join(dir, file)),
  }))
  await store.publish({ kind: KIND, key, value: files, blobs })
}
