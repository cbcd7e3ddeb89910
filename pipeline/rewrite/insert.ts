/**
 * Puts calls of host functions into a finished module: for breakpoints and traces of C calls.
 *
 * Everything the module had stays as it was and in order: its instructions, its counted work, its memory. Added are
 * function imports (after the module's own, so every index of a defined function grows), locals, and the instructions
 * given. Custom sections are left out, for the copy runs once and is not kept, but for the module's own name: a stack shows
 * it. Offsets of the copy map back to the module's.
 *
 * Must not know: what the calls are for, or Linux.
 */
import { Cursor, Writer } from '../wasm/bytes.ts'
import { CodeWalker, readLocals } from '../wasm/code.ts'
import {
  SECTION,
  functionType,
  readModule,
  readModuleName,
  type FuncType,
  type ValueType,
  type WasmModule,
} from '../wasm/module.ts'
import { toOriginal, type OffsetMap } from '../wasm/offsets.ts'
import { OP } from '../wasm/opcodes.ts'

/** A host function to call: it takes these and returns nothing. */
export interface Hook {
  readonly module: string
  readonly name: string
  readonly params: readonly ValueType[]
}

/** One function of the module, as whoever decides what to put in sees it. */
export interface FunctionView {
  /** Among all functions of the module, imported ones first. */
  readonly index: number
  readonly type: FuncType
  /** File offsets of its first instruction and of its end. */
  readonly codeStart: number
  readonly end: number
  /** Index of the first local that is added. */
  readonly firstLocal: number
}

/** What to put into one function. */
export interface Insertion {
  /** Types of locals to add. */
  readonly locals?: readonly ValueType[]
  /** Before the first instruction. */
  readonly entry?: Uint8Array
  /** Before the instructions at these file offsets, ascending. */
  readonly before?: readonly { readonly at: number; readonly code: Uint8Array }[]
  /** Before it returns, wherever that is; a result is on the stack, and must be left there. */
  readonly exit?: Uint8Array
}

export interface Copy {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** File offset in the module of a file offset in the copy; undefined outside of the code. */
  original(offset: number): number | undefined
}

const TYPE_BYTES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b, funcref: 0x70, externref: 0x6f }

/** Instructions for `Insertion`: constants, locals, and calls of hooks by their place in the list. */
export class Code {
  readonly #out = new Writer(32)
  readonly #imported: number

  constructor(module: WasmModule) {
    this.#imported = module.importedFunctions.length
  }

  constant(value: number): this {
    this.#out.u8(OP.i32Const).s32(value)
    return this
  }

  get(local: number): this {
    this.#out.u8(OP.localGet).u32(local)
    return this
  }

  set(local: number): this {
    this.#out.u8(OP.localSet).u32(local)
    return this
  }

  tee(local: number): this {
    this.#out.u8(OP.localTee).u32(local)
    return this
  }

  call(hook: number): this {
    this.#out.u8(OP.call).u32(this.#imported + hook)
    return this
  }

  done(): Uint8Array {
    return this.#out.finish()
  }
}

/** Copy a module with calls of `hooks` where `decide` says. Throws WasmError on a malformed module. */
export function insertCalls(
  bytes: Uint8Array,
  hooks: readonly Hook[],
  decide: (view: FunctionView, module: WasmModule) => Insertion | undefined,
): Copy {
  const module = readModule(bytes)
  const renumber = new Renumbering(module, hooks)
  const code = new CodeCopy(renumber)
  module.bodies.forEach((_, i) => code.copy(i, decide))
  const out = new Writer(bytes.length * 2)
  out.range(bytes, 0, 8)
  let codeStart = 0
  for (const section of sectionsOf(module)) {
    const payload = section.id === SECTION.code ? code.payload() : renumber.section(section.id, section)
    out.u8(section.id).u32(payload.length)
    if (section.id === SECTION.code) codeStart = out.length
    out.bytes(payload)
  }
  const name = readModuleName(module)
  if (name !== undefined) addModuleName(out, name)
  const offsets: OffsetMap = { codeStart, ...code.runs() }
  const base = module.code?.start ?? 0
  const original = (offset: number): number | undefined => {
    const found = toOriginal(offsets, offset)
    return found === undefined ? undefined : found + base
  }
  return { bytes: new Uint8Array(out.finish()), original }
}

