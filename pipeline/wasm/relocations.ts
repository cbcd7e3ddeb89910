/**
 * Relocations of a relocatable wasm object: which bytes wait for an address, an index or an offset.
 *
 * One vector of words a section, four a relocation, in the order of offsets, so that a binder can find those of one
 * function or one segment without looking at the others. Source: tool-conventions/Linking.md, version 2.
 */
import { Cursor, WasmError } from './bytes.ts'
import { SECTION, type Section, type WasmModule } from './module.ts'

/** Types that occur in objects which are not position-independent. */
export const RELOCATION = {
  /** 5 bytes of LEB128: index of a function, called. */
  functionIndex: 0,
  /** 5 bytes of signed LEB128: slot of a function in the table. */
  tableSlot: 1,
  /** 4 bytes: the same, in data. */
  tableSlotWord: 2,
  /** 5 bytes of LEB128: address of data, as an instruction's offset. */
  address: 3,
  /** 5 bytes of signed LEB128: address of data. */
  addressConstant: 4,
  /** 4 bytes: the same, in data. */
  addressWord: 5,
  /** 5 bytes of LEB128: type, of an indirect call. */
  typeIndex: 6,
  /** 5 bytes of LEB128: a global. */
  globalIndex: 7,
  /** 4 bytes, in debug sections: offset of a function in the code section. */
  functionOffset: 8,
  /** 4 bytes, in debug sections: offset in another section. */
  sectionOffset: 9,
  /** 4 bytes, in debug sections: a global. */
  globalWord: 13,
  /** 5 bytes of LEB128: a table. */
  tableNumber: 20,
} as const

const names = new Map<number, string>(Object.entries(RELOCATION).map(([name, type]) => [type, name]))

/** Those with a number to be added. */
const withAddend = new Set<number>([
  RELOCATION.address,
  RELOCATION.addressConstant,
  RELOCATION.addressWord,
  RELOCATION.functionOffset,
  RELOCATION.sectionOffset,
])
const wide = new Set<number>([
  RELOCATION.tableSlotWord,
  RELOCATION.addressWord,
  RELOCATION.functionOffset,
  RELOCATION.sectionOffset,
  RELOCATION.globalWord,
])

/** Bytes that a relocation fills. */
export const relocationBytes = (type: number): number => (wide.has(type) ? 4 : 5)

/** Words of one relocation: type, file offset, index (of a symbol, or of a type for `typeIndex`), addend. */
export const RELOCATION_WORDS = 4

export type Relocations = Int32Array

const NONE: Relocations = new Int32Array(0)

export interface ObjectRelocations {
  readonly code: Relocations
  readonly data: Relocations
  /** Of custom sections, by the section's index. */
  readonly custom: ReadonlyMap<number, Relocations>
}

/** All relocations of an object. Throws WasmError for one of a type that is not expected, or out of its section. */
export function readRelocations(module: WasmModule): ObjectRelocations {
  let code = NONE
  let data = NONE
  const custom = new Map<number, Relocations>()
  for (const section of module.sections) {
    if (section.id !== SECTION.custom || !section.name.startsWith('reloc.')) continue
    const cursor = new Cursor(module.bytes, section.start, section.end)
    const index = cursor.u32()
    const target = module.sections[index]
    if (target === undefined)
      throw new WasmError(`${section.name} is about section ${index}; there is none`, section.start)
    const found = readSection(cursor, target)
    if (target.id === SECTION.code) code = found
    else if (target.id === SECTION.data) data = found
    else if (target.id === SECTION.custom) custom.set(index, found)
    else throw new WasmError(`${section.name}: relocations of a ${target.name} section are not expected`, section.start)
  }
  return { code, data, custom }
}

function readSection(cursor: Cursor, target: Section): Relocations {
  const count = cursor.count(3)
  const words = new Int32Array(count * RELOCATION_WORDS)
  let last = -1
  let sorted = true
  for (let i = 0; i < words.length; i += RELOCATION_WORDS) {
    const at = cursor.pos
    const type = cursor.u8()
    const offset = target.start + cursor.u32()
    if (!names.has(type)) throw new WasmError(`relocation of type ${type} in ${target.name} is not expected`, at)
    if (offset + relocationBytes(type) > target.end)
      throw new WasmError(`relocation ${names.get(type)} lies outside of ${target.name}`, at)
    words[i] = type
    words[i + 1] = offset
    words[i + 2] = cursor.u32()
    if (withAddend.has(type)) words[i + 3] = cursor.s32()
    sorted &&= offset >= last
    last = offset
  }
  return sorted ? words : inOrder(words)
}

function inOrder(words: Relocations): Relocations {
  const count = words.length / RELOCATION_WORDS
  const order = Array.from({ length: count }, (_, i) => i * RELOCATION_WORDS)
  order.sort((a, b) => words[a + 1]! - words[b + 1]! || a - b)
  const result = new Int32Array(words.length)
  order.forEach((from, i) => result.set(words.subarray(from, from + RELOCATION_WORDS), i * RELOCATION_WORDS))
  return result
}

/**
 * Where the relocations of each chunk begin: for chunks in the order of their offsets, the index of the first word of
 * each and, last, the end. Throws WasmError for one that no chunk holds as a whole.
 */
export function perChunk(
  relocations: Relocations,
  chunks: readonly { readonly start: number; readonly end: number }[],
): Uint32Array {
  const starts = new Uint32Array(chunks.length + 1)
  let at = 0
  chunks.forEach(({ start, end }, i) => {
    starts[i] = at
    for (; at < relocations.length && relocations[at + 1]! < end; at += RELOCATION_WORDS)
      if (relocations[at + 1]! < start || relocations[at + 1]! + relocationBytes(relocations[at]!) > end)
        throw new WasmError('relocation between two functions or segments', relocations[at + 1]!)
  })
  if (at < relocations.length) throw new WasmError('relocation behind all functions or segments', relocations[at + 1]!)
  starts[chunks.length] = at
  return starts
}
