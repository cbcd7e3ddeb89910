/**
 * Linking objects into one wasm module, and reading what the linker said.
 *
 * Undefined names are warnings to the linker and data to us: one run tells all of them, and only those that live code
 * reaches.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { entries, shared } from '../../linux-api/capabilities.ts'
import { cachePath, contentKey, exists, temporaryName } from '../cache.ts'
import { asInfrastructure, InfrastructureError } from '../errors.ts'
import type { Toolchain } from '../toolchain/types.ts'
import { linkFlags } from './flags.ts'

export interface LinkInput {
  /** Absolute path of the object in the cache, which is named by content. */
  readonly object: string
  readonly sha256: string
}

export interface LinkResult {
  /** Bytes of the linked module; absent when the linker failed. */
  readonly bytes?: Uint8Array
  /** Undefined symbols that live code reaches. */
  readonly unresolved: readonly string[]
  /** Calls whose type differs from the definition's: they trap if they are made. */
  readonly mismatched: readonly string[]
  readonly output: string
  readonly ms: number
}

/** Names after which an undefined symbol comes in wasm-ld's messages. */
const UNDEFINED = /undefined symbol: (\S+)/g
const MISMATCH = /function signature mismatch: (\S+)/g

const unique = (output: string, pattern: RegExp) =>
  [...new Set([...output.matchAll(pattern)].map((match) => match[1] as string))].toSorted()

/** Support objects as an archive, of which the linker takes what it needs. Cached by content. */
async function archive(
  toolchain: Toolchain,
  objects: readonly LinkInput[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const shas = objects.map((object) => object.sha256).toSorted()
  const target = cachePath('archives', `${contentKey(shas)}.a`)
  if (await exists(target)) return target
  await fs.mkdir(path.dirname(target), { recursive: true })
  const temporary = temporaryName(target)
  const run = await toolchain.archive(temporary, objects.map((object) => object.object).toSorted(), {
    cwd: path.dirname(target),
    ...(signal && { signal }),
  })
  if (!run.ok)
    throw new InfrastructureError('cannot make an archive', { where: target, found: run.output.trim().slice(-500) })
  await fs.rename(temporary, target)
  return target
}

/** Functions of the shim that are in every package: the required entries. */
export const rootSymbols: readonly string[] = entries
  .filter((entry) => entry.required === true)
  .map((entry) => `drvport_entry_${entry.name}`)

/** What must be in every package: the required entries, and the words both sides share. */
function roots(): string[] {
  return [...rootSymbols.map((symbol) => `--undefined=${symbol}`), ...shared.map((word) => `--export=${word.name}`)]
}

/** Link. Throws only when the infrastructure fails; undefined symbols and errors are in the result. */
export async function link(
  toolchain: Toolchain,
  objects: readonly LinkInput[],
  support: readonly LinkInput[],
  signal?: AbortSignal,
): Promise<LinkResult> {
  const start = performance.now()
  // The linker writes the file's name into the module: always the same name, in a directory of its own.
  const dir = temporaryName(cachePath('objects', 'work', 'link'))
  const output = path.join(dir, 'linked.wasm')
  try {
    await fs.mkdir(dir, { recursive: true })
    const library = support.length > 0 ? [await archive(toolchain, support, signal)] : []
    const args = [
      ...linkFlags(toolchain.llvmMajor),
      ...roots(),
      ...objects.map((object) => object.object),
      ...library,
      '-o',
      output,
    ]
    const run = await toolchain.link(args, { cwd: dir, ...(signal && { signal }) })
    if (/No space left on device/i.test(run.output))
      throw new InfrastructureError('cannot write the linked module', {
        where: output,
        found: 'No space left on device',
      })
    const bytes = run.ok ? await fs.readFile(output) : undefined
    const unresolved = unique(run.output, UNDEFINED)
    const mismatched = unique(run.output, MISMATCH)
    return { ...(bytes && { bytes }), unresolved, mismatched, output: run.output, ms: performance.now() - start }
  } catch (error) {
    throw asInfrastructure(error, output)
  } finally {
    await fs.rm(dir, { recursive: true, force: true })
  }
}