/** All but custom ones, in order; an import section stands after the types also where the module has none. */
function sectionsOf({ sections }: WasmModule): { id: number; start: number; end: number }[] {
  const own = sections.filter(({ id }) => id !== SECTION.custom)
  if (own.some(({ id }) => id === SECTION.import)) return own
  const types = own.filter(({ id }) => id <= SECTION.type)
  return [...types, { id: SECTION.import, start: 0, end: 0 }, ...own.slice(types.length)]
}

/** A section of names with that of the module alone. */
function addModuleName(out: Writer, name: string): void {
  const own = new Writer().name(name)
  const body = new Writer().name('name').u8(0).u32(own.length).bytes(own.view())
  out.u8(SECTION.custom).u32(body.length).bytes(body.view())
}

interface Range {
  readonly start: number
  readonly end: number
}

/** Sections that name functions by number, with the numbers moved past the hooks. */
class Renumbering {
  readonly module: WasmModule
  readonly #hooks: readonly Hook[]
  readonly #imported: number

  constructor(module: WasmModule, hooks: readonly Hook[]) {
    this.module = module
    this.#hooks = hooks
    this.#imported = module.importedFunctions.length
  }

  shift(index: number): number {
    return index < this.#imported ? index : index + this.#hooks.length
  }

  section(id: number, at: Range): Uint8Array {
    const { module } = this
    const hooks = this.#hooks
    if (id === SECTION.type)
      return this.#append(
        at,
        hooks.map((hook) => (out) => {
          out.u8(0x60).u32(hook.params.length)
          for (const type of hook.params) out.u8(TYPE_BYTES[type])
          out.u8(0)
        }),
      )
    if (id === SECTION.import)
      return this.#append(
        at,
        hooks.map(
          (hook, i) => (out) =>
            out
              .name(hook.module)
              .name(hook.name)
              .u8(0)
              .u32(module.types.length + i),
        ),
      )
    if (id === SECTION.export) return this.#exports()
    if (id === SECTION.global) return this.#globals()
    if (id === SECTION.element) return this.#elements(at)
    if (id === SECTION.start) return new Writer().u32(this.shift(module.start!)).finish()
    return module.bytes.subarray(at.start, at.end)
  }

  #append(at: Range, items: readonly ((out: Writer) => void)[]): Uint8Array {
    const cursor = new Cursor(this.module.bytes, at.start, at.end)
    const own = cursor.left === 0 ? 0 : cursor.u32()
    const out = new Writer().u32(own + items.length).range(this.module.bytes, cursor.pos, at.end)
    for (const item of items) item(out)
    return out.finish()
  }

  #exports(): Uint8Array {
    const kinds = ['func', 'table', 'memory', 'global', 'tag']
    const out = new Writer().u32(this.module.exports.length)
    for (const { name, kind, index } of this.module.exports)
      out
        .name(name)
        .u8(kinds.indexOf(kind))
        .u32(kind === 'func' ? this.shift(index) : index)
    return out.finish()
  }

  #globals(): Uint8Array {
    const out = new Writer().u32(this.module.globals.length)
    for (const { type, mutable, init } of this.module.globals) {
      out.u8(TYPE_BYTES[type]).u8(mutable ? 1 : 0)
      this.#constant(init.start, init.end, out)
    }
    return out.finish()
  }

  /** Copy a constant expression; returns where it ends. */
  #constant(start: number, end: number, out: Writer): number {
    const walker = new CodeWalker(this.module.bytes, start, end)
    while (walker.depth > 0 && walker.next()) {
      if (walker.opcode === OP.refFunc) out.u8(OP.refFunc).u32(this.shift(walker.a))
      else out.range(this.module.bytes, walker.start, walker.end)
    }
    return walker.end
  }

  /** Core Specification 5.5.12. */
  #elements(at: Range): Uint8Array {
    const cursor = new Cursor(this.module.bytes, at.start, at.end)
    const out = new Writer(at.end - at.start)
    const constant = (): void => {
      cursor.pos = this.#constant(cursor.pos, at.end, out)
    }
    const segments = cursor.count()
    out.u32(segments)
    for (let i = 0; i < segments; i++) {
      const flags = cursor.u32()
      out.u32(flags)
      const active = (flags & 1) === 0
      if (active && (flags & 2) !== 0) out.u32(cursor.u32())
      if (active) constant()
      if ((flags & 3) !== 0) out.u8(cursor.u8())
      const items = cursor.count()
      out.u32(items)
      for (let j = 0; j < items; j++) {
        if ((flags & 4) !== 0) constant()
        else out.u32(this.shift(cursor.u32()))
      }
    }
    return out.finish()
  }
}

