/**
 * `drvport analyze`: what a module uses of the kernel, where, who provides it, what that takes.
 *
 * Joins source analysis with the tree's exports. Of what the source names, only exported symbols are symbols; the rest are
 * macros and inline functions of the kernel's headers, which stand in the tree. What those need in turn is known once the
 * module has been compiled: pass `needed` then.
 */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import type { Authority } from '../build/authority.ts'
import { cachePath, contentKey, writeAtomic } from '../cache.ts'
import { exportsIn } from '../kbuild/exports.ts'
import type { Kbuild, KbuildModule } from '../kbuild/index.ts'
import { resolveConditionals } from './conditionals.ts'
import { analyzeSources, type Analysis, type Config, type NameUse, type Place, type TreeReader } from './index.ts'

export type AnalyzedStatus = 'full' | 'missing'

export interface AnalyzedSymbol {
  readonly symbol: string
  /** `missing`: nobody provides it, the module will not link. */
  readonly status: AnalyzedStatus
  /** `kernel:PATH`, `module:NAME`; empty when missing. */
  readonly provider: string
  readonly note: string
  /** Exported with a GPL-only mark; null when the tree does not export it. */
  readonly gplOnly: boolean | null
  /** `source`: the module's text names it; `header`: an inline function or macro of the kernel's headers needs it. */
  readonly via: 'source' | 'header'
  readonly called: boolean
  readonly count: number
  /** The first few places. */
  readonly places: readonly Place[]
}

/** One name that takes a capability: a function, or a macro or inline function of the kernel's headers. */
export interface Asked {
  readonly name: string
  readonly count: number
  /** The first few places; none when a header needs it. */
  readonly places: readonly Place[]
}

export interface AnalyzeDocument {
  readonly schema: 'drvport.analyze/1'
  readonly tree: { readonly name: string; readonly version: string }
  readonly module: string
  readonly path: string
  readonly sources: readonly { readonly path: string; readonly sha256: string; readonly spdx: string | null }[]
  /** The symbols it uses that the module does not define, worst first. */
  readonly symbols: readonly AnalyzedSymbol[]
  readonly summary: Readonly<Record<AnalyzedStatus, number>>
  /** Macros and inline functions of kernel headers it uses. */
  readonly headerUses: readonly { readonly name: string; readonly count: number; readonly place: Place }[]
  /** Call groups that what it names takes. */
  readonly capabilities: readonly string[]
  /** For each of them, who asks for it. */
  readonly authority: readonly { readonly capability: string; readonly asked: readonly Asked[] }[]
  /** Modules that provide some of the symbols. */
  readonly modules: readonly string[]
  readonly metadata: Analysis['metadata']
  readonly params: Analysis['params']
  readonly tables: Analysis['tables']
  readonly buses: readonly string[]
  readonly classes: readonly string[]
  readonly exports: Analysis['exports']
  readonly untranslatable: Analysis['untranslatable']
  readonly parseErrors: Analysis['parseErrors']
}

/** What the tree says of an exported symbol. */
export interface KnownExport {
  readonly gplOnly: boolean
  readonly source: string
  readonly modules: readonly string[]
}

export interface AnalyzeInput {
  readonly tree: { readonly name: string; readonly version: string }
  readonly module: { readonly name: string; readonly path: string }
  readonly analysis: Analysis
  /** SHA-256 by path. */
  readonly hashes: ReadonlyMap<string, string>
  readonly authority: Authority
  readonly exports: ReadonlyMap<string, KnownExport>
  /** Undefined symbols of the compiled module, if it has been compiled. */
  readonly needed?: readonly string[]
}

const WORST_FIRST: readonly AnalyzedStatus[] = ['missing', 'full']

