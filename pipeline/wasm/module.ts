/**
 * The structure of a wasm binary: sections, types, imports, functions, tables, memories, globals, exports, segments,
 * names. Used by the builder (what does this module need), the instrumenter and the verifier.
 *
 * Knows the format only, nothing of drivers. Function bodies are located here and walked by code.ts; the typing of
 * instructions is left to the engine. All offsets are file offsets.
 */
import { Cursor, FeatureError, WasmError } from './bytes.ts'
import { CodeWalker } from './code.ts'
import { OP } from './opcodes.ts'

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const

const sectionNames = Object.fromEntries(Object.entries(SECTION).map(([name, id]) => [id, name]))
/** The order sections must come in: data count sits between element and code. */
const order = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11]

export const KINDS = ['func', 'table', 'memory', 'global', 'tag'] as const
export type Kind = (typeof KINDS)[number]
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref'

export interface Section {
  readonly id: number
  /** Custom sections: their name; others: the section's own. */
  readonly name: string
  /** File offset of the section id byte. */
  readonly headerStart: number
  /** Payload; a custom section's starts after its name. */
  readonly start: number
  readonly end: number
}

export interface FuncType {
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}

export interface Limits {
  readonly min: number
  readonly max?: number
  readonly shared: boolean
  readonly is64: boolean
}

export interface TableType extends Limits {
  readonly element: ValueType
}

export interface GlobalType {
  readonly type: ValueType
  readonly mutable: boolean
}

export interface Import {
  readonly module: string
  readonly name: string
  readonly kind: Kind
  /** Functions and tags: index of the type. */
  readonly typeIndex?: number
  readonly table?: TableType
  readonly memory?: Limits
  readonly global?: GlobalType
  readonly offset: number
}

export interface Export {
  readonly name: string
  readonly kind: Kind
  readonly index: number
  readonly offset: number
}

/** A constant expression: where it is and, when it is a plain constant or reference, what it says. */
export interface ConstantExpression {
  readonly start: number
  readonly end: number
  readonly i32?: number
  readonly global?: number
  readonly func?: number
}

export interface Global extends GlobalType {
  readonly init: ConstantExpression
}

export interface ElementSegment {
  readonly flags: number
  readonly offset: number
  /** Where it goes in the table; absent for passive and declared ones. */
  readonly address?: ConstantExpression
  /** Function indexes, -1 for a null; undefined entries cannot occur. */
  readonly functions: readonly number[]
}

export interface DataSegment {
  readonly flags: number
  /** Where it goes in memory; absent for passive segments. */
  readonly address?: ConstantExpression
  readonly start: number
  readonly end: number
}

/** A global that the module defines and exports, with its index. */
export function exportedGlobal(module: WasmModule, name: string): (Global & { readonly index: number }) | undefined {
  const index = module.exports.find((e) => e.kind === 'global' && e.name === name)?.index
  const global = index === undefined ? undefined : module.globals[index - module.importedGlobals.length]
  return global && index !== undefined ? { ...global, index } : undefined
}

export interface Body {
  /** Offset of the size field, of the locals, and one past the body. */
  readonly sizeStart: number
  readonly start: number
  readonly end: number
}

export interface WasmModule {
  readonly bytes: Uint8Array
  readonly sections: readonly Section[]
  readonly types: readonly FuncType[]
  readonly imports: readonly Import[]
  /** Imported functions, in index order. */
  readonly importedFunctions: readonly Import[]
  readonly importedGlobals: readonly Import[]
  /** Type indexes of the functions defined here. */
  readonly functions: readonly number[]
  readonly tables: readonly TableType[]
  readonly memories: readonly Limits[]
  readonly globals: readonly Global[]
  readonly exports: readonly Export[]
  readonly start?: number
  readonly elements: readonly ElementSegment[]
  readonly bodies: readonly Body[]
  /** Payload of the code section; DWARF counts addresses from its start. */
  readonly code?: Section
  readonly data: readonly DataSegment[]
  readonly dataCount?: number
}

type Draft = { -readonly [K in keyof WasmModule]: WasmModule[K] } & {
  types: FuncType[]
  imports: Import[]
  importedFunctions: Import[]
  importedGlobals: Import[]
  functions: number[]
  tables: TableType[]
  memories: Limits[]
  globals: Global[]
  exports: Export[]
  elements: ElementSegment[]
  bodies: Body[]
  data: DataSegment[]
}

