/** One module that compiled: from its objects to a package on the tree's own kernel, or to the reason why not. */

import * as path from 'node:path'
import { ABI_VERSION } from '../../linux-api/capabilities.ts'
import { readAuthority } from '../build/authority.ts'
import type { BuiltModule } from '../build/compiler.ts'
import type { MissingSymbol } from '../build/document.ts'
import { gplOnlyOf, licensedSources } from '../build/facts.ts'
import { changedBytes, describeMissing, inputsDigest } from '../build/inputs.ts'
import { treeFacts } from '../build/kernel.ts'
import type { ModuleBuild } from '../build/module.ts'
import { infoOf } from '../build/module-info.ts'
import { ownCodeKey } from '../build/own-code.ts'
import { knownOutcome, rememberOutcome, type BuildUntil, type Facts, type On, type Outcome } from '../build/trace.ts'
import { contentKey, sha256 } from '../cache.ts'
import { DrvportError } from '../errors.ts'
import type { Reason } from '../matrix/types.ts'
import { PACKAGE_SCHEMA, type Manifest } from '../package.ts'
import { getPackage, pointTo, putPackage, type StoredPackage } from '../store/index.ts'
import { closureOf, companionsKey, isCompanion, needsOf, type Closure } from './closure.ts'
import type { Core } from './index.ts'
import { bindAll, finishAll, type FinishedModule } from './modules.ts'
import { onOtherCore, seenOf } from './seen.ts'

/** How many names a one-line reason gives. */
const NAMES_SHOWN = 5
const some = (names: readonly string[]): string =>
  names.slice(0, NAMES_SHOWN).join(', ') + (names.length > NAMES_SHOWN ? ', ...' : '')

/** As far as `until`. `own` is what is known of the module by itself. */
export async function onCore(
  build: ModuleBuild,
  compiled: BuiltModule,
  until: BuildUntil,
  own: Facts,
  beside: readonly string[] = [],
): Promise<Facts> {
  const core = await build.core()
  const { module, objects = [] } = compiled
  const job = { build, module, objects }
  const on: On = {
    besides: [await companionsKey(), ...beside].join(' '),
    kernel: (needs) => seenOf(core, needs),
  }
  const known = await knownOutcome(job, on)
  if (until === 'link' && known !== undefined) return known.linked
  const found = known === undefined ? {} : await fromStore(module.name, known, core)
  if (found.facts !== undefined) return found.facts
  const closure = await closureOf(build.tree, build.compiler, core, compiled, beside)
  const keep = (outcome: Outcome) => rememberOutcome(job, on, dependedOn(closure), outcome)
  const outcome = await linkOutcome(build, core, closure, { ...own, rung: 'compile' })
  if (outcome.package === undefined || until === 'link') {
    await keep(outcome)
    return outcome.linked
  }
  const made = await pack(build, core, closure, outcome.linked, outcome.package)
  await keep(made.rung === 'verify' ? outcome : { ...outcome, refused: made })
  return found.repaired === undefined ? made : { ...made, repaired: found.repaired }
}

/** The other modules that a closure was made of, or was not for want of one, and all names that it needs. */
function dependedOn({ modules, onCall, failed }: Closure) {
  const others = [...modules.slice(0, -1), ...onCall].map(({ module }) => module.name)
  const needs = [...modules, ...onCall].flatMap(({ objects = [] }) => objects.flatMap((object) => object.needs))
  return { consulted: [...others, ...failed], needs: [...new Set(needs)].toSorted() }
}

/** What a module came to before, if nothing of it is gone; `repaired` says what was wrong with a package that is damaged. */
async function fromStore(name: string, known: Outcome, core: Core): Promise<{ facts?: Facts; repaired?: string }> {
  if (known.package === undefined) return { facts: known.linked }
  if (known.refused !== undefined) return { facts: known.refused }
  let repaired: string | undefined
  const stored = await getPackage(known.package, name, (error) => {
    repaired = error instanceof DrvportError ? error.describe() : error.message
  })
  if (stored === undefined) return repaired === undefined ? {} : { repaired }
  if (stored.manifest.core.key !== core.key) {
    const moved = await onOtherCore(stored, core)
    return moved === undefined ? {} : { facts: success(known.linked, moved) }
  }
  await pointTo(known.package, stored.manifest)
  return { facts: success(known.linked, stored) }
}

/** Whether it links, or why not. */
async function linkOutcome(build: ModuleBuild, core: Core, closure: Closure, own: Facts): Promise<Outcome> {
  const { failed, modules } = closure
  if (failed.length > 0) {
    const detail = `needs ${some(failed)}, which ${failed.length > 1 ? 'do' : 'does'} not compile`
    return { linked: { ...own, reason: 'dependency-failed', detail } }
  }
  const bound = await bindOnly(build, core, closure)
  const linked = { ...own, ...(await ofClosure(build, modules)), ...bound }
  return bound.rung === 'link' ? { linked, package: await keyOf(build, core, closure) } : { linked }
}

