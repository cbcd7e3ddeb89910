/**
 * Where the other build of a driver comes from, for replacing one live: a tree, which is built as usual, or a folder with a
 * package.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readPackage } from '../machine/load/package-files.ts'
import type { ModuleRequest } from '../lab/run.ts'
import { buildAll, keysOf } from './commands/run.ts'
import type { Context } from './context.ts'
import { workspaceOf } from './workspace.ts'

export interface Replacements {
  readonly modules: readonly ModuleRequest[]
  /** Keys of their packages in the store, by `buildId`. */
  readonly keys: Readonly<Record<string, string>>
}

/** The same modules, each with its replacement from `source`. */
export async function replacementsFor(
  context: Context,
  modules: readonly ModuleRequest[],
  source: string,
): Promise<Replacements> {
  const names = modules.map(({ pack }) => pack.manifest.name)
  if (names.every((name) => existsSync(join(source, `${name}.json`)))) {
    const packs = await Promise.all(names.map((name) => readPackage(source, name)))
    return { modules: modules.map((module, i) => ({ ...module, replacement: packs[i]! })), keys: {} }
  }
  const workspace = await workspaceOf(context, source)
  try {
    const document = await buildAll(context, workspace, names)
    const packs = await Promise.all(document.modules.map((module) => readPackage(module.package!, module.name)))
    const replaced = modules.map((module) => {
      const replacement = packs.find(({ manifest }) => manifest.name === module.pack.manifest.name)
      return { ...module, ...(replacement && { replacement }) }
    })
    const others = packs.map((pack) => ({ pack }))
    return { modules: replaced, keys: keysOf(document, others) }
  } finally {
    await workspace.close()
  }
}
