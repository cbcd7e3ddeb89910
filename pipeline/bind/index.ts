/**
 * The binder: objects of a module and the symbols of a core (and of modules bound before) become one wasm module, as insmod would
 * have it, at a place of its own in the core's memory and table.
 *
 * Objects are taken as the compiler wrote them. Only exported names bind, GPL-only ones by licence. The result is instrumented
 * and verified alone, and belongs to exactly that core and those peers. Must not know Linux beyond what a module file says of
 * itself: `.modinfo`, and the names of its entries, which are parameters.
 */
import { DrvportError } from '../errors.ts'
import { makeImage } from './image.ts'
import { alignUp, layOut, type Bounds } from './layout.ts'
import type { BoundTo } from '../wasm/instrument.ts'
import { CORE, importedFrom, Names, type BoundImport, type Peer, type Target } from './names.ts'
import type { LinkableObject } from './object.ts'
import { reach } from './reach.ts'
import type { DataSymbol, FunctionSymbol, Symbols } from './symbols.ts'
import type { ExportedName } from './core.ts'

export { coreSymbols, finishCore, type ExportedName } from './core.ts'
export { readLinkable, type LinkableObject } from './object.ts'
export {
  decodeSymbols,
  encodeSymbols,
  withDepths,
  type CoreSymbols,
  type DataSymbol,
  type FunctionSymbol,
  type Symbols,
} from './symbols.ts'
export { CORE, type BoundImport, type Peer } from './names.ts'
export { SHARED_MODULE } from './image.ts'
export type { Bounds } from './layout.ts'

/** What a module calls its entries and itself. */
export interface EntryNames {
  readonly init: string
  readonly exit: string
  /** Its `struct module`. */
  readonly self: string
}

export interface BindOptions {
  /** Others import its functions from `module:NAME`. */
  readonly name: string
  readonly entries: EntryNames
  /**
   * `struct module` of the core, in bytes. It is zeroed; the core fills it in. Loaders take the memory for it and the tables
   * by pages of so many bytes: it begins such a page, and nothing but it and the tables is in these.
   */
  readonly self: { readonly bytes: number; readonly page: number }
  /** The range of memory that it may take: from `memoryBase` on, at most up to `memoryEnd`. */
  readonly memoryBase: number
  readonly memoryEnd: number
  /** First slot that it may take. */
  readonly tableBase: number
  /** What it offers to modules that are bound after it. */
  readonly exports?: readonly ExportedName[]
  /** Keep the sections that lines of source are read from; default true. */
  readonly debug?: boolean
}

export interface BoundModule extends Peer {
  readonly wasm: Uint8Array
  /**
   * Memory that it takes. Whoever loads it fills the range with zeros first; the module's one data segment then writes
   * what has content.
   */
  readonly memory: Bounds
  /** Slots that it takes. */
  readonly table: Bounds
  /** Functions that it imports, sorted by owner and name. */
  readonly imports: readonly BoundImport[]
  /** Tables that Linux walks (`__param`, `.kunit_test_suites`), by the section's name. */
  readonly sections: ReadonlyMap<string, Bounds>
  /** `tag=value` strings of `.modinfo`, in order. */
  readonly modinfo: readonly string[]
  /** Slots; absent when it has no such entry. */
  readonly init?: number
  readonly exit?: number
  /** Slots of functions to be called before init, in order. */
  readonly constructors: readonly number[]
  /** Address of its `struct module`. */
  readonly self: number
  /** Functions it defines. */
  readonly functionCount: number
  /** What is wrong with names, sorted. A module that has none of these is complete. */
  readonly undefined: readonly string[]
  /** `NAME: FILE has TYPE, OWNER TYPE` */
  readonly mismatched: readonly string[]
  readonly duplicate: readonly string[]
  /** `NAME of OWNER`: GPL-only, and the module's licence is not compatible. */
  readonly forbidden: readonly string[]
}

/** include/linux/license.h */
const GPL_COMPATIBLE = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
])

/**
 * Bind `objects`, in link order, to a core and to the modules they depend on. Throws WasmError for an object that is not what
 * a compiler writes, DrvportError when the module does not fit its range of memory. Names that do not bind are told
 * in the result, whose calls of them trap by name.
 */
