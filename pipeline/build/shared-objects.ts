/**
 * Compiled objects in the shared store: found by the command that makes them and by what it reads.
 *
 * A record under the command's key lists variants: an object, the names of everything the compiler read for it, and one
 * hash over those names and their contents. Whoever has all these files with these contents may have the object. The
 * names alone are kept, because their contents are on every computer that could use them. Without a shared store nothing
 * here does anything.
 */

import * as fs from 'node:fs/promises'
import { contentKey } from '../cache.ts'
import { sharedStore } from '../store/shared.ts'

const KIND = 'objects'

/** As many as the object cache itself keeps. */
const VARIANTS_MAX = 4

interface SharedVariant {
  /** SHA-256 of the object. */
  readonly object: string
  readonly names: readonly string[]
  /** Over names and contents. */
  readonly inputs: string
}

/** Name and SHA-256 of a file the compiler read. */
type Read = readonly [name: string, sha256: string]

export interface SharedObject {
  readonly sha256: string
  readonly bytes: Uint8Array
  readonly inputs: readonly Read[]
}

/** A file that is not here has no hash, and no variant was made without one of its files. */
const inputsKey = (inputs: readonly Read[]): string => contentKey(inputs.map(([name, sha]) => `${name} ${sha}`))

const isVariants = (value: unknown): value is SharedVariant[] => Array.isArray(value)

/** The object of a command whose inputs here are what they were where it was made. `hash` is of a file by its name. */
export async function sharedObject(
  key: string,
  hash: (name: string) => Promise<string | undefined>,
): Promise<SharedObject | undefined> {
  const store = sharedStore()
  const variants = await store?.record(KIND, key)
  if (store === undefined || !isVariants(variants)) return undefined
  for (const { object, names, inputs } of variants) {
    const read = await Promise.all(names.map(async (name): Promise<Read> => [name, (await hash(name)) ?? '']))
    if (inputsKey(read) !== inputs) continue
    const bytes = await store.blob(object)
    if (bytes !== undefined) return { sha256: object, bytes, inputs: read }
  }
  return undefined
}

/** What was offered by this process. */
const offered = new Set<string>()

/** Offer an object that is here to the others. `made` is one that the store was found not to have. */
export async function shareObject(
  key: string,
  object: { readonly sha256: string; readonly file: string; readonly inputs: readonly Read[] },
  made: boolean,
): Promise<void> {
  const store = sharedStore()
  if (store === undefined || offered.has(key)) return
  offered.add(key)
  const variant = {
    object: object.sha256,
    names: object.inputs.map(([name]) => name),
    inputs: inputsKey(object.inputs),
  }
  const known = made ? await store.record(KIND, key) : undefined
  const others = isVariants(known) ? known.filter(({ inputs }) => inputs !== variant.inputs) : []
  await store.publish({
    kind: KIND,
    key,
    value: [variant, ...others].slice(0, VARIANTS_MAX),
    blobs: [{ sha256: object.sha256, read: () => fs.readFile(object.file) }],
    replace: made,
  })
}
