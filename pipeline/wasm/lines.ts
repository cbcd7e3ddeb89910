/**
 * NAME.lines: the compact line table of a package, and the symbolizer that reads it.
 *
 * Maps code of the instrumented module to function, file and line, calls inlined by the compiler included. Offsets in
 * the table count from the code section's payload; the symbolizer takes file offsets, as engines print them
 * (`wasm-function[n]:0xOFF`).
 *
 * Format: `DVPL`, version byte, then LEB128 numbers: code start; files (count, strings); scopes (count, each: name,
 * parent, call file, call line); rows (count, each: offset delta, and signed deltas of file, line, scope). File 0 and
 * scope 0 mean "unknown". A scope's parent is the function it was inlined into, 0 for a function itself.
 */
import { Cursor, WasmError, Writer } from './bytes.ts'
import { lastAtMost } from './offsets.ts'

export interface LineScope {
  readonly name: string
  readonly parent: number
  readonly callFile: number
  readonly callLine: number
}

export interface LineTableRow {
  readonly offset: number
  readonly file: number
  readonly line: number
  readonly scope: number
}

export interface Frame {
  readonly function: string
  /** Path in the kernel tree; empty when unknown. */
  readonly file: string
  /** 1 and up; 0 when unknown. */
  readonly line: number
  /** This call was inlined into the next frame. */
  readonly inlined: boolean
}

export interface LineTable {
  readonly codeStart: number
  readonly files: readonly string[]
  scope(index: number): LineScope
  /** All of them, each an object. */
  scopes(): readonly LineScope[]
  readonly offsets: Uint32Array
  readonly rowFile: Uint32Array
  readonly rowLine: Uint32Array
  readonly rowScope: Uint32Array
}

const MAGIC = 0x4c505644 // "DVPL"
const VERSION = 1

export function encodeLines(
  head: { readonly codeStart: number; readonly files: readonly string[]; readonly scopes: readonly LineScope[] },
  rows: readonly LineTableRow[],
): Uint8Array {
  const out = new Writer(rows.length * 5 + 4096)
  out.u32le(MAGIC).u8(VERSION).u32(head.codeStart)
  out.u32(head.files.length)
  for (const file of head.files) out.name(file)
  const names = [...new Set(head.scopes.map((s) => s.name))]
  const nameIndex = new Map(names.map((name, i) => [name, i]))
  out.u32(names.length)
  for (const name of names) out.name(name)
  out.u32(head.scopes.length)
  for (const s of head.scopes)
    out
      .u32(nameIndex.get(s.name) as number)
      .u32(s.parent)
      .u32(s.callFile)
      .u32(s.callLine)
  out.u32(rows.length)
  let last: LineTableRow = { offset: 0, file: 0, line: 0, scope: 0 }
  for (const row of rows) {
    out.u32(row.offset - last.offset).s32(row.file - last.file)
    out.s32(row.line - last.line).s32(row.scope - last.scope)
    last = row
  }
  return out.finish()
}

/** Numbers of a scope in the file, and of a row. */
const WIDTH = 4

/** Read NAME.lines. Throws WasmError when it is not one. Of a kernel it has millions of numbers, and one failure asks for a few rows of it. */
export function readLines(bytes: Uint8Array): LineTable {
  const cursor = new Cursor(bytes)
  if (cursor.left < 5 || cursor.u32le() !== MAGIC) throw new WasmError('not a line table: bad magic', 0)
  const version = cursor.u8()
  if (version !== VERSION) throw new WasmError(`line table version ${version}, ${VERSION} expected`, 4)
  const codeStart = cursor.u32()
  const files = Array.from({ length: cursor.count() }, () => cursor.name())
  const names = readNames(cursor)
  const scopes = new Scopes(readScopes(cursor, names.length, files.length), names, bytes)
  return { codeStart, files, ...readRows(cursor, files.length, scopes.count), ...scopes.asTable() }
}

/** Where each name begins: nobody reads most of them. */
function readNames(cursor: Cursor): Uint32Array {
  const names = new Uint32Array(cursor.count())
  for (let i = 0; i < names.length; i++) {
    names[i] = cursor.pos
    cursor.skip(cursor.u32())
  }
  return names
}

