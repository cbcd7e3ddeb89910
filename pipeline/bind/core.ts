/**
 * A linked core made ready for modules: what it exports as slots of the table and addresses, and the few exports left.
 *
 * wasm-ld has been told to export each symbol (`--export-if-defined`). A function that the core never takes the address of has no
 * slot; it gets one behind those the linker gave. An instance with thousands of exports is slow to make, so they go once
 * they are known, and a module's loader takes functions from the table.
 *
 * The core's layout (flags in pipeline/build): stack, an area for modules, the core's data (`--global-base`), heap; memory and table
 * are imported. Must not know Linux.
 */
import { Cursor, WasmError, Writer } from '../wasm/bytes.ts'
import { CodeWalker, readLocals } from '../wasm/code.ts'
import { functionType, KINDS, readModule, SECTION, type Section, type WasmModule } from '../wasm/module.ts'
import { OP } from '../wasm/opcodes.ts'
import { alignUp } from './layout.ts'
import { signatureOf } from './signature.ts'
import type { CoreSymbols, DataSymbol, FunctionSymbol } from './symbols.ts'

/** A name that modules may bind to. */
export interface ExportedName {
  readonly symbol: string
  readonly gplOnly: boolean
}

/**
 * New slots begin at a multiple of so many. Between the linker's and these lies nothing, so that one function more whose address is taken
 * moves none of those that modules are bound to.
 */
const ROOM = 256

interface Slots {
  /** Of functions, by index. */
  readonly slots: ReadonlyMap<number, number>
  /** Functions whose slots are new, in order, from `tableEnd` on. */
  readonly added: readonly number[]
  /** One past the linker's slots, and what is left free behind them. */
  readonly tableEnd: number
}

/** Slots of all functions that are exported under one of these names. */
function assignSlots(module: WasmModule, names: ReadonlySet<string>): Slots {
  const slots = new Map<number, number>()
  let tableEnd = 0
  for (const { functions, address, offset } of module.elements) {
    const base = address?.i32
    if (base === undefined) throw new WasmError('an element segment at a constant slot is expected', offset)
    functions.forEach((index, i) => {
      if (index >= 0 && !slots.has(index)) slots.set(index, base + i)
    })
    tableEnd = Math.max(tableEnd, base + functions.length)
  }
  const table = module.imports.find(({ kind }) => kind === 'table')?.table
  tableEnd = alignUp(Math.max(tableEnd, table?.min ?? 0), ROOM)
  const added: number[] = []
  for (const { name, kind, index } of module.exports)
    if (kind === 'func' && names.has(name) && !slots.has(index)) slots.set(index, tableEnd + added.push(index) - 1)
  return { slots, added, tableEnd }
}

/** The value of a constant that the linker exported: an address. */
function addressOf(module: WasmModule, index: number): number | undefined {
  const global = module.globals[index - module.importedGlobals.length]
  return global === undefined || global.mutable || global.init.i32 === undefined ? undefined : global.init.i32 >>> 0
}

/**
 * What modules may bind to in `wasm`, as wasm-ld wrote it: those of `exported` that it defines. Names that it does not
 * have are left out, since a list of exports covers every configuration. Throws WasmError when it is no such core.
 */
export function coreSymbols(wasm: Uint8Array, exported: Iterable<ExportedName>): CoreSymbols {
  const module = readModule(wasm)
  const gplOnly = new Map([...exported].map((item) => [item.symbol, item.gplOnly]))
  const { slots, added, tableEnd } = assignSlots(module, new Set(gplOnly.keys()))
  const functions = new Map<string, FunctionSymbol>()
  const data = new Map<string, DataSymbol>()
  const addresses = new Map<string, number>()
  for (const { name, kind, index, offset } of module.exports) {
    const gpl = gplOnly.get(name)
    if (kind === 'global') {
      const address = addressOf(module, index)
      if (address !== undefined) addresses.set(name, address)
      if (address !== undefined && gpl !== undefined) data.set(name, { address, gplOnly: gpl })
    } else if (kind === 'func' && gpl !== undefined) {
      const type = functionType(module, index)
      if (type === undefined) throw new WasmError(`export ${name} has no type`, offset)
      functions.set(name, { type: signatureOf(type), slot: slots.get(index) as number, gplOnly: gpl })
    }
  }
  const heapBase = addresses.get('__heap_base')
  if (heapBase === undefined) throw new WasmError('__heap_base is not exported (link with --export)', 0)
  const dataStart = Math.min(heapBase, ...module.data.map(({ address }) => (address?.i32 ?? heapBase) >>> 0))
  return { functions, data, tableEnd: tableEnd + added.length, dataStart, heapBase }
}

