/**
 * What is said of a core and of a bound module, for the verifier to prove; and what it found, from where it was kept: the proof of
 * a core takes seconds, and is not made again for each domain.
 */
import { importName } from '../verify/imports.ts'
import type { BoundClaims, CoreClaims, CoreFacts } from '../verify/index.ts'
import { WasmError } from '../wasm/bytes.ts'
import { readModule } from '../wasm/module.ts'
import type { BoundModule } from './index.ts'
import { typeOf } from './signature.ts'
import type { CoreSymbols } from './symbols.ts'

/** `area` is where modules go; entries and words are those that the machine needs. */
export function coreClaims(
  symbols: CoreSymbols,
  sha256: string,
  area: CoreClaims['area'],
  { entries, words }: Pick<CoreClaims, 'entries' | 'words'>,
): CoreClaims {
  const { functions, data, tableEnd } = symbols
  return { sha256, area, tableEnd, functions, data, entries, words }
}

/** What a bound module says of itself. */
type Claimed = Pick<BoundModule, 'name' | 'memory' | 'table' | 'init' | 'exit' | 'constructors'> & {
  readonly functions: BoundClaims['functions']
  readonly imports: readonly { readonly from: string; readonly slot?: number | undefined }[]
}

/**
 * `wasm` is the module as it was instrumented, `sha256` its hash, `core` the hash of its core. Throws WasmError when `wasm` is malformed.
 */
export function boundClaims(bound: Claimed, wasm: Uint8Array, sha256: string, core: string): BoundClaims {
  const owners = new Set(bound.imports.filter(({ slot }) => slot !== undefined).map(({ from }) => from))
  const calls = readModule(wasm).importedFunctions.filter(({ module }) => !owners.has(module))
  const imports = calls.map(importName)
  const { name, memory, table, functions, init, exit, constructors } = bound
  return {
    name,
    sha256,
    core,
    memory,
    table,
    functions,
    imports,
    capabilities: [...new Set(imports.map((call) => call.slice(0, call.indexOf('.'))))],
    entries: [
      ...(init === undefined ? [] : [{ name: 'init', slot: init, type: '>i' }]),
      ...(exit === undefined ? [] : [{ name: 'exit', slot: exit, type: '>' }]),
      ...constructors.map((slot, i) => ({ name: `constructor ${i}`, slot, type: '>' })),
    ],
  }
}

/** What the verifier found of a core, from the symbols that were kept with its depths. Throws WasmError when they have none. */
export function keptCoreFacts(symbols: CoreSymbols, sha256: string, area: CoreClaims['area']): CoreFacts {
  const functions = new Map<string, { type: ReturnType<typeof typeOf>; slot: number; depth: number }>()
  for (const [name, { type, slot, depth }] of symbols.functions) {
    if (depth === undefined) throw new WasmError(`symbol ${name} has no depth: it was kept before it was proved`, 0)
    functions.set(name, { type: typeOf(type), slot, depth })
  }
  return { sha256, area, tableEnd: symbols.tableEnd, functions }
}
