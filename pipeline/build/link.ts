/**
 * Linking objects into one wasm module, and reading what the linker said.
 *
 * Undefined names are warnings to the linker and data to us: one run tells all of them, and only those that live code
 * reaches. What it said of these objects is kept by their content, so that it is asked once; the module itself is not,
 * since the store keeps what is made of it.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { entries, shared } from '../../linux-api/capabilities.ts'
import { cachePath, contentKey, readKept, sha256, writeAtomic } from '../cache.ts'
import { InfrastructureError } from '../errors.ts'
import type { Toolchain, ToolDeath } from '../toolchain/types.ts'
import { thinArchive } from './archive.ts'
import { linkFlags } from './flags.ts'
import { COMPILE_LIMITS } from './objects.ts'
import { withWorkDirectory } from './work-directory.ts'

export interface LinkInput {
  /** Where it comes from, for messages: `shim:FILE`, `tree:PATH`, `module:NAME`. */
  readonly origin: string
  /** Absolute path of the object in the cache, which is named by content. */
  readonly object: string
  readonly sha256: string
  readonly defines: readonly string[]
}

/** What the linker said of a set of objects. */
export interface LinkVerdict {
  readonly ok: boolean
  /** Undefined symbols that live code reaches, sorted. */
  readonly unresolved: readonly string[]
  /** Calls whose type differs from the definition's, sorted: they trap if they are made. */
  readonly mismatched: readonly string[]
  /** Its errors, objects called by their origin; empty when it linked. */
  readonly problem: string
  /** How the linker died, which another time it may not. */
  readonly death?: ToolDeath['reason'] | 'wrong-output'
  /** Of the linked module; absent when there is none. */
  readonly sha256?: string
}

/** Names after which an undefined symbol comes in wasm-ld's messages. */
const UNDEFINED = /undefined symbol: (\S+)/g
const MISMATCH = /function signature mismatch: (\S+)/g

const unique = (output: string, pattern: RegExp) =>
  [...new Set([...output.matchAll(pattern)].map((match) => match[1] as string))].toSorted()

/** Functions of the shim that are in every package: the required entries. */
export const rootSymbols: readonly string[] = entries
  .filter((entry) => entry.required === true)
  .map((entry) => `drvport_entry_${entry.name}`)

/** What must be in every package: the required entries, and the words both sides share. */
function roots(): string[] {
  return [...rootSymbols.map((symbol) => `--undefined=${symbol}`), ...shared.map((word) => `--export=${word.name}`)]
}

/** The linker's errors with nothing of this computer in them: objects are named by what they are, not by where. */
function problemOf(output: string, inputs: readonly LinkInput[], dir: string): string {
  const errors = output.split('\n').filter((line) => /\berror:/.test(line))
  let text = (errors.length > 0 ? errors : output.trim().split('\n').slice(-3)).join('\n')
  for (const { object, origin } of inputs) text = text.replaceAll(object, origin)
  return text
    .replaceAll(`${dir}/`, '')
    .replaceAll(/^\S*wasm-ld\S*: /gm, '')
    .slice(0, 1000)
}

export interface Linked {
  readonly verdict: LinkVerdict
  readonly bytes?: Uint8Array
}

const isWasm = (bytes: Uint8Array): boolean => bytes.length >= 8 && bytes.subarray(0, 4).every((b, i) => b === MAGIC[i])
const MAGIC = [0x00, 0x61, 0x73, 0x6d]

async function run(
  toolchain: Toolchain,
  objects: readonly LinkInput[],
  support: readonly LinkInput[],
  signal: AbortSignal | undefined,
): Promise<Linked> {
  const inputs = [...objects, ...support]
  return withWorkDirectory(async (dir) => {
    // The linker writes the file's name into the module: always the same name, in a directory of its own.
    const output = path.join(dir, 'linked.wasm')
    const library = path.join(dir, 'support.a')
    await fs.writeFile(library, await libraryOf(support))
    const args = [
      ...linkFlags(toolchain.llvmMajor),
      ...roots(),
      ...objects.map((object) => object.object),
      ...(support.length > 0 ? [library] : []),
      '-o',
      output,
    ]
    const ran = await toolchain.link(args, { cwd: dir, limits: COMPILE_LIMITS, ...(signal && { signal }) })
    const { output: said } = ran
    if (/No space left on device/i.test(said))
      throw new InfrastructureError('cannot write the linked module', {
        where: output,
        found: 'No space left on device',
      })
    const bytes = ran.ok ? await fs.readFile(output).catch(() => undefined) : undefined
    const ok = bytes !== undefined && isWasm(bytes)
    const death = ran.death?.reason ?? (ran.ok && !ok ? 'wrong-output' : undefined)
    const problem =
      ran.death?.how ?? (ran.ok ? 'what the linker wrote is no wasm module' : problemOf(said, inputs, dir))
    const verdict: LinkVerdict = {
      ok,
      unresolved: unique(said, UNDEFINED),
      mismatched: unique(said, MISMATCH),
      problem: ok ? '' : problem,
      ...(death && { death }),
      ...(ok && { sha256: sha256(bytes) }),
    }
    return { verdict, ...(ok && { bytes }) }
  })
}

async function libraryOf(support: readonly LinkInput[]): Promise<Uint8Array> {
  const sorted = support.toSorted((a, b) => (a.object < b.object ? -1 : 1))
  const members = sorted.map(async ({ object, defines }) => ({
    file: object,
    bytes: (await fs.stat(object)).size,
    defines,
  }))
  return thinArchive(await Promise.all(members))
}

/** Link. Throws only when the infrastructure fails or it is interrupted. */
export async function link(
  toolchain: Toolchain,
  objects: readonly LinkInput[],
  support: readonly LinkInput[],
  signal?: AbortSignal,
): Promise<Linked> {
  const linked = await run(toolchain, objects, support, signal)
  if (linked.verdict.death === undefined)
    await writeAtomic(verdictFile(toolchain, objects, support), JSON.stringify(linked.verdict))
  return linked
}

/** What the linker says of these objects, from memory where it has been asked before. */
export async function linkVerdict(
  toolchain: Toolchain,
  objects: readonly LinkInput[],
  support: readonly LinkInput[],
  signal?: AbortSignal,
): Promise<LinkVerdict> {
  const known = await readKept<LinkVerdict>(verdictFile(toolchain, objects, support))
  if (known !== undefined) return known
  return (await link(toolchain, objects, support, signal)).verdict
}

/** Named by all that decides it. Order counts for the objects only: the library is sorted. */
function verdictFile(toolchain: Toolchain, objects: readonly LinkInput[], support: readonly LinkInput[]): string {
  const key = contentKey([
    toolchain.id,
    JSON.stringify([...linkFlags(toolchain.llvmMajor), ...roots()]),
    JSON.stringify(objects.map((object) => object.sha256)),
    JSON.stringify(support.map((object) => object.sha256).toSorted()),
  ])
  return cachePath('links', key.slice(0, 2), `${key}.json`)
}