/** Read a module or a relocatable object. Throws WasmError when the bytes are not one. */
export function readModule(bytes: Uint8Array): WasmModule {
  const sections = readSections(bytes)
  const draft: Draft = {
    bytes,
    sections,
    types: [],
    imports: [],
    importedFunctions: [],
    importedGlobals: [],
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    elements: [],
    bodies: [],
    data: [],
  }
  for (const section of sections) {
    if (section.id === SECTION.custom) continue
    const cursor = new Cursor(bytes, section.start, section.end)
    readSection(draft, section, cursor)
    if (cursor.left !== 0) throw new WasmError(`${section.name} section has ${cursor.left} bytes too many`, cursor.pos)
  }
  if (draft.bodies.length !== draft.functions.length)
    throw new WasmError(`${draft.functions.length} functions declared, ${draft.bodies.length} bodies`, bytes.length)
  return draft
}

/** Section headers only. */
export function readSections(bytes: Uint8Array): Section[] {
  const cursor = new Cursor(bytes)
  if (cursor.left < 8 || cursor.u32le() !== 0x6d736100) throw new WasmError('not a wasm file: bad magic', 0)
  const version = cursor.u32le()
  if (version !== 1) throw new WasmError(`wasm version ${version}, 1 expected`, 4)
  const sections: Section[] = []
  let last = -1
  while (cursor.left > 0) {
    const headerStart = cursor.pos
    const id = cursor.u8()
    const size = cursor.u32()
    const start = cursor.pos
    cursor.skip(size)
    const end = cursor.pos
    if (id === SECTION.custom) {
      const inner = new Cursor(bytes, start, end)
      sections.push({ id, name: inner.name(), headerStart, start: inner.pos, end })
      continue
    }
    const rank = order.indexOf(id)
    if (rank < 0) throw new WasmError(`unknown section ${id}`, headerStart)
    const name = sectionNames[id] as string
    if (rank === last) throw new WasmError(`${name} section appears twice`, headerStart)
    if (rank < last) throw new WasmError(`${name} section is out of order`, headerStart)
    last = rank
    sections.push({ id, name, headerStart, start, end })
  }
  return sections
}

function readSection(draft: Draft, section: Section, cursor: Cursor): void {
  switch (section.id) {
    case SECTION.type:
      repeat(cursor, 3, () => draft.types.push(readFuncType(cursor)))
      break
    case SECTION.import:
      repeat(cursor, 4, () => readImport(draft, cursor))
      break
    case SECTION.function:
      repeat(cursor, 1, () => draft.functions.push(readTypeIndex(draft, cursor)))
      break
    case SECTION.table:
      repeat(cursor, 3, () => draft.tables.push(readTable(cursor)))
      break
    case SECTION.memory:
      repeat(cursor, 2, () => draft.memories.push(readLimits(cursor)))
      break
    case SECTION.global:
      repeat(cursor, 4, () => draft.globals.push({ ...readGlobalType(cursor), init: readConstant(cursor) }))
      break
    case SECTION.export:
      repeat(cursor, 3, () => draft.exports.push(readExport(draft, cursor)))
      break
    case SECTION.start:
      draft.start = cursor.u32()
      break
    case SECTION.element:
      repeat(cursor, 3, () => draft.elements.push(readElement(cursor)))
      break
    case SECTION.dataCount:
      draft.dataCount = cursor.u32()
      break
    case SECTION.code:
      draft.code = section
      repeat(cursor, 3, () => draft.bodies.push(readBody(cursor)))
      break
    case SECTION.data:
      repeat(cursor, 2, () => draft.data.push(readData(cursor)))
      break
    default:
      throw new FeatureError(`${section.name} section: exceptions are not allowed`, section.headerStart)
  }
}

function repeat(cursor: Cursor, itemBytes: number, item: () => void): void {
  for (let n = cursor.count(itemBytes); n > 0; n--) item()
}

const valueTypes: Readonly<Record<number, ValueType>> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
  0x70: 'funcref',
  0x6f: 'externref',
}

/** Name of a value type by its byte, or a number when there is none. */
export const valueTypeName = (byte: number): string => valueTypes[byte] ?? `0x${byte.toString(16)}`

