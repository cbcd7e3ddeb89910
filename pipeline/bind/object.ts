/** An object as the binder works on it: symbols, relocations of each function and segment, and which of those are reached. */
import { WasmError } from '../wasm/bytes.ts'
import { readObject, type ObjectSymbol, type WasmObject } from '../wasm/object.ts'
import {
  perChunk,
  readRelocations,
  RELOCATION,
  RELOCATION_WORDS,
  type ObjectRelocations,
  type Relocations,
} from '../wasm/relocations.ts'
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
  object.symbols.forEach((symbol) => checkSymbol(object, symbol))
  const list = [relocations.code, relocations.data, ...relocations.custom.values()]
  for (const words of list) checkRelocations(object, words)
  return {
    ...object,
    file,
    relocations,
    codeStarts: perChunk(relocations.code, module.bodies),
    dataStarts: perChunk(relocations.data, module.data),
    signatures: module.types.map(signatureOf),
  }
}

/** What a symbol stands for is there. */
function checkSymbol({ module }: WasmObject, { name, kind, defined, index, data, flagsAt }: ObjectSymbol): void {
  const refuse = (what: string): never => {
    throw new WasmError(`symbol ${name}: ${what}`, flagsAt)
  }
  if (kind === 'data') {
    if (data === undefined) return
    const segment = module.data[data.segment] ?? refuse(`data segment ${data.segment} of ${module.data.length}`)
    if (data.offset + data.size > segment.end - segment.start) refuse(`it ends beyond data segment ${data.segment}`)
  } else if (kind === 'function') {
    const imported = module.importedFunctions.length
    const isThere = defined ? index! >= imported && index! < imported + module.functions.length : index! < imported
    if (!isThere) refuse(`function ${index} is not ${defined ? 'defined' : 'imported'}`)
  }
}

const { functionIndex, tableSlot, tableSlotWord, functionOffset, address, addressConstant, addressWord } = RELOCATION
/** By type of relocation: the kind of symbol that it is about. */
const KINDS: ObjectSymbol['kind'][] = []
for (const type of [functionIndex, tableSlot, tableSlotWord, functionOffset]) KINDS[type] = 'function'
for (const type of [address, addressConstant, addressWord]) KINDS[type] = 'data'
for (const type of [RELOCATION.globalIndex, RELOCATION.globalWord]) KINDS[type] = 'global'
KINDS[RELOCATION.sectionOffset] = 'section'
KINDS[RELOCATION.tableNumber] = 'table'

/** Every relocation is about a type, or a symbol of the kind that it is for. */
function checkRelocations({ module, symbols }: WasmObject, words: Relocations): void {
  for (let i = 0; i < words.length; i += RELOCATION_WORDS) {
    const index = words[i + 2]!
    if (words[i] === RELOCATION.typeIndex) {
      if (index < 0 || index >= module.types.length)
        throw new WasmError(`relocation with type ${index} of ${module.types.length}`, words[i + 1]!)
      continue
    }
    const symbol = symbols[index]
    if (symbol === undefined) throw new WasmError(`relocation with symbol ${index} of ${symbols.length}`, words[i + 1]!)
    const expected = KINDS[words[i]!]
    if (symbol.kind !== expected) {
      const found = `${symbol.name}, which is of kind ${symbol.kind}`
      throw new WasmError(`relocation with ${found}; ${expected} expected`, words[i + 1]!)
    }
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
