/** The smallest module that is a driver, and its manifest: every required entry, one loop, one stack frame. */
import { createHash } from 'node:crypto'
import { entries, shared } from '../../../linux-api/capabilities.ts'
import { instrument } from '../../../pipeline/wasm/instrument.ts'
import { readModule } from '../../../pipeline/wasm/module.ts'
import { importName } from '../../../pipeline/verify/imports.ts'
import type { ManifestClaims } from '../../../pipeline/verify/index.ts'
import { I32, assemble, type Parts } from '../wasm/_build.ts'

const TRAP = [0x00, 0x0b]

/** Parts of the module before instrumentation. Types: one per parameter count and result, () -> () first. */
export function driverParts(): Parts & {
  types: NonNullable<Parts['types']>
  functions: NonNullable<Parts['functions']>
} {
  const types: [number[], number[]][] = []
  const typeOf = (params: number, result: boolean): number => {
    const type: [number[], number[]] = [Array<number>(params).fill(I32), result ? [I32] : []]
    const found = types.findIndex((t) => JSON.stringify(t) === JSON.stringify(type))
    return found >= 0 ? found : types.push(type) - 1
  }
  typeOf(0, false)
  const imports: NonNullable<Parts['imports']> = [
    ['log', 'write', typeOf(3, false)],
    ['mmio', 'read8', typeOf(1, true)],
  ]
  const exports: NonNullable<Parts['exports']> = [
    ['memory', 2, 0],
    ['__stack_pointer', 3, 0],
    ...shared.map((word, i): [string, number, number] => [word.name, 3, i + 1]),
  ]
  const functions: NonNullable<Parts['functions']> = []
  for (const entry of entries) {
    if (!entry.required) continue
    exports.push([entry.name, 0, imports.length + functions.length])
    functions.push({ type: typeOf(entry.params.length, entry.result !== 'void'), code: TRAP })
  }
  // A loop that never ends, a stack frame, a call.
  functions.push({ type: 0, code: [0x03, 0x40, 0x0c, 0, 0x0b, 0x0b] })
  functions.push({ type: 0, code: [0x23, 0, 0x41, 16, 0x6b, 0x24, 0, 0x10, imports.length, 0x1a, 0x0b] })
  const globals = [0x8000, ...shared.map((_, i) => 1024 + 8 * i)]
  return {
    types,
    imports,
    exports,
    functions,
    table: 2,
    memory: [1, 2, 2],
    globals,
    constants: shared.map((_, i) => i + 1),
    elements: [2, 3],
  }
}

/** Assemble and instrument. */
export function driver(change: (parts: ReturnType<typeof driverParts>) => void = () => {}): Uint8Array {
  const parts = driverParts()
  change(parts)
  return instrument(assemble(parts)).bytes
}

/** A manifest that claims exactly what the module does. */
export function manifestOf(bytes: Uint8Array): ManifestClaims {
  let imports: string[] = []
  try {
    imports = readModule(bytes).imports.map(importName)
  } catch {
    // Not a module; the manifest then asks for nothing.
  }
  const capabilities = [...new Set(imports.map((name) => name.split('.')[0] as string))]
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { imports, capabilities, memory: { pages: 2 }, wasm: { file: 'a.wasm', sha256, bytes: bytes.length } }
}