function readValueType(cursor: Cursor): ValueType {
  const at = cursor.pos
  const byte = cursor.u8()
  const type = valueTypes[byte]
  if (type === undefined) throw new WasmError(`unknown value type 0x${byte.toString(16)}`, at)
  return type
}

function readFuncType(cursor: Cursor): FuncType {
  const at = cursor.pos
  const form = cursor.u8()
  if (form !== 0x60) throw new WasmError(`type form 0x${form.toString(16)}, a function expected`, at)
  const params: ValueType[] = []
  const results: ValueType[] = []
  repeat(cursor, 1, () => params.push(readValueType(cursor)))
  repeat(cursor, 1, () => results.push(readValueType(cursor)))
  return { params, results }
}

function readTypeIndex(draft: Draft, cursor: Cursor): number {
  const at = cursor.pos
  const index = cursor.u32()
  if (index >= draft.types.length) throw new WasmError(`type ${index} of ${draft.types.length}`, at)
  return index
}

function readLimits(cursor: Cursor): Limits {
  const at = cursor.pos
  const flags = cursor.u8()
  if (flags > 7) throw new WasmError(`unknown limits flags ${flags}`, at)
  const is64 = (flags & 4) !== 0
  const value = is64 ? () => cursor.uleb() : () => cursor.u32()
  const min = value()
  const shared = (flags & 2) !== 0
  return flags & 1 ? { min, max: value(), shared, is64 } : { min, shared, is64 }
}

function readTable(cursor: Cursor): TableType {
  const element = readValueType(cursor)
  return { element, ...readLimits(cursor) }
}

function readGlobalType(cursor: Cursor): GlobalType {
  const type = readValueType(cursor)
  const at = cursor.pos
  const mutable = cursor.u8()
  if (mutable > 1) throw new WasmError(`unknown mutability ${mutable}`, at)
  return { type, mutable: mutable === 1 }
}

function readImport(draft: Draft, cursor: Cursor): void {
  const offset = cursor.pos
  const base = { module: cursor.name(), name: cursor.name(), offset }
  const kind = readKind(cursor)
  const item: Import =
    kind === 'func'
      ? { ...base, kind, typeIndex: readTypeIndex(draft, cursor) }
      : kind === 'table'
        ? { ...base, kind, table: readTable(cursor) }
        : kind === 'memory'
          ? { ...base, kind, memory: readLimits(cursor) }
          : kind === 'global'
            ? { ...base, kind, global: readGlobalType(cursor) }
            : { ...base, kind, typeIndex: (cursor.u8(), readTypeIndex(draft, cursor)) }
  draft.imports.push(item)
  if (kind === 'func') draft.importedFunctions.push(item)
  if (kind === 'global') draft.importedGlobals.push(item)
}

function readKind(cursor: Cursor): Kind {
  const at = cursor.pos
  const byte = cursor.u8()
  const kind = KINDS[byte]
  if (kind === undefined) throw new WasmError(`unknown import or export kind ${byte}`, at)
  return kind
}

/** How many of a kind are imported. Functions, of which there are many exports, are not counted each time. */
function importedOf(draft: Draft, kind: Kind): number {
  if (kind === 'func') return draft.importedFunctions.length
  if (kind === 'global') return draft.importedGlobals.length
  return draft.imports.filter((item) => item.kind === kind).length
}

function readExport(draft: Draft, cursor: Cursor): Export {
  const offset = cursor.pos
  const name = cursor.name()
  const kind = readKind(cursor)
  const index = cursor.u32()
  const defined = { func: draft.functions, table: draft.tables, memory: draft.memories, global: draft.globals, tag: [] }
  const total = importedOf(draft, kind) + defined[kind].length
  if (index >= total) throw new WasmError(`export ${JSON.stringify(name)} names ${kind} ${index} of ${total}`, offset)
  return { name, kind, index, offset }
}

function readConstant(cursor: Cursor): ConstantExpression {
  const start = cursor.pos
  const walker = new CodeWalker(cursor.bytes, start, cursor.end)
  let found: Omit<ConstantExpression, 'start' | 'end'> = {}
  let count = 0
  while (walker.depth > 0 && walker.next()) {
    count++
    if (walker.opcode === OP.i32Const) found = { i32: walker.a }
    else if (walker.opcode === OP.globalGet) found = { global: walker.a }
    else if (walker.opcode === OP.refFunc) found = { func: walker.a }
  }
  cursor.pos = walker.end
  // Anything longer than one instruction and `end` is an extended constant: its value is not known here.
  return count === 2 ? { start, end: walker.end, ...found } : { start, end: walker.end }
}

