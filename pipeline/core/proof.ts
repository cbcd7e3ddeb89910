/**
 * A package held to what was proved when it was made, from the package alone and the core that is kept here: whoever loads one
 * that somebody else wrote proves it again.
 */
import { module_image as head } from '../../linux-api/generated/abi.ts'
import { boundClaims } from '../bind/claims.ts'
import { signatureOf } from '../bind/signature.ts'
import { sha256 } from '../cache.ts'
import type { OnCoreFacts } from '../package.ts'
import { DEFAULT_ALLOWANCE, verifyBound, type BoundFacts, type CoreFacts, type Problem } from '../verify/index.ts'
import { readModule } from '../wasm/module.ts'

/** Files of one of its modules. */
export interface ModuleFiles {
  readonly name: string
  readonly wasm: Uint8Array
  readonly image: Uint8Array
}

/** The modules of a package, each proved against the core and those before it. */
export class PackageProof {
  readonly #facts: OnCoreFacts
  readonly #files: readonly ModuleFiles[]
  readonly #core: CoreFacts
  readonly #peers: BoundFacts[] = []

  constructor(facts: OnCoreFacts, files: readonly ModuleFiles[], core: CoreFacts) {
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

  /** What is to be said of the package: the first module that is not as it claims, or calls that it makes beside those its manifest lists. */
  problems(imports: readonly string[]): readonly Problem[] {
    const made = new Set<string>()
    for (let i = 0; i < this.#files.length; i++) {
      const verdict = this.#verdict(i, this.#files[i]!.wasm)
      if (!verdict.ok) return verdict.problems
      if (i === this.#peers.length) this.#peers.push(verdict.facts)
      // What is there for other domains asks for its groups by itself.
      if (this.#facts.modules[i]!.along !== undefined) continue
      for (const call of this.#claims(i, this.#files[i]!.wasm).imports) made.add(call)
    }
    const listed = new Set(imports)
    const where = 'manifest'
    return [
      ...[...made.difference(listed)].map((call) => ({
        code: 'manifest' as const,
        where,
        message: `it does not list ${call}, which the binary imports`,
      })),
      ...[...listed.difference(made)].map((call) => ({
        code: 'manifest' as const,
        where,
        message: `it lists ${call}, which the binary does not import`,
      })),
    ]
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
