/**
 * Hand-made wasm for the product's own loader: a core or a module bound to one, put together from functions in the notation of
 * kernel/support.ts. Memory and table are imported, as the binder has it.
 */
import { importName } from '../../../pipeline/verify/imports.ts'
import { Writer } from '../../../pipeline/wasm/bytes.ts'
import type { Function, Import } from '../../kernel/support.ts'

const I32 = 0x7f
const END = 0x0b
const CONST = 0x41

export interface Linked {
  readonly imports: readonly Import[]
  readonly functions: readonly Function[]
  readonly pages: number
  /** Of the table: so many entries are there. */
  readonly entries: number
  /** A core's stack begins here, and these are addresses that it exports; a module has neither. */
  readonly core?: { readonly stack: number; readonly addresses: Readonly<Record<string, number>> }
  /** A module's functions take slots from here on, in their order. */
  readonly slots?: number
  readonly data?: { readonly at: number; readonly bytes: Uint8Array }
}

/** Function types, by what they are. */
class Types {
  readonly list: string[] = []

  of(params: readonly string[], result: boolean): number {
    const key = `${params.join('')}>${result ? 'i' : ''}`
    const at = this.list.indexOf(key)
    return at >= 0 ? at : this.list.push(key) - 1
  }

  words(count: number, result: boolean): number {
    return this.of(Array<string>(count).fill('i'), result)
  }
}

const typeBytes = (letter: string): number => (letter === 'I' ? 0x7e : I32)

/** What functions take and give: words, and numbers of 64 bits where an import says so. */
const typeOf = (types: Types, { params, result, types: letters }: Import): number =>
  letters === undefined ? types.words(params, result) : types.of([...letters], result)

export function assembleLinked({ imports, functions, pages, entries, core, slots, data }: Linked): Uint8Array {
  const types = new Types()
  const index = new Map<string, number>()
  imports.forEach((item, at) => index.set(item.module === 'core' ? item.name : importName(item), at))
  functions.forEach(({ name }, at) => index.set(name, imports.length + at))
  const find = (name: string): number => {
    const at = index.get(name)
    if (at === undefined) throw new Error(`no function ${name}`)
    return at
  }
  const code = ({ body, locals = 0 }: Function): Writer => {
    const out = new Writer().u32(locals === 0 ? 0 : 1)
    if (locals > 0) out.u32(locals).u8(I32)
    for (const part of body) {
      if ('call' in part) out.u8(0x10).u32(find(part.call))
      else if ('slot' in part) out.u8(CONST).s32((slots ?? 0) + find(part.slot) - imports.length)
      else if ('indirect' in part) out.u8(0x11).u32(types.words(part.indirect, part.result)).u8(0)
      else out.bytes(Uint8Array.from(part))
    }
    return out.u8(END)
  }
  const bodies = functions.map(code)
  const imported = imports.map((item) => typeOf(types, item))
  const defined = functions.map(({ params = 0, result = false }) => types.words(params, result))
  const out = new Writer().u32le(0x6d736100).u32le(1)
  const section = (id: number, fill: (w: Writer) => void): void => {
    const body = new Writer()
    fill(body)
    out.u8(id).u32(body.length).bytes(body.view())
  }
  section(1, (w) => {
    w.u32(types.list.length)
    for (const key of types.list) {
      const [params, results] = key.split('>').map((letters) => [...letters].map(typeBytes)) as [number[], number[]]
      w.u8(0x60).u32(params.length).bytes(Uint8Array.from(params)).u32(results.length).bytes(Uint8Array.from(results))
    }
  })
  section(2, (w) => {
    w.u32(imports.length + 2)
    imports.forEach(({ module, name }, at) => w.name(module).name(name).u8(0).u32(imported[at]!))
    w.name('env').name('memory').u8(2).u8(0).u32(pages)
    w.name('env').name('__indirect_function_table').u8(1).u8(0x70).u8(0).u32(entries)
  })
  section(3, (w) => (w.u32(defined.length), defined.forEach((type) => w.u32(type))))
  if (core !== undefined) writeGlobals(section, core, functions, imports.length)
  if (slots !== undefined)
    section(9, (w) => {
      w.u32(1).u32(0).u8(CONST).s32(slots).u8(END).u32(functions.length)
      functions.forEach((_, at) => w.u32(imports.length + at))
    })
  section(10, (w) => (w.u32(bodies.length), bodies.forEach((body) => w.u32(body.length).bytes(body.view()))))
  if (data !== undefined)
    section(11, (w) => w.u32(1).u32(0).u8(CONST).s32(data.at).u8(END).u32(data.bytes.length).bytes(data.bytes))
  return out.finish()
}

/** A core's stack pointer and addresses, and its exports: those and every function. */
function writeGlobals(
  section: (id: number, fill: (w: Writer) => void) => void,
  { stack, addresses }: NonNullable<Linked['core']>,
  functions: readonly Function[],
  first: number,
): void {
  const names = Object.keys(addresses)
  section(6, (w) => {
    w.u32(1 + names.length)
      .u8(I32)
      .u8(1)
      .u8(CONST)
      .s32(stack)
      .u8(END)
    for (const name of names) w.u8(I32).u8(0).u8(CONST).s32(addresses[name]!).u8(END)
  })
  section(7, (w) => {
    w.u32(1 + names.length + functions.length)
    for (const [at, name] of ['__stack_pointer', ...names].entries()) w.name(name).u8(3).u32(at)
    functions.forEach(({ name }, at) =>
      w
        .name(name)
        .u8(0)
        .u32(first + at),
    )
  })
}