/** Join what is known. Pure. */
export function describeUse(input: AnalyzeInput): AnalyzeDocument {
  const { analysis, exports } = input
  const uses = new Map(analysis.uses.map((use) => [use.name, use]))
  const isSymbol = (name: string): boolean => exports.has(name)
  const names = new Set([...analysis.uses.map((u) => u.name).filter(isSymbol), ...(input.needed ?? [])])
  const found = [...names]
    .map((name) => describeSymbol(name, uses.get(name), exports.get(name)))
    .toSorted((a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status) || (a.symbol < b.symbol ? -1 : 1))
  const summary: Record<AnalyzedStatus, number> = { full: 0, missing: 0 }
  for (const { status } of found) summary[status]++
  const authority = askedFor([...new Set([...uses.keys(), ...names])], uses, input.authority)
  const { metadata, params, tables, buses, classes, untranslatable, parseErrors } = analysis
  return {
    schema: 'drvport.analyze/1',
    tree: input.tree,
    module: input.module.name,
    path: input.module.path,
    sources: analysis.files.map((f) => ({ path: f.path, sha256: input.hashes.get(f.path) ?? '', spdx: f.spdx })),
    symbols: found,
    summary,
    headerUses: analysis.uses
      .filter((use) => use.called && !names.has(use.name))
      .map(({ name, count, places }) => ({ name, count, place: places[0] as Place })),
    capabilities: authority.map(({ capability }) => capability),
    authority,
    modules: [
      ...new Set(found.flatMap((s) => (s.provider.startsWith('module:') ? [s.provider.slice(7)] : []))),
    ].toSorted(),
    metadata,
    params,
    tables,
    buses,
    classes,
    exports: analysis.exports,
    untranslatable,
    parseErrors,
  }
}

/** By capability: the names that take it. */
function askedFor(
  names: readonly string[],
  uses: ReadonlyMap<string, NameUse>,
  authority: Authority,
): AnalyzeDocument['authority'] {
  const found = new Map<string, Asked[]>()
  for (const name of names.toSorted()) {
    const { count = 0, places = [] } = uses.get(name) ?? {}
    for (const capability of authority.groupsOf(name))
      found.set(capability, [...(found.get(capability) ?? []), { name, count, places }])
  }
  const order = [...found.keys()].toSorted()
  return order.map((capability) => ({ capability, asked: found.get(capability)! }))
}

function describeSymbol(symbol: string, use: NameUse | undefined, known: KnownExport | undefined): AnalyzedSymbol {
  const base = {
    symbol,
    gplOnly: known?.gplOnly ?? null,
    via: use === undefined ? ('header' as const) : ('source' as const),
    called: use?.called ?? false,
    count: use?.count ?? 0,
    places: use?.places ?? [],
  }
  if (known === undefined) return { ...base, status: 'missing', provider: '', note: 'the tree does not export it' }
  const [module] = known.modules
  const provider = module === undefined ? `kernel:${known.source}` : `module:${module}`
  return { ...base, status: 'full', provider, note: '' }
}

export interface AnalyzeModulesOptions {
  readonly authority: Authority
  /** Undefined symbols of a module's objects, if it has been compiled. */
  readonly needed?: (module: AnalyzedModule) => Promise<readonly string[] | undefined>
}

/** Of the tree, or of a folder outside of it. */
export type AnalyzedModule = Pick<KbuildModule, 'name' | 'path' | 'objects'>

let ownVersion: Promise<string> | undefined

/** Changes when the analysis itself does, so that kept ones are made again: a hash of this folder. */
function analyzerVersion(): Promise<string> {
  ownVersion ??= (async () => {
    const names = (await fs.readdir(import.meta.dirname)).filter((name) => /\.[jt]s$/.test(name)).toSorted()
    const texts = await Promise.all(names.map((name) => fs.readFile(path.join(import.meta.dirname, name), 'utf8')))
    return sha256(texts.join('\0'))
  })()
  return ownVersion
}

