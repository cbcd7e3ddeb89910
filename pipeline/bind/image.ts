/**
 * The bound module as bytes: indexes and slots given out, code and data copied and filled in, sections written.
 *
 * The module defines nothing that lasts: memory, table and stack pointer are the core's, and functions others may call are in its
 * element segment. What it imports is sorted by name, so that it does not depend on which function came first.
 */
import { WasmError, Writer } from '../wasm/bytes.ts'
import { SECTION } from '../wasm/module.ts'
import { OP } from '../wasm/opcodes.ts'
import { debugSections } from './debug.ts'
import type { Layout } from './layout.ts'
import type { BoundImport, Callee, Names, Stub, Target } from './names.ts'
import { bodyChunk, segmentChunk, type LinkableObject } from './object.ts'
import type { Reached } from './reach.ts'
import { relocate, type Values } from './relocate.ts'
import { signatureBytes } from './signature.ts'

export interface ImageInput {
  /** Of the module. */
  readonly name: string
  readonly objects: readonly LinkableObject[]
  readonly names: Names
  readonly reached: Reached
  readonly layout: Layout
  /** First slot that the module may have. */
  readonly tableBase: number
  /** Functions that get the first slots, in order. */
  readonly inTable: readonly Target[]
  /** One past the memory that the module takes: it must be there. */
  readonly memoryEnd: number
  /** Keep what tells lines of source. */
  readonly debug: boolean
}

export interface Image {
  readonly bytes: Uint8Array
  readonly imports: readonly BoundImport[]
  /** One past the last slot. */
  readonly tableEnd: number
  /** Functions the module defines, stubs included. */
  readonly functions: number
  /** Slot of a function that has one. */
  readonly slotOf: (target: Target | undefined) => number | undefined
}

/** Globals, tables and memories that core and modules share are imported from here. */
export const SHARED_MODULE = 'env'
const MEMORY_NAME = 'memory'
const TABLE_NAME = '__indirect_function_table'
const STACK_NAME = '__stack_pointer'

const PAGE_BYTES = 65_536
/** A body: no locals, unreachable, end. */
const STUB_BODY = Uint8Array.of(3, 0, OP.unreachable, OP.end)

/** Where a function of an object went: its body, in the payload of the code section. */
export interface PlacedBody {
  readonly object: number
  readonly body: number
  at: number
}

export function makeImage(input: ImageInput): Image {
  const indexes = new Indexes(input)
  input.inTable.forEach((target) => indexes.slotOf(target))
  const code = writeCode(input, indexes)
  const data = writeData(input, indexes)
  const out = new Writer(code.length + data.length + (1 << 14))
  out.u32le(0x6d736100).u32le(1)
  const section = (id: number, body: Writer) => void out.u8(id).u32(body.length).bytes(body.view())
  // Types are complete only when code and imports have been seen.
  const imports = writeImports(input, indexes)
  const functions = new Writer().u32(indexes.bodies.length + indexes.stubs.length)
  for (const { object, body } of indexes.bodies) functions.u32(indexes.typeOfBody(object, body))
  for (const { type } of indexes.stubs) functions.u32(indexes.type(type))
  section(SECTION.type, writeTypes(indexes))
  section(SECTION.import, imports)
  section(SECTION.function, functions)
  if (indexes.elements.length > 0) section(SECTION.element, writeElements(input, indexes))
  section(SECTION.code, code)
  if (data.length > 0) section(SECTION.data, writeSegment(input.layout, data))
  section(SECTION.custom, writeNames(input, indexes))
  if (input.debug)
    for (const { name, bytes } of debugSections(input, indexes.bodies))
      section(SECTION.custom, new Writer(bytes.length + 64).name(name).bytes(bytes))
  return {
    bytes: out.finish(),
    imports: indexes.imports,
    tableEnd: input.tableBase + indexes.elements.length,
    functions: indexes.bodies.length + indexes.stubs.length,
    slotOf: (target) => (target?.kind === 'function' ? indexes.slotOf(target) : undefined),
  }
}

