/**
 * What of a package can be made faster, and how the result is proved: a module bound to a core as it was when it was bound, from
 * what the package says of it.
 *
 * Others rely on how much of the engine's stack a module's functions may take: those of an artefact may not take more, so any
 * mixture of artefacts and bytecode is as good as the bytecode. A core stays as it is: every driver stands on it, a profile is
 * of one run of one, and with 1,200 of its hot calls inlined traffic took the time it took before.
 */
import { keptCore } from '../core/index.ts'
import { PackageProof, type ModuleFiles } from '../core/proof.ts'
import type { Manifest } from '../package.ts'
import type { Problem } from '../verify/index.ts'

/** A package as it was read. */
export interface PackageFiles {
  readonly manifest: Manifest
  readonly wasm: Uint8Array
  readonly lines: Uint8Array | undefined
  /** Its modules, in the order of loading. */
  readonly on: {
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
  const { core } = pack.manifest
  const { on } = pack
  const modules = new PackageProof(core, on.modules, (await keptCore(core.key)).proved)
  return on.modules.map((module, i) => ({
    name: module.name,
    sha256: core.modules[i]!.wasm.sha256,
    wasm: module.wasm,
    lines: module.lines,
    prove: (made) => modules.prove(i, made),
  }))
}
