/**
 * What of a package can be made faster, and how the result is proved: a whole program against its manifest, a module bound to
 * a core as it was when it was bound, from what the package says of it.
 *
 * Others rely on how much of the engine's stack a module's functions may take: those of an artefact may not take more, so any
 * mixture of artefacts and bytecode is as good as the bytecode. A core stays as it is: every driver stands on it, a profile is
 * of one run of one, and with 1,200 of its hot calls inlined traffic took the time it took before.
 */
import { sha256 } from '../cache.ts'
import { keptCore } from '../core/index.ts'
import { PackageProof, type ModuleFiles } from '../core/proof.ts'
import type { Manifest } from '../package.ts'
import { verify, type Problem } from '../verify/index.ts'

/** A package as it was read. */
export interface PackageFiles {
  readonly manifest: Manifest
  readonly wasm: Uint8Array
  readonly lines: Uint8Array | undefined
  /** Of one that stands on a kernel: its modules, in the order of loading. */
  readonly on?: {
    readonly modules: readonly (ModuleFiles & { readonly lines: Uint8Array | undefined })[]
  }
}

export interface Bytecode {
  readonly name: string
  readonly sha256: string
  readonly wasm: Uint8Array
  readonly lines: Uint8Array | undefined
  /** Why what was made of it is refused; nothing when it may take its place. */
  prove(made: Uint8Array): readonly Problem[]
}

/** The bytecodes of a package; the driver's own is last. */
export async function bytecodesOf(pack: PackageFiles): Promise<Bytecode[]> {
  const { manifest, wasm, lines, on } = pack
  if (on === undefined || manifest.core === undefined) {
    const prove = (made: Uint8Array): readonly Problem[] => {
      const verdict = verify(made, { ...manifest, wasm: { ...manifest.wasm, sha256: sha256(made) } })
      return verdict.ok ? [] : verdict.problems
    }
    return [{ name: manifest.name, sha256: manifest.wasm.sha256, wasm, lines, prove }]
  }
  const modules = new PackageProof(manifest.core, on.modules, (await keptCore(manifest.core.key)).proved)
  return on.modules.map((module, i) => ({
    name: module.name,
    sha256: manifest.core!.modules[i]!.wasm.sha256,
    wasm: module.wasm,
    lines: module.lines,
    prove: (made) => modules.prove(i, made),
  }))
}