function readElement(cursor: Cursor): ElementSegment {
  const offset = cursor.pos
  const flags = cursor.u32()
  if (flags > 7) throw new WasmError(`unknown element segment flags ${flags}`, offset)
  const passiveOrDeclarative = flags & 1
  const explicit = flags & 2
  if (!passiveOrDeclarative && explicit) cursor.u32()
  const address = passiveOrDeclarative ? undefined : readConstant(cursor)
  const expressions = flags & 4
  if (flags & 3) {
    if (expressions) readValueType(cursor)
    else cursor.u8()
  }
  const functions: number[] = []
  repeat(cursor, 1, () => functions.push(expressions ? (readConstant(cursor).func ?? -1) : cursor.u32()))
  return address === undefined ? { flags, offset, functions } : { flags, offset, address, functions }
}

function readBody(cursor: Cursor): Body {
  const sizeStart = cursor.pos
  const size = cursor.u32()
  const start = cursor.pos
  cursor.skip(size)
  return { sizeStart, start, end: cursor.pos }
}

function readData(cursor: Cursor): DataSegment {
  const at = cursor.pos
  const flags = cursor.u32()
  if (flags > 2) throw new WasmError(`unknown data segment flags ${flags}`, at)
  if (flags === 2) cursor.u32()
  const address = flags === 1 ? undefined : readConstant(cursor)
  const size = cursor.u32()
  const start = cursor.pos
  cursor.skip(size)
  return address === undefined ? { flags, start, end: cursor.pos } : { flags, address, start, end: cursor.pos }
}

/** Type of a function by its index in the function index space (imports first). */
export function functionType(module: WasmModule, index: number): FuncType | undefined {
  const imported = module.importedFunctions.length
  const type = index < imported ? module.importedFunctions[index]?.typeIndex : module.functions[index - imported]
  return type === undefined ? undefined : module.types[type]
}

/** `(i32, i32) -> i32` */
export function describeType(type: FuncType): string {
  return `(${type.params.join(', ')}) -> ${type.results.length === 0 ? 'nothing' : type.results.join(', ')}`
}

/** First custom section of that name. */
export function customSection(module: { sections: readonly Section[] }, name: string): Section | undefined {
  return module.sections.find((s) => s.id === SECTION.custom && s.name === name)
}

/** Parts of the `name` section, by their numbers. A malformed one gives what could be read. */
function eachNamePart({ bytes, sections }: WasmModule, read: (id: number, cursor: Cursor) => void): void {
  const section = customSection({ sections }, 'name')
  if (section === undefined) return
  try {
    const cursor = new Cursor(bytes, section.start, section.end)
    while (cursor.left > 0) {
      const id = cursor.u8()
      const size = cursor.u32()
      const end = cursor.pos + size
      read(id, cursor)
      if (end > cursor.end) break
      cursor.pos = end
    }
  } catch (error) {
    if (!(error instanceof WasmError)) throw error
  }
}

/** Function names from the `name` section, by function index. A malformed name section gives what could be read. */
export function readFunctionNames(module: WasmModule): Map<number, string> {
  const names = new Map<number, string>()
  eachNamePart(module, (id, cursor) => {
    if (id === 1) repeat(cursor, 2, () => names.set(cursor.u32(), cursor.name()))
  })
  return names
}

/** What the module calls itself; engines show it in a stack. Undefined when it has no name. */
export function readModuleName(module: WasmModule): string | undefined {
  let name: string | undefined
  eachNamePart(module, (id, cursor) => {
    if (id === 0) name = cursor.name()
  })
  return name
}

/** Name of a function for messages: from the name section, the import or the export, else `function N`. */
export function functionNamer(module: WasmModule): (index: number) => string {
  const names = readFunctionNames(module)
  module.importedFunctions.forEach((f, i) => names.has(i) || names.set(i, `${f.module}.${f.name}`))
  for (const e of module.exports) if (e.kind === 'func' && !names.has(e.index)) names.set(e.index, e.name)
  return (index) => names.get(index) ?? `function ${index}`
}
