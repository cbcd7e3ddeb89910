/** One module: from its compiled objects to a package in the store, or to the reason why not. */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { ABI_VERSION } from '../../linux-api/capabilities.ts'
import { cachePath, contentKey, exists, sha256, writeAtomic } from '../cache.ts'
import { checkInterrupted } from '../errors.ts'
import { PACKAGE_SCHEMA, type Manifest, type SourceFile } from '../package.ts'
import { getPackage, pointTo, putPackage, type StoredPackage } from '../store/index.ts'
import type { Toolchain } from '../toolchain/types.ts'
import { verify, type Problem } from '../verify/index.ts'
import { finish } from '../wasm/finish.ts'
import { readModule, type FuncType } from '../wasm/module.ts'
import { readBuiltObject, type BuiltModule, type BuiltObject, type Compiler } from './compiler.ts'
import type { BuildRung, MissingSymbol, ModuleResult } from './document.ts'
import { hasTableBase, identifier, linkFlags, MEMORY_PAGES, padSource, STACK_BYTES } from './flags.ts'
import type { KernelModule, KernelTree } from './kernel.ts'
import { link, type LinkResult } from './link.ts'
import { readModuleInfo, type ModuleInfo } from './module-info.ts'
import { moduleTable } from './module-table.ts'
import type { Input } from './objects.ts'
import { resolve, type Resolution } from './resolve.ts'
import type { SymbolTable } from './symbols.ts'
import { calledType, trapSource } from './traps.ts'

export interface ModuleBuild {
  readonly tree: KernelTree
  readonly toolchain: Toolchain
  readonly compiler: Compiler
  readonly table: SymbolTable
  readonly signal: AbortSignal | undefined
}

/** Inputs that are no part of the tree: generated headers, the overlay, our own files, the system's. */
const NOT_THE_TREES = /^(build|drvport|generated|external|arch\/wasm)\/|^\//

/** Sources of the modules themselves: what was read of the tree less the kernel's own headers. */
function ownSources(inputs: readonly Input[]): SourceFile[] {
  const own = inputs.filter(({ name }) => !/^(include|arch|build|drvport|generated|\/)/.test(name))
  return uniqueByName(own).map(({ name, sha256: sha }) => ({ path: name, sha256: sha }))
}

function uniqueByName(inputs: readonly Input[]): Input[] {
  return [...new Map(inputs.map((input) => [input.name, input])).values()].toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )
}

/** Bytes of everything the compiler read as the tree's that is not as the tree was fetched. */
async function changedBytes(tree: KernelTree, inputs: readonly Input[]): Promise<number> {
  let changed = 0
  for (const input of uniqueByName(inputs)) {
    if (NOT_THE_TREES.test(input.name)) continue
    if ((await tree.pristine(input.name)) !== input.sha256) changed += (await fs.stat(input.file)).size
  }
  return changed
}

/** Where a module's own source first uses a symbol. */
async function firstUse(symbol: string, inputs: readonly Input[]): Promise<{ file: string; line: number } | undefined> {
  const word = new RegExp(`\\b${symbol}\\b`)
  for (const input of inputs) {
    const lines = (await fs.readFile(input.file, 'utf8').catch(() => '')).split('\n')
    const line = lines.findIndex((text) => word.test(text)) + 1
    if (line > 0) return { file: input.name, line }
  }
  return undefined
}

async function describeMissing(
  unresolved: readonly string[],
  resolution: Resolution<BuiltObject>,
  inputs: readonly Input[],
): Promise<MissingSymbol[]> {
  const sources = uniqueByName(inputs).filter(({ name }) => !/^(include|arch|build|drvport|generated|\/)/.test(name))
  return Promise.all(
    unresolved.map(async (symbol) => {
      const all = [...resolution.moduleObjects, ...resolution.support]
      const neededBy = [
        ...new Set(all.filter((object) => object.needs.includes(symbol)).map((object) => object.origin)),
      ]
      return { symbol, ...((await firstUse(symbol, sources)) ?? { file: '', line: 0 }), neededBy }
    }),
  )
}

/** Compile the package's table of modules. */
async function tableObject(build: ModuleBuild, resolution: Resolution<BuiltObject>): Promise<BuiltObject> {
  const defined = new Set(resolution.moduleObjects.flatMap((object) => object.defines))
  const modules = resolution.modules.map((name) => ({
    name,
    hasInit: defined.has(`init_module__${identifier(name)}`),
    hasExit: defined.has(`cleanup_module__${identifier(name)}`),
  }))
  return generated(build, 'modules.c', moduleTable(modules))
}

/** Compile a generated file; that it does not compile is a bug of ours, or of the shim's headers. */
async function generated(build: ModuleBuild, name: string, text: string): Promise<BuiltObject> {
  const file = cachePath('generated', sha256(text).slice(0, 16), name)
  if (!(await exists(file))) await writeAtomic(file, text)
  const { object, diagnostics } = await build.compiler.ownFile(file, `generated:${name}`)
  if (object === undefined) throw new Error(`${name} does not compile: ${JSON.stringify(diagnostics[0])}\n${text}`)
  return object
}

