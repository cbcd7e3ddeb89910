/**
 * Modules that are not part of a kernel tree: a C file, or a folder with a Kbuild file or Makefile, anywhere on this
 * computer. A folder is evaluated by the tree's own Kbuild (kbuild/outside.ts); this gives its files their names.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { contentKey } from '../cache.ts'
import { exportsIn } from '../kbuild/exports.ts'
import { canonicalName } from '../kbuild/select.ts'
import { identifier, type Root } from './flags.ts'
import type { KernelModule, KernelObject, KernelTree } from './kernel.ts'

type Tree = Pick<KernelTree, 'builtin' | 'outside'>

/** What folders are called in results, by real path: their own name, numbered where two have the same. */
export type FolderNames = Map<string, string>

function nameOf(real: string, names: FolderNames): string {
  const known = names.get(real)
  if (known !== undefined) return known
  const base = path.basename(real)
  const taken = new Set(names.values())
  let name = base
  for (let n = 2; taken.has(name); n++) name = `${base}-${n}`
  names.set(real, name)
  return name
}

/** One C file as a module, with the flags of a file of the kernel itself. */
export async function moduleObject(tree: Pick<Tree, 'builtin'>, file: string, name: string): Promise<KernelObject> {
  const id = identifier(name)
  const own = ['-DMODULE', `-DKBUILD_MODFILE="${id}"`, `-DKBUILD_MODNAME="${id}"`, `-D__KBUILD_MODNAME=kmod_${id}`]
  const object = await tree.builtin(file)
  return { ...object, args: [...object.args.filter((arg) => !/^-D(__)?KBUILD_(MODNAME|MODFILE)=/.test(arg)), ...own] }
}

async function singleFile(tree: Tree, file: string, names: FolderNames): Promise<KernelModule> {
  const [dir, name] = [path.dirname(file), path.basename(file, '.c')]
  const as = `external/${nameOf(dir, names)}/`
  const object = await moduleObject(tree, file, name)
  return { name, path: `${as}${name}.ko`, objects: [object], external: [{ dir, as, local: true }] }
}

async function folder(tree: Tree, real: string, names: FolderNames, ready: boolean): Promise<KernelModule[]> {
  const { snapshot, modules, prepare } = await tree.outside(real)
  if (ready) await prepare()
  const as = `external/${nameOf(real, names)}/`
  // What is included from beside the folder is named by how many levels up it lies, not by where on this computer.
  const above = snapshot.parents.map((dir, i) => ({ dir, as: `${as.slice(0, -1)}.outside/${i + 1}/`, local: true }))
  const external: Root[] = [{ dir: snapshot.dir, as, local: true }, ...above]
  return modules.map(({ name, path: ko, objects }) => ({ name, path: `${as}${ko}`, objects, external }))
}

/**
 * Modules that a selector names outside the tree, or undefined when it does not name a file or directory that exists.
 * Relative paths start from the current directory. `ready`: what is generated is made, as for a compile. Throws
 * UsageError for a directory without modules.
 */
export async function selectExternal(
  tree: Tree,
  selector: string,
  names: FolderNames,
  ready = true,
): Promise<KernelModule[] | undefined> {
  if (!selector.includes('/') && !selector.endsWith('.c') && selector !== '.') return undefined
  const file = await fs.realpath(path.resolve(selector)).catch(() => undefined)
  if (file === undefined) return undefined
  return file.endsWith('.c') ? [await singleFile(tree, file, names)] : folder(tree, file, names, ready)
}

type Exports = Awaited<ReturnType<KernelTree['exports']>>

/** What these modules export, as the tree says it of its own. */
async function exportsOf(modules: readonly KernelModule[]): Promise<Exports> {
  const found = new Map<string, { source: string; modules: string[]; gplOnly: boolean }>()
  for (const { name, objects } of modules)
    for (const { source } of objects) {
      const text = await fs.readFile(source, 'latin1').catch(() => '')
      for (const { symbol, gplOnly } of exportsIn(text))
        if (!found.has(symbol)) found.set(symbol, { source, modules: [name], gplOnly })
    }
  return found
}

/** A tree that has these modules too: they use each other's exports, and stand before the tree's of the same name. */
export async function withExternal(tree: KernelTree, modules: readonly KernelModule[]): Promise<KernelTree> {
  if (modules.length === 0) return tree
  const byName = new Map(modules.map((module) => [canonicalName(module.name), module]))
  const own = await exportsOf(modules)
  let all: Promise<Exports> | undefined
  const exports = () => (all ??= tree.exports().then((tree) => new Map([...tree, ...own])))
  const said = [...own].map(
    ([
      symbol,
      {
        modules: [name = ''],
        gplOnly,
      },
    ]) => `${symbol} ${name} ${gplOnly}`,
  )
  return {
    // What a module links with depends on who exports what.
    id: own.size === 0 ? tree.id : contentKey([tree.id, ...said.toSorted()]),
    name: tree.name,
    version: tree.version,
    ...(tree.configuration !== undefined && { configuration: tree.configuration }),
    view: tree.view,
    roots: tree.roots,
    select: (selector) => tree.select(selector),
    module: async (name) => byName.get(canonicalName(name)) ?? tree.module(name),
    exporter: async (symbol) => (await exports()).get(symbol)?.modules[0],
    exports,
    builtin: (file) => tree.builtin(file),
    tests: () => tree.tests(),
    kernelFiles: () => tree.kernelFiles(),
    outside: (dir) => tree.outside(dir),
    pristine: (name) => tree.pristine(name),
  }
}
