/**
 * Symbols of a relocatable wasm object (`clang -c`): what it defines, what it needs.
 *
 * The builder uses it to find a provider for every undefined symbol, and tests to hold the symbol tables against what
 * objects really define. Source: "WebAssembly Object File Linking", tool-conventions/Linking.md, version 2.
 */
import { Cursor, WasmError, Writer } from './bytes.ts'
import { customSection, readModule, type WasmModule } from './module.ts'

export type SymbolKind = 'function' | 'data' | 'global' | 'section' | 'table'

export interface ObjectSymbol {
  readonly name: string
  readonly kind: SymbolKind
  readonly defined: boolean
  readonly weak: boolean
  /** File-local (`static`). */
  readonly local: boolean
  readonly hidden: boolean
  /** Explicit import module, when the source gave one (the driver ABI). */
  readonly importModule?: string
  /** Function, global, table or section index; absent for data. */
  readonly index?: number
  /** Kept by the linker though nothing refers to it (`__attribute__((used))`). */
  readonly kept: boolean
  /** Where the byte with its binding (weak, local, hidden, undefined) is: offset in the file. */
  readonly flagsAt: number
  /** Defined data: segment, offset in it, size in bytes. */
  readonly data?: { readonly segment: number; readonly offset: number; readonly size: number }
}

/** What the linking section says of a data segment. */
export interface ObjectSegment {
  /** `.rodata.foo` */
  readonly name: string
  /** log2 of its alignment. */
  readonly align: number
  /** Kept by the linker though nothing refers to it. */
  readonly kept: boolean
}

/** A function to be run before all others; the lowest priority first. */
export interface Constructor {
  readonly priority: number
  /** Index of its symbol. */
  readonly symbol: number
}

export interface WasmObject {
  readonly module: WasmModule
  readonly symbols: readonly ObjectSymbol[]
  /** Of the data segments, in order. */
  readonly segments: readonly ObjectSegment[]
  readonly constructors: readonly Constructor[]
  /** Names of all custom sections. */
  readonly sections: readonly string[]
}

const KINDS: readonly SymbolKind[] = ['function', 'data', 'global', 'section', 'section', 'table']
const kindTag = 4 // symbol kind 4 is an exception tag; 3 a section

const FLAG = { weak: 1, local: 2, hidden: 4, undefined: 0x10, explicitName: 0x40, noStrip: 0x80 }
const SEGMENT_RETAIN = 4

/** Read an object file. Throws WasmError when it is not one. */
export function readObject(bytes: Uint8Array): WasmObject {
  const module = readModule(bytes)
  const linking = customSection(module, 'linking')
  if (linking === undefined) throw new WasmError('not a relocatable object: no linking section', 0)
  const cursor = new Cursor(bytes, linking.start, linking.end)
  const version = cursor.u32()
  if (version !== 2) throw new WasmError(`linking section version ${version}, 2 expected`, linking.start)
  let symbols: ObjectSymbol[] = []
  let segments: ObjectSegment[] = []
  let constructors: Constructor[] = []
  while (cursor.left > 0) {
    const id = cursor.u8()
    const size = cursor.u32()
    const sub = new Cursor(bytes, cursor.pos, cursor.pos + size)
    cursor.skip(size)
    if (id === 8) symbols = readSymbolTable(module, sub)
    else if (id === 5) segments = readSegments(sub)
    else if (id === 6) constructors = readConstructors(sub)
  }
  return {
    module,
    symbols,
    segments,
    constructors,
    sections: module.sections.filter((s) => s.id === 0).map((s) => s.name),
  }
}

function readSegments(cursor: Cursor): ObjectSegment[] {
  const segments: ObjectSegment[] = []
  for (let n = cursor.count(3); n > 0; n--)
    segments.push({ name: cursor.name(), align: cursor.u32(), kept: (cursor.u32() & SEGMENT_RETAIN) !== 0 })
  return segments
}

function readConstructors(cursor: Cursor): Constructor[] {
  const found: Constructor[] = []
  for (let n = cursor.count(2); n > 0; n--) found.push({ priority: cursor.u32(), symbol: cursor.u32() })
  return found
}

