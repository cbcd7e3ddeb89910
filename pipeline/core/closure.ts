/**
 * Which modules a module stands on, as depmod finds it out: whoever exports what the core does not, and the soft
 * dependencies that modules name themselves; in the order in which they are loaded.
 */

import * as path from 'node:path'
import type { BuiltModule, Compiler } from '../build/compiler.ts'
import { moduleObject } from '../build/external.ts'
import type { KernelModule, KernelTree } from '../build/kernel.ts'
import { packageRoot } from '../root.ts'
import type { CoreSymbols } from '../bind/index.ts'

export interface Closure {
  /** In the order of loading; the module itself is last. */
  readonly modules: readonly BuiltModule[]
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
  core: CoreSymbols,
  module: BuiltModule,
  beside: readonly string[] = [],
): Promise<Closure> {
  const exports = await tree.exports()
  const order: BuiltModule[] = []
  const failed: string[] = []
  const seen = new Set<string>()
  const visit = async (one: BuiltModule): Promise<void> => {
    const name = normal(one.module.name)
    if (seen.has(name)) return
    seen.add(name)
    const owners = new Set<string>()
    for (const symbol of needsOf(one)) {
      if (core.functions.has(symbol) || core.data.has(symbol)) continue
      const [owner] = exports.get(symbol)?.modules ?? []
      if (owner !== undefined && normal(owner) !== name) owners.add(owner)
    }
    for (const owner of owners) {
      const other = await tree.module(owner)
      if (other === undefined) continue
      const built = await compiler.module(other)
      if (built.objects === undefined) failed.push(owner)
      else await visit(built)
    }
    order.push(one)
    const along = COMPANIONS[name]
    if (along === undefined || one === module) return
    const built = await compiler.module(await companion(tree, along))
    if (built.objects === undefined) failed.push(built.module.name)
    else order.push(built)
  }
  for (const name of beside) {
    const other = normal(name) === normal(module.module.name) ? undefined : await tree.module(name)
    const built = other && (await compiler.module(other))
    // One that does not compile, or is not in this tree, cannot stand beside anybody.
    if (built?.objects !== undefined) await visit(built)
  }
  await visit(module)
  return { modules: order, failed: failed.toSorted() }
}
