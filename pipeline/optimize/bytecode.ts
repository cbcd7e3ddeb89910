/**
 * What of a package can be made faster, and how the result is proved: a whole program against its manifest, a module bound to
 * a core as it was when it was bound, from what the package says of it.
 *
 * Others rely on how much of the engine's stack a module's functions may take: those of an artefact may not take more, so any
 * mixture of artefacts and bytecode is as good as the bytecode. A core stays as it is: every driver stands on it, and a
 * profile is of one run of one.
 */
import { module_image as head } from '../../linux-api/generated/abi.ts'
import { boundClaims } from '../bind/claims.ts'
import { signatureOf } from '../bind/signature.ts'
import { sha256 } from '../cache.ts'
import { keptCore, type Core } from '../core/index.ts'
import type { Manifest, OnCoreFacts } from '../package.ts'
import { DEFAULT_ALLOWANCE, verify, verifyBound, type BoundFacts, type Problem } from '../verify/index.ts'
import { readModule } from '../wasm/module.ts'

/** A package as it was read. */
export interface PackageFiles {
  readonly manifest: Manifest
  readonly wasm: Uint8Array
  readonly lines: Uint8Array | undefined
  /** Of one that stands on a kernel: its modules, in the order of loading. */
  readonly on?: {
    readonly modules: readonly {
      readonly name: string
      readonly wasm: Uint8Array
      readonly lines: Uint8Array | undefined
      readonly image: Uint8Array
    }[]
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
  const modules = new BoundModules(manifest.core, on.modules, (await keptCore(manifest.core.key)).proved)
  return on.modules.map((module, i) => ({
    name: module.name,
    sha256: manifest.core!.modules[i]!.wasm.sha256,
    wasm: module.wasm,
    lines: module.lines,
    prove: (made) => modules.prove(i, made),
  }))
}

/** The modules of a package, each proved against the core and those before it. */
class BoundModules {
  readonly #facts: OnCoreFacts
  readonly #files: NonNullable<PackageFiles['on']>['modules']
  readonly #core: Core['proved']
  readonly #peers: BoundFacts[] = []

  constructor(facts: OnCoreFacts, files: NonNullable<PackageFiles['on']>['modules'], core: Core['proved']) {
    this.#facts = facts
    this.#files = files
    this.#core = core
  }

  /** Why `made` may not take the place of module `i`. */
  prove(i: number, made: Uint8Array): readonly Problem[] {
    const own = this.#verdict(i, this.#files[i]!.wasm)
    const verdict = this.#verdict(i, made)
    if (!own.ok) return own.problems
    if (!verdict.ok) return verdict.problems
    const deeper = [...verdict.facts.functions].filter(
      ([name, { depth }]) => depth > (own.facts.functions.get(name)?.depth ?? 0),
    )
    return deeper.map(([name, { depth }]) => ({
      code: 'no-room-check',
      where: `symbol ${name}`,
      message: `it may take ${depth} bytes of the engine's stack, ${own.facts.functions.get(name)?.depth} before`,
    }))
  }

  #verdict(i: number, wasm: Uint8Array): ReturnType<typeof verifyBound> {
    const peers = this.#factsOf(i)
    return verifyBound(wasm, this.#claims(i, wasm), this.#core, peers, DEFAULT_ALLOWANCE)
  }

  /** What was proved of the modules before `i`. */
  #factsOf(i: number): readonly BoundFacts[] {
    for (let n = this.#peers.length; n < i; n++) {
      const verdict = this.#verdict(n, this.#files[n]!.wasm)
      if (!verdict.ok) throw new Error(`${this.#files[n]!.name} is refused: ${verdict.problems[0]?.message}`)
      this.#peers.push(verdict.facts)
    }
    return this.#peers.slice(0, i)
  }

  #claims(i: number, wasm: Uint8Array): ReturnType<typeof boundClaims> {
    const { name, memory, table, imports } = this.#facts.modules[i]!
    const image = this.#files[i]!.image
    const view = new DataView(image.buffer, image.byteOffset, image.length)
    const [init, exit] = [view.getUint32(head.init.offset, true), view.getUint32(head.exit.offset, true)]
    const claimed = { name, memory, table, imports, functions: this.#offered(i), constructors: [] }
    const entries = { ...(init !== 0 && { init }), ...(exit !== 0 && { exit }) }
    return boundClaims({ ...claimed, ...entries }, wasm, sha256(wasm), this.#facts.sha256)
  }

  /** Functions of module `i` that those after it call: by name, with slot and type. */
  #offered(i: number): Map<string, { slot: number; type: string }> {
    const offered = new Map<string, { slot: number; type: string }>()
    const owner = `module:${this.#facts.modules[i]!.name}`
    this.#facts.modules.slice(i + 1).forEach(({ imports }, n) => {
      const wanted = imports.filter(({ from, slot }) => from === owner && slot !== undefined)
      if (wanted.length === 0) return
      const { importedFunctions, types } = readModule(this.#files[i + 1 + n]!.wasm)
      for (const { name, slot } of wanted) {
        const item = importedFunctions.find((f) => f.module === owner && f.name === name)
        if (item?.typeIndex !== undefined) offered.set(name, { slot: slot!, type: signatureOf(types[item.typeIndex]!) })
      }
    })
    return offered
  }
}
