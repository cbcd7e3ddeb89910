/**
 * The table of modules as an object file, written here: what the compiler would make of module-table.ts's C.
 *
 * Every package has one of its own, and running the compiler over the kernel's headers for it would double the time of
 * most modules. Only the layout of `struct module` is the kernel's: it is learnt once for each tree from an object that
 * the compiler made. Format: tool-conventions/Linking.md, version 2. Pure.
 */

import { Cursor, WasmError, Writer } from '../wasm/bytes.ts'
import { customSection, SECTION } from '../wasm/module.ts'
import type { WasmObject } from '../wasm/object.ts'
import { identifier } from './flags.ts'
import type { TableEntry } from './module-table.ts'

/** `struct module` of one tree, as the compiler laid it out. */
export interface ModuleLayout {
  /** Its bytes with no name and no functions. */
  readonly blank: Uint8Array
  /** log2 of its alignment. */
  readonly align: number
  /** Byte offsets of its fields; `exit` is absent where modules cannot be unloaded. */
  readonly name: number
  readonly init: number
  readonly exit?: number
  /** Content of the section `target_features`. */
  readonly features: Uint8Array
}

/** Relocation types. */
const TABLE_INDEX = 2
const MEMORY_ADDRESS = 5

/** Flags of symbols and of segments. */
const LOCAL = 2
const HIDDEN = 4
const UNDEFINED = 0x10
const STRINGS = 1

const KIND = { function: 0, data: 1 } as const

/** The template's module; its name is found again in the bytes. */
export const TEMPLATE: TableEntry = { name: 'drvport_template', hasInit: true, hasExit: true }

/** Where the data section's relocations point: offset in the file, and index of the symbol. */
export function relocations(object: WasmObject): { at: number; symbol: number }[] {
  const section = customSection(object.module, 'reloc.DATA')
  if (section === undefined) throw new WasmError('no relocations of data', 0)
  const cursor = new Cursor(object.module.bytes, section.start, section.end)
  const base = object.module.sections[cursor.u32()]?.start ?? 0
  const found: { at: number; symbol: number }[] = []
  for (let n = cursor.u32(); n > 0; n--) {
    const type = cursor.u8()
    found.push({ at: base + cursor.u32(), symbol: cursor.u32() })
    if (type === MEMORY_ADDRESS) cursor.s32()
    else if (type !== TABLE_INDEX) throw new WasmError(`unexpected relocation of type ${type}`, cursor.pos)
  }
  return found
}

/** Learn the layout from the object that the compiler makes of `moduleTable([TEMPLATE])`. Throws WasmError. */
export function readLayout(object: WasmObject): ModuleLayout {
  const symbol = object.symbols.find((s) => s.name === `__this_module__${TEMPLATE.name}`)
  const segment = symbol?.data === undefined ? undefined : object.module.data[symbol.data.segment]
  const features = customSection(object.module, 'target_features')
  if (symbol?.data === undefined || segment === undefined) throw new WasmError('no struct module in the template', 0)
  const { bytes } = object.module
  // Copies: a Buffer's slice is a view, and these are filled in.
  const blank = Uint8Array.from(bytes.subarray(segment.start, segment.end))
  const offsetOf = (name: string) => {
    const index = object.symbols.findIndex((s) => s.name === name)
    const found = relocations(object).find((r) => r.symbol === index && r.at >= segment.start && r.at < segment.end)
    return found === undefined ? undefined : found.at - segment.start
  }
  const init = offsetOf(`init_module__${TEMPLATE.name}`)
  const exit = offsetOf(`cleanup_module__${TEMPLATE.name}`)
  const name = Buffer.from(blank).indexOf(TEMPLATE.name)
  if (init === undefined || name < 0) throw new WasmError('no name or init in struct module', segment.start)
  for (const [at, count] of [
    [name, TEMPLATE.name.length],
    [init, 4],
    [exit ?? init, 4],
  ] as const)
    blank.fill(0, at, at + count)
  return {
    blank,
    align: object.segments[symbol.data.segment]?.align ?? 0,
    name,
    init,
    ...(exit !== undefined && { exit }),
    features: features === undefined ? new Uint8Array() : Uint8Array.from(bytes.subarray(features.start, features.end)),
  }
}

