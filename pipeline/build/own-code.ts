/**
 * The pipeline's own code as part of a key: another version must not find what this one kept.
 */

import { existsSync } from 'node:fs'
import * as path from 'node:path'
import { AUTHORITY_FILE } from '../tables.ts'
import { filesIn, ownKey, type OwnKey } from './own-files.ts'

/** What a module becomes is decided by these, and what is proved of it. */
const FOLDERS = ['api', 'bind', 'build', 'core', 'folder', 'kbuild', 'source', 'wasm', 'wasm/dwarf', 'verify']

/** As source, or as it is installed. */
function abiFile(): string {
  const source = path.join(import.meta.dirname, '../../linux-api/capabilities.ts')
  return existsSync(source) ? source : source.replace(/ts$/, 'js')
}

const pipeline = path.join(import.meta.dirname, '..')

/** Beside the code, the ABI and its version, and the names that lead to its groups: what an import is, and what a manifest says of it. */
export const OWN_CODE: OwnKey = ownKey(path.dirname(pipeline), () => [
  ...FOLDERS.flatMap((folder) => filesIn(path.join(pipeline, folder), /\.[jt]s$/)),
  abiFile(),
  AUTHORITY_FILE,
])

/** What the linked module becomes is decided by the pipeline's own code too: another version must not find its packages. */
export const ownCodeKey = (): string => OWN_CODE.key()
