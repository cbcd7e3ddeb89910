/**
 * Modules that are not part of a kernel tree: a C file, or a folder with a Kbuild file or Makefile, anywhere on this
 * computer. A folder is evaluated by the tree's own Kbuild (kbuild/outside.ts); this finds the folders of a repository and
 * gives their files their names.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { contentKey } from '../cache.ts'
import { NotForTree, UsageError } from '../errors.ts'
import { foldersBelow, modulesNamed } from '../folder/discover.ts'
import { exportsIn, namespaceFrom, type Export } from '../kbuild/exports.ts'
import { canonicalName } from '../kbuild/select.ts'
import { registersSuite } from '../kbuild/tests.ts'
import { allModConfig } from '../source/conditionals.ts'
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

/** How names of files begin: what is compiled lies in `real`, or in what of `whole` was not selected. */
interface Place {
  /** The folder that a person named, and what it is called in results. */
  readonly whole: string
  readonly as: string
}

async function folder(tree: Tree, real: string, place: Place, ready: boolean): Promise<KernelModule[]> {
  const { snapshot, headers, modules, patches, prepare } = await tree.outside(real, place.whole)
  if (ready) await prepare()
  const nameOfDir = (dir: string): string => {
    const relative = path.relative(place.whole, dir)
    return relative === '' ? place.as : `${place.as}${relative}/`
  }
  const as = nameOfDir(real)
  // What is included from beside the folder is named by how many levels up it lies, not by where on this computer.
  const above = snapshot.parents.map((dir, i) => {
    const parent = path.resolve(real, ...Array.from({ length: i + 1 }, () => '..'))
    const inside = parent === place.whole || parent.startsWith(`${place.whole}/`)
    return { dir, as: inside ? nameOfDir(parent) : `${as.slice(0, -1)}.outside/${i + 1}/`, local: true }
  })
  const kernel = { dir: headers, as: '', local: true, users: snapshot.dir }
  const external: Root[] = [{ dir: snapshot.dir, as, local: true }, ...above, kernel]
  return modules.map(({ name, path: ko, objects, refusal }) => ({
    name,
    path: `${as}${ko}`,
    objects,
    external,
    ...(patches.length > 0 && { patches }),
    ...(refusal && { refusal }),
  }))
}

/** Modules that stand for a folder that cannot be read: what its makefiles name, else one of its name. */
async function unreadable(real: string, { whole, as }: Place, error: UsageError): Promise<KernelModule[]> {
  const named = await modulesNamed(real)
  const where = error.where === undefined ? '' : path.relative(whole, error.where)
  const detail = [error.message, where, error.found ?? '', error.todo ?? ''].filter((text) => text !== '').join(': ')
  const refusal = { reason: 'makefile-error', detail } as const
  return (named.length > 0 ? named : [path.basename(real)]).map((name) => {
    const ko = path.join(path.relative(whole, real), `${name}.ko`)
    return { name, path: `${as}${ko}`, objects: [], external: [], refusal }
  })
}

/** The folder's own modules; where it has none, those of the folders below it, as in a repository of several drivers. */
async function foldersFrom(tree: Tree, real: string, place: Place, ready: boolean): Promise<KernelModule[]> {
  try {
    return await folder(tree, real, place, ready)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const below = await foldersBelow(real)
    const found: KernelModule[] = []
    let readable = 0
    for (const dir of below)
      try {
        found.push(...(await foldersFrom(tree, dir, place, ready)))
        readable++
      } catch (problem) {
        if (!(problem instanceof UsageError)) throw problem
        found.push(...(await unreadable(dir, place, problem)))
      }
    if (readable === 0) throw error
    return found
  }
}

export interface Selecting {
  /** What is generated is made, as for a compile. */
  readonly ready?: boolean
  /** A folder that this tree cannot read, though another might, is listed with the reason and not thrown. */
  readonly refused?: 'listed'
}

/**
 * Modules that a selector names outside the tree, or undefined when it does not name a file or directory that exists.
 * Relative paths start from the current directory. Throws UsageError for a directory without modules, in it and below it.
 */
export async function selectExternal(
  tree: Tree,
  selector: string,
  names: FolderNames,
  { ready = true, refused }: Selecting = {},
): Promise<KernelModule[] | undefined> {
  if (!selector.includes('/') && !selector.endsWith('.c') && selector !== '.') return undefined
  const file = await fs.realpath(path.resolve(selector)).catch(() => undefined)
  if (file === undefined) return undefined
  if (file.endsWith('.c')) return [await singleFile(tree, file, names)]
  const place = { whole: file, as: `external/${nameOf(file, names)}/` }
  return foldersFrom(tree, file, place, ready).catch((error: unknown) => {
    if (refused === 'listed' && error instanceof NotForTree) return unreadable(file, place, error)
    throw error
  })
}

const textsOf = ({ objects }: KernelModule): Promise<string[]> =>
  Promise.all(objects.map(({ source }) => fs.readFile(source, 'latin1').catch(() => '')))

/** Paths of those that are KUnit suites. */
async function suitesAmong(modules: readonly KernelModule[]): Promise<string[]> {
  const found = await Promise.all(modules.map(async (one) => registersSuite(await textsOf(one), allModConfig)))
  return modules.flatMap(({ path: name }, index) => (found[index] ? [name] : []))
}

const OWN_INCLUDE = /^[ \t]*#[ \t]*include[ \t]+"([^"\n]+)"/gm

/**
 * A source with the headers that lie beside what includes them, each `seen` once: some drivers export from a header of
 * their own.
 */
async function withOwnHeaders(file: string, seen: Set<string>): Promise<string> {
  if (seen.has(file)) return ''
  seen.add(file)
  let whole = await fs.readFile(file, 'latin1').catch(() => '')
  for (const [, name = ''] of whole.matchAll(OWN_INCLUDE))
    whole += `\n${await withOwnHeaders(path.resolve(path.dirname(file), name), seen)}`
  return whole
}

type Exports = Awaited<ReturnType<KernelTree['exports']>>

/** What these modules export, as the tree says it of its own. */
async function exportsOf(modules: readonly KernelModule[]): Promise<Exports> {
  const found = new Map<string, Export & { source: string; modules: string[] }>()
  for (const module of modules) {
    const seen = new Set<string>()
    for (const { source, args } of module.objects)
      for (const item of exportsIn(await withOwnHeaders(source, seen), undefined, namespaceFrom(args)))
        if (!found.has(item.symbol)) found.set(item.symbol, { ...item, source, modules: [module.name] })
  }
  return found
}

/** A tree that has these modules too: they use each other's exports, and stand before the tree's of the same name. */
export async function withExternal(tree: KernelTree, modules: readonly KernelModule[]): Promise<KernelTree> {
  if (modules.length === 0) return tree
  const byName = new Map(modules.map((module) => [canonicalName(module.name), module]))
  const own = await exportsOf(modules)
  let all: Promise<Exports> | undefined
  let suites: Promise<ReadonlySet<string>> | undefined
  const tests = async () => new Set([...(await tree.tests()), ...(await suitesAmong(modules))])
  const exports = () =>
    own.size === 0 ? tree.exports() : (all ??= tree.exports().then((tree) => new Map([...tree, ...own])))
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
    sealed: tree.sealed,
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
    selected: () => tree.selected(),
    tests: () => (suites ??= tests()),
    kernelFiles: () => tree.kernelFiles(),
    outside: (dir, whole) => tree.outside(dir, whole),
    pristine: (name) => tree.pristine(name),
    config: (option) => tree.config(option),
  }
}
