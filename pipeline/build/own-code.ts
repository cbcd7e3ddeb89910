/**
 * The pipeline's own code as part of a key: another version must not find what this one kept.
 */

import { readFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { contentKey } from '../cache.ts'
import { AUTHORITY_FILE } from './authority.ts'

/** What the linked module becomes is decided by the pipeline's own code too: another version must not find its packages. */
let ownCode: Promise<string> | undefined
export const ownCodeKey = () => (ownCode ??= hashOwnCode())

/** As source, or as it is installed. */
async function abiFile(): Promise<string> {
  const folder = path.join(import.meta.dirname, '../../linux-api')
  const names = await fs.readdir(folder)
  return path.join(folder, names.includes('capabilities.ts') ? 'capabilities.ts' : 'capabilities.js')
}

async function hashOwnCode(): Promise<string> {
  const dirs = ['api', 'bind', 'build', 'core', 'folder', 'kbuild', 'source', 'wasm', 'wasm/dwarf', 'verify'].map(
    (dir) => path.join(import.meta.dirname, '..', dir),
  )
  const files = (
    await Promise.all(
      dirs.map(async (dir) => (await fs.readdir(dir)).filter((f) => /\.[jt]s$/.test(f)).map((f) => path.join(dir, f))),
    )
  ).flat()
  // The ABI and its version, and the names that lead to its groups: what an import is, and what a manifest says of it.
  const all = [...files.toSorted(), await abiFile(), AUTHORITY_FILE]
  // One after another takes a fourth of what asking for a hundred at once does.
  return contentKey(all.map((file) => readFileSync(file, 'utf8')))
}