/** Name, parent, call file and call line of each. */
function readScopes(cursor: Cursor, names: number, files: number): Uint32Array {
  const numbers = new Uint32Array(WIDTH * cursor.count(WIDTH))
  for (let at = 0; at < numbers.length; at += WIDTH) {
    const start = cursor.pos
    const [name, parent, callFile] = [cursor.u32(), cursor.u32(), cursor.u32()]
    // Parents come first, which also means that walking up always ends.
    if (name >= names || (at > 0 && parent >= at / WIDTH) || callFile >= files)
      throw new WasmError('line table scope out of range', start)
    numbers[at] = name
    numbers[at + 1] = parent
    numbers[at + 2] = callFile
    numbers[at + 3] = cursor.u32()
  }
  return numbers
}

type Rows = Pick<LineTable, 'offsets' | 'rowFile' | 'rowLine' | 'rowScope'>

function readRows(cursor: Cursor, files: number, scopes: number): Rows {
  const count = cursor.count(WIDTH)
  const [offsets, rowFile] = [new Uint32Array(count), new Uint32Array(count)]
  const [rowLine, rowScope] = [new Uint32Array(count), new Uint32Array(count)]
  let [offset, file, line, scope] = [0, 0, 0, 0]
  for (let row = 0; row < count; row++) {
    offsets[row] = offset += cursor.u32()
    rowFile[row] = file += cursor.s32()
    rowLine[row] = line += cursor.s32()
    rowScope[row] = scope += cursor.s32()
    if (file < 0 || file >= files || line < 0 || scope < 0 || scope >= scopes)
      throw new WasmError('line table row out of range', cursor.pos)
  }
  return { offsets, rowFile, rowLine, rowScope }
}

/** Scopes as numbers, each made an object when it is asked for. */
class Scopes {
  readonly count: number
  readonly #numbers: Uint32Array
  readonly #names: Uint32Array
  readonly #bytes: Uint8Array
  #all: readonly LineScope[] | undefined

  constructor(numbers: Uint32Array, names: Uint32Array, bytes: Uint8Array) {
    this.count = numbers.length / WIDTH
    this.#numbers = numbers
    this.#names = names
    this.#bytes = bytes
  }

  readonly at = (index: number): LineScope => {
    const [name, parent, callFile, callLine] = this.#numbers.subarray(WIDTH * index, WIDTH * (index + 1))
    const cursor = new Cursor(this.#bytes)
    cursor.pos = this.#names[name!]!
    return { name: cursor.name(), parent: parent!, callFile: callFile!, callLine: callLine! }
  }

  get all(): readonly LineScope[] {
    return (this.#all ??= Array.from({ length: this.count }, (_, i) => this.at(i)))
  }

  asTable(): Pick<LineTable, 'scopes' | 'scope'> {
    return { scopes: () => this.all, scope: this.at }
  }
}

/** Rows to look back for a line when the compiler gave none. */
const LOOK_BACK = 64

/**
 * Frames of one code offset, innermost first: the calls the compiler inlined there, then the function itself.
 * `fileOffset` is the engine's: from the start of the instrumented file. Empty outside the code.
 * Where the compiler gave no line (code it merged or made), the nearest line before it in the same function is used.
 */
export function symbolize(table: LineTable, fileOffset: number): Frame[] {
  const row = lastAtMost(table.offsets, fileOffset - table.codeStart)
  if (row < 0) return []
  const scopeIndex = table.rowScope[row] as number
  if (scopeIndex === 0) return []
  const near = rowWithLine(table, row)
  const frames: Frame[] = []
  let file = table.rowFile[near] as number
  let line = table.rowLine[near] as number
  for (let i = scopeIndex; i !== 0;) {
    const scope = table.scope(i)
    frames.push({ function: scope.name, file: table.files[file] as string, line, inlined: scope.parent !== 0 })
    file = scope.callFile
    line = scope.callLine
    i = scope.parent
  }
  return frames
}

function rowWithLine(table: LineTable, row: number): number {
  const scope = table.rowScope[row]
  for (let i = row; i >= 0 && i > row - LOOK_BACK; i--)
    if (table.rowScope[i] === scope && table.rowLine[i] !== 0) return i
  return row
}

/** A wasm frame of an engine's stack trace. */
export interface EngineFrame {
  readonly functionIndex: number
  /** File offset of the instruction. */
  readonly offset: number
}

/** wasm frames of `Error.stack`, innermost first. */
export function parseStack(stack: string): EngineFrame[] {
  const frames: EngineFrame[] = []
  for (const [, index, offset] of stack.matchAll(/wasm-function\[(\d+)\]:0x([0-9a-f]+)/g))
    frames.push({ functionIndex: Number(index), offset: Number.parseInt(offset as string, 16) })
  return frames
}
