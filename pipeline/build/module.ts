/** One module: from its compiled objects to a package in the store, or to the reason why not. */

import * as path from 'node:path'
import { openApiTree, type ApiTree } from '../api/tree.ts'
import { checkInterrupted, DrvportError } from '../errors.ts'
import { getPackage, pointTo, type StoredPackage } from '../store/index.ts'
import type { Toolchain } from '../toolchain/types.ts'
import type { Core } from '../core/index.ts'
import { onCore } from '../core/build.ts'
import type { BuiltModule, Compiler } from './compiler.ts'
import type { BuildRung, MissingSymbol, ModuleResult } from './document.ts'
import { factsOf, gplOnlyOf, licensedSources } from './facts.ts'
import { compileFailure } from './failure.ts'
import { hasTableBase } from './flags.ts'
import { keptApart, padObject, tableObject, trapObjects } from './generate.ts'
import { changedBytes, describeMissing } from './inputs.ts'
import type { KernelModule, KernelTree } from './kernel.ts'
import { link, linkVerdict, type LinkVerdict } from './link.ts'
import { infoOf, pack, packageKey, shortfalls, type Plan } from './pack.ts'
import { findProviders, type Consulted } from './providers.ts'
import type { SymbolTable } from './symbols.ts'
import { knownFacts, knownOutcome, rememberOutcome, type Compiled, type Facts, type Outcome } from './trace.ts'

export interface ModuleBuild {
  readonly tree: KernelTree
  readonly toolchain: Toolchain
  readonly compiler: Compiler
  readonly table: SymbolTable
  readonly signal: AbortSignal | undefined
  /** The tree's own kernel linked once, for a tree that is configured for it: modules are bound to it. */
  readonly core?: () => Promise<Core>
}

/** Fields of a result that a module has before anything is known of it. */
export const NOTHING = {
  sources: [],
  changedBytes: 0,
  imports: [],
  capabilities: [],
  unresolved: [],
  missing: [],
  stubs: [],
  traps: [],
  licenses: [],
  gplOnly: [],
  diagnostics: [],
} as const

/** The last rung a build is asked to climb. What stands above it is neither done nor paid for. */
export type BuildUntil = Exclude<BuildRung, 'none'>

/** One module on its way up. */
interface Job extends Compiled {
  /** What is known of it by itself. */
  readonly own: () => Promise<Facts>
}

/**
 * Build one module as far as `until`; on the tree's own kernel, with modules that stand `beside` it in its package. Only
 * infrastructure failures and interruption are thrown.
 */
export async function buildModule(
  build: ModuleBuild,
  module: KernelModule,
  until: BuildUntil = 'verify',
  beside: readonly string[] = [],
): Promise<ModuleResult> {
  const start = performance.now()
  checkInterrupted(build.signal)
  const compiled = await build.compiler.module(module)
  const compile = performance.now() - start
  const facts = await afterCompile(build, compiled, until, beside)
  const total = performance.now() - start
  return { name: module.name, path: module.path, ...facts, ms: { compile, link: total - compile, total } }
}

const apiTrees = new WeakMap<KernelTree, ApiTree>()

