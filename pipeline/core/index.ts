/**
 * The core: the tree's own kernel over the lower half, linked once for a tree, a configuration and a toolchain, and kept by
 * the content of everything in it.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import {
  coreSymbols,
  decodeSymbols,
  encodeSymbols,
  finishCore,
  withDepths,
  type CoreSymbols,
  type ExportedName,
} from '../bind/index.ts'
import { coreClaims, keptCoreFacts } from '../bind/claims.ts'
import type { Compiler } from '../build/compiler.ts'
import { cachePath, contentKey, exists, readKept, replaceDirectory, sha256, withLock, writeAtomic } from '../cache.ts'
import { InfrastructureError } from '../errors.ts'
import type { KernelTree } from '../build/kernel.ts'
import type { Toolchain } from '../toolchain/types.ts'
import { verifyCore, type CoreFacts as ProvedCore } from '../verify/index.ts'
import { finish } from '../wasm/finish.ts'
import { readModule } from '../wasm/module.ts'
import { asksOfKernel } from './export-table.ts'
import { basisOf, CORE_FORMAT } from './basis.ts'
import { ALLOWANCE, FOUND, MODULE_AREA } from './kept.ts'
import { CORE_EXPORTS, linkCore } from './link.ts'
import { coreObjects, lowerHalfExports, type CoreObject } from './objects.ts'
import { readOverrides } from './overrides.ts'
import { coreDir, factsIn } from './places.ts'

export { moduleImage } from './module-image.ts'

/** A core that is kept: files in a directory of their own. */
export interface Core {
  readonly key: string
  readonly dir: string
  readonly sha256: string
  readonly symbols: CoreSymbols
  readonly facts: CoreFacts
  /** What the verifier proved of it. */
  readonly proved: ProvedCore
}

export interface CoreFacts {
  /** sizeof(struct module), bytes. */
  readonly moduleBytes: number
  /** Entries of the table that it takes. */
  readonly tableEnd: number
  /** Files of the tree without a source in C, which are not in it. */
  readonly withoutSource: readonly string[]
  readonly objects: number
  /** By function: what it may ask for by name, of modules that are not loaded yet. */
  readonly asks: Readonly<Record<string, readonly string[]>>
}

/** Exports that the machine uses. */
const FOR_MACHINE = [...CORE_EXPORTS, ...FOUND.entries, ...FOUND.words]

/** Read by the pipeline from the linked core. */
const MODULE_BYTES = 'drvport_module_bytes'

/** Everything of the kernel itself that a module may bind to: what the tree and the lower half export. */
export async function exportedNames(tree: KernelTree): Promise<ExportedName[]> {
  const names = new Map<string, boolean>([[MODULE_BYTES, false]])
  for (const { symbol, gplOnly } of await lowerHalfExports()) names.set(symbol, gplOnly)
  for (const [symbol, { modules, gplOnly }] of await tree.exports())
    if (modules.length === 0) names.set(symbol, gplOnly)
  return [...names].map(([symbol, gplOnly]) => ({ symbol, gplOnly }))
}

const keyOf = (
  toolchain: Toolchain,
  objects: readonly CoreObject[],
  exported: readonly ExportedName[],
  tables: string,
) =>
  contentKey([
    String(CORE_FORMAT),
    toolchain.id,
    tables,
    JSON.stringify(objects.map(({ name, sha256: sha }) => [name, sha])),
    JSON.stringify(exported),
  ])

/** What a core is found by before anything of it is looked at. */
function shortcutOf(tree: KernelTree, toolchain: Toolchain): string | undefined {
  const basis = basisOf(tree, toolchain)
  return basis === undefined ? undefined : cachePath('store', 'cores', `${basis}.key`)
}

/** The core of a tree, made if it is not there. Throws InfrastructureError. */
export async function openCore(
  tree: KernelTree,
  toolchain: Toolchain,
  compiler: Compiler,
  onProgress?: (what: string) => void,
): Promise<Core> {
  const shortcut = shortcutOf(tree, toolchain)
  const known = shortcut === undefined ? undefined : await readKept<{ key: string }>(shortcut)
  if (known !== undefined && (await exists(factsIn(known.key)))) return readCore(known.key)
  const of = `the kernel of ${tree.name} ${tree.version}`
  // Two that do the same work at once would each take as long as both.
  const waiting = { onWait: () => onProgress?.(`waiting for another drvport that compiles ${of}`) }
  const key = await withLock(
    `kernel-${contentKey([tree.id, toolchain.id]).slice(0, 16)}`,
    () => makeCore(tree, toolchain, compiler, onProgress),
    waiting,
  )
  if (shortcut !== undefined) await writeAtomic(shortcut, JSON.stringify({ key }))
  return readCore(key)
}

