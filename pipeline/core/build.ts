/** One module of a tree that is configured for its own kernel: from compiled objects to a package, or to the reason why not. */

import * as path from 'node:path'
import { ABI_VERSION } from '../../linux-api/capabilities.ts'
import { readAuthority } from '../build/authority.ts'
import type { BuiltModule } from '../build/compiler.ts'
import type { MissingSymbol } from '../build/document.ts'
import { gplOnlyOf, licensedSources } from '../build/facts.ts'
import { MEMORY_PAGES } from '../build/flags.ts'
import { inputsDigest } from '../build/inputs.ts'
import { treeFacts } from '../build/kernel.ts'
import type { BuildUntil, ModuleBuild } from '../build/module.ts'
import { infoOf, ownCodeKey } from '../build/pack.ts'
import type { Facts } from '../build/trace.ts'
import { contentKey, sha256 } from '../cache.ts'
import { PACKAGE_SCHEMA, type Manifest } from '../package.ts'
import { getPackage, putPackage, type StoredPackage } from '../store/index.ts'
import { closureOf, isCompanion, needsOf, type Closure } from './closure.ts'
import type { Core } from './index.ts'
import { bindAll, finishAll, type FinishedModule } from './modules.ts'

/** How many names a one-line reason gives. */
const NAMES_SHOWN = 5
const some = (names: readonly string[]): string =>
  names.slice(0, NAMES_SHOWN).join(', ') + (names.length > NAMES_SHOWN ? ', ...' : '')

/** As far as `until`. `own` is what is known of the module by itself. */
export async function onCore(
  build: ModuleBuild,
  core: Core,
  compiled: BuiltModule,
  until: BuildUntil,
  own: Facts,
  beside: readonly string[] = [],
): Promise<Facts> {
  const closure = await closureOf(build.tree, build.compiler, core.symbols, compiled, beside)
  const facts: Facts = { ...own, rung: 'compile' }
  if (closure.failed.length > 0)
    return { ...facts, reason: 'dependency-failed', detail: `needs ${some(closure.failed)}, which does not compile` }
  if (until === 'link') return { ...facts, ...(await bindOnly(build, core, closure)) }
  const key = await keyOf(build, core, closure)
  const { name } = compiled.module
  const stored = await getPackage(key, name)
  if (stored !== undefined) return success(facts, stored)
  const bound = await bindOnly(build, core, closure)
  if (bound.rung === 'compile') return { ...facts, ...bound }
  const finished = await finishAll(build.tree, core, closure.modules)
  if (!finished.ok) {
    const said = finished.problems.slice(0, NAMES_SHOWN).map(({ where, message }) => `${where}: ${message}`)
    return { ...facts, rung: 'link', reason: 'refused', detail: `${finished.module}: ${said.join('; ')}` }
  }
  return success(facts, await store(build, core, closure, finished.modules, key))
}

/** Bind, and say what is missing. */
async function bindOnly(
  build: ModuleBuild,
  core: Core,
  closure: Closure,
): Promise<Partial<Facts> & { rung: 'compile' | 'link' }> {
  const target = { symbols: core.symbols, moduleBytes: core.facts.moduleBytes }
  const bound = await bindAll(build.tree, target, closure.modules, undefined, false)
  for (const { name, undefined: unresolved, forbidden, mismatched, duplicate } of bound) {
    const by = name === closure.modules.at(-1)?.module.name ? '' : ` (in ${name})`
    if (unresolved.length > 0) {
      const missing: MissingSymbol[] = unresolved.map((symbol) => ({
        symbol,
        file: '',
        line: 0,
        neededBy: [`module:${name}`],
      }))
      const detail = `${unresolved.length} missing: ${some(unresolved)}${by}`
      return { rung: 'compile', reason: 'unresolved-symbol', detail, unresolved, missing }
    }
    if (forbidden.length > 0) {
      const detail = `its licence does not allow ${some(forbidden)}, exported to GPL-compatible modules only${by}`
      return { rung: 'compile', reason: 'gpl-only', detail, unresolved: forbidden }
    }
    if (mismatched.length > 0)
      return { rung: 'compile', reason: 'link-error', detail: `called with another type: ${some(mismatched)}${by}` }
    if (duplicate.length > 0)
      return { rung: 'compile', reason: 'link-error', detail: `defined twice: ${some(duplicate)}${by}` }
  }
  return { rung: 'link' }
}

