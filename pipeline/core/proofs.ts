/**
 * Packages that were proved on this computer, so that it is not done again for each run of one. A proof is found by everything that it
 * rests on: the bytes of the package and what it claims, its core and what was proved of that, the verifier's code, and the engine,
 * whose own check is a part of it. Of what was changed there is none.
 *
 * Only who has proved a package here writes one: proofs are in no store that others share. Knows no verifier.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { ownCodeKey } from '../build/own-code.ts'
import { cachePath, contentKey, sha256, temporaryName } from '../cache.ts'
import type { OnCoreFacts } from '../package.ts'
import { coreDir, factsIn } from './places.ts'

/** What a package says of itself, and the files of its modules. */
export interface Provable {
  readonly core: OnCoreFacts
  readonly imports: readonly string[]
  readonly modules: readonly { readonly wasm: Uint8Array; readonly image: Uint8Array }[]
}

/** Where the proof of a package is kept; undefined when its core is not kept here. */
export function proofFile({ core, imports, modules }: Provable): string | undefined {
  // A package names it: nothing but the name of a core is looked for.
  if (!/^[0-9a-f]{64}$/.test(core.key)) return undefined
  const symbols = path.join(coreDir(core.key), 'core.symbols')
  if (!existsSync(factsIn(core.key)) || !existsSync(symbols)) return undefined
  const proved = [sha256(readFileSync(factsIn(core.key))), sha256(readFileSync(symbols))]
  const files = modules.flatMap(({ wasm, image }) => [sha256(wasm), sha256(image)])
  const claims = JSON.stringify([core, imports])
  const key = contentKey([ownCodeKey(), process.versions.v8, ...proved, claims, ...files])
  return cachePath('store', 'proofs', key.slice(0, 2), key)
}

/** A package was proved. Where that cannot be kept, it is proved again. */
export function keepProof(file: string, name: string): void {
  const temporary = temporaryName(file)
  try {
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(temporary, `${name}\n`)
    renameSync(temporary, file)
  } catch {
    // A full disk may leave a part of it, under a name that nobody reads.
  }
}
