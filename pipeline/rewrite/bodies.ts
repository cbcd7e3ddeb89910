/**
 * Rewriting the bodies of a finished module: everything else is copied, mutable globals may be added, and every piece of
 * code remembers where it came from, so that the line table can follow it (relocate.ts).
 *
 * Offsets of code count from the code section's payload, in both modules. Must not know why a body is rewritten.
 */
import { Cursor, Writer } from '../wasm/bytes.ts'
import { SECTION, type Body, type Section, type ValueType, type WasmModule } from '../wasm/module.ts'
import { OP } from '../wasm/opcodes.ts'

/** Code that was copied: `length` bytes from `from`, now at `at`. */
export interface Piece {
  readonly at: number
  readonly from: number
  readonly length: number
  /** Which inlined call it is of; 0 is none. Index into `Rewritten.calls`. */
  readonly call: number
}

/** A call that was replaced by its callee's body. */
export interface InlinedCall {
  /** Where the call was, in the original code. */
  readonly from: number
  /** The inlined call that it was itself part of, 0 for none. */
  readonly within: number
}

export interface Rewritten {
  readonly bytes: Uint8Array
  /** File offset of the new code section's payload. */
  readonly codeStart: number
  /** Sorted by `at`. */
  readonly pieces: readonly Piece[]
  /** The first stands for no call. */
  readonly calls: readonly InlinedCall[]
}

export const TYPE_BYTES: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
}

/** Writes one body: original bytes, new ones, and locals beyond those it has. */
export class BodyWriter {
  readonly code = new Writer(4096)
  readonly pieces: Piece[] = []
  /** Types of the locals added. */
  readonly locals: ValueType[] = []
  /** The inlined call that what is copied now belongs to. */
  call = 0
  readonly #bytes: Uint8Array
  readonly #base: number

  constructor(module: WasmModule) {
    this.#bytes = module.bytes
    this.#base = module.code!.start
  }

  /** Copy original bytes, by file offset. */
  copy(start: number, end: number): void {
    if (start === end) return
    this.pieces.push({ at: this.code.length, from: start - this.#base, length: end - start, call: this.call })
    this.code.range(this.#bytes, start, end)
  }

  /** Say that what is written next stands for original code at a file offset. */
  mark(start: number): void {
    this.pieces.push({ at: this.code.length, from: start - this.#base, length: 1, call: this.call })
  }
}

export interface Rewrite {
  /** Write a body's code, its final `end` included. */
  body(body: Body, index: number, out: BodyWriter): void
  readonly calls: readonly InlinedCall[]
  /** Mutable i64 globals to add, exported under these names. */
  readonly counters?: readonly string[]
}

/** A module with other bodies. `rewrite.calls` is read when all bodies are written. */
export function rewriteBodies(module: WasmModule, rewrite: Rewrite): Rewritten {
  const { bytes } = module
  const out = new Writer(bytes.length * 2)
  const pieces: Piece[] = []
  const code = writeCode(module, rewrite, pieces)
  out.range(bytes, 0, 8)
  let codeStart = 0
  const added = new Map([
    [SECTION.global as number, globalsAfter(rewrite)],
    [SECTION.export as number, exportsAfter(module, rewrite)],
  ])
  for (const section of module.sections) {
    // A module bound to a core has neither globals nor exports of its own: they come before what may follow them.
    for (const [id, items] of added) if (section.id > id) addSection(out, module, id, undefined, added, items)
    const items = added.get(section.id)
    if (section.id === SECTION.code) {
      out.u8(section.id).u32(code.length)
      codeStart = out.length
      out.bytes(code)
    } else if (items !== undefined) addSection(out, module, section.id, section, added, items)
    else out.range(bytes, section.headerStart, section.end)
  }
  return { bytes: out.finish(), codeStart, pieces, calls: rewrite.calls }
}

type Items = readonly ((out: Writer) => void)[]

const globalsAfter = ({ counters = [] }: Rewrite): Items =>
  counters.map(() => (out) => out.u8(TYPE_BYTES.i64).u8(1).u8(OP.i64Const).u8(0).u8(OP.end))

function exportsAfter(module: WasmModule, { counters = [] }: Rewrite): Items {
  const first = module.importedGlobals.length + module.globals.length
  return counters.map(
    (name, i) => (out) =>
      out
        .name(name)
        .u8(3)
        .u32(first + i),
  )
}

/** A vector section with items added at its end; they are no longer to be `added` then. */
function addSection(
  out: Writer,
  module: WasmModule,
  id: number,
  section: Section | undefined,
  added: Map<number, Items>,
  items: Items,
): void {
  added.delete(id)
  if (section === undefined && items.length === 0) return
  const body = new Writer()
  if (section === undefined) body.u32(items.length)
  else {
    const cursor = new Cursor(module.bytes, section.start, section.end)
    body.u32(cursor.u32() + items.length).range(module.bytes, cursor.pos, section.end)
  }
  for (const item of items) item(body)
  out.u8(id).u32(body.length).bytes(body.view())
}

function writeCode(module: WasmModule, rewrite: Rewrite, pieces: Piece[]): Uint8Array {
  const out = new Writer((module.code!.end - module.code!.start) * 2)
  out.u32(module.bodies.length)
  module.bodies.forEach((body, index) => {
    const writer = new BodyWriter(module)
    rewrite.body(body, index, writer)
    const locals = localsWith(module.bytes, body, writer.locals)
    out.u32(locals.length + writer.code.length).bytes(locals)
    for (const piece of writer.pieces) pieces.push({ ...piece, at: piece.at + out.length })
    out.bytes(writer.code.view())
  })
  return out.finish()
}

/** The declarations of a body's locals with more behind them. */
function localsWith(bytes: Uint8Array, body: Body, added: readonly ValueType[]): Uint8Array {
  const cursor = new Cursor(bytes, body.start, body.end)
  const groups = cursor.count(2)
  const start = cursor.pos
  for (let i = 0; i < groups; i++) {
    cursor.u32()
    cursor.u8()
  }
  const runs: { type: ValueType; count: number }[] = []
  for (const type of added) {
    const last = runs.at(-1)
    if (last?.type === type) last.count++
    else runs.push({ type, count: 1 })
  }
  const out = new Writer(64).u32(groups + runs.length).range(bytes, start, cursor.pos)
  for (const { type, count } of runs) out.u32(count).u8(TYPE_BYTES[type])
  return out.finish()
}
