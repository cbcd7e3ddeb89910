/** An object as the binder works on it: symbols, relocations of each function and segment, and which of those are reached. */
import { WasmError } from '../wasm/bytes.ts'
import { readObject, type WasmObject } from '../wasm/object.ts'
import { perChunk, readRelocations, type ObjectRelocations, type Relocations } from '../wasm/relocations.ts'
import { signatureOf } from './signature.ts'

/** What `readLinkable` gives: read once, it may be bound any number of times. */
export interface LinkableObject extends WasmObject {
  /** What it is called in messages. */
  readonly file: string
  readonly relocations: ObjectRelocations
  /** Where relocations of each body and of each data segment begin (see `perChunk`). */
  readonly codeStarts: Uint32Array
  readonly dataStarts: Uint32Array
  /** Function types as text, by index. */
  readonly signatures: readonly string[]
}

/** Read an object to be bound; `file` is what messages call it. Throws WasmError when it is not one. */
export function readLinkable(bytes: Uint8Array, file: string): LinkableObject {
  const object = readObject(bytes)
  const { module } = object
  const relocations = readRelocations(module)
  if (object.segments.length !== module.data.length)
    throw new WasmError(`${module.data.length} data segments, ${object.segments.length} of them named`, 0)
  return {
    ...object,
    file,
    relocations,
    codeStarts: perChunk(relocations.code, module.bodies),
    dataStarts: perChunk(relocations.data, module.data),
    signatures: module.types.map(signatureOf),
  }
}

/** A function or a data segment of an object, with its relocations: what is kept or dropped as a whole. */
export interface Chunk {
  readonly relocations: Relocations
  readonly from: number
  readonly to: number
}

export const bodyChunk = ({ relocations, codeStarts }: LinkableObject, index: number): Chunk => ({
  relocations: relocations.code,
  from: codeStarts[index]!,
  to: codeStarts[index + 1]!,
})

export const segmentChunk = ({ relocations, dataStarts }: LinkableObject, index: number): Chunk => ({
  relocations: relocations.data,
  from: dataStarts[index]!,
  to: dataStarts[index + 1]!,
})

/** Type of a function by its index in the object (imports first). Throws WasmError when there is no such function. */
export function signatureAt({ module, signatures }: LinkableObject, index: number): string {
  const imported = module.importedFunctions
  const type = index < imported.length ? imported[index]!.typeIndex : module.functions[index - imported.length]
  const signature = type === undefined ? undefined : signatures[type]
  if (signature === undefined) throw new WasmError(`function ${index} of an object has no type`, 0)
  return signature
}
