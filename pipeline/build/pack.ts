/** From a linked module to a package: instrument, describe in a manifest, verify, store. */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { ABI_VERSION } from '../../linux-api/capabilities.ts'
import { contentKey, sha256 } from '../cache.ts'
import { PACKAGE_SCHEMA, type Manifest, type SourceFile, type TreeFacts } from '../package.ts'
import { putPackage, type StoredPackage } from '../store/index.ts'
import type { Toolchain } from '../toolchain/types.ts'
import { verify, type Problem } from '../verify/index.ts'
import { finish } from '../wasm/finish.ts'
import { readModule } from '../wasm/module.ts'
import { readBuiltObject, type BuiltObject } from './compiler.ts'
import { identifier, linkFlags, MEMORY_PAGES, STACK_BYTES } from './flags.ts'
import { treeFacts } from './kernel.ts'
import { readModuleInfo, type ModuleInfo } from './module-info.ts'
import type { Resolution } from './resolve.ts'

/** Everything that goes into a package but the linked bytes. */
export interface Plan {
  readonly name: string
  readonly tree: TreeFacts
  readonly toolchain: Toolchain
  readonly resolution: Resolution<BuiltObject>
  readonly info: ModuleInfo
  readonly sources: readonly SourceFile[]
  readonly gplOnly: readonly string[]
  /** Objects that are linked whole, in order; the resolution's support comes after, as a library. */
  readonly objects: readonly BuiltObject[]
}

/** What the objects of all linked modules say of themselves. */
export async function infoOf(modules: readonly string[], objects: readonly BuiltObject[]): Promise<ModuleInfo> {
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

/** Which symbols are provided in name only: by stubs, or by traps (a call of the wrong type traps as surely as a generated one, and less clearly). */
export function shortfalls(
  resolution: Resolution<BuiltObject>,
  mismatched: readonly string[],
): { readonly stubs: readonly string[]; readonly traps: readonly string[] } {
  const needs = new Set(resolution.moduleObjects.flatMap((object) => object.needs))
  const stubs = resolution.providers.filter((use) => needs.has(use.symbol) && use.status === 'stub')
  const trapped = resolution.traps.filter((symbol) => needs.has(symbol))
  return { stubs: stubs.map((use) => use.symbol), traps: [...new Set([...trapped, ...mismatched])].toSorted() }
}

function makeManifest(plan: Plan, wasm: Uint8Array, lines: Uint8Array, mismatched: readonly string[]): Manifest {
  const { name, tree, toolchain, resolution, info, sources, gplOnly } = plan
  const needs = new Set(resolution.moduleObjects.flatMap((object) => object.needs))
  const providers = resolution.providers.filter((use) => needs.has(use.symbol))
  const module = readModule(wasm)
  const imports = [...new Set(module.imports.map((item) => `${wasiGroup(item.module)}.${item.name}`))].toSorted()
  return {
    schema: PACKAGE_SCHEMA,
    name,
    abi: ABI_VERSION,
    tree: treeFacts(tree),
    toolchain: { name: toolchain.name, version: toolchain.version },
    modules: resolution.modules,
    wasm: { file: `${name}.wasm`, sha256: sha256(wasm), bytes: wasm.length },
    lines: { file: `${name}.lines`, sha256: sha256(lines) },
    imports,
    capabilities: [...new Set(imports.map((item) => item.slice(0, item.indexOf('.'))))].toSorted(),
    ids: info.ids,
    params: info.params,
    firmware: info.firmware,
    memory: { pages: MEMORY_PAGES },
    stackBytes: STACK_BYTES,
    sources,
    providers,
    ...shortfalls(resolution, mismatched),
    licenses: info.licenses,
    gplOnly,
  }
}

const wasiGroup = (module: string) => (module === 'wasi_snapshot_preview1' ? 'wasi' : module)

/** What the linked module becomes is decided by the pipeline's own code too: another version must not find its packages. */
let ownCode: Promise<string> | undefined
export const ownCodeKey = () => (ownCode ??= hashOwnCode())

/** As source, or as it is installed. */
async function abiFile(): Promise<string> {
  const folder = path.join(import.meta.dirname, '../../linux-api')
  const names = await fs.readdir(folder)
  return path.join(folder, names.includes('capabilities.ts') ? 'capabilities.ts' : 'capabilities.js')
}

async function hashOwnCode(): Promise<string> {
  const dirs = ['bind', 'build', 'core', 'source', 'wasm', 'wasm/dwarf', 'verify'].map((dir) =>
    path.join(import.meta.dirname, '..', dir),
  )
  const files = (
    await Promise.all(
      dirs.map(async (dir) => (await fs.readdir(dir)).filter((f) => /\.[jt]s$/.test(f)).map((f) => path.join(dir, f))),
    )
  ).flat()
  // The ABI and its version: what an import is, and what a manifest says of it.
  const abi = await abiFile()
  return contentKey(await Promise.all([...files.toSorted(), abi].map((file) => fs.readFile(file, 'utf8'))))
}

/** The name of what this plan gives: equal plans give equal packages. */
export async function packageKey(plan: Plan): Promise<string> {
  const { tree, toolchain, resolution, sources, gplOnly, objects } = plan
  const facts = [tree.name, tree.version, toolchain.id, ...linkFlags(toolchain.llvmMajor)]
  // Sources and providers are in the manifest, and may change while the objects stay the same.
  return contentKey([
    ...facts,
    ...(tree.configuration === undefined ? [] : [tree.configuration]),
    await ownCodeKey(),
    JSON.stringify([sources, resolution.providers, gplOnly]),
    ...[...objects, ...resolution.support].map((object) => object.sha256),
  ])
}

export type Packed = { readonly stored: StoredPackage } | { readonly problems: readonly Problem[] }

/** Instrument, verify and store. `mismatched` are calls that trap because their type differs from the definition's. */
export async function pack(
  plan: Plan,
  key: string,
  linked: Uint8Array,
  mismatched: readonly string[],
): Promise<Packed> {
  const { wasm, lines } = finish(linked)
  const manifest = makeManifest(plan, wasm, lines, mismatched)
  const verdict = verify(wasm, manifest)
  if (!verdict.ok) return { problems: verdict.problems }
  return { stored: await putPackage(key, { manifest, wasm, lines }) }
}