async function keyOf(build: ModuleBuild, core: Core, { modules }: Closure): Promise<string> {
  const objects = modules.flatMap(({ module, objects: list = [] }) =>
    list.flatMap((object) => [module.name, object.sha256, inputsDigest(object)]),
  )
  return contentKey(['on-core', core.key, build.toolchain.id, await ownCodeKey(), ...objects])
}

async function store(
  build: ModuleBuild,
  core: Core,
  { modules }: Closure,
  finished: readonly FinishedModule[],
  key: string,
): Promise<StoredPackage> {
  const names = modules.map(({ module }) => module.name)
  const objects = modules.flatMap(({ objects: list = [] }) => list)
  const info = await infoOf(names, objects)
  const last = finished.at(-1)!
  const driver = modules.filter(({ module }) => !isCompanion(module.name))
  const own = finished.filter(({ bound }) => !isCompanion(bound.name))
  const along = await groupsOf(modules.filter(({ module }) => isCompanion(module.name)))
  const name = names.at(-1)!
  const unique = (lists: readonly (readonly string[])[]) => [...new Set(lists.flat())].toSorted()
  const file = (what: string, bytes: Uint8Array) => ({ file: what, sha256: sha256(bytes), bytes: bytes.length })
  const manifest: Manifest = {
    schema: PACKAGE_SCHEMA,
    name,
    abi: ABI_VERSION,
    tree: treeFacts(build.tree),
    toolchain: { name: build.toolchain.name, version: build.toolchain.version },
    modules: names,
    wasm: file(`${name}.wasm`, last.wasm),
    lines: { file: `${name}.lines`, sha256: sha256(last.lines) },
    imports: unique(own.map(({ imports }) => imports)),
    capabilities: unique([CORE_GROUPS, ...own.map(({ capabilities }) => capabilities), await groupsOf(driver)]),
    ids: info.ids,
    params: info.params,
    firmware: info.firmware,
    memory: { pages: MEMORY_PAGES },
    stackBytes: 0,
    sources: await licensedSources(modules),
    providers: [],
    stubs: [],
    traps: [],
    licenses: info.licenses,
    gplOnly: gplOnlyOf(objects, await build.tree.exports()),
    core: {
      key: core.key,
      sha256: core.sha256,
      tableEnd: core.facts.tableEnd,
      moduleBytes: core.facts.moduleBytes,
      modules: finished.map(({ bound, wasm, lines, image, capabilities }) => ({
        name: bound.name,
        ...(isCompanion(bound.name) && { along: unique([capabilities, along]) }),
        wasm: file(`${bound.name}.wasm`, wasm),
        lines: file(`${bound.name}.lines`, lines),
        image: file(`${bound.name}.image`, image),
        memory: bound.memory,
        table: bound.table,
        imports: bound.imports.map(({ from, name: what, slot }) => ({
          from,
          name: what,
          ...(slot !== undefined && { slot }),
        })),
      })),
    },
  }
  const more = new Map<string, Uint8Array>()
  for (const { bound, wasm, lines, image } of finished) {
    more.set(`${bound.name}.wasm`, wasm)
    more.set(`${bound.name}.lines`, lines)
    more.set(`${bound.name}.image`, image)
  }
  return putPackage(key, { manifest, wasm: last.wasm, lines: last.lines, more })
}

/** Call groups that every core makes calls of. */
const CORE_GROUPS: readonly string[] = ['log', 'time', 'sched', 'irq', 'call']

/** Groups that the kernel calls on behalf of modules, by the functions of it that they use. */
async function groupsOf(modules: readonly BuiltModule[]): Promise<string[]> {
  const { groupsOf: asked } = await readAuthority()
  return modules.flatMap((module) => needsOf(module).flatMap(asked))
}

async function success(facts: Facts, { dir, manifest }: StoredPackage): Promise<Facts> {
  const { wasm, imports, capabilities, licenses, gplOnly } = manifest
  return {
    ...facts,
    rung: 'verify',
    wasm: { path: path.join(dir, wasm.file), sha256: wasm.sha256, bytes: wasm.bytes },
    package: dir,
    imports,
    capabilities,
    licenses,
    gplOnly,
    sources: manifest.sources,
  }
}