export function bindModule(
  objects: readonly LinkableObject[],
  core: Symbols,
  peers: readonly Peer[],
  options: BindOptions,
): BoundModule {
  const { entries, exports = [] } = options
  const modinfo = objects.flatMap(modinfoOf)
  const license = modinfo.find((text) => text.startsWith('license='))?.slice('license='.length)
  const self = alignUp(options.memoryBase, options.self.page)
  const names = new Names({
    objects,
    core,
    peers,
    provided: new Map([[entries.self, self]]),
    gpl: license !== undefined && GPL_COMPATIBLE.has(license),
  })
  const init = functionNamed(names, entries.init)
  const exit = functionNamed(names, entries.exit)
  const offered = exports.flatMap(({ symbol, gplOnly }) => {
    const target = names.own(symbol)
    return target === undefined ? [] : [{ symbol, gplOnly, target }]
  })
  const constructors = constructorsOf(objects, names)
  const inTable = [init, exit, ...constructors, ...offered.map(({ target }) => target)].filter(
    (target) => target?.kind === 'function',
  )
  const reached = reach(objects, names, [...inTable, ...offered.map(({ target }) => target)])
  const layout = layOut(objects, reached, self + options.self.bytes, options.self.page)
  if (layout.end > options.memoryEnd) throw noRoom(options, layout.end)
  const image = makeImage({
    name: options.name,
    objects,
    names,
    reached,
    layout,
    tableBase: options.tableBase,
    inTable,
    memoryEnd: layout.end,
    debug: options.debug ?? true,
  })
  const functions = new Map<string, FunctionSymbol>()
  const data = new Map<string, DataSymbol>()
  for (const { symbol, gplOnly, target } of offered) {
    if (target.kind === 'function') functions.set(symbol, { type: target.type, slot: image.slotOf(target)!, gplOnly })
    else if (target.kind === 'data')
      data.set(symbol, { address: layout.addresses[target.object]![target.segment]! + target.offset, gplOnly })
  }
  return {
    name: options.name,
    functions,
    data,
    wasm: image.bytes,
    memory: { start: self, end: layout.end },
    table: { start: options.tableBase, end: image.tableEnd },
    imports: image.imports,
    sections: layout.sections,
    modinfo,
    ...(init && { init: image.slotOf(init)! }),
    ...(exit && { exit: image.slotOf(exit)! }),
    constructors: constructors.map((target) => image.slotOf(target)!),
    self,
    functionCount: image.functions,
    undefined: [...names.undefined].toSorted(),
    mismatched: [...names.mismatched].toSorted(),
    duplicate: [...names.duplicate].toSorted(),
    forbidden: [...names.forbidden].toSorted(),
  }
}

/** What the instrumenter has to know of those that a module was bound to. */
export function boundTo(core: Symbols, peers: readonly Peer[]): BoundTo {
  const owners = new Map([
    [CORE, core.functions],
    ...peers.map((peer) => [importedFrom(peer), peer.functions] as const),
  ])
  return {
    depthOf(module, name) {
      const found = owners.get(module)?.get(name)
      return found && (found.depth ?? Infinity)
    },
  }
}

function functionNamed(names: Names, name: string): Target | undefined {
  const target = names.own(name)
  return target?.kind === 'function' ? target : undefined
}

/** By priority, then in link order. */
function constructorsOf(objects: readonly LinkableObject[], names: Names): Target[] {
  return objects
    .flatMap(({ constructors }, object) => constructors.map((item) => ({ ...item, object })))
    .toSorted((a, b) => a.priority - b.priority)
    .map(({ object, symbol }) => names.target(object, symbol))
    .filter(({ kind }) => kind === 'function')
}

const decoder = new TextDecoder()

function modinfoOf({ module, segments }: LinkableObject): string[] {
  return segments.flatMap(({ name }, index) => {
    if (!name.startsWith('.modinfo')) return []
    const { start, end } = module.data[index]!
    return decoder
      .decode(module.bytes.subarray(start, end))
      .split('\0')
      .filter((text) => text !== '')
  })
}

function noRoom({ name, memoryBase, memoryEnd }: BindOptions, end: number): DrvportError {
  const hex = (address: number) => `0x${address.toString(16)}`
  return new DrvportError(1, `no room for module ${name}`, {
    where: `memory ${hex(memoryBase)} to ${hex(memoryEnd)}`,
    expected: `at most ${memoryEnd - memoryBase} bytes`,
    found: `${end - memoryBase} bytes`,
    todo: 'give modules a larger area when the core is linked (--global-base)',
  })
}