/** What results say of everything that is loaded for a module. */
async function ofClosure({ tree }: ModuleBuild, modules: readonly BuiltModule[]) {
  const objects = modules.flatMap(({ objects: list = [] }) => list)
  const { licenses } = await infoOf(
    modules.map(({ module }) => module.name),
    objects,
  )
  return {
    sources: await licensedSources(modules),
    changedBytes: await changedBytes(tree, modules),
    licenses,
    gplOnly: gplOnlyOf(objects, await tree.exports()),
  }
}

/** Finish, verify and store. */
async function pack(build: ModuleBuild, core: Core, closure: Closure, linked: Facts, key: string): Promise<Facts> {
  const finished = await finishAll(build.tree, build.toolchain, core, closure)
  if (finished.ok) return success(linked, await store(build, core, closure, finished.modules, key))
  const said = finished.problems.slice(0, NAMES_SHOWN).map(({ where, message }) => `${where}: ${message}`)
  return { ...linked, reason: 'refused', detail: `${finished.module}: ${said.join('; ')}` }
}

/** Bind, and say what is missing. */
async function bindOnly(
  build: ModuleBuild,
  core: Core,
  closure: Closure,
): Promise<Partial<Facts> & { rung: 'compile' | 'link' }> {
  const target = { symbols: core.symbols, moduleBytes: core.facts.moduleBytes }
  const bound = await bindAll(build.tree, target, { modules: closure.modules, onCall: [] }, undefined, false)
  for (const [at, { name, undefined: unresolved, forbidden, mismatched, duplicate }] of bound.entries()) {
    const by = at === closure.modules.length - 1 ? '' : ` (in ${name})`
    const because = (reason: Reason, detail: string) => ({ rung: 'compile', reason, detail: `${detail}${by}` }) as const
    if (unresolved.length > 0) {
      const missing = await describeMissing(unresolved, name, closure.modules[at]?.objects ?? [])
      const detail = `${unresolved.length} missing: ${some(missing.map(withPlace))}`
      return { ...because('unresolved-symbol', detail), unresolved, missing }
    }
    if (forbidden.length > 0) {
      const detail = `its licence does not allow ${some(forbidden)}, exported to GPL-compatible modules only`
      return { ...because('gpl-only', detail), unresolved: forbidden }
    }
    if (mismatched.length > 0) return because('link-error', `called with another type: ${some(mismatched)}`)
    if (duplicate.length > 0) return because('link-error', `defined twice: ${some(duplicate)}`)
  }
  return { rung: 'link' }
}

const withPlace = ({ symbol, file, line }: MissingSymbol, index: number): string =>
  index === 0 && line > 0 ? `${symbol} (${file}:${line})` : symbol

async function keyOf(build: ModuleBuild, core: Core, { modules, onCall }: Closure): Promise<string> {
  const objects = [...modules, undefined, ...onCall].flatMap((one) =>
    one === undefined
      ? ['on call']
      : (one.objects ?? []).flatMap((object) => [one.module.name, object.sha256, inputsDigest(object)]),
  )
  return contentKey(['on-core', core.key, build.toolchain.id, ownCodeKey(), ...objects])
}

async function store(
  build: ModuleBuild,
  core: Core,
  { modules, onCall }: Closure,
  finished: readonly FinishedModule[],
  key: string,
): Promise<StoredPackage> {
  const names = modules.map(({ module }) => module.name)
  const objects = modules.flatMap(({ objects: list = [] }) => list)
  const info = await infoOf(names, objects)
  const last = finished.findLast((one) => !one.onCall)!
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
    capabilities: unique([
      CORE_GROUPS,
      ...own.map(({ capabilities }) => capabilities),
      await groupsOf([...driver, ...onCall]),
    ]),
    ids: info.ids,
    params: info.params,
    firmware: info.firmware,
    sources: await licensedSources(modules),
    licenses: info.licenses,
    gplOnly: gplOnlyOf(objects, await build.tree.exports()),
    core: {
      key: core.key,
      sha256: core.sha256,
      tableEnd: core.facts.tableEnd,
      moduleBytes: core.facts.moduleBytes,
      modules: finished.map(({ bound, wasm, lines, image, capabilities, onCall: called }) => ({
        name: bound.name,
        ...(called && { onCall: true as const }),
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

function success(linked: Facts, { dir, manifest }: StoredPackage): Facts {
  const { file, sha256: hash, bytes } = manifest.wasm
  const { imports, capabilities } = manifest
  const wasm = { path: path.join(dir, file), sha256: hash, bytes }
  return { ...linked, rung: 'verify', wasm, package: dir, imports, capabilities }
}