/** Function, type and table indexes, given out as they are asked for. */
class Indexes implements Values {
  readonly imports: readonly BoundImport[]
  readonly stubs: readonly Stub[]
  readonly bodies: readonly PlacedBody[]
  /** Function indexes, by slot from `tableBase` on. */
  readonly elements: number[] = []
  readonly types = new Map<string, number>()
  readonly stackPointer = 0
  readonly #input: ImageInput
  readonly #importIndex: ReadonlyMap<BoundImport, number>
  readonly #stubIndex: ReadonlyMap<Stub, number>
  /** By object and body. */
  readonly #bodyIndex: readonly Uint32Array[]
  readonly #typeIndex: number[][]
  readonly #slots = new Map<number, number>()

  constructor(input: ImageInput) {
    this.#input = input
    const { objects, names, reached } = input
    this.imports = Array.from(names.imports.values(), ({ item }) => item).toSorted(byOwnerAndName)
    this.stubs = [...names.stubs.values()]
    this.#importIndex = new Map(this.imports.map((item, i) => [item, i]))
    this.#bodyIndex = reached.bodies.map(({ length }) => new Uint32Array(length))
    this.#typeIndex = objects.map(() => [])
    const bodies: PlacedBody[] = []
    reached.bodies.forEach((marks, object) =>
      marks.forEach((isReached, body) => {
        if (isReached !== 0)
          this.#bodyIndex[object]![body] = this.imports.length + bodies.push({ object, body, at: 0 }) - 1
      }),
    )
    this.bodies = bodies
    const firstStub = this.imports.length + bodies.length
    this.#stubIndex = new Map(this.stubs.map((stub, i) => [stub, firstStub + i]))
  }

  type(signature: string): number {
    let index = this.types.get(signature)
    if (index === undefined) this.types.set(signature, (index = this.types.size))
    return index
  }