function readSymbolTable(module: WasmModule, cursor: Cursor): ObjectSymbol[] {
  const imports = {
    function: module.importedFunctions,
    global: module.importedGlobals,
    table: module.imports.filter((i) => i.kind === 'table'),
  }
  const symbols: ObjectSymbol[] = []
  for (let n = cursor.count(3); n > 0; n--) {
    const at = cursor.pos
    const code = cursor.u8()
    const kind = KINDS[code]
    if (kind === undefined || code === kindTag) throw new WasmError(`unknown symbol kind ${code}`, at)
    const flagsAt = cursor.pos
    const flags = cursor.u32()
    const defined = (flags & FLAG.undefined) === 0
    const base = {
      kind,
      defined,
      weak: (flags & FLAG.weak) !== 0,
      local: (flags & FLAG.local) !== 0,
      hidden: (flags & FLAG.hidden) !== 0,
      kept: (flags & FLAG.noStrip) !== 0,
      flagsAt,
    }
    if (kind === 'data') {
      const name = cursor.name()
      if (!defined) symbols.push({ name, ...base })
      else symbols.push({ name, ...base, data: { segment: cursor.u32(), offset: cursor.u32(), size: cursor.u32() } })
    } else if (kind === 'section') {
      const index = cursor.u32()
      symbols.push({ name: module.sections[index]?.name ?? '', ...base, index })
    } else {
      const index = cursor.u32()
      const imported = imports[kind][index]
      const named = defined || (flags & FLAG.explicitName) !== 0
      const name = named ? cursor.name() : (imported?.name ?? '')
      const foreign = imported !== undefined && imported.module !== 'env' ? { importModule: imported.module } : {}
      symbols.push({ name, ...base, index, ...foreign })
    }
  }
  return symbols
}

/** Names the object offers to the linker: global or weak definitions of functions and data. */
export function definedSymbols(object: WasmObject): ObjectSymbol[] {
  return object.symbols.filter((s) => s.defined && !s.local && (s.kind === 'function' || s.kind === 'data'))
}

/**
 * Names the object needs from elsewhere. ABI imports (those with their own import module) are not among them, nor are
 * weak references, which take what happens to be linked and bring nothing in.
 */
export function undefinedSymbols(object: WasmObject): ObjectSymbol[] {
  return object.symbols.filter(
    (s) => !s.defined && !s.weak && (s.kind === 'function' || s.kind === 'data') && s.importModule === undefined,
  )
}

/** The object with these definitions weak, so that another one takes their place. */
export function weaken(bytes: Uint8Array, names: ReadonlySet<string>): Uint8Array {
  const result = Uint8Array.from(bytes)
  for (const { name, flagsAt } of definedSymbols(readObject(bytes)))
    if (names.has(name)) result[flagsAt] = result[flagsAt]! | FLAG.weak
  return result
}

/** The object with its segments called otherwise: a linker puts together what is of one name. */
export function renameSegments(bytes: Uint8Array, nameOf: (name: string) => string): Uint8Array {
  const { module } = readObject(bytes)
  const section = customSection(module, 'linking')!
  const cursor = new Cursor(bytes, section.start, section.end)
  const payload = new Writer(section.end - section.start + 256).name('linking').u32(cursor.u32())
  while (cursor.left > 0) {
    const id = cursor.u8()
    const size = cursor.u32()
    const start = cursor.pos
    cursor.skip(size)
    const part =
      id === 5 ? segmentsRenamed(new Cursor(bytes, start, cursor.pos), nameOf) : bytes.subarray(start, cursor.pos)
    payload.u8(id).u32(part.length).bytes(part)
  }
  const result = new Writer(bytes.length + 1024).range(bytes, 0, section.headerStart).u8(section.id)
  return result.u32(payload.length).bytes(payload.view()).range(bytes, section.end, bytes.length).finish()
}

function segmentsRenamed(cursor: Cursor, nameOf: (name: string) => string): Uint8Array {
  const out = new Writer()
  const count = cursor.u32()
  out.u32(count)
  for (let n = count; n > 0; n--) out.name(nameOf(cursor.name())).u32(cursor.u32()).u32(cursor.u32())
  return out.finish()
}