/** The traps that the objects of a link call, as an object of its own; none when there are none. */
async function trapObjects(build: ModuleBuild, resolution: Resolution<BuiltObject>): Promise<BuiltObject[]> {
  if (resolution.traps.length === 0) return []
  const types = new Map<string, FuncType>()
  for (const built of [...resolution.moduleObjects, ...resolution.support]) {
    const wanted = resolution.traps.filter((symbol) => !types.has(symbol) && built.needs.includes(symbol))
    if (wanted.length === 0) continue
    const object = await readBuiltObject(built.object)
    for (const symbol of wanted) {
      const type = calledType(object, symbol)
      if (type !== undefined) types.set(symbol, type)
    }
  }
  return types.size === 0 ? [] : [await generated(build, 'traps.c', trapSource(types))]
}

async function infoOf(
  build: ModuleBuild,
  modules: readonly string[],
  objects: readonly BuiltObject[],
): Promise<ModuleInfo> {
  const all: ModuleInfo[] = []
  for (const name of modules) {
    const own = objects.filter((object) => object.origin === `module:${name}`)
    all.push(readModuleInfo(identifier(name), await Promise.all(own.map((object) => readBuiltObject(object.object)))))
  }
  return {
    licenses: [...new Set(all.flatMap((info) => info.licenses))].toSorted(),
    params: all.flatMap((info) => info.params),
    firmware: [...new Set(all.flatMap((info) => info.firmware))].toSorted(),
    ids: all.flatMap((info) => info.ids),
  }
}

interface Linked {
  readonly resolution: Resolution<BuiltObject>
  readonly inputs: readonly Input[]
  readonly info: ModuleInfo
  readonly sources: readonly SourceFile[]
  readonly result: LinkResult
  readonly key: string
}

function makeManifest(build: ModuleBuild, name: string, linked: Linked, wasm: Uint8Array, lines: Uint8Array): Manifest {
  const needs = new Set(linked.resolution.moduleObjects.flatMap((object) => object.needs))
  const providers = linked.resolution.providers.filter((use) => needs.has(use.symbol))
  const module = readModule(wasm)
  const imports = [...new Set(module.imports.map((item) => `${wasiGroup(item.module)}.${item.name}`))].toSorted()
  return {
    schema: PACKAGE_SCHEMA,
    name,
    abi: ABI_VERSION,
    tree: { name: build.tree.name, version: build.tree.version },
    toolchain: { name: build.toolchain.name, version: build.toolchain.version },
    modules: linked.resolution.modules,
    wasm: { file: `${name}.wasm`, sha256: sha256(wasm), bytes: wasm.length },
    lines: { file: `${name}.lines`, sha256: sha256(lines) },
    imports,
    capabilities: [...new Set(imports.map((item) => item.slice(0, item.indexOf('.'))))].toSorted(),
    ids: linked.info.ids,
    params: linked.info.params,
    firmware: linked.info.firmware,
    memory: { pages: MEMORY_PAGES },
    stackBytes: STACK_BYTES,
    sources: linked.sources,
    providers,
    stubs: providers.filter((use) => use.status === 'stub').map((use) => use.symbol),
    traps: linked.resolution.traps.filter((symbol) => needs.has(symbol)),
    licenses: linked.info.licenses,
  }
}

const wasiGroup = (module: string) => (module === 'wasi_snapshot_preview1' ? 'wasi' : module)

