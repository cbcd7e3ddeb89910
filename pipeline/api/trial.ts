/**
 * Modules compiled for one tree, for what the compiler says of them: complaints with the text they are about, and which
 * symbols of the kernel they use. Nothing is linked.
 */

import * as fs from 'node:fs/promises'
import { openBuild, selectAll } from '../build/fresh.ts'
import type { KernelTree } from '../build/index.ts'
import { factsOf } from '../build/facts.ts'
import { importedNamespaces } from '../build/module-info.ts'
import type { BuiltModule, Compiler } from '../build/compiler.ts'
import type { Export } from '../kbuild/exports.ts'
import type { Reason } from '../matrix/types.ts'
import type { Toolchain } from '../toolchain/types.ts'
import type { Complaint } from './subjects.ts'
import { openApiTree, type ApiTree } from './tree.ts'

/** How a tree exports a symbol. */
export type ExportState = Pick<Export, 'gplOnly' | 'namespace'>

export interface ModuleTrial {
  readonly module: string
  readonly path: string
  readonly compiles: boolean
  /** Why it does not compile where that is no complaint: not for this kernel, no C, a crash, a limit. */
  readonly ended?: { readonly reason: Reason; readonly detail: string }
  readonly complaints: readonly Complaint[]
  /** Kernel symbols that its objects use; empty where it does not compile. */
  readonly needs: readonly string[]
  /** Why Linux would not load it for its licence, as far as this tree's exports say. */
  readonly licenseProblem?: string
  /** Namespaces of symbols that it imports; none where it does not compile, or uses nothing of any. */
  readonly imports: ReadonlySet<string>
}

export interface Trial {
  readonly tree: ApiTree
  readonly modules: readonly ModuleTrial[]
  /** How the tree, or one of these modules, exports a symbol; undefined where it does not. */
  exported(symbol: string): ExportState | undefined
}

export interface TrialRequest {
  readonly tree: KernelTree
  readonly toolchain: Toolchain
  readonly selectors: readonly string[]
  /** Only modules of these paths. */
  readonly only?: ReadonlySet<string>
  readonly signal?: AbortSignal
  readonly onModule?: (module: string) => void
}

/** Compile what the selectors name. Throws UsageError for unknown selectors, InfrastructureError, Interrupted. */
export async function tryModules(request: TrialRequest): Promise<Trial> {
  const named = await selectAll(request.tree, request.selectors, { refused: 'listed' })
  const { only } = request
  const modules = only === undefined ? named : named.filter(({ path }) => only.has(path))
  const build = await openBuild(request, modules, request.onModule)
  build.compiler.prepare(modules)
  const exports = await build.tree.exports()
  const tried = await Promise.all(
    modules.map(async (module) => trialOf(await build.compiler.module(module), build.compiler, exports)),
  )
  const { name, version, id, sealed, view } = request.tree
  return {
    tree: openApiTree({ name, version, id, sealed, dir: view }),
    modules: tried.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    exported: (symbol) => exports.get(symbol),
  }
}

type Exports = Awaited<ReturnType<KernelTree['exports']>>

/** Texts of headers that are the module's own. */
async function ownHeaders({ module, inputs }: BuiltModule): Promise<string> {
  const dirs = module.external ?? []
  const own = inputs.filter(
    ({ file }) => file.endsWith('.h') && dirs.some(({ dir, as }) => as !== '' && file.startsWith(`${dir}/`)),
  )
  const files = [...new Set(own.map(({ file }) => file))].toSorted()
  const texts = await Promise.all(files.map((file) => fs.readFile(file, 'utf8').catch(() => '')))
  return texts.join('\n')
}

async function trialOf(built: BuiltModule, compiler: Compiler, exports: Exports): Promise<ModuleTrial> {
  const { module, objects, diagnostics, inputs, reason, detail } = built
  const files = new Map(inputs.map(({ name, file }) => [name, file]))
  const headers = diagnostics.length === 0 ? '' : await ownHeaders(built)
  const complaints = diagnostics.map(async ({ file, line, message }): Promise<Complaint> => {
    const at = files.get(file)
    const text = at === undefined ? undefined : await fs.readFile(at, 'utf8').catch(() => undefined)
    const portable = compiler.context.roots.reduce((said, { dir, as }) => said.replaceAll(`${dir}/`, as), message)
    return { file, line, message: portable, ...(text !== undefined && { text, headers }) }
  })
  const own = new Set((objects ?? []).flatMap(({ defines }) => defines))
  const needs = (objects ?? []).flatMap((object) => object.needs).filter((symbol) => !own.has(symbol))
  const { licenseProblem } = await factsOf(module, objects ?? [], built, exports)
  return {
    module: module.name,
    path: module.path,
    compiles: objects !== undefined,
    ...(reason !== undefined && diagnostics.length === 0 && { ended: { reason, detail: detail ?? '' } }),
    complaints: await Promise.all(complaints),
    needs: [...new Set(needs)].toSorted(),
    ...(licenseProblem !== undefined && { licenseProblem }),
    imports: needs.some((name) => exports.get(name)?.namespace) ? await importedNamespaces(objects ?? []) : new Set(),
  }
}