interface Reference {
  /** Offset in the segment. */
  readonly at: number
  /** Name of the symbol. */
  readonly to: string
}

interface Segment {
  readonly name: string
  readonly symbol: string
  readonly bytes: Uint8Array
  readonly align: number
  readonly local?: boolean
  readonly references: readonly Reference[]
}

const text = (value: string) => new TextEncoder().encode(`${value}\0`)

function moduleSegment(layout: ModuleLayout, { name, hasInit, hasExit }: TableEntry): Segment {
  const id = identifier(name)
  const symbol = `__this_module__${id}`
  const bytes = Uint8Array.from(layout.blank)
  bytes.set(new TextEncoder().encode(id), layout.name)
  const references = [
    ...(hasInit ? [{ at: layout.init, to: `init_module__${id}` }] : []),
    ...(hasExit && layout.exit !== undefined ? [{ at: layout.exit, to: `cleanup_module__${id}` }] : []),
  ]
  return { name: `.data.${symbol}`, symbol, bytes, align: layout.align, references }
}

/** sizeof(struct drvport_module), shim/include/drvport/module.h: name, init, exit, self. */
const ENTRY_BYTES = 16

function listSegments(modules: readonly TableEntry[]): Segment[] {
  const names = modules.map(({ name }, i): Segment => {
    const symbol = `.L.name.${i}`
    return { name: `.rodata.${symbol}`, symbol, bytes: text(identifier(name)), align: 0, local: true, references: [] }
  })
  const references = modules.flatMap(({ name, hasInit, hasExit }, i) => {
    const id = identifier(name)
    const at = ENTRY_BYTES * i
    return [
      { at, to: `.L.name.${i}` },
      ...(hasInit ? [{ at: at + 4, to: `init_module__${id}` }] : []),
      ...(hasExit ? [{ at: at + 8, to: `cleanup_module__${id}` }] : []),
      { at: at + 12, to: `__this_module__${id}` },
    ]
  })
  const list = { symbol: 'drvport_modules', bytes: new Uint8Array(ENTRY_BYTES * modules.length), align: 4, references }
  const count = { symbol: 'drvport_modules_count', bytes: new Writer().u32le(modules.length).finish(), align: 2 }
  return [
    ...names,
    { ...list, name: `.rodata.${list.symbol}` },
    { ...count, name: `.rodata.${count.symbol}`, references: [] },
  ]
}

const section = (out: Writer, id: number, body: Writer) => out.u8(id).u32(body.length).bytes(body.view())

function custom(out: Writer, name: string, body: Uint8Array): void {
  section(out, SECTION.custom, new Writer().name(name).bytes(body))
}

