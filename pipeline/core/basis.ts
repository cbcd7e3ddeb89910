/** All that a core and what is bound to it are made of, beside modules, as one key: whoever has that need not look at a tree. */
import * as path from 'node:path'
import type { KernelTree } from '../build/kernel.ts'
import { ownCodeKey } from '../build/own-code.ts'
import { filesIn, ownKey, type OwnKey } from '../build/own-files.ts'
import { contentKey } from '../cache.ts'
import { packageRoot } from '../root.ts'
import { AUTHORITY_FILE, FEATURES_FILE, OVERRIDES_FILE } from '../tables.ts'
import type { Toolchain } from '../toolchain/types.ts'

/** Changes when a core is made differently from the same objects. */
export const CORE_FORMAT = 8

/** Undefined where that may have changed unseen. */
export function basisOf(tree: KernelTree, toolchain: Toolchain): string | undefined {
  // The files of a tree that is used where it lies may be others by now.
  if (!tree.sealed) return undefined
  return contentKey([CORE_FORMAT, tree.id, tree.version, toolchain.id, ownCodeKey(), OWN_SOURCES.key()])
}

/** Content of everything of ours that a core is made of, beside what configures its tree. */
export const OWN_SOURCES: OwnKey = ownKey(packageRoot, () => [
  ...['shim', path.join('linux-api', 'generated')].flatMap((at) =>
    filesIn(path.join(packageRoot, at), /\.[ch]$/, true),
  ),
  OVERRIDES_FILE,
  AUTHORITY_FILE,
  FEATURES_FILE,
])
