/** One module: from its compiled objects to a package in the store, or to the reason why not. */

import * as path from 'node:path'
import { checkInterrupted, DrvportError } from '../errors.ts'
import { getPackage, pointTo, type StoredPackage } from '../store/index.ts'
import type { Toolchain } from '../toolchain/types.ts'
import type { BuiltModule, BuiltObject, Compiler } from './compiler.ts'
import type { BuildRung, ModuleResult } from './document.ts'
import { factsOf, gplOnlyOf, licensedSources } from './facts.ts'
import { hasTableBase } from './flags.ts'
import { padObject, tableObject, trapObjects } from './generate.ts'
import { changedBytes, describeMissing } from './inputs.ts'
import type { KernelModule, KernelTree } from './kernel.ts'
import { link, linkVerdict, rootSymbols, type Linked, type LinkVerdict } from './link.ts'
import { infoOf, pack, packageKey, shortfalls, type Plan } from './pack.ts'
import { resolve, type Resolution } from './resolve.ts'
import type { SymbolTable } from './symbols.ts'

export interface ModuleBuild {
  readonly tree: KernelTree
  readonly toolchain: Toolchain
  readonly compiler: Compiler
  readonly table: SymbolTable
  readonly signal: AbortSignal | undefined
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

/** How many names a one-line reason gives. */
const NAMES_SHOWN = 5

/** The last rung a build is asked to climb. What stands above it is neither done nor paid for. */
export type BuildUntil = Exclude<BuildRung, 'none'>

/** Build one module as far as `until`. Only infrastructure failures and interruption are thrown. */
export async function buildModule(
  build: ModuleBuild,
  module: KernelModule,
  until: BuildUntil = 'verify',
): Promise<ModuleResult> {
  const start = performance.now()
  checkInterrupted(build.signal)
  const compiled = await build.compiler.module(module)
  const compile = performance.now() - start
  const facts = await factsOf(module, compiled.objects ?? [], compiled.inputs, await build.tree.exports())
  const timed = (result: Result, linkMs = 0): ModuleResult => ({
    name: module.name,
    path: module.path,
    ...result,
    facts,
    ms: { compile, link: linkMs, total: performance.now() - start },
  })
  if (compiled.objects === undefined) return timed(await compileFailure(build, compiled))
  if (until === 'parse' || until === 'compile') return timed(await compiledOnly(build, compiled, until))
  const plan = await makePlan(build, compiled, compiled.objects)
  if (until === 'link') {
    const at = performance.now()
    const verdict = await linkVerdict(build.toolchain, plan.objects, plan.resolution.support, build.signal)
    const ms = performance.now() - at
    return timed((await linkFailure(build, plan, verdict)) ?? (await linkedOnly(build, plan, verdict)), ms)
  }
  const key = await packageKey(plan)
  let repaired: string | undefined
  const known = await getPackage(key, module.name, (error) => {
    repaired = error instanceof DrvportError ? error.describe() : error.message
  })
  if (known !== undefined) {
    await pointTo(key, known.manifest)
    return timed(await success(build, plan, known))
  }
  const at = performance.now()
  const linked = await link(build.toolchain, plan.objects, plan.resolution.support, build.signal)
  const ms = performance.now() - at
  const result = (await linkFailure(build, plan, linked.verdict)) ?? (await packed(build, plan, key, linked))
  return timed(repaired === undefined ? result : { ...result, repaired }, ms)
}

type Result = Omit<ModuleResult, 'name' | 'path' | 'facts' | 'ms'>

async function compileFailure(build: ModuleBuild, compiled: BuiltModule): Promise<Result> {
  const { inputs, diagnostics } = compiled
  const first = diagnostics[0]
  const detail = first === undefined ? 'does not compile' : `${first.file}:${first.line}: ${first.message}`
  const sources = await licensedSources(inputs)
  const facts = { sources, changedBytes: await changedBytes(build.tree, inputs), diagnostics }
  return { ...NOTHING, ...facts, rung: 'parse', reason: 'compile-error', detail }
}

async function compiledOnly(build: ModuleBuild, { inputs }: BuiltModule, rung: BuildRung): Promise<Result> {
  const sources = await licensedSources(inputs)
  return { ...NOTHING, rung, sources, changedBytes: await changedBytes(build.tree, inputs) }
}

/** What is known of a module once its code and all it needs are compiled. */
async function planFacts(build: ModuleBuild, plan: Plan) {
  const inputs = [...plan.resolution.moduleObjects, ...plan.resolution.support].flatMap((object) => object.inputs)
  const { sources, info, gplOnly } = plan
  return { sources, changedBytes: await changedBytes(build.tree, inputs), licenses: info.licenses, gplOnly }
}

async function success(build: ModuleBuild, plan: Plan, { dir, manifest }: StoredPackage): Promise<Result> {
  const { file, sha256, bytes } = manifest.wasm
  const { imports, capabilities, stubs, traps } = manifest
  const wasm = { path: path.join(dir, file), sha256, bytes }
  return {
    ...NOTHING,
    ...(await planFacts(build, plan)),
    rung: 'verify',
    wasm,
    package: dir,
    imports,
    capabilities,
    stubs,
    traps,
  }
}

/** What a package of this plan would say of itself, before there is one. */
async function linkedOnly(build: ModuleBuild, plan: Plan, { mismatched }: LinkVerdict): Promise<Result> {
  return { ...NOTHING, ...(await planFacts(build, plan)), rung: 'link', ...shortfalls(plan.resolution, mismatched) }
}

/** Why these objects do not link, or undefined when they do. */
async function linkFailure(build: ModuleBuild, plan: Plan, verdict: LinkVerdict): Promise<Result | undefined> {
  const { resolution } = plan
  const { unresolved } = verdict
  if (unresolved.length === 0 && verdict.ok) return undefined
  const known = { ...(await planFacts(build, plan)), ...shortfalls(resolution, []) }
  const facts = { ...NOTHING, ...known, rung: 'compile' } as const
  if (unresolved.length === 0) return { ...facts, reason: 'link-error', detail: verdict.problem }
  const names = unresolved.slice(0, NAMES_SHOWN).join(', ')
  const detail = `${unresolved.length} missing: ${names}${unresolved.length > NAMES_SHOWN ? ', ...' : ''}`
  const inputs = resolution.moduleObjects.flatMap((object) => object.inputs)
  const missing = await describeMissing(unresolved, resolution, inputs)
  return { ...facts, reason: 'unresolved-symbol', detail, unresolved, missing }
}

/** The package of a plan that links, or what the verifier has against it. */
async function packed(build: ModuleBuild, plan: Plan, key: string, { verdict, bytes }: Linked): Promise<Result> {
  if (bytes === undefined) throw new Error(`${plan.name} linked to nothing`)
  const result = await pack(plan, key, bytes, verdict.mismatched)
  if ('stored' in result) return success(build, plan, result.stored)
  const said = result.problems.slice(0, NAMES_SHOWN).map((problem) => `${problem.where}: ${problem.message}`)
  const known = { ...(await planFacts(build, plan)), ...shortfalls(plan.resolution, verdict.mismatched) }
  return { ...NOTHING, ...known, rung: 'link', reason: 'refused', detail: said.join('; ') }
}

/**
 * lib/ is the kernel's portable library: data in, data out, no hardware and no scheduling, and it moves between releases;
 * asking the tree where a symbol is serves every release.
 */
function portableSource(found: { source: string; modules: readonly string[] } | undefined): string | undefined {
  return found !== undefined && found.modules.length === 0 && found.source.startsWith('lib/') ? found.source : undefined
}

async function findProviders(
  build: ModuleBuild,
  name: string,
  own: readonly BuiltObject[],
): Promise<Resolution<BuiltObject>> {
  const { tree, compiler, table } = build
  const shim = await compiler.shim()
  const sources = {
    shim: (symbol: string) => shim.bySymbol.get(symbol),
    tree: (file: string) => compiler.treeFile(file),
    portable: async (symbol: string) => portableSource((await tree.exports()).get(symbol)),
    module: async (other: string) => {
      const found = await tree.module(other)
      return found === undefined ? undefined : (await compiler.module(found)).objects
    },
    exporter: (symbol: string) => tree.exporter(symbol),
  }
  return resolve(name, own, table, sources, rootSymbols)
}

async function makePlan(build: ModuleBuild, compiled: BuiltModule, own: readonly BuiltObject[]): Promise<Plan> {
  const { tree, toolchain, compiler } = build
  const { name } = compiled.module
  const resolution = await findProviders(build, name, own)
  const pad = hasTableBase(toolchain.llvmMajor) ? [] : [await padObject(compiler)]
  const made = [await tableObject(compiler, resolution), ...(await trapObjects(compiler, resolution))]
  const objects = [...pad, ...resolution.moduleObjects, ...made]
  const sources = await licensedSources(resolution.moduleObjects.flatMap((object) => object.inputs))
  const gplOnly = gplOnlyOf(resolution.moduleObjects, await tree.exports())
  const info = await infoOf(resolution.modules, resolution.moduleObjects)
  return { name, tree, toolchain, resolution, info, sources, gplOnly, objects }
}
