/**
 * Copying functions and data of objects to where they go, with every address, slot and index filled in.
 *
 * Numbers keep the width that the compiler left for them, so what is copied keeps its length.
 */
import { RELOCATION, RELOCATION_WORDS, type Relocations } from '../wasm/relocations.ts'
import { WasmError } from '../wasm/bytes.ts'

/** What a relocation is filled with. `symbol` is an index in the object at hand. */
export interface Values {
  functionIndex(object: number, symbol: number): number
  slot(object: number, symbol: number): number
  /** Undefined for a weak symbol nobody has: 0, whatever is to be added. */
  address(object: number, symbol: number): number | undefined
  typeIndex(object: number, type: number): number
  /** Of the stack pointer: the one global there is. */
  readonly stackPointer: number
}

/** Unsigned LEB128 of 5 bytes. */
export function put32(out: Uint8Array, at: number, value: number): void {
  out[at] = value | 0x80
  out[at + 1] = (value >>> 7) | 0x80
  out[at + 2] = (value >>> 14) | 0x80
  out[at + 3] = (value >>> 21) | 0x80
  out[at + 4] = value >>> 28
}

/** Signed LEB128 of 5 bytes. */
export function putSigned32(out: Uint8Array, at: number, value: number): void {
  put32(out, at, value)
  out[at + 4] = (value >> 28) & 0x7f
}

/** Little-endian. */
export function putWord(out: Uint8Array, at: number, value: number): void {
  out[at] = value
  out[at + 1] = value >>> 8
  out[at + 2] = value >>> 16
  out[at + 3] = value >>> 24
}

/** Fill in relocations `[from, to)` of code or data that was copied to `out`; file offset + `delta` is where they are there. */
export function relocate(
  out: Uint8Array,
  object: number,
  { relocations, from, to }: { relocations: Relocations; from: number; to: number },
  delta: number,
  values: Values,
): void {
  for (let i = from; i < to; i += RELOCATION_WORDS) {
    const at = relocations[i + 1]! + delta
    const index = relocations[i + 2]!
    const addend = relocations[i + 3]!
    const address = (): number => {
      const found = values.address(object, index)
      return found === undefined ? 0 : found + addend
    }
    switch (relocations[i]) {
      case RELOCATION.functionIndex:
        put32(out, at, values.functionIndex(object, index))
        break
      case RELOCATION.tableSlot:
        putSigned32(out, at, values.slot(object, index))
        break
      case RELOCATION.tableSlotWord:
        putWord(out, at, values.slot(object, index))
        break
      case RELOCATION.address:
        put32(out, at, address())
        break
      case RELOCATION.addressConstant:
        putSigned32(out, at, address())
        break
      case RELOCATION.addressWord:
        putWord(out, at, address())
        break
      case RELOCATION.typeIndex:
        put32(out, at, values.typeIndex(object, index))
        break
      case RELOCATION.globalIndex:
        put32(out, at, values.stackPointer)
        break
      case RELOCATION.tableNumber:
        put32(out, at, 0)
        break
      default:
        throw new WasmError(`relocation of type ${relocations[i]} is not expected in code or data`, relocations[i + 1]!)
    }
  }
}
