/**
 * A module on the core: bound, instrumented and verified, with the modules it stands on; and the package of all of them.
 */

import * as fs from 'node:fs/promises'
import {
  bindModule,
  boundTo,
  readLinkable,
  withDepths,
  type BoundModule,
  type CoreSymbols,
  type ExportedName,
  type LinkableObject,
} from '../bind/index.ts'
import { boundClaims } from '../bind/claims.ts'
import type { BuiltModule } from '../build/compiler.ts'
import { moduleEntries } from '../build/flags.ts'
import type { KernelTree } from '../build/kernel.ts'
import { sha256 } from '../cache.ts'
import { DrvportError } from '../errors.ts'
import { DEFAULT_ALLOWANCE, verifyBound, type BoundFacts, type Problem } from '../verify/index.ts'
import { finish } from '../wasm/finish.ts'
import type { Toolchain } from '../toolchain/types.ts'
import type { Closure } from './closure.ts'
import { exportTable } from './export-table.ts'
import type { Core } from './index.ts'
import { MODULE_AREA } from './kept.ts'
import { moduleImage } from './module-image.ts'

/** Of Linux, by which its loader takes memory. */
const PAGE = 4096

const objectsOf = ({ objects = [] }: BuiltModule): Promise<LinkableObject[]> =>
  Promise.all(objects.map(async ({ object, origin }) => readLinkable(await fs.readFile(object), origin)))

/** What a module is bound with: `modules` are needed, of those on call one that cannot be bound is left out. */
export interface Bundle {
  readonly modules: readonly BuiltModule[]
  readonly onCall: readonly BuiltModule[]
}

/** Of a module's objects, those that are made for it besides: none, for most. */
type Besides = (name: string, objects: readonly LinkableObject[]) => Promise<readonly LinkableObject[]>

/** What becomes of a module that was bound: undefined, and it is left out. */
type OnBound = (bound: BoundModule, peers: readonly BoundModule[]) => BoundModule | undefined

const isWhole = ({ undefined: unresolved, forbidden, mismatched, duplicate }: BoundModule): boolean =>
  unresolved.length + forbidden.length + mismatched.length + duplicate.length === 0

/** One that need not be there may have no room. */
function tryBind(isNeeded: boolean, ...what: Parameters<typeof bindModule>): BoundModule | undefined {
  try {
    return bindModule(...what)
  } catch (error) {
    if (isNeeded || !(error instanceof DrvportError)) throw error
    return undefined
  }
}

type Exports = Awaited<ReturnType<KernelTree['exports']>>

const byOwner = new WeakMap<Exports, ReadonlyMap<string, readonly ExportedName[]>>()

/** What each module of a tree exports, put in order once. */
function exportsByOwner(exports: Exports): ReadonlyMap<string, readonly ExportedName[]> {
  const known = byOwner.get(exports)
  if (known !== undefined) return known
  const made = new Map<string, ExportedName[]>()
  for (const [symbol, { modules, gplOnly }] of exports)
    for (const owner of modules) {
      const own = made.get(owner)
      if (own === undefined) made.set(owner, [{ symbol, gplOnly }])
      else own.push({ symbol, gplOnly })
    }
  byOwner.set(exports, made)
  return made
}

/** Bind modules one after the other, each where the one before it ends. */
export async function bindAll(
  tree: KernelTree,
  core: { readonly symbols: CoreSymbols; readonly moduleBytes: number },
  { modules, onCall }: Bundle,
  onBound: OnBound = (bound) => bound,
  debug = true,
  besides: Besides = () => Promise.resolve([]),
): Promise<BoundModule[]> {
  const exports = exportsByOwner(await tree.exports())
  const peers: BoundModule[] = []
  const needed = new Set(modules)
  let memoryBase: number = MODULE_AREA.start
  let tableBase = core.symbols.tableEnd
  for (const built of [...modules, ...onCall]) {
    const { name } = built.module
    const isNeeded = needed.has(built)
    const objects = await objectsOf(built)
    const bound = tryBind(isNeeded, [...objects, ...(await besides(name, objects))], core.symbols, peers, {
      name,
      entries: moduleEntries(name),
      self: { bytes: core.moduleBytes, page: PAGE },
      memoryBase,
      memoryEnd: MODULE_AREA.end,
      tableBase,
      exports: exports.get(name) ?? [],
      debug,
    })
    if (bound === undefined || (!isNeeded && !isWhole(bound))) continue
    const kept = onBound(bound, peers)
    if (kept === undefined) continue
    peers.push(kept)
    memoryBase = bound.memory.end
    tableBase = bound.table.end
  }
  return peers
}

/** A module ready to be loaded. */
export interface FinishedModule {
  readonly bound: BoundModule
  readonly wasm: Uint8Array
  readonly lines: Uint8Array
  readonly image: Uint8Array
  /** Calls of the ABI that it imports, and their groups. */
  readonly imports: readonly string[]
  readonly capabilities: readonly string[]
  readonly onCall: boolean
}

export type FinishedModules =
  | { readonly ok: true; readonly modules: readonly FinishedModule[] }
  | { readonly ok: false; readonly module: string; readonly problems: readonly Problem[] }

/** Bind, instrument and verify. */
export async function finishAll(
  tree: KernelTree,
  toolchain: Toolchain,
  core: Core,
  bundle: Bundle & Pick<Closure, 'offered'>,
): Promise<FinishedModules> {
  const finished: FinishedModule[] = []
  const facts: BoundFacts[] = []
  let refused: { module: string; problems: readonly Problem[] } | undefined
  const callable = new Set(bundle.onCall.map(({ module }) => module.name))
  const onBound: OnBound = (bound, peers) => {
    if (refused !== undefined) return bound
    const { wasm, lines } = finish(bound.wasm, [], boundTo(core.symbols, peers))
    const claims = boundClaims(bound, wasm, sha256(wasm), core.sha256)
    const verdict = verifyBound(wasm, claims, core.proved, facts, DEFAULT_ALLOWANCE)
    const onCall = callable.has(bound.name)
    if (!verdict.ok && onCall) return undefined
    if (!verdict.ok) {
      refused = { module: bound.name, problems: verdict.problems }
      return bound
    }
    facts.push(verdict.facts)
    const image = moduleImage(bound, core.facts.moduleBytes)
    const { imports, capabilities } = claims
    finished.push({ bound, wasm, lines, image, imports, capabilities, onCall })
    return withDepths(bound, verdict.facts.functions)
  }
  const besides: Besides = async (name, objects) => {
    const offered = bundle.offered.get(name)
    return offered === undefined ? [] : [await exportTable(tree.view, toolchain, objects, offered)]
  }
  const target = { symbols: core.symbols, moduleBytes: core.facts.moduleBytes }
  await bindAll(tree, target, bundle, onBound, true, besides)
  return refused === undefined ? { ok: true, modules: finished } : { ok: false, ...refused }
}