  typeIndex(object: number, type: number): number {
    const known = this.#typeIndex[object]![type]
    if (known !== undefined) return known
    const { signatures, file } = this.#input.objects[object]!
    const signature = signatures[type]
    if (signature === undefined) throw new WasmError(`${file}: relocation with type ${type} of ${signatures.length}`, 0)
    return (this.#typeIndex[object]![type] = this.type(signature))
  }

  typeOfBody(object: number, body: number): number {
    return this.typeIndex(object, this.#input.objects[object]!.module.functions[body]!)
  }

  #indexOf(callee: Callee): number {
    if (callee.kind === 'import') return this.#importIndex.get(callee.item)!
    if (callee.kind === 'stub') return this.#stubIndex.get(callee.stub)!
    return this.#bodyIndex[callee.object]![callee.index]!
  }

  functionIndex(object: number, symbol: number): number {
    return this.#indexOf(this.#input.names.callee(object, symbol))
  }

  slot(object: number, symbol: number): number {
    const target = this.#input.names.target(object, symbol)
    return this.slotOf(target)
  }

  /** A function of the core or of a peer has the slot that is its address for everybody; one that nobody has is NULL. */
  slotOf(target: Target): number {
    if (target.kind === 'import' && target.item.slot !== undefined) return target.item.slot
    if (target.kind !== 'import' && target.kind !== 'function') return 0
    const index = this.#indexOf(target)
    let slot = this.#slots.get(index)
    if (slot === undefined) this.#slots.set(index, (slot = this.#input.tableBase + this.elements.push(index) - 1))
    return slot
  }

  address(object: number, symbol: number): number | undefined {
    const target = this.#input.names.target(object, symbol)
    if (target.kind === 'address') return target.address
    if (target.kind === 'data') return this.#input.layout.addresses[target.object]![target.segment]! + target.offset
    return undefined
  }
}

const byOwnerAndName = (a: BoundImport, b: BoundImport): number =>
  a.from === b.from ? (a.name < b.name ? -1 : 1) : a.from < b.from ? -1 : 1

function writeCode({ objects }: ImageInput, indexes: Indexes): Writer {
  let bytes = 16 + indexes.stubs.length * STUB_BODY.length
  const body = ({ object, body }: PlacedBody) => objects[object]!.module.bodies[body]!
  for (const placed of indexes.bodies) bytes += body(placed).end - body(placed).sizeStart + 5
  const out = new Writer(bytes).u32(indexes.bodies.length + indexes.stubs.length)
  for (const placed of indexes.bodies) {
    const { start, end } = body(placed)
    const { bytes } = objects[placed.object]!.module
    out.u32(end - start)
    placed.at = out.length
    out.range(bytes, start, end)
  }
  const code = out.view()
  for (const { object, body: index, at } of indexes.bodies) {
    const { start } = objects[object]!.module.bodies[index]!
    relocate(code, object, bodyChunk(objects[object]!, index), at - start, indexes)
  }
  for (const _ of indexes.stubs) out.bytes(STUB_BODY)
  return out
}

/** Everything with content, from the first byte of data on. */
function writeData({ objects, layout }: ImageInput, indexes: Indexes): Uint8Array {
  const out = new Uint8Array(layout.dataEnd - layout.start)
  for (const { object, segment, address } of layout.order) {
    if (address >= layout.dataEnd) break
    const { bytes, data } = objects[object]!.module
    const { start, end } = data[segment]!
    const at = address - layout.start
    out.set(bytes.subarray(start, end), at)
    relocate(out, object, segmentChunk(objects[object]!, segment), at - start, indexes)
  }
  return out
}

function writeTypes({ types }: Indexes): Writer {
  const out = new Writer().u32(types.size)
  for (const signature of types.keys()) {
    const [params, results] = signatureBytes(signature)
    out.u8(0x60).u32(params.length).bytes(params).u32(results.length).bytes(results)
  }
  return out
}

function writeImports({ memoryEnd, tableBase, reached }: ImageInput, indexes: Indexes): Writer {
  const { imports, elements } = indexes
  const out = new Writer(1 << 12).u32(imports.length + 2 + Number(reached.stackPointer))
  for (const { from, name, type } of imports) out.name(from).name(name).u8(0).u32(indexes.type(type))
  out
    .name(SHARED_MODULE)
    .name(MEMORY_NAME)
    .u8(2)
    .u8(0)
    .u32(Math.ceil(memoryEnd / PAGE_BYTES))
  out
    .name(SHARED_MODULE)
    .name(TABLE_NAME)
    .u8(1)
    .u8(0x70)
    .u8(0)
    .u32(tableBase + elements.length)
  if (reached.stackPointer) out.name(SHARED_MODULE).name(STACK_NAME).u8(3).u8(0x7f).u8(1)
  return out
}

function writeElements({ tableBase }: ImageInput, { elements }: Indexes): Writer {
  const out = new Writer().u32(1).u32(0).u8(OP.i32Const).s32(tableBase).u8(OP.end).u32(elements.length)
  for (const index of elements) out.u32(index)
  return out
}

function writeSegment({ start }: Layout, data: Uint8Array): Writer {
  const out = new Writer(data.length + 32).u32(1).u32(0).u8(OP.i32Const).s32(start).u8(OP.end)
  return out.u32(data.length).bytes(data)
}

/** Names of the module, which engines show in traces, and of its functions. */
function writeNames({ name: module, objects }: ImageInput, indexes: Indexes): Writer {
  const map = new Writer(1 << 14)
  const byBody = objects.map(functionNames)
  map.u32(indexes.imports.length + indexes.bodies.length + indexes.stubs.length)
  let index = 0
  for (const { name } of indexes.imports) map.u32(index++).name(name)
  for (const { object, body } of indexes.bodies) map.u32(index++).name(byBody[object]![body] ?? '')
  for (const { name } of indexes.stubs) map.u32(index++).name(name)
  const title = new Writer().name(module)
  const out = new Writer(map.length + 64).name('name').u8(0).u32(title.length).bytes(title.view())
  return out.u8(1).u32(map.length).bytes(map.view())
}

/** Of the bodies of an object: where several names are one function (aliases), the first. */
function functionNames({ module, symbols }: LinkableObject): string[] {
  const names: string[] = []
  for (const { kind, defined, name, index } of symbols)
    if (kind === 'function' && defined && index !== undefined) names[index - module.importedFunctions.length] ??= name
  return names
}
