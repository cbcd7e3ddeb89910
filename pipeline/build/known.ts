/**
 * Results of modules that were asked for by name and built before, found without a look at the tree: by the name, and by all
 * that a build of it depends on. Only of trees that are sealed; a module's own files are the tree's.
 *
 * Kept is what became a package; whatever else a module comes to is found out again.
 */

import { existsSync } from 'node:fs'
import { cachePath, contentKey, readKept, writeAtomic } from '../cache.ts'
import { basisOf } from '../core/basis.ts'
import { isKept } from '../core/places.ts'
import { getPackage, packageDir, pointTo } from '../store/index.ts'
import type { Toolchain } from '../toolchain/types.ts'
import type { ModuleResult } from './document.ts'
import type { KernelTree } from './kernel.ts'

interface Known {
  readonly package: string
  readonly result: ModuleResult
}

type Asked = { readonly tree: KernelTree; readonly toolchain: Toolchain; readonly selectors: readonly string[] }

/** A module's name, and nothing that lies where the command is run. */
const isName = (selector: string): boolean => /^[\w-]+$/.test(selector) && selector !== 'all' && !existsSync(selector)

const fileOf = (basis: string, selector: string): string => {
  const key = contentKey([basis, selector])
  return cachePath('links', key.slice(0, 2), `${key}.known`)
}

/** The results of all that is asked for, in order; undefined unless every one is known and its package whole. */
export async function knownResults({ tree, toolchain, selectors }: Asked): Promise<ModuleResult[] | undefined> {
  if (!selectors.every(isName) || new Set(selectors).size < selectors.length) return undefined
  const basis = basisOf(tree, toolchain)
  if (basis === undefined) return undefined
  const results: ModuleResult[] = []
  for (const selector of selectors) {
    const start = performance.now()
    const known = await readKept<Known>(fileOf(basis, selector))
    if (known === undefined || known.result.package !== packageDir(known.package)) return undefined
    const stored = await getPackage(known.package, known.result.name)
    if (stored?.manifest.core === undefined || !(await isKept(stored.manifest.core.key))) return undefined
    await pointTo(known.package, stored.manifest)
    // Two names of one module are one module.
    if (results.some(({ path }) => path === known.result.path)) return undefined
    results.push({ ...known.result, ms: { compile: 0, link: 0, total: performance.now() - start } })
  }
  return results
}

/** Keep the results of what was asked for by name, each of which is one module. */
export async function rememberResults(
  { tree, toolchain, selectors }: Asked,
  results: readonly ModuleResult[],
): Promise<void> {
  if (selectors.length !== results.length || !selectors.every(isName)) return
  const basis = basisOf(tree, toolchain)
  if (basis === undefined) return
  for (const [i, selector] of selectors.entries()) {
    const { package: directory, ...rest } = results[i]!
    const key = directory?.slice(directory.lastIndexOf('/') + 1)
    if (directory === undefined || key === undefined || directory !== packageDir(key)) continue
    if (canonical(rest.name) !== canonical(selector)) continue
    const known: Known = { package: key, result: { ...rest, package: directory } }
    await writeAtomic(fileOf(basis, selector), JSON.stringify(known))
  }
}

const canonical = (name: string): string => name.replaceAll('-', '_')
