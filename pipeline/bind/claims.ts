/** What is said of a core and of a bound module, for the verifier to prove. */
import { importName } from '../verify/imports.ts'
import type { BoundClaims, CoreClaims } from '../verify/index.ts'
import { readModule } from '../wasm/module.ts'
import type { BoundModule } from './index.ts'
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

/**
 * `wasm` is the module as it was instrumented, `sha256` its hash, `core` the hash of its core. Throws WasmError when `wasm` is malformed.
 */
export function boundClaims(bound: BoundModule, wasm: Uint8Array, sha256: string, core: string): BoundClaims {
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
