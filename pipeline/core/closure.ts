/**
 * Which modules a module stands on, as depmod finds it out: whoever exports what the core does not, and the soft
 * dependencies that modules name themselves; in the order in which they are loaded.
 */

import type { BuiltModule, Compiler } from '../build/compiler.ts'
import type { KernelTree } from '../build/kernel.ts'
import type { CoreSymbols } from '../bind/index.ts'

export interface Closure {
  /** In the order of loading; the module itself is last. */
  readonly modules: readonly BuiltModule[]
  /** Modules it needs that do not compile. */
  readonly failed: readonly string[]
}

const normal = (name: string): string => name.replaceAll('-', '_')

/** Symbols that a module's objects need and do not define. */
function needsOf({ objects = [] }: BuiltModule): string[] {
  const own = new Set(objects.flatMap(({ defines }) => defines))
  return [...new Set(objects.flatMap(({ needs }) => needs))].filter((name) => !own.has(name)).toSorted()
}

/** Find and compile everything that `module` stands on. */
export async function closureOf(
  tree: KernelTree,
  compiler: Compiler,
  core: CoreSymbols,
  module: BuiltModule,
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
  }
  await visit(module)
  return { modules: order, failed: failed.toSorted() }
}
