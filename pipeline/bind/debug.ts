/**
 * The objects' debug sections one after another, as the linker would merge them: what pipeline/wasm/extract.ts reads lines from.
 *
 * Addresses count from the payload of the code section. What was dropped gets the address that no code has (DWARF's tombstone), so that
 * readers pass over it.
 */
import { WasmError } from '../wasm/bytes.ts'
import { SECTION } from '../wasm/module.ts'
import { RELOCATION, RELOCATION_WORDS, type Relocations } from '../wasm/relocations.ts'
import type { ImageInput, PlacedBody } from './image.ts'
import { putWord } from './relocate.ts'

const DEBUG = '.debug_'
const NO_RELOCATIONS: Relocations = new Int32Array(0)
const NOWHERE = -1
/** In these two -1 has a meaning of its own. */
const NOWHERE_ELSE = -2
const isList = (name: string): boolean => name === '.debug_ranges' || name === '.debug_loc'

interface Part {
  readonly object: number
  /** Index among all sections of its object. */
  readonly section: number
  readonly start: number
  readonly end: number
  /** Where it goes in the merged section. */
  readonly at: number
}

interface Merged {
  readonly parts: Part[]
  length: number
}

export function debugSections(
  { objects, names, layout }: ImageInput,
  bodies: readonly PlacedBody[],
): { name: string; bytes: Uint8Array }[] {
  const merged = new Map<string, Merged>()
  const bases = objects.map(() => new Map<number, number>())
  objects.forEach(({ module }, object) =>
    module.sections.forEach(({ id, name, start, end }, section) => {
      if (id !== SECTION.custom || !name.startsWith(DEBUG)) return
      let all = merged.get(name)
      if (all === undefined) merged.set(name, (all = { parts: [], length: 0 }))
      bases[object]!.set(section, all.length)
      all.parts.push({ object, section, start, end, at: all.length })
      all.length += end - start
    }),
  )
  const places = placesOf(objects.length, bodies)
  const valueOf = (part: Part, type: number, symbol: number, addend: number, nowhere: number): number => {
    const { symbols, file } = objects[part.object]!
    if (type === RELOCATION.sectionOffset) return (bases[part.object]!.get(symbols[symbol]?.index ?? -1) ?? 0) + addend
    const target = names.definition(part.object, symbol)
    if (type === RELOCATION.functionOffset) {
      const at = target?.kind === 'function' ? places[target.object]![target.index] : undefined
      return at === undefined ? nowhere : at + addend
    }
    if (type !== RELOCATION.addressWord)
      throw new WasmError(`${file}: relocation of type ${type} is not expected in debug sections`, part.start)
    const address = target?.kind === 'data' ? layout.addresses[target.object]![target.segment]! : 0
    return target?.kind !== 'data' || address === 0 ? nowhere : address + target.offset + addend
  }
  return [...merged].map(([name, { parts, length }]) => {
    const bytes = new Uint8Array(length)
    for (const part of parts) {
      const { module, relocations } = objects[part.object]!
      bytes.set(module.bytes.subarray(part.start, part.end), part.at)
      const words = relocations.custom.get(part.section) ?? NO_RELOCATIONS
      const delta = part.at - part.start
      const nowhere = isList(name) ? NOWHERE_ELSE : NOWHERE
      for (let i = 0; i < words.length; i += RELOCATION_WORDS)
        putWord(bytes, words[i + 1]! + delta, valueOf(part, words[i]!, words[i + 2]!, words[i + 3]!, nowhere))
    }
    return { name, bytes }
  })
}

/** Where bodies went, by object and body; undefined for those that were dropped. */
function placesOf(objects: number, bodies: readonly PlacedBody[]): (number | undefined)[][] {
  const places: (number | undefined)[][] = Array.from({ length: objects }, () => [])
  for (const { object, body, at } of bodies) places[object]![body] = at
  return places
}
