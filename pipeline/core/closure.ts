/**
 * Which modules a module stands on, as depmod finds it out: whoever exports what the core does not, in the order in which
 * they are loaded; and those that they may ask for by name once they run, as their configuration selects them.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import type { BuiltModule, Compiler } from '../build/compiler.ts'
import { moduleObject } from '../build/external.ts'
import type { KernelModule, KernelTree } from '../build/kernel.ts'
import { contentKey } from '../cache.ts'
import { packageRoot } from '../root.ts'
import { asksOf, type OfferedName } from './export-table.ts'
import type { Core, CoreFacts } from './index.ts'

export interface Closure {
  /** In the order of loading; the module itself is last. */
  readonly modules: readonly BuiltModule[]
  /** Loaded when somebody asks for one by name; each after those that it stands on. */
  readonly onCall: readonly BuiltModule[]
  /** By module: what others of these ask for by name when they run. */
  readonly offered: ReadonlyMap<string, readonly OfferedName[]>
  /** Modules it needs that do not compile. */
  readonly failed: readonly string[]
}

/** Modules of ours (shim/bus) that are loaded along with one of the tree's. */
const COMPANIONS: Readonly<Record<string, string>> = { i2c_core: 'i2c' }

/** Such a module, as one of the tree would be. */
async function companion(tree: KernelTree, of: string): Promise<KernelModule> {
  const name = `${COMPANION}${of}`
  const object = await moduleObject(tree, path.join(packageRoot, 'shim', 'bus', `${of}.c`), name)
  return { name, path: `drvport/shim/bus/${of}.ko`, objects: [object] }
}

const COMPANION = 'drvport-'

let companionSources: Promise<string> | undefined

/** Content of all of them: a result that one stands in is as old as its source. */
export function companionsKey(): Promise<string> {
  const dir = path.join(packageRoot, 'shim', 'bus')
  const read = async () => {
    const names = (await fs.readdir(dir)).toSorted()
    return contentKey(await Promise.all(names.map((name) => fs.readFile(path.join(dir, name), 'utf8'))))
  }
  return (companionSources ??= read())
}

export const isCompanion = (name: string): boolean => name.startsWith(COMPANION)

const normal = (name: string): string => name.replaceAll('-', '_')

/** Symbols that a module's objects need and do not define. */
export function needsOf({ objects = [] }: BuiltModule): string[] {
  const own = new Set(objects.flatMap(({ defines }) => defines))
  return [...new Set(objects.flatMap(({ needs }) => needs))].filter((name) => !own.has(name)).toSorted()
}

/** Find and compile everything that `module` stands on; before it, `beside` and what they stand on. */
export async function closureOf(
  tree: KernelTree,
  compiler: Compiler,
  core: Pick<Core, 'symbols' | 'facts'>,
  module: BuiltModule,
  beside: readonly string[] = [],
): Promise<Closure> {
  const exports = await tree.exports()
  const selected = await tree.selected()
  const order: BuiltModule[] = []
  const onCall: BuiltModule[] = []
  const failed: string[] = []
  const missed: string[] = []
  const seen = new Set<string>()
  // Of several that the sources say export it, one whose objects have it.
  const ownerOf = async (symbol: string, owners: readonly string[]): Promise<string | undefined> => {
    if (owners.length < 2) return owners[0]
    for (const owner of owners) {
      const other = await tree.module(owner)
      const { objects = [] } = other === undefined ? {} : await compiler.module(other)
      if (objects.some(({ defines }) => defines.includes(symbol))) return owner
    }
    return owners[0]
  }
  const visit = async (one: BuiltModule, into = order, without = failed): Promise<void> => {
    const name = normal(one.module.name)
    if (seen.has(name)) return
    seen.add(name)
    const owners = new Set<string>()
    for (const symbol of needsOf(one)) {
      if (core.symbols.functions.has(symbol) || core.symbols.data.has(symbol)) continue
      const owner = await ownerOf(symbol, exports.get(symbol)?.modules ?? [])
      if (owner !== undefined && normal(owner) !== name) owners.add(owner)
    }
    for (const owner of owners) {
      const other = await tree.module(owner)
      if (other === undefined) continue
      const built = await compiler.module(other)
      if (built.objects === undefined) without.push(owner)
      else await visit(built, into, without)
    }
    into.push(one)
    const along = COMPANIONS[name]
    if (along === undefined || one === module) return
    const built = await compiler.module(await companion(tree, along))
    if (built.objects === undefined) without.push(built.module.name)
    else into.push(built)
  }
  for (const name of beside) {
    const other = normal(name) === normal(module.module.name) ? undefined : await tree.module(name)
    const built = other && (await compiler.module(other))
    // One that does not compile, or is not in this tree, cannot stand beside anybody.
    if (built?.objects !== undefined) await visit(built)
  }
  await visit(module)
  for (const { module: one } of order)
    for (const ko of selected.get(one.path) ?? []) {
      const name = path.basename(ko, '.ko')
      const built = seen.has(normal(name)) ? undefined : await compiled(tree, compiler, name)
      // One that does not compile is one that nobody finds.
      if (built !== undefined) await visit(built, onCall, missed)
    }
  const offered = new Map<string, OfferedName[]>()
  const names = new Set<string>()
  const bringAsked = async (one: BuiltModule): Promise<void> => {
    for (const symbol of await asked(one, core.facts.asks)) {
      if (names.has(symbol)) continue
      names.add(symbol)
      const { modules: owners = [], gplOnly = false } = exports.get(symbol) ?? {}
      const owner = await ownerOf(symbol, owners)
      const built = owner === undefined ? undefined : await compiled(tree, compiler, owner)
      if (owner === undefined || built === undefined) continue
      offered.set(owner, [...(offered.get(owner) ?? []), { symbol, gplOnly }])
      await visit(built, onCall, missed)
    }
  }
  for (const one of order) await bringAsked(one)
  // These may ask for others, which come at the end of the list.
  for (const one of onCall) await bringAsked(one)
  return { modules: order, onCall, offered, failed: failed.toSorted() }
}

async function compiled(tree: KernelTree, compiler: Compiler, name: string): Promise<BuiltModule | undefined> {
  const module = await tree.module(name)
  const built = module && (await compiler.module(module))
  return built?.objects === undefined ? undefined : built
}

/** Names that a module asks for when it runs, or has the kernel ask for. */
async function asked({ objects = [] }: BuiltModule, byKernel: CoreFacts['asks']): Promise<string[]> {
  const names = objects.flatMap(({ needs }) => needs.flatMap((need) => byKernel[need] ?? []))
  return [...(await Promise.all(objects.map(asksOf))).flat(), ...names]
}
