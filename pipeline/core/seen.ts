/**
 * What a module sees of a core, and packages that are taken from one core to another.
 *
 * A module is bound to places: slots of functions, addresses of data. Where two cores have all that it uses at the same places, what was
 * bound to one is right on the other, too; so a change of the lower half does not bind everything anew, but what uses things that it moved.
 */
import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { contentKey } from '../cache.ts'
import type { OnCoreFacts } from '../package.ts'
import { getPackage, pointTo, putPackage, type StoredPackage } from '../store/index.ts'
import type { Core } from './index.ts'
import { PackageProof } from './proof.ts'

/** One key for all that a core has under these names, and for what else decides how a module is bound to it. */
export function seenOf({ symbols, facts }: Pick<Core, 'symbols' | 'facts'>, names: readonly string[]): string {
  const seen = names.map((name) => {
    const made = symbols.functions.get(name)
    const lies = symbols.data.get(name)
    return JSON.stringify([name, made, lies, facts.asks[name]])
  })
  return contentKey([symbols.tableEnd, symbols.dataStart, facts.moduleBytes, ...seen])
}

/**
 * A package that was made on another core which its modules see alike, as one of this core: its files as they are, proved against
 * this core. Undefined where that proof fails.
 */
export async function onOtherCore({ dir, manifest }: StoredPackage, core: Core): Promise<StoredPackage | undefined> {
  const key = contentKey(['moved', core.key, path.basename(dir)])
  const there = await getPackage(key, manifest.name)
  if (there !== undefined) {
    await pointTo(key, there.manifest)
    return there
  }
  const read = (file: string): Uint8Array => readFileSync(path.join(dir, file))
  const on: OnCoreFacts = { ...manifest.core, key: core.key, sha256: core.sha256 }
  const more = new Map<string, Uint8Array>()
  const files = on.modules.map(({ name, wasm, lines, image }) => {
    for (const { file } of [wasm, lines, image]) more.set(file, read(file))
    return { name, wasm: more.get(wasm.file)!, image: more.get(image.file)! }
  })
  if (new PackageProof(on, files, core.proved).problems(manifest.imports).length > 0) return undefined
  const lines = manifest.lines === null ? {} : { lines: read(manifest.lines.file) }
  return putPackage(key, { manifest: { ...manifest, core: on }, wasm: read(manifest.wasm.file), ...lines, more })
}