/** Analyze modules, with the exports and headers of a configured tree. */
export async function analyzeModules(
  tree: Kbuild,
  modules: readonly AnalyzedModule[],
  options: AnalyzeModulesOptions,
): Promise<AnalyzeDocument[]> {
  const { authority } = options
  const all = await tree.exports()
  const inConfig = new Map<string, Promise<ReadonlySet<string>>>()
  const documents: AnalyzeDocument[] = []
  for (const module of modules) {
    const config = await readConfig(module)
    const { analysis, hashes } = await analyzeModule(tree, module, config)
    const needed = await options.needed?.(module)
    const exports = new Map<string, KnownExport>()
    for (const name of [...analysis.uses.map((use) => use.name), ...(needed ?? [])]) {
      const known = all.get(name)
      // Only an export that nobody provides is worth the look at its source.
      const isSettled = known?.modules[0] !== undefined || needed?.includes(name)
      if (known && (isSettled || (await exportedBy(tree.view, known.source, config, inConfig)).has(name)))
        exports.set(name, known)
    }
    const facts = { tree: { name: tree.name, version: tree.version }, module, analysis, hashes, authority, exports }
    documents.push(describeUse({ ...facts, ...(needed && { needed }) }))
  }
  return documents
}

/** What a file exports in this configuration; elsewhere the same name may be a macro or inline function. */
function exportedBy(
  view: string,
  source: string,
  config: ModuleConfig,
  known: Map<string, Promise<ReadonlySet<string>>>,
): Promise<ReadonlySet<string>> {
  let names = known.get(source)
  if (names === undefined) {
    names = fs.readFile(path.join(view, source), 'utf8').then(
      (text) => new Set(exportsIn(resolveConditionals(text, config.isOn).text).map((item) => item.symbol)),
      () => new Set<string>(),
    )
    known.set(source, names)
  }
  return names
}

/** Source analysis of one module of a configured tree; kept by the content of everything it read. */
async function analyzeModule(
  tree: Kbuild,
  module: AnalyzedModule,
  config: ModuleConfig,
): Promise<{ analysis: Analysis; hashes: ReadonlyMap<string, string> }> {
  const hashes = new Map<string, string>()
  const reader = readerOf(tree.view, hashes)
  const files = []
  for (const object of module.objects) {
    const name = path.relative(tree.view, object.source)
    const inTree = !name.startsWith('..')
    const text = await (inTree ? reader.read(name) : fs.readFile(object.source, 'utf8').catch(() => undefined))
    if (text !== undefined) files.push({ path: inTree ? name : path.relative(object.cwd, object.source), text })
  }
  const key = contentKey([await analyzerVersion(), config.id, ...files.flatMap((file) => [file.path, file.text])])
  const kept = cachePath('analysis', `${key}.json`)
  const known = await fs.readFile(kept, 'utf8').catch(() => undefined)
  if (known !== undefined) {
    const { analysis, read } = JSON.parse(known) as { analysis: Analysis; read: [string, string][] }
    if (await unchanged(tree.view, read)) return { analysis, hashes: new Map(read) }
  }
  const analysis = await analyzeSources(files, reader, { config: config.isOn })
  await writeAtomic(kept, JSON.stringify({ analysis, read: [...hashes] }))
  return { analysis, hashes }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

function readerOf(view: string, hashes: Map<string, string>): TreeReader {
  return {
    async read(name) {
      const text = await fs.readFile(path.join(view, name), 'utf8').catch(() => undefined)
      if (text !== undefined) hashes.set(name, sha256(text))
      return text
    },
  }
}

async function unchanged(view: string, read: readonly [string, string][]): Promise<boolean> {
  for (const [name, hash] of read) {
    const text = await fs.readFile(path.join(view, name), 'utf8').catch(() => undefined)
    if (text === undefined || sha256(text) !== hash) return false
  }
  return true
}

interface ModuleConfig {
  readonly id: string
  readonly isOn: Config
}

/** The configuration the module is built with (include/config/auto.conf of Kbuild's output directory). */
async function readConfig(module: AnalyzedModule): Promise<ModuleConfig> {
  const dir = module.objects[0]?.cwd ?? '.'
  const text = await fs.readFile(path.join(dir, 'include/config/auto.conf'), 'utf8').catch(() => '')
  const on = new Set([...text.matchAll(/^(CONFIG_\w+)=(?!n$)/gm)].map((match) => match[1] as string))
  return { id: sha256(text), isOn: (option) => on.has(option) }
}
