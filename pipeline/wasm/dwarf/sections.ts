/**
 * The debug sections of a wasm module, and strings in them.
 *
 * DWARF 4 and 5, 32-bit format, 4-byte addresses: what clang writes for wasm32. Addresses count from the code section's
 * payload.
 */
import { Cursor } from '../bytes.ts'
import type { Section, WasmModule } from '../module.ts'

export interface DebugSections {
  readonly bytes: Uint8Array
  /** By name without `.debug_`. */
  readonly byName: ReadonlyMap<string, Section>
  /** String at an offset of `.debug_str` or `.debug_line_str`; cached. */
  readonly string: (section: 'str' | 'line_str', offset: number) => string
}

export function debugSections(module: WasmModule): DebugSections {
  const byName = new Map<string, Section>()
  for (const s of module.sections) if (s.name.startsWith('.debug_')) byName.set(s.name.slice(7), s)
  const caches = { str: new Map<number, string>(), line_str: new Map<number, string>() }
  const { bytes } = module
  return {
    bytes,
    byName,
    string(section, offset) {
      const cache = caches[section]
      let text = cache.get(offset)
      if (text === undefined) {
        const where = byName.get(section)
        text = where && where.start + offset < where.end ? cursorAt(bytes, where, offset).cstring() : ''
        cache.set(offset, text)
      }
      return text
    },
  }
}

/** A cursor at `offset` of a section, ending with it. */
export function cursorAt(bytes: Uint8Array, section: Section, offset: number): Cursor {
  return new Cursor(bytes, section.start + offset, section.end)
}

/** An address no code can have: what the linker writes where it dropped a function (0 is the body count). */
export function isTombstone(address: number): boolean {
  return address === 0 || address >= 0xfffffffe
}
