/**
 * `.debug_line`: which file and line each code address comes from.
 * Source: DWARF 5, section 6.2 (and DWARF 4's header).
 */
import { Cursor, WasmError } from '../bytes.ts'
import { FORM, readForm } from './forms.ts'
import { cursorAt, isTombstone, type DebugSections } from './sections.ts'

export interface LineRow {
  readonly address: number
  /** Index into `files`; 0 is the unknown file. */
  readonly file: number
  readonly line: number
}

/** Rows of one contiguous piece of code: in wasm, one function. */
export interface LineSequence {
  readonly start: number
  /** One past the last address. */
  readonly end: number
  readonly rows: readonly LineRow[]
}

export interface LineProgram {
  /** Paths as the compiler gave them, joined with their directory and the unit's. */
  readonly files: readonly string[]
  readonly sequences: readonly LineSequence[]
}

interface Header {
  readonly version: number
  readonly minInstruction: number
  readonly lineBase: number
  readonly lineRange: number
  readonly opcodeBase: number
  readonly opcodeLengths: readonly number[]
  readonly files: readonly string[]
}

/** The line program at `offset` of `.debug_line`. `directory` is the unit's DW_AT_comp_dir. */
export function readLineProgram(debug: DebugSections, offset: number, directory: string): LineProgram {
  const section = debug.byName.get('line')
  if (section === undefined) return { files: [], sequences: [] }
  const outer = cursorAt(debug.bytes, section, offset)
  const length = outer.u32le()
  if (length >= 0xfffffff0) throw new WasmError('64-bit DWARF is not supported', outer.pos)
  const cursor = new Cursor(debug.bytes, outer.pos, outer.pos + length)
  const header = readHeader(debug, cursor, directory)
  return { files: header.files, sequences: runProgram(cursor, header) }
}

function readHeader(debug: DebugSections, cursor: Cursor, directory: string): Header {
  const version = cursor.u16()
  if (version < 2 || version > 5) throw new WasmError(`line table version ${version}, 2 to 5 expected`, cursor.pos)
  if (version >= 5) cursor.skip(2) // address size, segment selector size
  const headerLength = cursor.u32le()
  const program = cursor.pos + headerLength
  const minInstruction = cursor.u8()
  if (version >= 4) cursor.skip(1) // operations per instruction
  cursor.skip(1) // default is_stmt
  const lineBase = (cursor.u8() << 24) >> 24
  const lineRange = cursor.u8()
  const opcodeBase = cursor.u8()
  if (lineRange === 0) throw new WasmError('line range is 0', cursor.pos)
  const opcodeLengths = Array.from({ length: Math.max(0, opcodeBase - 1) }, () => cursor.u8())
  const files = version >= 5 ? readFiles5(debug, cursor, directory) : readFiles4(cursor, directory)
  if (program > cursor.end) throw new WasmError('line header is longer than its unit', cursor.pos)
  cursor.pos = program
  return { version, minInstruction, lineBase, lineRange, opcodeBase, opcodeLengths, files }
}

function readFiles4(cursor: Cursor, directory: string): string[] {
  const directories = [directory]
  for (let name = cursor.cstring(); name !== ''; name = cursor.cstring()) directories.push(join(directory, name))
  const files = ['']
  for (let name = cursor.cstring(); name !== ''; name = cursor.cstring()) {
    const index = cursor.uleb()
    cursor.uleb() // modification time
    cursor.uleb() // length
    files.push(join(directories[index] ?? directory, name))
  }
  return files
}

function readFiles5(debug: DebugSections, cursor: Cursor, directory: string): string[] {
  const directories = readEntries(debug, cursor).map((e) => join(directory, e.path))
  return readEntries(debug, cursor).map((e) => join(directories[e.directory] ?? directory, e.path))
}

const CONTENT = { path: 1, directory: 2 }

function readEntries(debug: DebugSections, cursor: Cursor): { path: string; directory: number }[] {
  const formats: [type: number, form: number][] = []
  for (let n = cursor.u8(); n > 0; n--) formats.push([cursor.uleb(), cursor.uleb()])
  const entries: { path: string; directory: number }[] = []
  for (let n = Math.min(cursor.uleb(), cursor.left); n > 0; n--) {
    const entry = { path: '', directory: 0 }
    for (const [type, form] of formats) {
      if (form === FORM.string) {
        const text = cursor.cstring()
        if (type === CONTENT.path) entry.path = text
        continue
      }
      const value = readForm(cursor, form)
      if (type === CONTENT.directory) entry.directory = value
      else if (type === CONTENT.path) entry.path = debug.string(form === FORM.lineStrp ? 'line_str' : 'str', value)
    }
    entries.push(entry)
  }
  return entries
}

function join(directory: string, name: string): string {
  return name.startsWith('/') || directory === '' ? name : name === '' ? directory : `${directory}/${name}`
}

function runProgram(cursor: Cursor, header: Header): LineSequence[] {
  const sequences: LineSequence[] = []
  let rows: LineRow[] = []
  let address = 0
  let file = 1
  let line = 1
  let dead = false
  const emit = (): void => {
    rows.push({ address, file: file < header.files.length ? file : 0, line: Math.max(0, line) })
  }
  const endSequence = (): void => {
    const start = rows[0]?.address
    if (!dead && start !== undefined && !isTombstone(start)) sequences.push({ start, end: address, rows })
    rows = []
    address = 0
    file = 1
    line = 1
    dead = false
  }
  while (cursor.left > 0) {
    const opcode = cursor.u8()
    if (opcode >= header.opcodeBase) {
      const adjusted = opcode - header.opcodeBase
      address = (address + Math.floor(adjusted / header.lineRange) * header.minInstruction) >>> 0
      line += header.lineBase + (adjusted % header.lineRange)
      emit()
    } else if (opcode === 0) {
      const length = cursor.uleb()
      const next = cursor.pos + length
      const extended = length > 0 ? cursor.u8() : 0
      if (extended === 1) {
        endSequence()
      } else if (extended === 2) {
        address = cursor.u32le()
        dead = isTombstone(address)
      }
      if (next > cursor.end || next < cursor.pos) throw new WasmError('bad extended opcode length', cursor.pos)
      cursor.pos = next
    } else if (opcode === 1) emit()
    else if (opcode === 2) address = (address + cursor.uleb() * header.minInstruction) >>> 0
    else if (opcode === 3) line += cursor.sleb()
    else if (opcode === 4) file = cursor.uleb()
    else if (opcode === 8)
      address = (address + Math.floor((255 - header.opcodeBase) / header.lineRange) * header.minInstruction) >>> 0
    else if (opcode === 9) address = (address + cursor.u16()) >>> 0
    else for (let n = header.opcodeLengths[opcode - 1] ?? 0; n > 0; n--) cursor.uleb()
  }
  return sequences
}
