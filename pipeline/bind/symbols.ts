/**
 * What a linked core or a bound module offers by name to modules that are bound later, and the file it is kept in.
 *
 * Functions are known by their slots in the table that all share, which is also what a pointer to one is, data by
 * addresses. Only these names bind: what Linux does not export is not among them.
 *
 * The file: `DVPS`, version byte, then LEB128 numbers: what it is of (see `CoreSymbols`); types (count, strings);
 * functions, then data (count, each: letters shared with the name before it, the rest of the name, type << 1 | GPL-only,
 * slot and depth + 1, or GPL-only and address). Names are sorted.
 */
import { Cursor, WasmError, Writer } from '../wasm/bytes.ts'
import { isSignature } from './signature.ts'

export interface FunctionSymbol {
  /** See signature.ts. */
  readonly type: string
  /** In the table that core and modules share. */
  readonly slot: number
  /**
   * The longest way down from it, in bytes of the engine's stack, as the verifier found it (`withDepths`); absent until then. Calls of a
   * function of unknown depth count the stack they may use.
   */
  readonly depth?: number
  /** Modules whose licence is not compatible with the GPL may not use it. */
  readonly gplOnly: boolean
}

export interface DataSymbol {
  /** In the memory that core and modules share. */
  readonly address: number
  readonly gplOnly: boolean
}

export interface Symbols {
  readonly functions: ReadonlyMap<string, FunctionSymbol>
  readonly data: ReadonlyMap<string, DataSymbol>
}

export interface CoreSymbols extends Symbols {
  /** One past the last slot that the core takes; the first that a module may have. */
  readonly tableEnd: number
  /** Lowest address of the core's data: what modules take ends here. */
  readonly dataStart: number
  /** One past the core's data: its `__heap_base`. */
  readonly heapBase: number
}

/** The same symbols with what the verifier found of their functions. */
export function withDepths<S extends Symbols>(symbols: S, facts: ReadonlyMap<string, { readonly depth: number }>): S {
  const functions = new Map<string, FunctionSymbol>()
  for (const [name, symbol] of symbols.functions) {
    const depth = facts.get(name)?.depth
    functions.set(name, depth === undefined ? symbol : { ...symbol, depth })
  }
  return { ...symbols, functions }
}

const MAGIC = 0x53505644 // "DVPS"
const VERSION = 2

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

export function encodeSymbols(symbols: CoreSymbols): Uint8Array {
  const out = new Writer(1 << 16).u32le(MAGIC).u8(VERSION)
  out.u32(symbols.tableEnd).u32(symbols.dataStart).u32(symbols.heapBase)
  const functions = [...symbols.functions].toSorted(byName)
  const types = [...new Set(functions.map(([, { type }]) => type))].toSorted()
  const typeIndex = new Map(types.map((type, i) => [type, i]))
  out.u32(types.length)
  for (const type of types) out.name(type)
  const name = nameWriter(out)
  out.u32(functions.length)
  for (const [text, { type, slot, gplOnly, depth = -1 }] of functions) {
    name(text)
    out.u32(((typeIndex.get(type) as number) << 1) | Number(gplOnly)).u32(slot)
    out.u32(depth + 1)
  }
  out.u32(symbols.data.size)
  for (const [text, { address, gplOnly }] of [...symbols.data].toSorted(byName)) {
    name(text)
    out.u32(Number(gplOnly)).u32(address)
  }
  return out.finish()
}

/** Read what `encodeSymbols` wrote. Throws WasmError when it is something else. */
export function decodeSymbols(bytes: Uint8Array): CoreSymbols {
  const cursor = new Cursor(bytes)
  if (cursor.left < 5 || cursor.u32le() !== MAGIC) throw new WasmError('not a symbol file: bad magic', 0)
  const version = cursor.u8()
  if (version !== VERSION) throw new WasmError(`symbol file version ${version}, ${VERSION} expected`, 4)
  const [tableEnd, dataStart, heapBase] = [cursor.u32(), cursor.u32(), cursor.u32()]
  const types = Array.from({ length: cursor.count() }, () => readType(cursor))
  const name = nameReader(cursor)
  const functions = new Map<string, FunctionSymbol>()
  for (let n = cursor.count(5); n > 0; n--) {
    const text = name()
    const at = cursor.pos
    const word = cursor.u32()
    const type = types[word >>> 1]
    if (type === undefined) throw new WasmError(`symbol ${text}: type ${word >>> 1} of ${types.length}`, at)
    const slot = cursor.u32()
    const depth = cursor.u32() - 1
    functions.set(text, { type, slot, gplOnly: (word & 1) !== 0, ...(depth >= 0 && { depth }) })
  }
  const data = new Map<string, DataSymbol>()
  for (let n = cursor.count(4); n > 0; n--) {
    const text = name()
    const gplOnly = (cursor.u32() & 1) !== 0
    data.set(text, { address: cursor.u32(), gplOnly })
  }
  if (cursor.left > 0) throw new WasmError(`symbol file has ${cursor.left} bytes too many`, cursor.pos)
  return { functions, data, tableEnd, dataStart, heapBase }
}

function readType(cursor: Cursor): string {
  const at = cursor.pos
  const type = cursor.name()
  if (!isSignature(type)) throw new WasmError(`symbol file: ${JSON.stringify(type)} is no function type`, at)
  return type
}

/** Names that have much in common with the one before. */
function nameWriter(out: Writer): (name: string) => void {
  let last = ''
  return (name) => {
    let shared = 0
    while (shared < name.length && name[shared] === last[shared]) shared++
    out.u32(shared).name(name.slice(shared))
    last = name
  }
}

function nameReader(cursor: Cursor): () => string {
  let last = ''
  return () => {
    const at = cursor.pos
    const shared = cursor.u32()
    if (shared > last.length) throw new WasmError('symbol file: a name shares more than the one before it has', at)
    last = last.slice(0, shared) + cursor.name()
    return last
  }
}
