/** One module: compiled, and what is known of it by itself; core/build.ts takes it from there. */

import { openApiTree, type ApiTree } from '../api/tree.ts'
import { checkInterrupted } from '../errors.ts'
import type { Toolchain } from '../toolchain/types.ts'
import type { Core } from '../core/index.ts'
import { onCore } from '../core/build.ts'
import { companionsKey } from '../core/closure.ts'
import { linkedByExports } from '../core/by-exports.ts'
import type { BuiltModule, Compiler } from './compiler.ts'
import type { BuildRung, ModuleResult } from './document.ts'
import { factsOf, licensedSources } from './facts.ts'
import { compileFailure } from './failure.ts'
import { changedBytes } from './inputs.ts'
import type { KernelModule, KernelTree } from './kernel.ts'
import { knownModule, rememberModule } from './known.ts'
import { knownFacts, knownFailure, type BuildUntil, type Facts } from './trace.ts'

export interface ModuleBuild {
  readonly tree: KernelTree
  readonly toolchain: Toolchain
  readonly compiler: Compiler
  readonly signal: AbortSignal | undefined
  /** The tree's own kernel, linked when it is first asked for: modules are bound to it. */
  readonly core: () => Promise<Core>
}

/** Fields of a result that a module has before anything is known of it. */
export const NOTHING = {
  sources: [],
  changedBytes: 0,
  imports: [],
  capabilities: [],
  unresolved: [],
  missing: [],
  pretends: [],
  traps: [],
  licenses: [],
  gplOnly: [],
  diagnostics: [],
} as const

/**
 * Build one module as far as `until`, with modules that stand `beside` it in its package. Only infrastructure failures and
 * interruption are thrown.
 */
export async function buildModule(
  build: ModuleBuild,
  module: KernelModule,
  until: BuildUntil = 'verify',
  beside: readonly string[] = [],
): Promise<ModuleResult> {
  const start = performance.now()
  checkInterrupted(build.signal)
  const { name, path: ko, patches } = module
  const on = [await companionsKey(), ...beside]
  const known = await knownModule(build, module, until, on)
  if (known !== undefined)
    return { name, path: ko, ...known, ms: { compile: 0, link: 0, total: performance.now() - start } }
  const compiled = await build.compiler.module(module)
  const compile = performance.now() - start
  const facts = await afterCompile(build, compiled, until, beside)
  const total = performance.now() - start
  await rememberModule(build, module, until, on, facts)
  return { name, path: ko, ...facts, ...(patches && { patches }), ms: { compile, link: total - compile, total } }
}

const apiTrees = new WeakMap<KernelTree, ApiTree>()

/** What is looked up in a tree's text is kept with the tree. */
function apiOf(tree: KernelTree): ApiTree {
  const api = apiTrees.get(tree) ?? openApiTree({ ...tree, dir: tree.view, config: (option) => tree.config(option) })
  apiTrees.set(tree, api)
  return api
}

async function afterCompile(
  build: ModuleBuild,
  compiled: BuiltModule,
  until: BuildUntil,
  beside: readonly string[],
): Promise<Facts> {
  const { module, objects } = compiled
  if (objects === undefined)
    return knownFailure(build, compiled, async () => ({
      ...(await ownFacts(build, compiled)),
      ...(await compileFailure(compiled, build.compiler.context.roots, apiOf(build.tree))),
    }))
  const job = { build, module, objects }
  const own = await knownFacts(job, () => ownFacts(build, compiled))
  if (until === 'parse' || until === 'compile') return { ...own, rung: until }
  if (module.external === undefined) return onCore(build, compiled, until, own, beside)
  // Whoever brings a module of his own is told what it lacks without a kernel that is compiled first.
  const linked = await linkedByExports(build, apiOf(build.tree), compiled, own)
  if (until === 'link' || linked.rung !== 'link') return linked
  const facts = await onCore(build, compiled, until, own, beside)
  return facts.rung === 'compile' ? { ...facts, rung: 'link' } : facts
}

/** What is known of a module itself, less what is linked with it. */
async function ownFacts(build: ModuleBuild, compiled: BuiltModule) {
  const { module, objects = [] } = compiled
  const [sources, changed, facts] = await Promise.all([
    licensedSources([compiled]),
    changedBytes(build.tree, [compiled]),
    factsOf(module, objects, compiled, await build.tree.exports()),
  ])
  return { ...NOTHING, rung: 'none' as BuildRung, sources, changedBytes: changed, facts }
}