/** What is looked up in a tree's text is kept with the tree. */
function apiOf(tree: KernelTree): ApiTree {
  const api = apiTrees.get(tree) ?? openApiTree({ name: tree.name, version: tree.version, dir: tree.view })
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
    return {
      ...(await ownFacts(build, compiled)),
      ...(await compileFailure(compiled, build.compiler.context.roots, apiOf(build.tree))),
    }
  const job = { build, module, objects, own: () => ownFacts(build, compiled) }
  if (until === 'parse' || until === 'compile') return { ...(await knownFacts(job, job.own)), rung: until }
  if (build.core !== undefined)
    return onCore(build, await build.core(), compiled, until, await knownFacts(job, job.own), beside)
  const known = await knownOutcome(job)
  if (until === 'link') return (known ?? (await linkOnly(job))).linked
  return verified(job, known)
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

/** Everything that is linked, and everyone who was asked for it. */
async function makePlan({ build, module, objects: own }: Job): Promise<{ plan: Plan; consulted: Consulted }> {
  const { tree, toolchain, compiler } = build
  const { resolution, consulted } = await findProviders(build, module.name, own)
  const pad = hasTableBase(toolchain.llvmMajor) ? [] : [await padObject(compiler)]
  const made = [await tableObject(compiler, resolution), ...(await trapObjects(compiler, resolution))]
  const objects = [...pad, ...(await keptApart(resolution.moduleObjects)), ...made]
  const sources = await licensedSources(resolution.moduleObjects)
  const gplOnly = gplOnlyOf(resolution.moduleObjects, await tree.exports())
  const info = await infoOf(resolution.modules, resolution.moduleObjects)
  return { plan: { name: module.name, tree, toolchain, resolution, info, sources, gplOnly, objects }, consulted }
}

/** What is known of a module once its code and all it needs are compiled. */
async function planFacts({ build, own }: Job, plan: Plan, mismatched: readonly string[]): Promise<Facts> {
  const { resolution, sources, gplOnly, info } = plan
  const changed = await changedBytes(build.tree, [...resolution.moduleObjects, ...resolution.support])
  const linked = { sources, changedBytes: changed, licenses: info.licenses, gplOnly }
  return { ...(await own()), ...linked, ...shortfalls(resolution, mismatched) }
}

/** Ask the linker, without keeping what it makes. */
async function linkOnly(job: Job): Promise<Outcome> {
  const { build } = job
  const { plan, consulted } = await makePlan(job)
  const verdict = await linkVerdict(build.toolchain, plan.objects, plan.resolution.support, build.signal)
  const outcome = await outcomeOf(job, plan, verdict)
  if (verdict.death === undefined) await rememberOutcome(job, consulted, outcome)
  return outcome
}

async function outcomeOf(job: Job, plan: Plan, verdict: LinkVerdict): Promise<Outcome> {
  const facts = await planFacts(job, plan, verdict.mismatched)
  if (verdict.unresolved.length > 0) return { linked: { ...facts, ...(await unresolvedFacts(plan, verdict)) } }
  if (!verdict.ok) {
    const reason = verdict.death ?? 'link-error'
    return { linked: { ...facts, rung: 'compile', reason, detail: verdict.problem } }
  }
  return { linked: { ...facts, rung: 'link' }, package: await packageKey(plan) }
}

/** How many names a one-line reason gives. */
const NAMES_SHOWN = 5

const some = (names: readonly string[]): string =>
  names.slice(0, NAMES_SHOWN).join(', ') + (names.length > NAMES_SHOWN ? ', ...' : '')

/** Which symbols are missing, and whose fault it is: nobody provides them, or the provider fails itself. */
async function unresolvedFacts({ resolution }: Plan, { unresolved }: LinkVerdict) {
  const missing = await describeMissing(unresolved, resolution)
  const ofModules = missing.filter(({ blockedBy }) => blockedBy?.startsWith('module:') === true)
  const failed = [
    ...new Set(ofModules.map(({ blockedBy }) => (blockedBy as string).slice('module:'.length))),
  ].toSorted()
  const absent = missing.filter((symbol) => !ofModules.includes(symbol))
  const parts = [
    ...(absent.length > 0 ? [`${absent.length} missing: ${some(absent.map(nameWithBlocker))}`] : []),
    ...(failed.length > 0 ? [`needs ${some(failed)}, which ${failed.length > 1 ? 'do' : 'does'} not compile`] : []),
  ]
  const reason = absent.length > 0 ? 'unresolved-symbol' : 'dependency-failed'
  return { rung: 'compile', reason, detail: parts.join('; '), unresolved, missing } as const
}

const nameWithBlocker = ({ symbol, file, line, blockedBy }: MissingSymbol, index: number): string => {
  if (blockedBy !== undefined) return `${symbol} (${blockedBy.slice(blockedBy.indexOf(':') + 1)} does not compile)`
  return index === 0 && line > 0 ? `${symbol} (${file}:${line})` : symbol
}

/** Up to the package in the store, through what is known already where it is. */
async function verified(job: Job, known: Outcome | undefined): Promise<Facts> {
  let repaired: string | undefined
  if (known !== undefined) {
    if (known.package === undefined) return known.linked
    if (known.refused !== undefined) return known.refused
    const stored = await getPackage(known.package, job.module.name, (error) => {
      repaired = error instanceof DrvportError ? error.describe() : error.message
    })
    if (stored !== undefined) {
      await pointTo(known.package, stored.manifest)
      return success(known.linked, stored)
    }
  }
  const facts = await linkAndPack(job)
  return repaired === undefined ? facts : { ...facts, repaired }
}

async function linkAndPack(job: Job): Promise<Facts> {
  const { build } = job
  const { plan, consulted } = await makePlan(job)
  const { verdict, bytes } = await link(build.toolchain, plan.objects, plan.resolution.support, build.signal)
  const outcome = await outcomeOf(job, plan, verdict)
  const keep = (kept: Outcome) => rememberOutcome(job, consulted, kept)
  if (outcome.package === undefined || bytes === undefined) {
    if (verdict.death === undefined) await keep(outcome)
    return outcome.linked
  }
  const result = await pack(plan, outcome.package, bytes, verdict.mismatched)
  if ('stored' in result) {
    await keep(outcome)
    return success(outcome.linked, result.stored)
  }
  const said = result.problems.slice(0, NAMES_SHOWN).map((problem) => `${problem.where}: ${problem.message}`)
  const refused = { ...outcome.linked, reason: 'refused', detail: said.join('; ') }
  await keep({ ...outcome, refused })
  return refused
}

function success(linked: Facts, { dir, manifest }: StoredPackage): Facts {
  const { file, sha256, bytes } = manifest.wasm
  const { imports, capabilities, stubs, traps } = manifest
  const wasm = { path: path.join(dir, file), sha256, bytes }
  return { ...linked, rung: 'verify', wasm, package: dir, imports, capabilities, stubs, traps }
}