/**
 * The core with its `exported` functions in the table and of its exports only those in `keep`. Code, data, names and
 * debug sections stay what they are, so that it can be instrumented as before.
 *
 * wasm-ld has a core fill with zeros what starts as zero, before anything else; that goes: whoever makes an instance of it
 * gives it memory that is zero.
 */
export function finishCore(wasm: Uint8Array, exported: Iterable<ExportedName>, keep: ReadonlySet<string>): Uint8Array {
  const module = readModule(wasm)
  const slots = assignSlots(module, new Set([...exported].map(({ symbol }) => symbol)))
  const out = new Writer(wasm.length + (slots.added.length + 16) * 5).range(wasm, 0, 8)
  const section = (id: number, body: Writer) => void out.u8(id).u32(body.length).bytes(body.view())
  let placed = slots.added.length === 0
  const addElements = (old?: Section) => {
    placed = true
    section(SECTION.element, withSlots(module, slots, old))
  }
  for (const item of module.sections) {
    if (!placed && (item.id === SECTION.dataCount || item.id === SECTION.code || item.id === SECTION.data))
      addElements()
    if (item.id === SECTION.import) section(item.id, withTable(module, slots.tableEnd + slots.added.length))
    else if (item.id === SECTION.export) section(item.id, withExports(module, keep))
    else if (item.id === SECTION.element && !placed) addElements(item)
    else if (item.id === SECTION.start && isZeroing(module)) continue
    else out.range(wasm, item.headerStart, item.end)
  }
  return out.finish()
}

/** Whether all that the start function does is to fill constant ranges of memory with zeros. */
function isZeroing(module: WasmModule): boolean {
  const body = module.bodies[module.start! - module.importedFunctions.length]
  if (body === undefined) return false
  const walker = new CodeWalker(module.bytes, readLocals(module.bytes, body.start, body.end).codeStart, body.end)
  const constants: number[] = []
  while (walker.next()) {
    if (walker.opcode === OP.i32Const) constants.push(walker.a)
    else if (walker.opcode === OP.memoryFill && constants.length === 3 && constants[1] === 0) constants.length = 0
    else if (walker.opcode !== OP.end) return false
  }
  return constants.length === 0
}

function withExports(module: WasmModule, keep: ReadonlySet<string>): Writer {
  const kept = module.exports.filter(({ name }) => keep.has(name))
  const missing = [...keep].filter((name) => !kept.some((item) => item.name === name))
  if (missing.length > 0) throw new WasmError(`the core does not export ${missing.join(', ')}`, 0)
  const out = new Writer().u32(kept.length)
  for (const { name, kind, index } of kept) out.name(name).u8(KINDS.indexOf(kind)).u32(index)
  return out
}

function withSlots(module: WasmModule, { added, tableEnd }: Slots, old: Section | undefined): Writer {
  const out = new Writer(1 << 16)
  if (old === undefined) out.u32(1)
  else {
    const cursor = new Cursor(module.bytes, old.start, old.end)
    out.u32(cursor.u32() + 1).range(module.bytes, cursor.pos, old.end)
  }
  out.u32(0).u8(OP.i32Const).s32(tableEnd).u8(OP.end).u32(added.length)
  for (const index of added) out.u32(index)
  return out
}

/** The import section with a table as large as core and exports need; how much larger it is, is the machine's affair. */
function withTable(module: WasmModule, entries: number): Writer {
  const { bytes, imports } = module
  const out = new Writer(1 << 12).u32(imports.length)
  const end = module.sections.find(({ id }) => id === SECTION.import)!.end
  imports.forEach((item, i) => {
    if (item.table === undefined) out.range(bytes, item.offset, imports[i + 1]?.offset ?? end)
    else out.name(item.module).name(item.name).u8(KINDS.indexOf('table')).u8(0x70).u8(0).u32(entries)
  })
  if (!imports.some(({ kind }) => kind === 'table')) throw new WasmError('the core does not import its table', 0)
  return out
}
