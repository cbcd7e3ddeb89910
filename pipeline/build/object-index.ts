/**
 * What the object cache knows of one command line: the results it had, each with the inputs it had them from.
 *
 * A file per command line, small enough for a whole tree: inputs are names and one hash over all contents, compressed.
 * A result is an object with its symbols, or the errors of a compile that failed.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { asInfrastructure } from '../errors.ts'
import type { Diagnostic } from '../toolchain/diagnostics.ts'

export interface Variant {
  /** Names of all inputs, sorted. */
  readonly inputs: readonly string[]
  /** contentOf() the inputs when the result was made. */
  readonly content: string
  /** contentByOptions() them, where it can be told. */
  readonly byOptions?: string
  /** What the compile passed over (beside.ts), if anything. */
  readonly beside?: string
  /** SHA-256 of the object; absent when the compile failed. */
  readonly object?: string
  /** Global symbols that the object defines and needs, sorted. */
  readonly defines: readonly string[]
  readonly needs: readonly string[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Variants kept for one command: the overlay or a header may change back. */
const VARIANTS_MAX = 4

const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 6 } }

export function encodeVariants(variants: readonly Variant[]): Buffer {
  return zstdCompressSync(JSON.stringify(variants), LEVEL)
}

/** Variants of a file; none when it is damaged or of another version: it is made again. */
export function decodeVariants(bytes: Uint8Array): Variant[] {
  try {
    const found = JSON.parse(zstdDecompressSync(bytes).toString('utf8')) as Variant[]
    return found.every((variant) => Array.isArray(variant.inputs) && Array.isArray(variant.defines)) ? found : []
  } catch {
    return []
  }
}

/** Variants known of a command line, newest first. */
export async function readVariants(file: string): Promise<Variant[]> {
  const bytes = await fs.readFile(file).catch(() => undefined)
  return bytes === undefined ? [] : decodeVariants(bytes)
}

/**
 * Add a variant in front. Two processes may do so at once: the later one's file stays, whole, and what it lacks is
 * compiled once more at some time. `temporary` is on the same file system.
 */
export async function addVariant(file: string, variant: Variant, temporary: string): Promise<void> {
  const others = (await readVariants(file)).filter(
    (old) => old.content !== variant.content || old.inputs.join('\n') !== variant.inputs.join('\n'),
  )
  try {
    await fs.mkdir(path.dirname(file), { recursive: true })
    await fs.writeFile(temporary, encodeVariants([variant, ...others].slice(0, VARIANTS_MAX)))
    await fs.rename(temporary, file)
  } catch (error) {
    throw asInfrastructure(error, file)
  }
}