/** The object file. Modules in dependency order. */
export function tableObjectBytes(layout: ModuleLayout, modules: readonly TableEntry[]): Uint8Array {
  const segments = [...modules.map((module) => moduleSegment(layout, module)), ...listSegments(modules)]
  const functions = modules.flatMap(({ name, hasInit, hasExit }) => [
    ...(hasInit ? [{ name: `init_module__${identifier(name)}`, type: 0 }] : []),
    ...(hasExit ? [{ name: `cleanup_module__${identifier(name)}`, type: 1 }] : []),
  ])
  const symbolIndex = new Map(
    [...functions.map(({ name }) => name), ...segments.map(({ symbol }) => symbol)].map((name, i) => [name, i]),
  )
  const functionIndex = new Map(functions.map(({ name }, i) => [name, i]))

  const out = new Writer(4096).bytes(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
  // () -> i32 for init, () -> () for exit.
  section(out, SECTION.type, new Writer().bytes(Uint8Array.of(2, 0x60, 0, 1, 0x7f, 0x60, 0, 0)))
  section(out, SECTION.import, importsOf(functions))
  if (functions.length > 0) section(out, SECTION.element, elementsOf(functions.length))
  section(out, SECTION.dataCount, new Writer().u32(segments.length))
  const { body, starts } = dataOf(segments, functionIndex)
  section(out, SECTION.data, body)
  custom(out, 'linking', linkingOf(segments, functions.length).finish())
  const dataIndex = functions.length > 0 ? 4 : 3
  custom(out, 'reloc.DATA', relocationsOf(dataIndex, segments, starts, symbolIndex, functionIndex).finish())
  if (layout.features.length > 0) custom(out, 'target_features', layout.features)
  return out.finish()
}

function importsOf(functions: readonly { name: string; type: number }[]): Writer {
  const tables = functions.length > 0 ? 1 : 0
  const body = new Writer().u32(1 + functions.length + tables)
  body.name('env').name('__linear_memory').u8(2).u8(0).u32(1)
  for (const { name, type } of functions) body.name('env').name(name).u8(0).u32(type)
  if (tables > 0)
    body
      .name('env')
      .name('__indirect_function_table')
      .u8(1)
      .u8(0x70)
      .u8(0)
      .u32(functions.length + 1)
  return body
}

/** Functions whose address is taken: all, from table index 1. */
function elementsOf(count: number): Writer {
  const body = new Writer().u32(1).u32(0).u8(0x41).s32(1).u8(0x0b).u32(count)
  for (let i = 0; i < count; i++) body.u32(i)
  return body
}

/** The data section, and where in it each segment's bytes start. Values that relocations replace are what clang writes. */
function dataOf(
  segments: readonly Segment[],
  functionIndex: ReadonlyMap<string, number>,
): { body: Writer; starts: number[] } {
  const addresses = new Map<string, number>()
  let end = 0
  for (const { symbol, bytes, align } of segments) {
    const address = Math.ceil(end / 2 ** align) * 2 ** align
    addresses.set(symbol, address)
    end = address + bytes.length
  }
  const body = new Writer(4096).u32(segments.length)
  const starts = segments.map(({ symbol, bytes, references }) => {
    const filled = Uint8Array.from(bytes)
    const view = new DataView(filled.buffer)
    for (const { at, to } of references) {
      const index = functionIndex.get(to)
      view.setUint32(at, index === undefined ? (addresses.get(to) as number) : index + 1, true)
    }
    body
      .u32(0)
      .u8(0x41)
      .s32(addresses.get(symbol) as number)
      .u8(0x0b)
      .u32(filled.length)
    const start = body.length
    body.bytes(filled)
    return start
  })
  return { body, starts }
}

function linkingOf(segments: readonly Segment[], functions: number): Writer {
  const symbols = new Writer().u32(functions + segments.length)
  for (let i = 0; i < functions; i++) symbols.u8(KIND.function).u32(UNDEFINED).u32(i)
  segments.forEach(({ symbol, bytes, local }, i) => {
    symbols
      .u8(KIND.data)
      .u32(local === true ? LOCAL : HIDDEN)
      .name(symbol)
      .u32(i)
      .u32(0)
      .u32(bytes.length)
  })
  const infos = new Writer().u32(segments.length)
  for (const { name, align, local } of segments)
    infos
      .name(name)
      .u32(align)
      .u32(local === true ? STRINGS : 0)
  const out = new Writer().u32(2)
  section(out, 8, symbols)
  section(out, 5, infos)
  return out
}

function relocationsOf(
  dataSection: number,
  segments: readonly Segment[],
  starts: readonly number[],
  symbolIndex: ReadonlyMap<string, number>,
  functionIndex: ReadonlyMap<string, number>,
): Writer {
  const all = segments.flatMap(({ references }, i) => references.map(({ at, to }) => ({ at: starts[i]! + at, to })))
  const out = new Writer().u32(dataSection).u32(all.length)
  for (const { at, to } of all) {
    const isFunction = functionIndex.has(to)
    out.u8(isFunction ? TABLE_INDEX : MEMORY_ADDRESS)
    out.u32(at).u32(symbolIndex.get(to) as number)
    if (!isFunction) out.s32(0)
  }
  return out
}
