/**
 * Modules built, or found built file by file: what `buildModules` does for those that are not known by name. Apart from it, since a
 * run of a driver that is known needs nothing of all this.
 */
import * as fs from 'node:fs/promises'
import { cachePath, inParallel } from '../cache.ts'
import { checkInterrupted, DrvportError, Interrupted } from '../errors.ts'
import { openCore, type Core } from '../core/index.ts'
import { packageRoot } from '../root.ts'
import { openNamed } from '../toolchain/index.ts'
import { createCompiler } from './compiler.ts'
import type { BuildRequest, ModuleResult } from './document.ts'
import { selectExternal, withExternal, type Selecting } from './external.ts'
import type { KernelModule, KernelTree } from './kernel.ts'
import { rememberResults } from './known.ts'
import { buildModule, NOTHING, type ModuleBuild } from './module.ts'
import { compileContext } from './objects.ts'

/** Modules that the selectors name, in the tree and outside, each once. */
export async function selectAll(
  tree: KernelTree,
  selectors: readonly string[],
  how: Selecting = {},
): Promise<KernelModule[]> {
  const found = new Map<string, KernelModule>()
  const names = new Map<string, string>()
  for (const selector of selectors)
    for (const module of (await selectExternal(tree, selector, names, how)) ?? (await tree.select(selector)))
      found.set(module.path, module)
  return [...found.values()]
}

/** What building these modules needs, opened once: compiler, kernel, names for the directories in results. */
export async function openBuild(
  request: Pick<BuildRequest, 'tree' | 'toolchain' | 'signal'>,
  modules: readonly KernelModule[],
  onObject?: (module: string) => void,
  onKernel?: (what: string) => void,
): Promise<ModuleBuild> {
  const { toolchain, signal } = request
  const external = modules.filter((module) => module.external !== undefined)
  const tree = await withExternal(request.tree, external)
  const own = [
    // Nothing is made there any more; it stands in the command of every object that is kept, and goes when those do.
    { dir: cachePath('generated'), as: 'generated/' },
    { dir: await fs.realpath(packageRoot), as: 'drvport/' },
  ]
  const outside = new Map(external.flatMap((module) => module.external ?? []).map((root) => [root.dir, root]))
  const roots = [...tree.roots, ...outside.values(), ...own]
  const compiler = createCompiler(tree, compileContext(toolchain, roots, signal), onObject)
  // The kernel is the tree's alone, compiled by the clang that it was configured with: one for all toolchains and folders.
  const openKernel = async (): Promise<Core> => {
    const clang = toolchain.name === 'clang' ? toolchain : await openNamed('clang')
    const context = compileContext(clang, [...request.tree.roots, ...own], signal)
    return openCore(request.tree, clang, createCompiler(request.tree, context), onKernel)
  }
  let core: Promise<Core> | undefined
  return { tree, toolchain, compiler, signal, core: () => (core ??= openKernel()) }
}

/** Build every module that the selectors name; `plan` is told how many there are. Throws UsageError, InfrastructureError. */
export async function buildFresh(request: BuildRequest, plan: (modules: number) => void): Promise<ModuleResult[]> {
  const { tree, toolchain, signal, progress } = request
  const modules = await selectAll(tree, request.selectors)
  checkInterrupted(signal)
  plan(modules.length)
  const build = await openBuild(request, modules, undefined, (text) => progress?.({ step: 'kernel', text }))
  build.compiler.prepare(modules)
  let done = 0
  const settled = await inParallel(
    modules,
    toolchain.width * 2,
    async (module) => {
      const result = await buildModule(build, module)
      progress?.({ step: 'module', done: ++done, of: modules.length, result })
      return result
    },
    signal,
  )
  const results = settled.map((outcome, i) => resultOf(outcome, modules[i] as KernelModule))
  await rememberResults(request, results)
  return results
}

/** An interrupted module is a result; an infrastructure failure is thrown; anything else is our own bug, with its module. */
function resultOf(outcome: PromiseSettledResult<ModuleResult> | undefined, module: KernelModule): ModuleResult {
  if (outcome?.status === 'fulfilled') return outcome.value
  const reason: unknown = outcome?.reason
  if (reason instanceof DrvportError && !(reason instanceof Interrupted)) throw reason
  const interrupted = outcome === undefined || reason instanceof Interrupted
  return {
    ...NOTHING,
    name: module.name,
    path: module.path,
    rung: 'none',
    reason: interrupted ? 'interrupted' : 'internal-error',
    ...(!interrupted && { detail: reason instanceof Error ? (reason.stack ?? reason.message) : String(reason) }),
    ms: { compile: 0, link: 0, total: 0 },
  }
}
