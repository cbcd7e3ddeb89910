/**
 * A view of a kernel tree: a directory of links in which the wasm architecture exists, so that nothing is ever written
 * into the tree.
 *
 * Top-level entries are links into the tree; `arch`, `include` and `scripts` are directories of links, so that one entry
 * can be added (arch/wasm, the makefiles) and build products of somebody's own build in the tree stay out of sight.
 * The output directory is `build` inside the view: Kbuild then names sources `../drivers/...`, and no absolute path
 * gets into what it writes.
 */

import { readFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { filesIn } from '../build/own-files.ts'
import { contentKey, sha256 } from '../cache.ts'
import { packageRoot } from '../root.ts'
import { BASE_FRAGMENT } from './configuration.ts'

const OVERLAY = path.join(packageRoot, 'linux-api', 'arch', 'wasm')
const MAKEFILES = path.join(packageRoot, 'linux-api', 'kbuild')

/** Where <drvport_abi.h> is, and how the overlay's Makefile names it inside a view. */
export const ABI_INCLUDE: string = path.join(packageRoot, 'linux-api', 'generated')
export const VIEW_ABI_FLAG = /^-I(?:\.\.|\/.*)\/arch\/wasm\/abi$/

/** Made by a build in the tree: must not be seen by ours. */
const BUILD_PRODUCTS: Readonly<Record<string, readonly string[]>> = { include: ['config', 'generated'] }

/** Kconfig asks the linker for its version and for options; nothing is linked through it. */
const LINKER_STAND_IN = `#!/bin/sh
# Answers Kconfig's questions about the linker; the pipeline links with wasm-ld itself.
case "$*" in *--version*|-v*) echo 'LLD 19.1.0'; exit 0;; esac
exit 1
`

/** Content hash of every input of a view that is drvport's own. */
export function overlayKey(): string {
  const parts: string[] = [LINKER_STAND_IN, sha256(readFileSync(BASE_FRAGMENT))]
  for (const dir of [OVERLAY, MAKEFILES]) {
    for (const file of filesIn(dir, /./, true).toSorted())
      parts.push(path.relative(dir, file), sha256(readFileSync(file)))
  }
  return contentKey(parts)
}

async function linkEntries(from: string, to: string, skip: readonly string[]): Promise<void> {
  await fs.mkdir(to, { recursive: true })
  for (const name of await fs.readdir(from)) {
    if (skip.includes(name)) continue
    await fs.symlink(path.join(from, name), path.join(to, name))
  }
}

/** Lay out a view of the tree at `treeDir` in the directory `view`, which must not exist. */
export async function makeView(treeDir: string, view: string): Promise<void> {
  const real = ['arch', 'include', 'scripts']
  const hidden = (await fs.readdir(treeDir)).filter((name) => name.startsWith('.'))
  await linkEntries(treeDir, view, [...real, ...hidden, 'Makefile', 'build'])
  for (const name of real)
    await linkEntries(path.join(treeDir, name), path.join(view, name), BUILD_PRODUCTS[name] ?? [])
  await fs.rm(path.join(view, 'arch', 'wasm'), { force: true })
  await fs.cp(OVERLAY, path.join(view, 'arch', 'wasm'), { recursive: true })
  // A copy: the constants that Kbuild computes do not depend on what the header says.
  await fs.cp(ABI_INCLUDE, path.join(view, 'arch', 'wasm', 'abi'), { recursive: true })
  await fs.symlink(path.join(treeDir, 'Makefile'), path.join(view, 'Makefile.linux'))
  await fs.copyFile(path.join(MAKEFILES, 'view.mk'), path.join(view, 'Makefile'))
  await fs.copyFile(path.join(MAKEFILES, 'graph.mk'), path.join(view, 'drvport-graph.mk'))
  await fs.mkdir(path.join(view, 'build'))
  await fs.writeFile(path.join(view, 'build', 'stand-in-ld'), LINKER_STAND_IN, { mode: 0o755 })
}
