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
 * Code of the tree that is built into the kernel and portable: data in, data out, or bookkeeping between drivers and the
 * clients of their class. What hardware it meets, it meets through a driver. It moves between releases; asking the tree
 * where a symbol is serves every release. A row of the tables comes first.
 */
const PORTABLE = [
  /^(lib|crypto)\//,
  /^drivers\/base\/(regmap\/|auxiliary\.c)/,
  /^drivers\/char\/misc\.c$/,
  /^drivers\/hwspinlock\/hwspinlock_core\.c$/,
  /^drivers\/i2c\/i2c-[^/]+$/,
  /^drivers\/input\/[^/]+$/,
  /^drivers\/mfd\/mfd-core\.c$/,
  /^drivers\/phy\/phy-core(-mipi-dphy)?\.c$/,
  /^drivers\/power\/supply\/(power_supply_[^/]+|samsung-sdi-battery\.c)$/,
  /^drivers\/pwm\/core\.c$/,
  /^drivers\/regulator\/helpers\.c$/,
  /^drivers\/rtc\/(class|interface|lib|nvmem|dev|proc|sysfs)\.c$/,
  /^drivers\/spi\/spi(-mem)?\.c$/,
  /^drivers\/video\/fbdev\/core\/fb_notify\.c$/,
  /^drivers\/watchdog\/watchdog_[^/]+$/,
]

function portableSource(found: { source: string; modules: readonly string[] } | undefined): string | undefined {
  if (found === undefined || found.modules.length > 0) return undefined
  return PORTABLE.some((place) => place.test(found.source)) ? found.source : undefined
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
    expect: (list) => compiler.expect(list),
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
