/**
 * The objects that the core is linked from: the tree's own kernel as Kbuild lists it, less what the table of overrides
 * leaves out, and the lower half.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { InfrastructureError } from '../errors.ts'
import type { Compiler, KernelSource } from '../build/compiler.ts'
import type { KernelTree } from '../build/kernel.ts'
import { exists } from '../cache.ts'
import { exportsIn, type Export } from '../kbuild/exports.ts'
import { packageRoot } from '../root.ts'
import { featureFlags } from './features.ts'
import type { Overrides } from './overrides.ts'

export interface CoreObject {
  /** Path in the tree, or `drvport/shim/...`. */
  readonly name: string
  readonly object: string
  readonly sha256: string
  readonly defines: readonly string[]
  readonly needs: readonly string[]
}

export interface CoreObjects {
  /** The tree's in link order, then the lower half: what changes there leaves the tree's where it lies. */
  readonly objects: readonly CoreObject[]
  /** Files of the tree without a C source: assembly, which wasm has none of. */
  readonly withoutSource: readonly string[]
}

const LOWER_HALF: string = path.join(packageRoot, 'shim', 'lower')

async function lowerHalfFiles(): Promise<string[]> {
  const names = (await fs.readdir(LOWER_HALF)).filter((name) => name.endsWith('.c')).toSorted()
  return names.map((name) => path.join(LOWER_HALF, name))
}

async function lowerHalf(tree: KernelTree): Promise<KernelSource[]> {
  const flags = await featureFlags(tree.view)
  return (await lowerHalfFiles()).map((name) => ({ name, flags }))
}

/** What modules may use of the lower half: it says so as every architecture does, with EXPORT_SYMBOL. */
export async function lowerHalfExports(): Promise<Export[]> {
  const texts = await Promise.all((await lowerHalfFiles()).map((file) => fs.readFile(file, 'utf8')))
  return texts.flatMap((text) => exportsIn(text))
}

/** Compile everything, or find it compiled. Throws InfrastructureError when a file of the kernel itself does not compile. */
export async function coreObjects(
  tree: KernelTree,
  compiler: Compiler,
  overrides: Overrides,
  onProgress?: (done: number, of: number) => void,
): Promise<CoreObjects> {
  const listed = (await tree.kernelFiles()).filter(({ name }) => !overrides.files.has(name))
  const there = await Promise.all(listed.map(({ object }) => exists(object.source)))
  const withoutSource = listed.filter((_, i) => !there[i]).map(({ name }) => name)
  const fromTree = listed.filter((_, i) => there[i])
  const sources: KernelSource[] = fromTree.map((file) => ({ ...file, flags: overrides.flags.get(file.name) ?? [] }))
  const all = [...sources, ...(await lowerHalf(tree))]
  const files = await compiler.kernelFiles(all, (done) => onProgress?.(done, all.length))
  const failed = files.filter(({ object }) => object === undefined)
  if (failed.length > 0)
    throw new InfrastructureError(
      failed.length === 1
        ? 'a file of the kernel itself does not compile'
        : `${failed.length} files of the kernel itself do not compile`,
      {
        where: failed.map(({ name }) => name).join(', '),
        expected: `an object of each, with ${tree.name} ${tree.version} as it is`,
        found: failed[0]?.outcome.detail ?? failed[0]?.outcome.reason ?? 'nothing',
        todo: 'report it with this message; another toolchain may compile it',
      },
    )
  const objects = files.flatMap(({ name, object }) =>
    object === undefined ? [] : [{ name: name.replace(`${packageRoot}/`, 'drvport/'), ...object }],
  )
  return { objects, withoutSource }
}