/** Compile and link what is not there yet; the core's key. */
async function makeCore(
  tree: KernelTree,
  toolchain: Toolchain,
  compiler: Compiler,
  onProgress?: (what: string) => void,
): Promise<string> {
  const of = `the kernel of ${tree.name} ${tree.version}`
  const overrides = await readOverrides()
  const { objects, withoutSource } = await coreObjects(tree, compiler, overrides, (done, all) =>
    onProgress?.(`compiling ${of}, once: ${done} of ${all} files`),
  )
  const exported = await exportedNames(tree)
  const key = keyOf(toolchain, objects, exported, JSON.stringify([...overrides.symbols.keys()]))
  if (await exists(factsIn(key))) return key
  onProgress?.(`linking ${of}: ${objects.length} objects`)
  const linked = await linkCore(tree, toolchain, objects, exported, overrides)
  if (linked.unresolved.length > 0)
    throw new InfrastructureError('the kernel itself does not link', {
      where: `${tree.name} ${tree.version}`,
      expected: 'every name that its code uses, in the tree or in the lower half',
      found: linked.unresolved.join(', '),
      todo: 'add what an architecture answers to shim/, or a row with its reason to linux-api/overrides.tsv',
    })
  const asks = await asksOfKernel(objects)
  await write(coreDir(key), linked.wasm, exported, { withoutSource, objects: objects.length, asks })
  return key
}

async function write(
  dir: string,
  linked: Uint8Array,
  exported: readonly ExportedName[],
  known: Omit<CoreFacts, 'moduleBytes' | 'tableEnd'>,
): Promise<void> {
  const named = coreSymbols(linked, exported)
  const { wasm, lines } = finish(finishCore(linked, exported, new Set(FOR_MACHINE)))
  const hash = sha256(wasm)
  const verdict = verifyCore(wasm, coreClaims(named, hash, MODULE_AREA, FOUND), ALLOWANCE)
  if (!verdict.ok)
    throw new InfrastructureError('the kernel itself is refused by the verifier', {
      where: verdict.problems[0]?.where ?? dir,
      found: verdict.problems
        .slice(0, 5)
        .map(({ where, message }) => `${where}: ${message}`)
        .join('; '),
      expected: 'a core that does nothing but what is proved of it',
    })
  const symbols = withDepths(named, verdict.facts.functions)
  const at = symbols.data.get(MODULE_BYTES)?.address
  const moduleBytes = at === undefined ? 0 : wordAt(linked, at)
  await replaceDirectory(dir, async (to) => {
    await fs.writeFile(path.join(to, 'core.wasm'), wasm)
    await fs.writeFile(path.join(to, 'core.lines'), lines)
    await fs.writeFile(path.join(to, 'core.symbols'), encodeSymbols(symbols))
    const facts: CoreFacts & { sha256: string } = { ...known, moduleBytes, tableEnd: symbols.tableEnd, sha256: hash }
    await fs.writeFile(path.join(to, 'facts.json'), JSON.stringify(facts))
  })
}

/** A word of the core's initial data. */
function wordAt(wasm: Uint8Array, address: number): number {
  for (const { address: base, start, end } of readModule(wasm).data) {
    const offset = address - ((base?.i32 ?? 0) >>> 0)
    if (base === undefined || offset < 0 || offset + 4 > end - start) continue
    return new DataView(wasm.buffer, wasm.byteOffset + start + offset, 4).getUint32(0, true)
  }
  throw new InfrastructureError('the core lacks a constant', { where: `address 0x${address.toString(16)}` })
}

/** A core that is kept. */
export const keptCore = (key: string): Promise<Core> => readCore(key)

async function readCore(key: string): Promise<Core> {
  const dir = coreDir(key)
  const facts = JSON.parse(await fs.readFile(path.join(dir, 'facts.json'), 'utf8')) as CoreFacts & { sha256: string }
  const symbols = decodeSymbols(await fs.readFile(path.join(dir, 'core.symbols')))
  const proved = keptCoreFacts(symbols, facts.sha256, MODULE_AREA)
  return { key, dir, sha256: facts.sha256, symbols, facts, proved }
}
