/**
 * The proof of a package whose modules are bound to a core, made again from what is stored: what the pipeline did when it
 * bound them. Tests change a module and ask whether it is still proved.
 */
import { readFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { module_image as image } from '../../linux-api/generated/abi.ts'
import type { BoundPackage } from '../../machine/load/core.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { MODULE_AREA } from '../../pipeline/core/kept.ts'
import { decodeSymbols } from '../../pipeline/bind/index.ts'
import { keptCoreFacts } from '../../pipeline/bind/claims.ts'
import { signatureOf } from '../../pipeline/bind/signature.ts'
import { storeDir } from '../../pipeline/store/index.ts'
import { importName } from '../../pipeline/verify/imports.ts'
import {
  DEFAULT_ALLOWANCE,
  verifyBound,
  type Allowance,
  type BoundClaims,
  type BoundFacts,
  type BoundVerdict,
  type CoreFacts,
} from '../../pipeline/verify/index.ts'
import { readModule } from '../../pipeline/wasm/module.ts'

const cores = new Map<string, Promise<CoreFacts>>()

/** What was proved of a package's core. */
function coreOf({ manifest }: DriverPackage): Promise<CoreFacts> {
  const { key, sha256 } = manifest.core!
  const known =
    cores.get(key) ??
    readFile(join(storeDir(), 'cores', key, 'core.symbols')).then((bytes) =>
      keptCoreFacts(decodeSymbols(bytes), sha256, MODULE_AREA),
    )
  cores.set(key, known)
  return known
}

type Functions = Map<string, { readonly slot: number; readonly type: string }>

/** Functions that modules take from modules before them, by the name of who offers them. */
function offeredBetween(modules: readonly BoundPackage[]): Map<string, Functions> {
  const offered = new Map<string, Functions>()
  for (const { wasm, imports } of modules) {
    const read = readModule(wasm)
    for (const { module: from, name, typeIndex } of read.importedFunctions) {
      const slot = imports.find((one) => one.from === from && one.name === name)?.slot
      if (slot === undefined || !from.startsWith('module:')) continue
      const functions = offered.get(from) ?? new Map()
      functions.set(name, { slot, type: signatureOf(read.types[typeIndex!]!) })
      offered.set(from, functions)
    }
  }
  return offered
}

function claimsOf(bound: BoundPackage, core: string, functions: Functions): BoundClaims {
  const { name, wasm, memory, table } = bound
  const view = new DataView(bound.image.buffer, bound.image.byteOffset)
  const slots = [
    { name: 'init', slot: view.getUint32(image.init.offset, true), type: '>i' },
    { name: 'exit', slot: view.getUint32(image.exit.offset, true), type: '>' },
  ]
  const taken = new Set(bound.imports.filter(({ slot }) => slot !== undefined).map(({ from }) => from))
  const calls = readModule(wasm).importedFunctions.filter(({ module }) => !taken.has(module))
  const imports = calls.map(importName)
  return {
    name,
    sha256: createHash('sha256').update(wasm).digest('hex'),
    core,
    memory,
    table,
    functions,
    imports,
    capabilities: [...new Set(imports.map((call) => call.slice(0, call.indexOf('.'))))],
    entries: slots.filter(({ slot }) => slot !== 0),
  }
}

export interface Prover {
  /** Of the package with other bytes in the place of its last module's. */
  prove(wasm: Uint8Array, allowance?: Allowance): BoundVerdict
}

/** Prove a package's modules but the last, and be ready to prove that one again and again. */
export async function proverOf(pack: DriverPackage): Promise<Prover> {
  const core = await coreOf(pack)
  const { modules } = pack.on!
  const offered = offeredBetween(modules)
  const claims = modules.map((bound) => claimsOf(bound, core.sha256, offered.get(`module:${bound.name}`) ?? new Map()))
  const peers: BoundFacts[] = []
  for (const [i, { wasm, name }] of modules.slice(0, -1).entries()) {
    const verdict = verifyBound(wasm, claims[i]!, core, peers)
    if (!verdict.ok) throw new Error(`${name} is not proved: ${verdict.problems[0]?.message}`)
    peers.push(verdict.facts)
  }
  const last = claims.at(-1)!
  return {
    prove: (wasm, allowance = DEFAULT_ALLOWANCE) => {
      const sha256 = createHash('sha256').update(wasm).digest('hex')
      return verifyBound(wasm, { ...last, sha256 }, core, peers, allowance)
    },
  }
}
