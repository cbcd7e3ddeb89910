/** Where a module's missing pieces come from in a real tree: what `resolve` asks for, answered by compiler and Kbuild. */

import type { BuiltObject } from './compiler.ts'
import { rootSymbols } from './link.ts'
import type { ModuleBuild } from './module.ts'
import { resolve, type Resolution, type Sources } from './resolve.ts'

/** What was asked for besides the shim, found or not. */
export interface Consulted {
  readonly modules: ReadonlySet<string>
  readonly files: ReadonlySet<string>
}

/**
 * lib/ is the kernel's portable library: data in, data out, no hardware and no scheduling, and it moves between releases;
 * asking the tree where a symbol is serves every release.
 */
function portableSource(found: { source: string; modules: readonly string[] } | undefined): string | undefined {
  return found !== undefined && found.modules.length === 0 && found.source.startsWith('lib/') ? found.source : undefined
}

/** The objects of a module by name; undefined when there is none, or it does not compile. */
export async function objectsOf(build: ModuleBuild, name: string): Promise<readonly BuiltObject[] | undefined> {
  const found = await build.tree.module(name)
  return found === undefined ? undefined : (await build.compiler.module(found)).objects
}

/** The closure over providers of a module's own objects, and whom it asked. */
export async function findProviders(
  build: ModuleBuild,
  name: string,
  own: readonly BuiltObject[],
): Promise<{ resolution: Resolution<BuiltObject>; consulted: Consulted }> {
  const { tree, compiler, table } = build
  const [shim, exported] = await Promise.all([compiler.shim(), tree.exports()])
  const modules = new Set<string>()
  const files = new Set<string>()
  const sources: Sources<BuiltObject> = {
    shim: (symbol) => shim.bySymbol.get(symbol),
    tree: (file) => {
      files.add(file)
      return compiler.treeFile(file)
    },
    portable: (symbol) => portableSource(exported.get(symbol)),
    module: (other) => {
      modules.add(other)
      return objectsOf(build, other)
    },
    exporter: (symbol) => exported.get(symbol)?.modules[0],
  }
  const resolution = await resolve(name, own, table, sources, rootSymbols)
  return { resolution, consulted: { modules, files } }
}