/** The code section's copy, body by body, and where everything went. */
class CodeCopy {
  readonly #numbers: Renumbering
  readonly #out = new Writer(1 << 16)
  readonly #body = new Writer(4096)
  readonly #base: number
  readonly #newStarts: number[] = []
  readonly #originalStarts: number[] = []

  constructor(numbers: Renumbering) {
    this.#numbers = numbers
    const { module } = numbers
    this.#base = module.code?.start ?? 0
    this.#out.u32(module.bodies.length)
  }

  payload(): Uint8Array {
    return this.#out.finish()
  }

  runs(): Omit<OffsetMap, 'codeStart'> {
    return { newStarts: Uint32Array.from(this.#newStarts), originalStarts: Uint32Array.from(this.#originalStarts) }
  }

  copy(number: number, decide: (view: FunctionView, module: WasmModule) => Insertion | undefined): void {
    const { module } = this.#numbers
    const body = module.bodies[number]!
    const index = module.importedFunctions.length + number
    const type = functionType(module, index)!
    const { count, codeStart } = readLocals(module.bytes, body.start, body.end)
    const view = { index, type, codeStart, end: body.end, firstLocal: type.params.length + count }
    const insertion = decide(view, module) ?? {}
    const first = this.#newStarts.length
    this.#body.clear()
    this.#locals(body.start, codeStart, insertion.locals ?? [])
    this.#code(view, insertion)
    this.#out.u32(this.#body.length)
    for (let i = first; i < this.#newStarts.length; i++) this.#newStarts[i]! += this.#out.length
    this.#out.bytes(this.#body.view())
  }

  /** From here on, bytes of the copy are those of the module from `original` (file offset) on. */
  #run(original: number): void {
    this.#newStarts.push(this.#body.length)
    this.#originalStarts.push(original - this.#base)
  }

  #locals(start: number, end: number, added: readonly ValueType[]): void {
    this.#run(start)
    const { bytes } = this.#numbers.module
    const cursor = new Cursor(bytes, start, end)
    this.#body.u32(cursor.u32() + added.length).range(bytes, cursor.pos, end)
    for (const type of added) this.#body.u32(1).u8(TYPE_BYTES[type])
  }

  #code(view: FunctionView, { entry, before = [], exit }: Insertion): void {
    const { bytes } = this.#numbers.module
    const body = this.#body
    const [result] = view.type.results
    // All ways out become ways to the end of one block around everything. Branches to the function's own label are
    // that already: the block takes the label's place.
    const wraps = exit !== undefined && view.type.results.length <= 1
    this.#run(view.codeStart)
    if (entry !== undefined) body.bytes(entry)
    if (wraps) body.u8(OP.block).u8(result === undefined ? 0x40 : TYPE_BYTES[result])
    this.#run(view.codeStart)
    let next = 0
    let copied = view.codeStart
    const walker = new CodeWalker(bytes, view.codeStart, view.end)
    while (walker.next()) {
      for (; before[next] !== undefined && before[next]!.at <= walker.start; next++) {
        body.range(bytes, copied, walker.start)
        copied = walker.start
        this.#run(copied)
        body.bytes(before[next]!.code)
        this.#run(copied)
      }
      if (walker.opcode === OP.call || walker.opcode === OP.refFunc) {
        body.range(bytes, copied, walker.start).u8(walker.opcode).u32(this.#numbers.shift(walker.a))
      } else if (wraps && walker.opcode === OP.return) {
        body
          .range(bytes, copied, walker.start)
          .u8(OP.br)
          .u32(walker.depth - 1)
      } else if (wraps && walker.depth === 0) {
        body.range(bytes, copied, walker.start).u8(OP.end)
        this.#run(walker.start)
        body.bytes(exit).u8(OP.end)
      } else continue
      copied = walker.end
      this.#run(copied)
    }
    body.range(bytes, copied, view.end)
  }
}
