/**
 * Results of modules that were built before, found by all that a build depends on, and not file by file: by the names that were asked
 * for, without a look at the tree, or module by module. Only of trees that are sealed; a module's own files are the tree's.
 *
 * Kept is what came as far as was asked; whatever else a module comes to is found out again.
 */

import { existsSync } from 'node:fs'
import * as path from 'node:path'
import { cachePath, contentKey, readKept, writeAtomic } from '../cache.ts'
import { basisOf } from '../core/basis.ts'
import { isKept } from '../core/places.ts'
import { getPackage, packageDir, pointTo } from '../store/index.ts'
import type { Toolchain } from '../toolchain/types.ts'
import type { ModuleResult } from './document.ts'
import type { KernelModule, KernelTree } from './kernel.ts'
import type { BuildUntil, Facts } from './trace.ts'

type Asked = { readonly tree: KernelTree; readonly toolchain: Toolchain; readonly selectors: readonly string[] }

/** A module's name, and nothing that lies where the command is run. */
const isName = (selector: string): boolean => /^[\w-]+$/.test(selector) && selector !== 'all' && !existsSync(selector)

const fileOf = (basis: string, selector: string): string => {
  const key = contentKey([basis, selector])
  return cachePath('links', key.slice(0, 2), `${key}.known`)
}

type Asker = Pick<Asked, 'tree' | 'toolchain'>

/** Where is kept what a module of a sealed tree came to; undefined for all others. `on`: what else decides it. */
function moduleFile(
  { tree, toolchain }: Asker,
  module: KernelModule,
  until: BuildUntil,
  on: readonly string[],
): string | undefined {
  const basis = module.external === undefined ? basisOf(tree, toolchain) : undefined
  if (basis === undefined) return undefined
  const key = contentKey([basis, module.path, until, ...on])
  return cachePath('links', key.slice(0, 2), `${key}.module`)
}

/** What a module came to before, up to a rung, if nothing of it is gone. */
export async function knownModule(
  build: Asker,
  module: KernelModule,
  until: BuildUntil,
  on: readonly string[],
): Promise<Facts | undefined> {
  const read = async (rung: BuildUntil): Promise<Facts | undefined> => {
    const file = moduleFile(build, module, rung, on)
    return file === undefined ? undefined : readKept<Facts>(file)
  }
  const known = await read(until)
  if (known === undefined && until === 'link') return asLinked(await read('verify'))
  if (known?.package === undefined) return known
  return (await isWhole(known.package, module.name)) ? known : undefined
}

/** Of a module that went on to its package, what there was to say before. */
function asLinked(verified: Facts | undefined): Facts | undefined {
  if (verified === undefined) return undefined
  const { wasm: _wasm, package: _package, ...linked } = verified
  return { ...linked, rung: 'link', imports: [], capabilities: [] }
}

/** Keep it, if it came as far as was asked. */
export async function rememberModule(
  build: Asker,
  module: KernelModule,
  until: BuildUntil,
  on: readonly string[],
  facts: Facts,
): Promise<void> {
  const file = facts.rung === until ? moduleFile(build, module, until, on) : undefined
  if (file === undefined) return
  const { repaired: _repaired, ...kept } = facts
  await writeAtomic(file, JSON.stringify(kept))
}

/** It is where packages are kept now. */
const isStored = (directory: string): boolean => directory === packageDir(path.basename(directory))

/** The package is there, and the kernel that it is on; it is the last of its name now. */
async function isWhole(directory: string, name: string): Promise<boolean> {
  if (!isStored(directory)) return false
  const key = path.basename(directory)
  const stored = await getPackage(key, name)
  if (stored?.manifest.core === undefined || !(await isKept(stored.manifest.core.key))) return false
  await pointTo(key, stored.manifest)
  return true
}

/** The results of all that is asked for, in order; undefined unless every one is known and its package whole. */
export async function knownResults({ tree, toolchain, selectors }: Asked): Promise<ModuleResult[] | undefined> {
  if (!selectors.every(isName) || new Set(selectors).size < selectors.length) return undefined
  const basis = basisOf(tree, toolchain)
  if (basis === undefined) return undefined
  const results: ModuleResult[] = []
  for (const selector of selectors) {
    const start = performance.now()
    const known = await readKept<ModuleResult>(fileOf(basis, selector))
    if (known?.package === undefined || !(await isWhole(known.package, known.name))) return undefined
    // Two names of one module are one module.
    if (results.some(({ path: ko }) => ko === known.path)) return undefined
    results.push({ ...known, ms: { compile: 0, link: 0, total: performance.now() - start } })
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
    const result = results[i]!
    if (result.package === undefined || !isStored(result.package)) continue
    if (canonical(result.name) !== canonical(selector)) continue
    await writeAtomic(fileOf(basis, selector), JSON.stringify(result))
  }
}

const canonical = (name: string): string => name.replaceAll('-', '_')