/** Build one module. Only infrastructure failures and interruption are thrown. */
export async function buildModule(build: ModuleBuild, module: KernelModule): Promise<ModuleResult> {
  const start = performance.now()
  checkInterrupted(build.signal)
  const compiled = await build.compiler.module(module)
  const compileMs = performance.now() - start
  const base = {
    name: module.name,
    path: module.path,
    sources: ownSources(compiled.inputs),
    changedBytes: await changedBytes(build.tree, compiled.inputs),
    diagnostics: compiled.diagnostics,
  }
  const nothing = { imports: [], capabilities: [], unresolved: [], missing: [], stubs: [], traps: [], licenses: [] }
  const ms = (link = 0) => ({ compile: compileMs, link, total: performance.now() - start })
  if (compiled.objects === undefined) {
    const first = compiled.diagnostics[0]
    const detail = first === undefined ? 'does not compile' : `${first.file}:${first.line}: ${first.message}`
    return { ...base, ...nothing, rung: 'parse', reason: 'compile-error', detail, ms: ms() }
  }
  const linked = await linkModule(build, compiled, compiled.objects)
  const common = {
    ...base,
    changedBytes: await changedBytes(build.tree, linked.inputs),
    sources: linked.sources,
    licenses: linked.info.licenses,
  }
  const fail = (rung: BuildRung, reason: string, detail: string, missing: MissingSymbol[] = []): ModuleResult => ({
    ...common,
    ...nothing,
    licenses: linked.info.licenses,
    traps: linked.resolution.traps,
    rung,
    reason,
    detail,
    unresolved: linked.result.unresolved,
    missing,
    ms: ms(linked.result.ms),
  })
  if (linked.result.unresolved.length > 0) {
    const missing = await describeMissing(linked.result.unresolved, linked.resolution, linked.inputs)
    const some = linked.result.unresolved.slice(0, 5).join(', ')
    return fail(
      'compile',
      'unresolved-symbol',
      `${linked.result.unresolved.length} missing: ${some}${linked.result.unresolved.length > 5 ? ', ...' : ''}`,
      missing,
    )
  }
  if (linked.result.bytes === undefined) return fail('compile', 'link-error', linked.result.output.trim().slice(-1000))
  const packed = await pack(build, module.name, linked, linked.result.bytes)
  if ('problems' in packed) {
    const said = packed.problems.slice(0, 5).map((problem) => `${problem.where}: ${problem.message}`)
    return fail('link', 'refused', said.join('; '))
  }
  const { stored } = packed
  const { manifest } = stored
  return {
    ...common,
    rung: 'verify',
    wasm: { path: path.join(stored.dir, manifest.wasm.file), sha256: manifest.wasm.sha256, bytes: manifest.wasm.bytes },
    package: stored.dir,
    imports: manifest.imports,
    capabilities: manifest.capabilities,
    unresolved: [],
    missing: [],
    stubs: manifest.stubs,
    // A call of the wrong type traps as surely as a generated trap, and less clearly.
    traps: [...new Set([...manifest.traps, ...linked.result.mismatched])].toSorted(),
    ms: ms(linked.result.ms),
  }
}

/**
 * lib/ is the kernel's portable library: data in, data out, no hardware and no scheduling, and it moves between releases;
 * asking the tree where a symbol is serves every release.
 */
function portableSource(found: { source: string; modules: readonly string[] } | undefined): string | undefined {
  return found !== undefined && found.modules.length === 0 && found.source.startsWith('lib/') ? found.source : undefined
}

async function linkModule(build: ModuleBuild, compiled: BuiltModule, own: readonly BuiltObject[]): Promise<Linked> {
  const { tree, compiler, table } = build
  const shim = await compiler.shim()
  const resolution = await resolve(compiled.module.name, own, table, {
    shim: (symbol) => shim.bySymbol.get(symbol),
    tree: (file) => compiler.treeFile(file),
    portable: async (symbol) => portableSource((await tree.exports()).get(symbol)),
    module: async (name) => {
      const other = await tree.module(name)
      return other === undefined ? undefined : (await compiler.module(other)).objects
    },
    exporter: (symbol) => tree.exporter(symbol),
  })
  const pad = hasTableBase(build.toolchain.llvmMajor) ? [] : [await generated(build, 'pad.c', padSource())]
  const made = [await tableObject(build, resolution), ...(await trapObjects(build, resolution))]
  const inputs = resolution.moduleObjects.flatMap((object) => object.inputs)
  const key = contentKey([
    build.tree.name,
    build.tree.version,
    build.toolchain.id,
    await ownCodeKey(),
    ...linkFlags(build.toolchain.llvmMajor),
    ...[...pad, ...resolution.moduleObjects, ...made, ...resolution.support].map((o) => o.sha256),
  ])
  const result = await link(
    build.toolchain,
    [...pad, ...resolution.moduleObjects, ...made],
    [...resolution.support],
    build.signal,
  )
  return {
    resolution,
    inputs,
    info: await infoOf(build, resolution.modules, resolution.moduleObjects),
    sources: ownSources(inputs),
    result,
    key,
  }
}

/** What the linked module becomes is decided by the pipeline's own code too: another version must not find its packages. */
let ownCode: Promise<string> | undefined
const ownCodeKey = () => (ownCode ??= hashOwnCode())

async function hashOwnCode(): Promise<string> {
  const dirs = ['build', 'wasm', 'wasm/dwarf', 'verify'].map((dir) => path.join(import.meta.dirname, '..', dir))
  const files = (
    await Promise.all(
      dirs.map(async (dir) => (await fs.readdir(dir)).filter((f) => /\.[jt]s$/.test(f)).map((f) => path.join(dir, f))),
    )
  ).flat()
  return contentKey(await Promise.all(files.toSorted().map((file) => fs.readFile(file, 'utf8'))))
}

type Packed = { readonly stored: StoredPackage } | { readonly problems: readonly Problem[] }

/** Instrument, verify and store; or find the package that the same objects gave before. */
async function pack(build: ModuleBuild, name: string, linked: Linked, bytes: Uint8Array): Promise<Packed> {
  const known = await getPackage(linked.key, name)
  if (known !== undefined) {
    await pointTo(linked.key, known.manifest)
    return { stored: known }
  }
  const { wasm, lines } = finish(bytes)
  const manifest = makeManifest(build, name, linked, wasm, lines)
  const verdict = verify(wasm, manifest)
  if (!verdict.ok) return { problems: verdict.problems }
  return { stored: await putPackage(linked.key, { manifest, wasm, lines }) }
}
